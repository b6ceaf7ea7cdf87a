"""The governor at the gate: what is refused, how fast the setpoint may be, what is told."""

from dataclasses import replace

import pytest

from farhand.core.gate import Gate
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.core.governor_config import GovernorConfig
from farhand.errors import Code
from farhand.protocol.gate_link import Judged
from farhand.protocol.types import SteerBy
from tests.core.gate_rig import MS, START, Limit, Rig


def rig_for(steer_by: SteerBy = "video", config: GateConfig | None = None) -> Rig:
    rig = Rig(config)
    rig.grant(steer_by=steer_by)
    rig.beats(1)
    return rig


def drive(rig: Rig, ms: int, loop_ms: int = 100, speed: float = 1.0, **changes: int) -> Judged:
    """Send honest frames at 50 Hz, neutral while the gate wants it; return the last verdict."""
    for _ in range(ms // 20):
        rig.wait(20)
        rig.heard = rig.gate.beat(rig.now).n
        fields = {"seen_us": rig.now - loop_ms * MS, "loop_ms": loop_ms, **changes}
        judged = rig.send(speed if rig.gate.is_armed else 0.0, 0.0, **fields)
    return judged


def speed(rig: Rig) -> float:
    return rig.gate.shaper.output[0]


def test_a_quick_loop_goes_at_full_speed() -> None:
    rig = rig_for()
    assert drive(rig, 500).code is None
    assert speed(rig) == 1.0
    state = rig.gate.state()
    assert (state.cap, state.cap_reason, state.loop_ms, state.blind_mm) == (1.0, "full", 100, 100)


def test_a_slow_loop_is_driven_slowly() -> None:
    rig = rig_for()
    assert drive(rig, 1500, loop_ms=400).code is None
    assert speed(rig) == pytest.approx(0.5)
    state = rig.gate.state()
    assert (state.cap, state.cap_reason, state.loop_ms, state.blind_mm) == (0.5, "loop", 400, 200)


def test_a_lowered_cap_brakes_what_runs_without_a_new_command() -> None:
    limit = Limit(acceleration=2.0, deceleration=2.0, jerk=200.0)
    rig = Rig()
    rig.gate = Gate(rig.config, (limit, limit), rig.file, rig.now)
    rig.grant(steer_by="video")
    rig.beats(1)
    drive(rig, 1500)
    assert speed(rig) == 1.0
    governor = rig.gate.governor
    assert governor is not None
    governor._set(rig.now, 0.5, "loop")
    rig.wait(50)
    assert 0.85 < speed(rig) < 1.0, "it brakes"
    drive(rig, 100, loop_ms=400)
    rig.wait(200)
    assert speed(rig) == pytest.approx(0.5)
    assert not rig.gate.violations


def test_a_cap_that_rises_lets_the_last_command_through() -> None:
    rig = rig_for()
    drive(rig, 1500, loop_ms=400)
    governor = rig.gate.governor
    assert governor is not None
    governor._set(rig.now, 1.0, "full")
    rig.wait(150)
    assert speed(rig) == 1.0


def test_an_old_picture_refuses_and_stops() -> None:
    rig = rig_for()
    drive(rig, 500)
    stamp = rig.now - 100 * MS
    assert drive(rig, 480, seen_us=stamp).code is None
    assert speed(rig) > 0
    assert drive(rig, 60, seen_us=stamp).code is Code.VIDEO_STALE
    assert rig.gate.setpoint(rig.now) is None
    assert speed(rig) == 0
    assert rig.gate.watchdog == 0
    state = rig.gate.state()
    assert (state.cap, state.cap_reason, state.blind_mm) == (0.0, "stale-video", 0)


def test_after_a_lock_neutral_comes_first() -> None:
    rig = rig_for()
    drive(rig, 500)
    drive(rig, 600, seen_us=rig.now - 100 * MS)
    codes = set()
    for _ in range(60):
        rig.wait(20)
        rig.heard = rig.gate.beat(rig.now).n
        judged = rig.send(1.0, 0.0, seen_us=rig.now - 100 * MS, loop_ms=100)
        codes.add(judged.code)
    assert codes == {Code.VIDEO_STALE, Code.NEUTRAL_FIRST}
    assert judged.code is Code.NEUTRAL_FIRST
    assert rig.send(0.0, 0.0, seen_us=rig.now - 100 * MS, loop_ms=100).code is None


def test_the_tick_locks_without_a_frame() -> None:
    rig = rig_for()
    drive(rig, 500)
    stamp = rig.now - 100 * MS
    drive(rig, 400, seen_us=stamp)
    assert rig.gate.is_armed
    rig.now += 110 * MS
    assert rig.gate.tick(rig.now)
    assert not rig.gate.is_armed


def test_a_loop_that_is_too_long_is_refused() -> None:
    rig = rig_for()
    drive(rig, 900, loop_ms=900)
    assert speed(rig) == pytest.approx(0.2)
    assert drive(rig, 500, loop_ms=1100).code is Code.LOOP_TOO_LONG
    assert speed(rig) == 0
    assert rig.gate.refused[Code.LOOP_TOO_LONG] > 0


def test_a_blind_driver_creeps() -> None:
    rig = rig_for("blind")
    assert drive(rig, 500, seen_us=0, loop_ms=0).code is None
    assert speed(rig) == pytest.approx(0.2)
    assert rig.gate.state().cap_reason == "blind"


def test_a_program_on_the_robot_does_not() -> None:
    rig = rig_for("local")
    assert drive(rig, 500, seen_us=0, loop_ms=0).code is None
    assert speed(rig) == 1.0
    state = rig.gate.state()
    assert (state.cap, state.cap_reason, state.loop_ms, state.blind_mm) == (1.0, "full", None, None)


def test_a_long_link_is_slow_whoever_drives() -> None:
    config = GateConfig(300 * MS, unlatch_on_grant=True)
    local = rig_for("local", config)
    drive(local, 500)
    assert speed(local) == pytest.approx(0.3)
    assert (local.gate.state().cap, local.gate.state().cap_reason) == (0.3, "long-link")
    video = rig_for("video", config)
    drive(video, 1500, loop_ms=400)
    assert speed(video) == pytest.approx(0.15)
    assert (video.gate.state().cap, video.gate.state().cap_reason) == (0.15, "loop")


def test_the_owner_can_set_a_blind_distance() -> None:
    governor = GovernorConfig(blind_distance_m=0.05)
    rig = rig_for("video", GateConfig(unlatch_on_grant=True, governor=governor))
    drive(rig, 1500, loop_ms=100)
    assert speed(rig) == pytest.approx(0.5)
    assert rig.gate.state().blind_mm == 50


def test_a_robot_without_a_base_has_no_blind_distance() -> None:
    axes = (replace(Limit(), id="elbow"), replace(Limit(), id="wrist"))
    gate = Gate(GateConfig(), axes, LatchRecord(0, is_stopped=False), START)
    assert gate.top_speed is None
    assert gate.state().blind_mm is None


def test_a_new_driver_begins_anew() -> None:
    rig = rig_for()
    drive(rig, 1500, loop_ms=900)
    rig.grant(1, "video")
    rig.beats(1)
    assert rig.gate.state().cap_reason == "stale-video"
    drive(rig, 100)
    assert rig.gate.state().cap == 1.0


def test_nobody_who_drives_has_no_cap() -> None:
    rig = rig_for()
    drive(rig, 1500, loop_ms=400)
    rig.gate.revoke()
    state = rig.gate.state()
    assert (state.cap, state.cap_reason, state.loop_ms, state.blind_mm) == (1.0, "full", None, None)


@pytest.mark.parametrize("change", [{"epoch": 7}, {"heard": 999_999}, {"sent_us": 1}])
def test_a_frame_that_is_refused_tells_the_governor_nothing(change: dict[str, int]) -> None:
    rig = rig_for()
    drive(rig, 300)
    before = rig.gate.state()
    rig.wait(20)
    rig.send(0.0, 0.0, seen_us=rig.now - 900 * MS, loop_ms=60_000, **change)
    after = rig.gate.state()
    assert (after.cap, after.loop_ms) == (before.cap, before.loop_ms)


def test_a_verdict_says_whether_it_was_neutral() -> None:
    rig = rig_for()
    assert drive(rig, 20).is_neutral
    assert not drive(rig, 20).is_neutral
    assert not rig.send(float("nan"), 0.0).is_neutral
    assert rig.gate.command(1, b"", rig.now).is_neutral


def test_a_setpoint_above_the_cap_that_does_not_brake_is_a_violation() -> None:
    rig = rig_for()
    drive(rig, 1500, loop_ms=400)
    rig.gate.shaper._fraction = 0.0  # nothing more is applied
    for axis in rig.gate.shaper.axes:
        axis.cap(1.0)
    rig.gate.shaper.cap = lambda fraction: None  # type: ignore[method-assign]
    drive(rig, 100, loop_ms=400)
    assert set(rig.gate.violations) == {"I13"}
    assert rig.gate.latch.kind == "stop"
    assert rig.gate.setpoint(rig.now) is None


def test_a_setpoint_that_stays_above_a_lowered_cap_is_a_violation() -> None:
    rig = rig_for()
    drive(rig, 500)
    rig.gate.shaper.cap = lambda fraction: None  # type: ignore[method-assign]
    drive(rig, 1500, loop_ms=400)
    assert set(rig.gate.violations) == {"I13"}
    assert rig.gate.latch.kind == "stop"
