"""Feedback from a viewer that lies, or is broken: bounded work and memory, no runaway rate."""

import math
import random
import struct
import sys
import time
from collections import deque
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farhand.media.congestion import CongestionController, Kind
from tests.media.congestion.feedback_writer import write
from tests.media.congestion.samples import FEEDBACK, Target

STEP_US = 50_000


class Viewer:
    """A sender of 15 packets every 50 ms, and a viewer that reports what a test makes up."""

    def __init__(self, *, max_bps: int = 8_000_000) -> None:
        self.now_us = 1_000_000
        self.number = 0
        self.controller = CongestionController(
            start_bps=1_000_000, min_bps=150_000, max_bps=max_bps, now_us=self.now_us
        )

    def send(self, count: int = 15, *, kind: Kind = Kind.MEDIA) -> int:
        """Send; return the first packet's number."""
        first = self.controller.on_sent(1200, self.now_us, kind=kind)
        for _ in range(count - 1):
            self.controller.on_sent(1200, self.now_us, kind=kind)
        return first

    def report(self, base: int, arrivals: list[int | None]) -> None:
        self.controller.on_feedback(write(base, arrivals, self.number), self.now_us)
        self.number = (self.number + 1) & 0xFF

    def step(self) -> None:
        self.now_us += STEP_US
        self.controller.tick(self.now_us)

    def honest(self, seconds: float) -> None:
        for _ in range(int(seconds * 20)):
            base, sent_us = self.send(), self.now_us
            self.step()
            self.report(base, [sent_us + 10_000 + 300 * k for k in range(15)])


def test_reports_about_packets_never_sent_change_nothing() -> None:
    viewer = Viewer()
    viewer.honest(2)
    before = viewer.controller.target_bps
    for k in range(40):
        viewer.now_us += 20_000
        viewer.report(40_000 + 100 * k, [viewer.now_us] * 100)
    assert viewer.controller.target_bps == before
    assert viewer.controller.ignored == {"unknown": 40}


def test_a_replay_of_old_feedback_changes_nothing() -> None:
    viewer = Viewer()
    base, sent_us = viewer.send(), viewer.now_us
    viewer.step()
    fci = write(base, [sent_us + 10_000 + 300 * k for k in range(15)], 0)
    viewer.controller.on_feedback(fci, viewer.now_us)
    state = (viewer.controller.target_bps, viewer.controller.loss, viewer.controller.queue_us)
    for _ in range(40):
        viewer.now_us += 20_000
        viewer.controller.on_feedback(fci, viewer.now_us)
    assert state == (
        viewer.controller.target_bps,
        viewer.controller.loss,
        viewer.controller.queue_us,
    )
    assert viewer.controller.ignored == {"unknown": 40}


def test_a_flood_of_feedback_is_not_even_parsed() -> None:
    viewer = Viewer()
    fci = struct.pack("!HHI", 0, 65535, 0) + struct.pack("!H", 0x1FFF) * 8 + b"\0\7"
    started = time.process_time()
    for _ in range(20_000):
        viewer.now_us += 50
        viewer.controller.on_feedback(fci, viewer.now_us)
    assert time.process_time() - started < 1.0
    assert viewer.controller.ignored["flood"] >= 19_800


def test_everything_arrived_instantly_grows_no_faster_than_the_rules() -> None:
    """One probe at a time, three times the rate at most, and never above the limit."""
    viewer = Viewer(max_bps=100_000_000)
    targets = [viewer.controller.target_bps]
    probes = 0
    for _ in range(100):
        base = viewer.send()
        probe = viewer.controller.take_probe(viewer.now_us)
        if probe is not None:
            probes += 1
            viewer.send(-(-probe.bytes // 1200), kind=Kind.PROBE)
        count = viewer.controller._log.next_number - base
        viewer.step()
        viewer.report(base, [viewer.now_us] * count)
        targets.append(viewer.controller.target_bps)
        assert probe is None or targets[-1] <= probe.rate_bps
    growth = [b / a for a, b in pairwise(targets)]
    assert max(growth) <= 3.001
    assert sum(g > 1.01 for g in growth) <= probes
    assert targets[-1] <= 100_000_000


def test_without_probes_a_forger_gains_eight_percent_a_second() -> None:
    viewer = Viewer(max_bps=100_000_000)
    for _ in range(200):
        base = viewer.send(100)
        viewer.step()
        viewer.report(base, [viewer.now_us] * 100)
    assert viewer.controller.target_bps <= 1_000_000 * math.exp(0.08 * 10) * 1.01


@pytest.mark.parametrize("jump_us", [-(10**9), -9_000_000, 9_000_000, 10**9, 10**11])
def test_a_receivers_clock_that_jumps_is_survived(jump_us: int) -> None:
    viewer = Viewer(max_bps=2_500_000)
    viewer.honest(3)
    for k in range(200):
        base, sent_us = viewer.send(), viewer.now_us
        viewer.step()
        shift_us = jump_us if k >= 1 else 0
        times: list[int | None] = [2**40 + sent_us + shift_us + 10_000 + 300 * n for n in range(15)]
        viewer.report(base, times)
    viewer.honest(5)
    assert viewer.controller.target_bps >= 1_000_000
    assert (viewer.controller.queue_us or 0) < 25_000


def test_arrival_times_that_run_backwards_do_not_raise_the_rate() -> None:
    viewer = Viewer()
    for _ in range(100):
        base = viewer.send()
        viewer.step()
        viewer.report(base, [viewer.now_us - 5_000 * n for n in range(15)])
    assert viewer.controller.target_bps <= 1_000_000 * math.exp(0.08 * 5) * 1.01


def test_memory_is_bounded() -> None:
    viewer = Viewer()
    rng = random.Random(1)

    def size() -> int:
        seen: set[int] = set()

        def weigh(thing: Any) -> int:
            if id(thing) in seen or isinstance(thing, type):
                return 0
            seen.add(id(thing))
            inner: list[Any] = []
            if isinstance(thing, dict):
                inner = [*thing.keys(), *thing.values()]
            elif isinstance(thing, list | tuple | deque):
                inner = list(thing)
            elif hasattr(thing, "__dict__"):
                inner = [vars(thing)]
            elif hasattr(thing, "__slots__"):
                inner = [getattr(thing, name) for name in thing.__slots__]
            return sys.getsizeof(thing) + sum(map(weigh, inner))

        return weigh(viewer.controller)

    for round_ in range(3000):
        base = viewer.send()
        viewer.controller.take_probe(viewer.now_us)
        viewer.step()
        when = viewer.now_us + rng.randrange(-(10**7), 10**7)
        viewer.report(base, [when + rng.randrange(8_000_000) for _ in range(15)])
        if round_ == 500:
            early = size()
    assert size() <= early * 1.1 + 20_000
    assert size() < 1_000_000


def test_numbers_and_rates_from_reports_are_kept_within_limits() -> None:
    controller = Viewer(max_bps=2_500_000).controller
    for loss in (math.nan, -1.0, 2.0, math.inf, 0.5):
        controller.on_receiver_report(loss=loss, rtt_us=-5, now_us=2_000_000)
        assert controller.loss is not None
        assert 0 <= controller.loss <= 1
    for remb in (-1, 0, 1, 2**63):
        controller.on_remb(remb, 2_000_000)
        assert 150_000 <= controller.target_bps <= 2_500_000


mutations = st.lists(
    st.tuples(st.integers(0, len(FEEDBACK) - 1), st.integers(0, 200), st.binary(max_size=8)),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(mutations)
def test_damaged_feedback_breaks_no_promise(changes: list[tuple[int, int, bytes]]) -> None:
    target = Target()
    for which, at, junk in changes:
        fci = FEEDBACK[which]
        target.feed(fci[:at] + junk + fci[at + len(junk) :])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_well_formed_lies_break_no_promise(data: st.DataObject) -> None:
    target = Target()
    times = st.none() | st.integers(0, 2**40)
    clock = 0
    for _ in range(data.draw(st.integers(1, 20))):
        base = data.draw(st.integers(0, 70) | st.integers(0, 65535))
        clock = data.draw(times) or clock
        steps = data.draw(st.lists(st.none() | st.integers(-8_000_000, 8_000_000), max_size=12))
        arrivals: list[int | None] = [2**41 + clock]
        at = 2**41 + clock
        for step in steps:
            at += step or 0
            arrivals.append(None if step is None else at)
        target.feed(write(base, arrivals, data.draw(st.integers(0, 255))))
