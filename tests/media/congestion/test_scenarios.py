"""The controller on simulated links: what performance.md and the issue ask for, as figures."""

import math
import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from tests.media.congestion.link import Flow, Link, World, hiccups

S = 1_000_000


@dataclass
class Scene:
    world: World
    link: Link
    flow: Flow

    def run(self, seconds: float) -> int:
        """Let time pass; return when it began."""
        began_us = self.world.now_us
        self.world.run(seconds)
        return began_us


def scene(*, flow: dict[str, Any] | None = None, **link: Any) -> Scene:
    world = World()
    way = Link(world, **link)
    return Scene(world, way, Flow(world, way, **(flow or {})))


@pytest.mark.parametrize("max_bps", [2_500_000, 8_000_000])
@pytest.mark.parametrize("delay_ms", [1, 10, 100])
def test_a_clear_link_gives_all_within_a_second(max_bps: int, delay_ms: int) -> None:
    s = scene(flow={"max_bps": max_bps}, delay_ms=delay_ms)
    began_us = s.run(3)
    assert s.flow.reaches(max_bps, began_us) <= (0.3 if delay_ms <= 10 else 1)
    assert s.flow.mean_target(began_us + S) == max_bps
    assert s.flow.controller.reason == "limit"


def test_on_a_fast_link_the_pacer_delays_no_frame() -> None:
    s = scene(flow={"max_bps": 8_000_000})
    s.run(1)
    assert s.flow.controller.pacing_bps >= 40_000_000  # 10 kB in 2 ms
    s.flow.pacer_log.clear()
    s.run(5)
    assert max(s.flow.pacer_log) <= 8_000


def test_near_the_capacity_a_frame_is_spread_over_its_time_so_that_control_gets_between() -> None:
    s = scene(capacity_bps=2e6)
    s.run(10)
    frame_bits = s.flow.controller.target_bps / 30
    assert 0.016 <= frame_bits / s.flow.controller.pacing_bps <= 0.033


def test_two_percent_of_random_loss_keep_the_rate() -> None:
    s = scene(capacity_bps=50e6, loss=0.02)
    s.run(2)
    began_us = s.run(60)
    assert s.flow.mean_target(began_us) >= 0.95 * 2_500_000
    assert s.flow.controller.loss == pytest.approx(0.02, abs=0.03)


@pytest.mark.parametrize(("loss", "kept"), [(0.05, 0.95), (0.10, 0.9)])
def test_bursts_of_loss_do_not_collapse_the_rate(loss: float, kept: float) -> None:
    s = scene(capacity_bps=50e6, burst_loss=loss)
    s.run(2)
    began_us = s.run(60)
    assert s.flow.mean_target(began_us) >= kept * 2_500_000


def test_losses_that_a_lower_rate_does_not_lessen_are_the_links_own() -> None:
    s = scene(capacity_bps=50e6, loss=0.15)
    s.run(2)
    began_us = s.run(60)
    assert s.flow.mean_target(began_us) >= 0.9 * 2_500_000


@pytest.mark.parametrize("every_ms", [50, 100, 200])
def test_a_cap_of_1_mbit_is_found_and_its_queue_emptied(every_ms: float) -> None:
    sparse = every_ms > 100
    s = scene(flow={"every_ms": every_ms})
    s.run(5)
    s.link.capacity_bps = 1e6
    began_us = s.run(16)
    assert s.flow.reaches(1e6, began_us, below=True) <= (0.8 if sparse else 0.5)
    queue = [(at, us) for at, us in s.link.queue_log if at >= began_us]
    empty_us = next(at for at, us in queue if at > began_us + 300_000 and us < 30_000)
    assert empty_us - began_us <= (1.3 if sparse else 1.1) * S
    later = sorted(us for at, us in queue if at >= began_us + 1.5 * S)
    assert later[len(later) * 95 // 100] <= 50_000
    assert s.flow.received_bps(began_us + 2 * S) >= 0.75 * 1e6


def test_a_cap_behind_a_short_buffer_is_found_by_its_losses() -> None:
    s = scene(queue_ms=20)
    s.run(5)
    s.link.capacity_bps = 0.5e6
    began_us = s.run(16)
    assert s.flow.reaches(0.55e6, began_us, below=True) <= 2
    assert s.flow.received_bps(began_us + 3 * S) >= 0.75 * 0.5e6


def test_steps_from_8_to_half_and_back() -> None:
    s = scene(flow={"max_bps": 8_000_000}, capacity_bps=8e6)
    s.run(10)
    s.link.capacity_bps = 0.5e6
    low_us = s.run(20)
    s.link.capacity_bps = 8e6
    high_us = s.run(20)
    assert s.flow.reaches(0.5e6, low_us, below=True) <= 0.7
    assert s.flow.received_bps(low_us + 4 * S, high_us) >= 0.75 * 0.5e6
    assert s.flow.reaches(0.8 * 8e6, high_us) <= 6


def test_after_an_outage_the_rate_is_back_at_once() -> None:
    s = scene(capacity_bps=10e6)
    s.run(5)
    s.link.is_down = True
    down_us = s.run(1)
    assert s.flow.reaches(1_250_000, down_us, below=True) <= 0.7
    assert (s.flow.controller.reason, s.flow.controller.is_silent) == ("silence", True)
    s.run(4)
    assert s.flow.controller.target_bps == 150_000
    s.link.is_down = False
    up_us = s.run(5)
    assert s.flow.reaches(0.8 * 2_500_000, up_us) <= 0.5
    assert not s.flow.controller.is_silent


@pytest.mark.parametrize("capacity_bps", [4e6, 50e6])
def test_a_busy_processor_costs_no_rate(capacity_bps: float) -> None:
    s = scene(capacity_bps=capacity_bps)
    s.run(2)
    hiccups(s.world, s.flow, every_s=0.2, seconds=60)
    began_us = s.run(60)
    targets = [bps for at, bps in s.flow.targets if at >= began_us]
    assert min(targets) >= 0.9 * 2_500_000


def test_a_longer_way_starves_nobody() -> None:
    s = scene(capacity_bps=20e6)
    s.run(5)
    s.link.delay_ms += 80
    began_us = s.run(20)
    low = [at for at, bps in s.flow.targets if at >= began_us and bps < 0.8 * 2_500_000]
    assert len(low) * 0.05 <= 2
    assert s.flow.controller.target_bps == 2_500_000


@pytest.mark.parametrize("drift_ppm", [-100, 100])
def test_a_clock_that_drifts_and_wraps_changes_nothing(drift_ppm: float) -> None:
    # The receiver's reference time wraps after 20 s.
    s = scene(
        flow={"drift_ppm": drift_ppm, "offset_us": (64_000 << 24) - 21 * S}, capacity_bps=20e6
    )
    s.run(2)
    began_us = s.run(120)
    assert min(bps for at, bps in s.flow.targets if at >= began_us) == 2_500_000
    assert not s.flow.controller.ignored


def test_feedback_that_is_lost_changes_little() -> None:
    s = scene(flow={"feedback_loss": 0.2}, capacity_bps=1.5e6)
    s.run(5)
    began_us = s.run(30)
    assert s.flow.received_bps(began_us) >= 0.75 * 1.5e6


@pytest.mark.parametrize("jitter_ms", [10, 30])
def test_jitter_is_no_congestion(jitter_ms: float) -> None:
    s = scene(capacity_bps=20e6, jitter_ms=jitter_ms)
    s.run(2)
    began_us = s.run(60)
    assert s.flow.mean_target(began_us) >= 0.95 * 2_500_000


def test_a_rate_that_wanders_for_ten_minutes() -> None:
    s = scene(flow={"max_bps": 8_000_000}, capacity_bps=3e6)
    rng = random.Random(7)
    offered = 0.0
    for _ in range(1200):
        bps = s.link.capacity_bps * math.exp(rng.gauss(0, 0.08))
        s.link.capacity_bps = min(8e6, max(0.6e6, bps))
        offered += s.link.capacity_bps / 2
        s.run(0.5)
    queue = sorted(us for _, us in s.link.queue_log)
    assert queue[len(queue) * 95 // 100] <= 60_000
    assert sum(size for _, size in s.flow.receiver.bytes) * 8 >= 0.75 * offered
    gaps = [b - a for (a, _), (b, _) in pairwise(s.flow.receiver.bytes)]
    assert max(gaps) <= 500_000


def test_two_flows_share_a_link() -> None:
    s = scene(capacity_bps=3e6)
    s.run(10)
    other = Flow(s.world, s.link, seed=9)
    s.run(30)
    began_us = s.run(60)
    rates = [f.received_bps(began_us) for f in (s.flow, other)]
    assert min(rates) >= 0.25 * sum(rates)
    assert sum(rates) >= 0.75 * 3e6
    queue = sorted(us for at, us in s.link.queue_log if at >= began_us)
    assert queue[len(queue) * 95 // 100] <= 80_000


def test_a_still_picture_neither_lowers_nor_raises_the_rate() -> None:
    s = scene(flow={"fill": 0.1, "max_bps": 8_000_000}, capacity_bps=4e6)
    s.run(5)
    began_us = s.run(30)
    assert s.flow.mean_target(began_us) >= 0.5 * 4e6
    assert s.flow.mean_target(began_us) <= 1.3 * 4e6


def test_more_cameras_raise_the_limit_and_a_probe_finds_the_room() -> None:
    s = scene(flow={"max_bps": 2_500_000})
    s.run(3)
    s.flow.controller.max_bps = 5_000_000
    began_us = s.run(2)
    assert s.flow.reaches(5_000_000, began_us) <= 0.5
    s.flow.controller.max_bps = 2_000_000
    assert s.flow.controller.target_bps == 2_000_000
