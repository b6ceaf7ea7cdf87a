"""How the speed follows the loop."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farhand.core.governor import Governor, level_of
from farhand.core.governor_config import GovernorConfig
from farhand.errors import Code
from farhand.protocol.types import SteerBy

MS = 1000
START = 1_000_000_000
CONFIG = GovernorConfig()


class Operator:
    """Sends frames at 50 Hz and says what it sees."""

    def __init__(
        self,
        steer_by: SteerBy = "video",
        config: GovernorConfig = CONFIG,
        top_speed: float | None = 2.0,
    ) -> None:
        self.governor = Governor(config, steer_by, top_speed)
        self.now = START
        self.caps: list[tuple[int, float]] = []

    def send(
        self,
        for_ms: int,
        loop_ms: float | Callable[[int], float] = 100,
        *,
        told_ms: int | None = None,
        every_ms: int = 20,
    ) -> None:
        """Show pictures that are ``loop_ms`` old; ``told_ms``: say another latency."""
        end = self.now + for_ms * MS
        while self.now < end:
            self.now += every_ms * MS
            loop = loop_ms(self.now) if callable(loop_ms) else loop_ms
            told = round(loop) if told_ms is None else told_ms
            stamp = self.now - int(loop * MS)
            self.governor.observe(self.now, heard_us=stamp, seen_us=stamp, loop_ms=told)
            self.look()

    def wait(self, ms: int) -> None:
        """Let time pass without a frame."""
        for _ in range(ms // 5):
            self.now += 5 * MS
            self.governor.tick(self.now)
            self.look()

    def look(self) -> None:
        if not self.caps or self.caps[-1][1] != self.governor.cap:
            self.caps.append((self.now, self.governor.cap))

    @property
    def state(self) -> tuple[float, str]:
        return self.governor.cap, self.governor.told_reason


def test_a_quick_loop_lowers_nothing() -> None:
    ana = Operator()
    ana.send(200, 150)
    assert ana.state == (1.0, "full")
    assert ana.governor.lock is None
    assert ana.governor.loop_us == 150 * MS


@pytest.mark.parametrize(
    ("loop_ms", "cap"), [(200, 1.0), (210, 0.95), (400, 0.5), (500, 0.4), (667, 0.25), (1000, 0.2)]
)
def test_the_cap_is_the_reference_over_the_loop(loop_ms: int, cap: float) -> None:
    ana = Operator()
    ana.send(1500, loop_ms)
    assert ana.state == (cap, "full" if cap == 1 else "loop")


def test_a_blind_distance_takes_the_place_of_the_reference() -> None:
    ana = Operator(config=replace(CONFIG, blind_distance_m=0.1), top_speed=2.0)
    ana.send(1500, 100)
    assert ana.state == (0.5, "loop")  # 0.1 m in 0.1 s: half of 2 m/s
    ana.send(1500, 500)
    assert ana.state == (0.1, "loop")


def test_a_robot_without_a_base_has_no_blind_distance() -> None:
    ana = Operator(config=replace(CONFIG, blind_distance_m=0.1), top_speed=None)
    ana.send(1500, 400)
    assert ana.state == (0.5, "loop")


def test_a_loop_that_is_too_long_locks() -> None:
    ana = Operator()
    ana.send(1000, 1001)
    assert ana.state == (0.0, "loop-too-long")
    assert ana.governor.lock is Code.LOOP_TOO_LONG
    ana.send(600, 150)
    assert ana.governor.lock is Code.LOOP_TOO_LONG, "better, but not for a second"
    ana.send(1000, 150)
    assert ana.state == (1.0, "full")


def test_a_figure_that_alone_locks_the_robot_for_ever_is_put_aside_for_a_while() -> None:
    ana = Operator()
    ana.send(1000)
    ana.send(1900, 100, told_ms=5000)  # waits for the effect of a command that was refused
    assert ana.state == (0.0, "loop-too-long")
    began = ana.now
    ana.send(2000, 100, told_ms=5000)
    assert ana.state == (0.15, "no-sample")
    ana.send(2000, 100, told_ms=90)  # it has seen an effect since
    assert ana.state == (1.0, "full")
    risen = next(at for at, cap in ana.caps if at > began and cap)
    assert 2_000 * MS < risen - began + 1900 * MS < 3_600 * MS


def test_a_figure_put_aside_locks_again_and_never_allows_more_than_saying_nothing() -> None:
    ana = Operator()
    ana.send(30_000, 100, told_ms=5000)
    caps = [cap for _, cap in ana.caps]
    assert caps[:5] == [0.0, 0.15, 0.0, 0.15, 0.0]
    assert set(caps) == {0.0, 0.15}


def test_a_figure_is_put_aside_only_while_the_robot_itself_sees_a_short_loop() -> None:
    ana = Operator()
    ana.send(8_000, 1100, told_ms=5000)
    assert ana.state == (0.0, "loop-too-long")
    ana.send(1_000, 100, told_ms=5000)
    assert ana.state == (0.0, "loop-too-long")  # the two seconds have begun only now


def test_a_picture_that_stands_still_locks_though_the_figure_is_put_aside() -> None:
    ana = Operator()
    ana.send(4_500, 100, told_ms=5000)
    assert ana.state == (0.15, "no-sample")
    stamp = ana.now
    ana.send(700, lambda now: (now - stamp) / MS, told_ms=5000)
    assert ana.governor.lock is Code.VIDEO_STALE


def test_nothing_moves_before_a_picture_was_shown() -> None:
    ana = Operator()
    assert ana.state == (0.0, "stale-video")
    ana.governor.observe(START, heard_us=START, seen_us=0, loop_ms=50)
    assert ana.governor.lock is Code.VIDEO_STALE
    ana.send(20, 150)
    assert ana.state == (1.0, "full"), "nothing was worse before"


def test_a_picture_that_stands_still_locks_though_frames_go_on() -> None:
    ana = Operator()
    ana.send(300, 100)
    stamp = ana.now - 100 * MS
    for _ in range(25):
        ana.now += 20 * MS
        ana.governor.observe(ana.now, heard_us=ana.now, seen_us=stamp, loop_ms=100)
    assert ana.governor.lock is None
    ana.now += 20 * MS
    ana.governor.observe(ana.now, heard_us=ana.now, seen_us=stamp, loop_ms=100)
    assert ana.governor.lock is Code.VIDEO_STALE


def test_a_picture_that_stands_still_slows_before_it_locks() -> None:
    ana = Operator()
    ana.send(300, 100)
    stamp = ana.now - 100 * MS
    for _ in range(24):
        ana.now += 20 * MS
        ana.governor.observe(ana.now, heard_us=ana.now, seen_us=stamp, loop_ms=100)
    assert 0 < ana.governor.cap < 0.7


def test_silence_locks_by_time_alone() -> None:
    ana = Operator()
    ana.send(300, 100)
    ana.wait(500)
    assert ana.governor.lock is None
    ana.wait(5)
    assert ana.state == (0.0, "stale-video")


def test_no_latency_yet_leaves_a_fifth() -> None:
    ana = Operator()
    ana.send(300, 100, told_ms=0)
    assert ana.state == (0.2, "no-sample")
    ana.send(900, 100)
    assert ana.state == (0.2, "no-sample")
    ana.send(400, 100)
    assert ana.state == (1.0, "full")
    ana.send(20, 100, told_ms=0)
    assert ana.state == (0.2, "no-sample")


def test_no_latency_yet_and_an_old_picture_leave_less() -> None:
    ana = Operator(config=replace(CONFIG, t_ref_ms=50))
    ana.send(300, 500, told_ms=0)
    assert ana.state == (0.1, "loop")


def test_what_the_member_says_never_allows_more_than_what_the_robot_sees() -> None:
    ana = Operator()
    ana.send(1500, 400, told_ms=20)
    assert ana.state == (0.5, "loop")
    ana = Operator()
    ana.send(1500, 20, told_ms=400)
    assert ana.state == (0.5, "loop")


def test_a_stamp_of_the_future_is_not_believed() -> None:
    ana = Operator()
    ana.send(300, 100)
    for _ in range(25):
        ana.now += 20 * MS
        ana.governor.observe(ana.now, heard_us=ana.now, seen_us=ana.now + 1, loop_ms=100)
        assert ana.governor.cap <= 0.2
    assert ana.governor.lock is None
    ana.wait(5)
    ana.governor.observe(ana.now, heard_us=ana.now, seen_us=2**63, loop_ms=100)
    assert ana.governor.lock is Code.VIDEO_STALE


def test_a_blind_driver_gets_a_fifth_and_needs_no_picture() -> None:
    ben = Operator("blind")
    assert ben.state == (0.2, "blind")
    ben.send(1000, 80)
    ben.wait(2000)
    assert ben.state == (0.2, "blind")
    assert ben.governor.loop_us == 80 * MS


def test_a_blind_driver_with_the_owner_s_leave_is_bound_by_the_loop() -> None:
    ben = Operator("blind", replace(CONFIG, blind_cap=1.0))
    ben.send(300, 100)
    assert ben.state == (1.0, "full")
    ben.send(600, 400)
    assert ben.state == (0.5, "loop")
    ben.send(600, 1001)
    assert ben.governor.lock is Code.LOOP_TOO_LONG


def test_a_program_on_the_robot_is_not_slowed() -> None:
    program = Operator("local")
    program.send(600, 3000)
    program.wait(1000)
    assert program.state == (1.0, "full")
    assert program.governor.loop_us is None


# --- hysteresis ---


def test_the_cap_follows_a_step_of_the_delay_within_a_second() -> None:
    """20 to 100 ms one way: 40 ms of the loop are the wire before, 200 ms after."""
    ana = Operator()
    ana.send(3000, 120)
    ana.caps.clear()
    step = ana.now
    ana.send(2000, 280)
    assert ana.state == (0.7, "loop")
    assert ana.caps[-1][0] - step <= 300 * MS
    assert len(ana.caps) <= 2


def test_the_cap_rises_after_a_second_of_better() -> None:
    ana = Operator()
    ana.send(2000, 400)
    step = ana.now
    ana.send(3000, 100)
    rises = [at for at, _ in ana.caps if at > step]
    assert len(rises) == 1
    assert 1000 * MS <= rises[0] - step <= 1400 * MS
    assert ana.state == (1.0, "full")


def test_one_bad_stretch_starts_the_second_anew() -> None:
    ana = Operator()
    ana.send(2000, 500)
    for _ in range(5):
        ana.send(700, 100)
        ana.send(300, 450)
    assert ana.state == (0.4, "loop")


def test_a_gap_starts_the_second_anew() -> None:
    ana = Operator()
    ana.send(2000, 500)
    for _ in range(5):
        ana.send(900, 100)
        ana.wait(300)
    assert ana.governor.cap == 0.4


@pytest.mark.parametrize("centre", [150, 190, 200, 210, 250, 333, 400, 500])
def test_noise_changes_nothing(centre: int) -> None:
    ana = Operator()
    ana.send(3000, lambda now: centre + 4 * math.sin(now / 31e3))
    ana.caps.clear()
    ana.send(30_000, lambda now: centre + 4 * math.sin(now / 31e3))
    assert len(ana.caps) <= 1


def turns_up(caps: list[tuple[int, float]]) -> list[int]:
    """Return when a falling cap began to rise."""
    falling, found = False, []
    for (_, before), (at, cap) in itertools.pairwise(caps):
        if cap > before and falling:
            found.append(at)
        falling = cap < before
    return found


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(20, 1200)), min_size=2, max_size=60),
)
def test_no_link_makes_the_cap_swing_more_than_once_a_second(
    history: list[tuple[int, int]],
) -> None:
    ana = Operator()
    for frames, loop in history:
        ana.send(frames * 20, loop)
    ups = turns_up(ana.caps)
    assert all(later - at >= 1000 * MS for at, later in itertools.pairwise(ups))
    falls = [at for (_, a), (at, b) in itertools.pairwise(ana.caps) if b < a]
    rises = [at for (_, a), (at, b) in itertools.pairwise(ana.caps) if b > a]
    first = ana.caps[0][0]
    assert all(rise - fall >= 1000 * MS for rise in rises for fall in falls if fall < rise), first


@given(
    st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 65535), st.integers(0, 300)),
        max_size=80,
    ),
    st.sampled_from(["video", "blind"]),
)
def test_no_claim_makes_the_robot_faster_than_its_own_view(
    claims: list[tuple[int, int, int]], steer_by: SteerBy
) -> None:
    ana = Operator(steer_by)
    for seen, loop_ms, ms in claims:
        ana.now += ms * MS
        ana.governor.tick(ana.now)
        ana.governor.observe(ana.now, heard_us=ana.now - ms, seen_us=seen, loop_ms=loop_ms)
        governor = ana.governor
        assert 0 <= governor.cap <= 1
        assert (governor.cap == 0) == (governor.lock is not None)
        if steer_by == "video" and not 0 < seen <= ana.now:
            assert governor.cap <= 0.2
        if steer_by == "blind":
            assert governor.cap <= 0.2


def test_a_flood_of_frames_is_one_sample_for_each_slot() -> None:
    ana = Operator()
    ana.send(2000, 100, every_ms=1)
    assert len(ana.governor._samples) <= 25


def test_within_a_slot_the_longest_counts() -> None:
    ana = Operator()
    ana.now = START - 1 * MS
    ana.send(600, lambda now: 400 if now % (20 * MS) == 0 else 20, every_ms=1)
    assert ana.governor.loop_us == 400 * MS


@pytest.mark.parametrize(
    ("fraction", "level"),
    [
        *((7.0, 1.0), (1.0, 1.0), (0.999, 0.95), (0.2, 0.2), (0.199, 0.15), (0.0999, 0.09)),
        *((0.0101, 0.01), (0.004, 0.004), (0.0, 0.0), (-1.0, 0.0)),
    ],
)
def test_levels(fraction: float, level: float) -> None:
    assert level_of(fraction) == level


@given(st.floats(0, 10))
def test_a_level_is_never_above(fraction: float) -> None:
    assert level_of(fraction) <= fraction + 1e-9


@pytest.mark.parametrize(
    "change",
    [
        {"t_ref_ms": 19},
        {"t_ref_ms": 2001},
        {"t_stop_ms": 99},
        {"t_stop_ms": 10_001},
        {"t_ref_ms": 800, "t_stop_ms": 799},
        {"stale_video_ms": 99},
        {"stale_video_ms": 5001},
        {"blind_distance_m": 0.0},
        {"blind_distance_m": math.nan},
        {"blind_distance_m": math.inf},
        {"blind_cap": 0.0},
        {"blind_cap": 1.01},
        {"blind_cap": math.nan},
    ],
)
def test_numbers_out_of_bounds_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"_ms|blind"):
        replace(CONFIG, **change)  # type: ignore[arg-type]
