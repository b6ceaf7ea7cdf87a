"""The gate's rules, one by one."""

import math

import pytest

from farhand.core.gate import FinishReset, Gate, Reply, SaveLatch
from farhand.core.gate_config import MAX_EPOCH, GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.errors import Code
from farhand.protocol.gate_link import Halted, ResetDone
from tests.core.gate_rig import AXES, CLOCKS, MS, ZEROS, Rig


@pytest.fixture
def rig() -> Rig:
    """A gate that member 1 may drive: granted, measured, neutral not seen."""
    rig = Rig()
    rig.grant()
    rig.beats(1)
    return rig


@pytest.fixture
def moving() -> Rig:
    """A gate that member 1 drives."""
    rig = Rig()
    rig.drive()
    return rig


def test_the_honest_way_moves_the_robot(moving: Rig) -> None:
    state = moving.gate.state()
    assert (state.epoch, state.latch, state.moving, state.applied) == (1, None, True, 2)
    assert (state.refused, state.watchdog, state.fault) == ({}, 0, "")


def test_a_verdict_says_what_the_frame_said_and_how_old_it_was(rig: Rig) -> None:
    judged = rig.send(0, 0, sent_us=rig.now + CLOCKS[1] - 42 * MS)
    assert (judged.member, judged.epoch, judged.seq) == (1, 1, 1)
    assert (judged.sent_us, judged.at_us) == (rig.now + CLOCKS[1] - 42 * MS, rig.now)
    assert (judged.age_ms, judged.code) == (42, None)


def test_bytes_that_are_no_frame_are_refused_and_counted(rig: Rig) -> None:
    judged = rig.gate.command(1, b"\0" * 29, rig.now)
    assert (judged.member, judged.epoch, judged.seq, judged.code) == (1, 0, 0, Code.BAD_FRAME)
    assert rig.gate.refused == {Code.BAD_FRAME: 1}


@pytest.mark.parametrize("axes", [(0.0,), (0.0, 0.0, 0.0)])
def test_the_number_of_axes_must_fit(rig: Rig, axes: tuple[float, ...]) -> None:
    assert rig.send(*axes).code is Code.BAD_FRAME


def test_only_the_holder_is_obeyed(rig: Rig) -> None:
    rig.beats(2)
    assert rig.send(0, 0, member=2).code is Code.NOT_HOLDER
    assert rig.send(0, 0, epoch=2).code is Code.NOT_HOLDER
    assert rig.send(0, 0, epoch=0).code is Code.NOT_HOLDER
    assert rig.gate.refused == {Code.NOT_HOLDER: 3}


def test_nobody_is_obeyed_without_a_grant() -> None:
    rig = Rig()
    rig.beats(1)
    assert rig.send(0, 0).code is Code.NOT_HOLDER


def test_the_former_holder_is_refused_after_a_new_grant(moving: Rig) -> None:
    old = moving.frame((0.5, 0.0))
    moving.grant(2)
    assert moving.gate.setpoint(moving.now) is None
    assert moving.gate.command(1, old.pack(), moving.now).code is Code.NOT_HOLDER


def test_a_grant_under_an_old_epoch_changes_nothing(moving: Rig) -> None:
    for epoch in (1, 0, -1, MAX_EPOCH + 1):
        assert not moving.gate.grant(2, epoch, moving.now)
    assert moving.gate.stale_grants == 4
    assert (moving.gate.holder, moving.gate.epoch) == (1, 1)
    assert moving.gate.setpoint(moving.now)


def test_a_revoked_epoch_does_not_come_back(moving: Rig) -> None:
    moving.gate.revoke()
    assert moving.gate.setpoint(moving.now) is None
    assert not moving.gate.grant(1, 1, moving.now)
    assert moving.send(0, 0).code is Code.NOT_HOLDER


def test_a_repeated_or_overtaken_frame_is_refused(moving: Rig) -> None:
    assert moving.send(0.5, 0, seq=2).code is Code.REPLAYED
    assert moving.send(0.5, 0, seq=1).code is Code.REPLAYED
    assert moving.send(0.5, 0, seq=9).code is None
    assert moving.send(0.5, 0, seq=8).code is Code.REPLAYED


def test_numbers_begin_anew_with_a_grant(moving: Rig) -> None:
    moving.drive()
    assert moving.gate.seq == 2


def test_an_unmeasured_clock_is_refused() -> None:
    rig = Rig()
    rig.grant()
    rig.beats(1, count=2)
    judged = rig.send(0, 0)
    assert (judged.code, judged.age_ms) == (Code.CLOCK_UNKNOWN, 0)
    rig.beats(1, count=1)
    assert rig.send(0, 0).code is None


def test_a_grant_drops_the_estimate() -> None:
    rig = Rig()
    rig.beats(1, count=5)
    rig.grant()
    assert rig.send(0, 0).code is Code.CLOCK_UNKNOWN


def test_a_link_too_slow_to_measure_is_refused() -> None:
    rig = Rig()
    rig.grant()
    rig.beats(1, rtt_ms=301)
    assert rig.send(0, 0).code is Code.CLOCK_UNKNOWN


@pytest.mark.parametrize(
    ("age_us", "code"),
    [
        (-20_001, Code.FROM_THE_FUTURE),
        (-20_000, None),
        (0, None),
        (150_000, None),
        (150_001, Code.TOO_OLD),
        (10**9, Code.TOO_OLD),
        (-(10**12), Code.FROM_THE_FUTURE),
    ],
)
def test_age_is_judged_to_the_microsecond(rig: Rig, age_us: int, code: Code | None) -> None:
    judged = rig.send(0, 0, sent_us=rig.now + CLOCKS[1] - age_us)
    assert judged.code is code
    assert judged.age_ms == min(0xFFFF, max(0, age_us // 1000))


@pytest.mark.parametrize(("ago_us", "code"), [(500_000, None), (500_001, Code.BEAT_TOO_OLD)])
def test_the_echoed_beat_bounds_the_age_whatever_the_stamp_says(
    rig: Rig, ago_us: int, code: Code | None
) -> None:
    beat = rig.gate.beat(rig.now)
    rig.now += ago_us
    rig.gate.pulse(rig.now)
    assert rig.send(0, 0, heard=beat.n).code is code


@pytest.mark.parametrize(("ago_us", "code"), [(200_000, None), (200_001, Code.BEAT_TOO_OLD)])
def test_over_the_server_the_echoed_beat_must_be_newer(
    rig: Rig, ago_us: int, code: Code | None
) -> None:
    beat = rig.gate.beat(rig.now)
    rig.now += ago_us
    rig.gate.pulse(rig.now)
    data = rig.frame(ZEROS, heard=beat.n).pack()
    assert rig.gate.command(1, data, rig.now, is_relayed=True).code is code


def test_200_ms_added_on_the_servers_way_up_are_noticed_though_the_clock_estimate_halves_them() -> (
    None
):
    rig = Rig()
    rig.grant()
    for is_relayed, code in ((False, None), (True, Code.BEAT_TOO_OLD)):
        for _ in range(3):
            beat, written = rig.gate.beat(rig.now), rig.now + CLOCKS[1]
            frame = rig.frame(ZEROS, heard=beat.n, sent_us=written)
            rig.wait(200.001)
            rig.gate.answered(1, beat.n, written, rig.now)
        assert rig.gate.command(1, frame.pack(), rig.now, is_relayed=is_relayed).code is code


@pytest.mark.parametrize("heard", [0, 4, 2**32 - 1])
def test_a_beat_that_was_never_sent_cannot_be_echoed(rig: Rig, heard: int) -> None:
    assert rig.send(0, 0, heard=heard).code is Code.BEAT_TOO_OLD


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_never_passes(moving: Rig, value: float) -> None:
    assert moving.send(0.1, value).code is Code.NOT_FINITE
    assert moving.send(value, 0.1).code is Code.NOT_FINITE
    assert moving.gate.shaper.axes[0].target == 0.5


def test_neutral_comes_first_after_a_grant(rig: Rig) -> None:
    assert rig.send(0.5, 0).code is Code.NEUTRAL_FIRST
    assert rig.gate.setpoint(rig.now) is None
    assert rig.send(0, -0.0).code is None
    assert rig.gate.setpoint(rig.now) == ZEROS
    assert rig.send(0.5, 0).code is None


def test_neutral_comes_first_after_a_new_connection_of_the_holder(moving: Rig) -> None:
    moving.gate.forget(2, moving.now)
    assert moving.gate.setpoint(moving.now)
    moving.gate.forget(1, moving.now)
    assert moving.gate.setpoint(moving.now) is None
    moving.beats(1)
    assert moving.send(0.5, 0).code is Code.NEUTRAL_FIRST


def test_speed_is_cut_to_the_limits(rig: Rig) -> None:
    rig.send(0, 0)
    rig.send(50, -50)
    rig.wait(200)
    assert rig.gate.shaper.output == (1, -1)


def test_a_long_link_is_slow() -> None:
    rig = Rig(GateConfig(max_age_us=400 * MS, unlatch_on_grant=True))
    rig.drive(speed=1.0)
    rig.wait(200)
    assert rig.gate.shaper.output[0] == pytest.approx(0.3)


def test_speed_changes_no_faster_than_the_limits(rig: Rig) -> None:
    rig.send(0, 0)
    rig.send(1, 0)
    rig.now += 10 * MS
    output = rig.gate.setpoint(rig.now)
    assert output is not None
    assert 0 < output[0] <= AXES[0].acceleration * 0.01


# --- time ---


def test_the_watchdog_fires_260_ms_after_the_sending_of_the_last_good_command(rig: Rig) -> None:
    rig.send(0, 0)
    sent = rig.now
    rig.send(0.5, 0)
    rig.now += 50 * MS
    rig.gate.pulse(rig.now)
    rig.gate.setpoint(rig.now)
    rig.gate.pulse_us = sent + 260 * MS  # the main loop is alive throughout
    assert not rig.gate.tick(sent + 260 * MS - 1)
    assert rig.gate.setpoint(sent + 260 * MS - 1)
    assert rig.gate.tick(sent + 260 * MS)
    assert rig.gate.setpoint(sent + 260 * MS) is None
    assert not rig.gate.tick(sent + 261 * MS)
    assert rig.gate.watchdog == 1


def test_the_watchdog_counts_from_sending_not_from_arrival(rig: Rig) -> None:
    rig.send(0, 0)
    rig.send(0.5, 0, sent_us=rig.now + CLOCKS[1] - 140 * MS)
    assert rig.gate.fresh_us == rig.now - 140 * MS


def test_a_command_from_the_future_does_not_buy_time(rig: Rig) -> None:
    rig.send(0, 0)
    rig.send(0.5, 0, sent_us=rig.now + CLOCKS[1] + 20 * MS)
    assert rig.gate.fresh_us == rig.now


def test_silence_while_standing_is_no_watchdog_stop_but_wants_neutral(rig: Rig) -> None:
    rig.send(0, 0)
    rig.wait(300)
    assert rig.gate.watchdog == 0
    rig.beats(1)
    assert rig.send(0.5, 0).code is Code.NEUTRAL_FIRST


def test_neutral_comes_first_after_the_watchdog(moving: Rig) -> None:
    moving.wait(300)
    assert moving.gate.watchdog == 1
    moving.beats(1)
    assert moving.send(0.5, 0).code is Code.NEUTRAL_FIRST
    assert moving.send(0, 0).code is None


def test_a_setpoint_is_never_older_than_the_watchdog_allows(moving: Rig) -> None:
    assert moving.gate.setpoint(moving.now + 300 * MS) is None


def test_a_pause_of_the_main_loop_stops_before_anything_that_waits(moving: Rig) -> None:
    moving.send(0.5, 0)
    moving.now += 101 * MS
    waiting = moving.frame((0.5, 0.0))
    assert moving.gate.command(1, waiting.pack(), moving.now).code is Code.NEUTRAL_FIRST
    assert moving.gate.pauses == 1
    assert moving.gate.watchdog == 0


def test_a_pause_of_100_ms_is_no_pause(moving: Rig) -> None:
    moving.send(0.5, 0)
    moving.now += 100 * MS
    assert moving.send(0.5, 0).code is None
    assert moving.gate.pauses == 0


def test_other_threads_stop_for_a_main_loop_that_hangs(moving: Rig) -> None:
    moving.send(0.5, 0)
    assert moving.gate.setpoint(moving.now + 101 * MS) is None
    assert moving.gate.pauses == 1


# --- the latches ---


def test_a_gate_starts_latched() -> None:
    rig = Rig(GateConfig())
    rig.grant()
    rig.beats(1)
    assert rig.send(0, 0).code is Code.LATCHED
    state = rig.gate.state()
    assert (state.latch, state.stop_id, state.stop_by) == ("start", 1, "")
    assert rig.reset(1) == [ResetDone(1, 1)]
    rig.drive()


def test_stop_zeroes_then_writes_then_acknowledges(moving: Rig) -> None:
    effects = moving.gate.halt(2, 7, "Ben")
    assert moving.gate.setpoint(moving.now) is None
    record = LatchRecord(2, is_stopped=True, by="Ben")
    assert effects == [SaveLatch(record), Reply(Halted(2, 7, 2))]
    assert moving.send(0, 0).code is Code.LATCHED
    state = moving.gate.state()
    assert (state.latch, state.stop_id, state.stop_by, state.moving) == ("stop", 2, "Ben", False)


def test_a_stop_that_is_not_on_disk_is_not_acknowledged_but_holds(moving: Rig) -> None:
    moving.is_disk_full = True
    assert moving.stop() == []
    assert moving.gate.setpoint(moving.now) is None
    moving.is_disk_full = False
    assert moving.stop(nonce=2) == [Halted(2, 2, 2)]


def test_further_stops_change_nothing_and_are_acknowledged(moving: Rig) -> None:
    moving.stop(2, "Ben", 7)
    assert moving.gate.halt(1, 9, "Ana") == [Reply(Halted(1, 9, 2))]
    assert moving.gate.state().stop_by == "Ben"


def test_a_stop_survives_a_restart_and_no_grant_clears_it(moving: Rig) -> None:
    moving.stop()
    moving.restart()
    moving.grant()
    moving.beats(1)
    assert moving.gate.state().latch == "stop"
    assert moving.send(0, 0).code is Code.LATCHED


def test_a_reset_names_the_latch_drops_the_grant_and_moves_nothing(moving: Rig) -> None:
    moving.stop()
    assert moving.reset(1) == [ResetDone(1, 1, Code.WRONG_STOP_ID)]
    assert moving.gate.latch.kind == "stop"
    assert moving.gate.reset(1, 2) == [
        SaveLatch(LatchRecord(2, is_stopped=False)),
        FinishReset(1, 2),
    ]
    assert moving.gate.latch.kind == "stop"
    assert moving.reset(2) == [ResetDone(1, 2)]
    assert moving.reset(2) == [ResetDone(1, 2, Code.NOTHING_TO_RESET)]
    assert moving.gate.setpoint(moving.now) is None
    assert moving.send(0, 0).code is Code.NOT_HOLDER
    moving.drive()


def test_a_reset_that_cannot_be_written_clears_nothing(moving: Rig) -> None:
    moving.stop()
    moving.is_disk_full = True
    assert moving.reset(2) == []
    assert moving.gate.latch.kind == "stop"


def test_a_latch_that_comes_while_a_reset_is_written_stays() -> None:
    rig = Rig(GateConfig())
    rig.gate.reset(1, 1)
    rig.gate.driver_failed("no motor")
    assert rig.carry_out(rig.gate.finish_reset(1, 1)) == [ResetDone(1, 1, Code.WRONG_STOP_ID)]
    assert rig.gate.latch.kind == "stop"


def test_neutral_comes_first_after_a_reset(moving: Rig) -> None:
    moving.stop()
    moving.reset(2)
    moving.grant()
    moving.beats(1)
    assert moving.send(0.5, 0).code is Code.NEUTRAL_FIRST


# --- others ---


def test_a_gate_without_agent_stands_and_knows_nobody(moving: Rig) -> None:
    moving.gate.agent_gone()
    assert moving.gate.setpoint(moving.now) is None
    assert moving.gate.state().epoch == 0
    assert moving.send(0, 0).code is Code.NOT_HOLDER
    assert not moving.gate.grant(1, 1, moving.now)
    assert moving.gate.clock.offset_us(1, moving.now) is None


def test_a_driver_fault_latches(moving: Rig) -> None:
    moving.gate.driver_failed("no motor")
    assert moving.gate.setpoint(moving.now) is None
    state = moving.gate.state()
    assert (state.latch, state.stop_by, state.fault) == ("stop",) + ("driver: no motor",) * 2
    assert not moving.gate.latch.is_saved
    moving.gate.driver_works()
    state = moving.gate.state()
    assert (state.latch, state.fault) == ("stop", "")


def test_a_driver_that_comes_back_does_not_go_on_with_what_was_commanded_meanwhile(
    moving: Rig,
) -> None:
    moving.gate.driver_failed("no motor")
    moving.reset(moving.gate.latch.stop_id)  # while the device is away
    moving.drive()
    moving.gate.driver_works()
    assert moving.gate.setpoint(moving.now) is None
    assert moving.send(0.5, 0).code is Code.NEUTRAL_FIRST


def test_refusals_are_told_by_code(rig: Rig) -> None:
    rig.send(0.5, 0)
    rig.send(0.5, 0)
    rig.send(0, 0, epoch=9)
    assert rig.gate.state().refused == {"FH-7008": 2, "FH-7001": 1}


# --- what must never happen, and does here ---


def broken(gate: Gate, name: str) -> bool:
    """Say whether ``gate`` noticed, stands, and latched."""
    return (
        gate.violations == {name: 1}
        and gate.latch.kind == "stop"
        and gate.state().fault == f"invariant {name}"
        and gate.holder is None
        and not any(gate.shaper.output)
    )


def test_motion_without_a_holder_ends_in_standstill(moving: Rig) -> None:
    moving.gate.holder = None
    assert moving.gate.setpoint(moving.now) is None
    assert broken(moving.gate, "I1")


def test_motion_while_latched_ends_in_standstill(moving: Rig) -> None:
    moving.gate.latch.press("Ben")
    assert moving.gate.setpoint(moving.now) is None
    assert broken(moving.gate, "I5")


def test_motion_beyond_the_limits_ends_in_standstill(moving: Rig) -> None:
    moving.gate.shaper.axes[0].value = 1.5
    assert moving.gate.setpoint(moving.now) is None
    assert broken(moving.gate, "I9")


def test_motion_beyond_the_promise_ends_in_standstill(moving: Rig) -> None:
    class Deaf(Gate):
        def is_silent(self, now_us: int) -> bool:
            return False

    rig = Rig(gate_class=Deaf)
    rig.drive()
    rig.wait(310)
    assert broken(rig.gate, "I7")


@pytest.mark.parametrize(
    ("rule", "name"),
    [("is_from_holder", "I1"), ("is_new", "I3"), ("is_young", "I4"), ("is_unlatched", "I5")],
)
def test_a_rule_that_fails_to_refuse_ends_in_standstill(rule: str, name: str) -> None:
    leaky = type("Leaky", (Gate,), {rule: lambda _self, _arrival: True})
    rig = Rig(gate_class=leaky)
    rig.drive()
    if rule == "is_unlatched":
        rig.stop()
    changes = {
        "is_from_holder": {"epoch": 7},
        "is_new": {"seq": 1},
        "is_young": {"sent_us": rig.now + CLOCKS[1] - 200 * MS},
        "is_unlatched": {},
    }
    assert rig.send(0, 0, **changes[rule]).code is Code.INTERNAL
    assert rig.gate.violations[name] == 1
    assert rig.gate.latch.kind == "stop"
    assert rig.gate.setpoint(rig.now) is None


def test_a_missing_neutral_that_slips_through_ends_in_standstill() -> None:
    leaky = type("Leaky", (Gate,), {"is_neutral_or_armed": lambda _self, _arrival: True})
    rig = Rig(gate_class=leaky)
    rig.grant()
    rig.beats(1)
    assert rig.send(0.5, 0).code is Code.INTERNAL
    assert broken(rig.gate, "I8")
