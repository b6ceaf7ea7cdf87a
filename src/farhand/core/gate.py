"""The last check before the motors: whose command, how old, how fast; and when to stand still.

A command moves the robot only if every rule of :class:`Gate` holds (docs/safety.md gives them in
words).  The gate knows no sockets, files or clocks: its caller says what time it is, carries out
the effects in order, asks for :meth:`Gate.setpoint` each tick, and calls :meth:`Gate.tick` from a
thread that nothing else can hold up.  Calls must not overlap.  All times are integer microseconds
of the robot's monotonic clock.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from farhand.core.clock_sync import ClockSync
from farhand.core.gate_config import FUTURE_US, MAX_EPOCH, PAUSE_US, GateConfig
from farhand.core.gate_latch import Latch, LatchRecord
from farhand.core.gate_limits import Limits, Shaper
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol.control import ControlFrame, unpack_control
from farhand.protocol.gate_link import GateBeatNow, GateState, Halted, Judged, ResetDone


@dataclass(frozen=True, slots=True)
class SaveLatch:
    """Write ``record`` to disk, for good; if that fails, leave out the effects behind this one."""

    record: LatchRecord


@dataclass(frozen=True, slots=True)
class FinishReset:
    """Call :meth:`Gate.finish_reset` with these."""

    member: int
    stop_id: int


@dataclass(frozen=True, slots=True)
class Reply:
    """Send ``message`` to the agent."""

    message: Halted | ResetDone


Effect = SaveLatch | FinishReset | Reply


@dataclass(frozen=True, slots=True)
class Arrival:
    """One control frame with all that the rules ask about it."""

    member: int
    frame: ControlFrame
    now_us: int
    sent_us: int | None
    """When it was sent, by estimate, on the robot's clock; ``None``: no estimate."""
    is_relayed: bool = False
    """Whether it came by way of the server."""

    @property
    def age_us(self) -> int:
        """How old it is by estimate; 0 when unknown."""
        return 0 if self.sent_us is None else self.now_us - self.sent_us


Rule = Callable[[Arrival], bool]


class Gate:
    """The safety envelope of one robot.

    Args:
        config: The robot's own settings.
        limits: One for each axis, in the manifest's order.
        record: What the latch file said.
        now_us: The time.

    """

    def __init__(
        self, config: GateConfig, limits: Sequence[Limits], record: LatchRecord, now_us: int
    ) -> None:
        self.config = config
        self.shaper = Shaper(limits, config.speed_cap)
        self.latch = Latch(record)
        self.clock = ClockSync(max_rtt_us=2 * config.max_age_us)
        self.holder: int | None = None
        """Number of the member that holds the lease."""
        self.epoch = 0
        """Of the grant in force, 0 = none."""
        self.highest_epoch = 0
        self.seq = -1
        self.is_armed = False
        """Neutral was seen since whatever stopped us last."""
        self.fresh_us = now_us
        """When the last good command was sent, by estimate, but never later than it was judged."""
        self.pulse_us = now_us
        """When the main loop was last seen alive."""
        self.applied = 0
        self.refused: Counter[Code] = Counter()
        self.watchdog = 0
        self.pauses = 0
        self.stale_grants = 0
        self.violations: Counter[str] = Counter()
        """Invariants (I1 …) that did not hold at run time: bugs. Each one latches a stop."""
        self.fault = ""
        self._newest = (0, -1)
        self._rules: tuple[tuple[Code, Rule], ...] = (
            (Code.BAD_FRAME, self.has_all_axes),
            (Code.NOT_HOLDER, self.is_from_holder),
            (Code.LATCHED, self.is_unlatched),
            (Code.REPLAYED, self.is_new),
            (Code.CLOCK_UNKNOWN, self.has_known_clock),
            (Code.FROM_THE_FUTURE, self.is_past),
            (Code.TOO_OLD, self.is_young),
            (Code.BEAT_TOO_OLD, self.has_heard_lately),
            (Code.NOT_FINITE, self.is_finite),
            (Code.NEUTRAL_FIRST, self.is_neutral_or_armed),
        )

    # --- the rules ---

    def has_all_axes(self, arrival: Arrival) -> bool:
        """One number for each axis."""
        return len(arrival.frame.axes) == len(self.shaper.axes)

    def is_from_holder(self, arrival: Arrival) -> bool:
        """From the member that holds the lease, under the epoch granted now."""
        return arrival.member == self.holder and arrival.frame.epoch == self.epoch

    def is_unlatched(self, _arrival: Arrival) -> bool:
        """No latch holds the robot."""
        return self.latch.kind is None

    def is_new(self, arrival: Arrival) -> bool:
        """Its number is above that of the last one applied."""
        return arrival.frame.seq > self.seq

    def has_known_clock(self, arrival: Arrival) -> bool:
        """The member's clock has been measured."""
        return arrival.sent_us is not None

    def is_past(self, arrival: Arrival) -> bool:
        """Not from the future, by more than an estimate may be wrong."""
        return arrival.age_us >= -FUTURE_US

    def is_young(self, arrival: Arrival) -> bool:
        """Not older than ``max_age``, by estimate."""
        return arrival.age_us <= self.config.max_age_us

    def has_heard_lately(self, arrival: Arrival) -> bool:
        """Its sender has heard a beat that we sent lately: no stamp can fake this."""
        sent_us = self.clock.sent_at(arrival.frame.heard)
        bound_us = self.config.relayed_heard_us if arrival.is_relayed else self.config.heard_us
        return sent_us is not None and arrival.now_us - sent_us <= bound_us

    def is_finite(self, arrival: Arrival) -> bool:
        """Every axis is a number. Comes before any limit: a clamp turns NaN into full speed."""
        return all(map(math.isfinite, arrival.frame.axes))

    def is_neutral_or_armed(self, arrival: Arrival) -> bool:
        """All zeros, or all zeros came before."""
        return self.is_armed or not any(arrival.frame.axes)

    # --- what the agent says ---

    def command(self, member: int, data: bytes, now_us: int, *, is_relayed: bool = False) -> Judged:
        """Apply a control frame, or say why not."""
        self.pulse(now_us)
        try:
            frame = unpack_control(data)
        except RemoteProtocolError as exc:
            self.refused[exc.code] += 1
            return Judged(member, 0, 0, 0, 0, now_us, exc.code)
        offset_us = self.clock.offset_us(member, now_us)
        sent_us = None if offset_us is None else frame.sent_us - offset_us
        arrival = Arrival(member, frame, now_us, sent_us, is_relayed)
        code = next((code for code, holds in self._rules if not holds(arrival)), None)
        if code is None and not self._is_sound(arrival):
            code = Code.INTERNAL
        if code is None:
            self._apply(arrival)
        else:
            self.refused[code] += 1
        age_ms = min(0xFFFF, max(0, arrival.age_us // 1000))
        return Judged(member, frame.epoch, frame.seq, frame.sent_us, age_ms, now_us, code)

    def grant(self, member: int, epoch: int, now_us: int) -> bool:
        """Let ``member`` drive, from standstill; ``False``: ``epoch`` is not above all before."""
        self.pulse(now_us)
        if not self.is_next_epoch(epoch):
            self.stale_grants += 1
            return False
        self.stand()
        self.holder, self.epoch, self.highest_epoch, self.seq = member, epoch, epoch, -1
        self.clock.forget(member, now_us)
        if self.config.unlatch_on_grant:
            self.latch.open_start()
        return True

    def is_next_epoch(self, epoch: int) -> bool:
        """Say whether ``epoch`` is above the highest seen."""
        return self.highest_epoch < epoch <= MAX_EPOCH

    def revoke(self) -> None:
        """Nobody drives."""
        self.stand()
        self.holder, self.epoch = None, 0

    def answered(self, member: int, n: int, peer_us: int, now_us: int) -> bool:
        """Take a member's answer to beat ``n``; say whether it counted."""
        self.pulse(now_us)
        return self.clock.answer(member, n, peer_us, now_us)

    def halt(self, member: int, nonce: int, name: str) -> list[Effect]:
        """STOP. The output is zero when this returns; the acknowledgement waits for the disk."""
        self.stand()
        self.latch.press(name)
        save: list[Effect] = [] if self.latch.is_saved else [SaveLatch(self.latch.record)]
        return [*save, Reply(Halted(member, nonce, self.latch.stop_id))]

    def reset(self, member: int, stop_id: int) -> list[Effect]:
        """Clear the latch that ``stop_id`` names. Never moves anything."""
        code = self.latch.why_not(stop_id)
        if code is not None:
            return [Reply(ResetDone(member, stop_id, code))]
        return [SaveLatch(self.latch.cleared_record), FinishReset(member, stop_id)]

    def finish_reset(self, member: int, stop_id: int) -> list[Effect]:
        """Go on with :meth:`reset` once the file says so."""
        code = self.latch.why_not(stop_id)
        if code is None:
            self.revoke()
            self.latch.clear()
        return [Reply(ResetDone(member, stop_id, code))]

    def forget(self, member: int, now_us: int) -> None:
        """Drop what is known of a member's clock; the holder's next command must be neutral."""
        self.clock.forget(member, now_us)
        if member == self.holder:
            self.stand()

    def agent_gone(self) -> None:
        """Nobody can drive or be told apart any more."""
        self.revoke()
        self.clock.forget_all()

    # --- what time does ---

    def pulse(self, now_us: int) -> None:
        """Say that the main loop is alive: each turn, before anything that waits in the socket."""
        self.tick(now_us)
        self.pulse_us = max(self.pulse_us, now_us)

    def beat(self, now_us: int) -> GateBeatNow:
        """Return the next beat, to be sent at once; 20 times a second."""
        return GateBeatNow(self.clock.beat(now_us), now_us)

    def tick(self, now_us: int) -> bool:
        """Stop if the last good command is too old or the main loop hangs; say whether it did."""
        if not self.is_armed:
            return False
        if self.is_silent(now_us):
            self.watchdog += self.shaper.is_moving
        elif self.is_hung(now_us):
            self.pauses += 1
        else:
            return False
        self.stand()
        return True

    def is_silent(self, now_us: int) -> bool:
        """Say whether the last good command was sent too long ago."""
        return now_us - self.fresh_us >= self.config.watchdog_us

    def is_hung(self, now_us: int) -> bool:
        """Say whether the main loop has been away too long."""
        return now_us - self.pulse_us > PAUSE_US

    def setpoint(self, now_us: int) -> tuple[float, ...] | None:
        """Return what the driver must get now; ``None``: its own stop behaviour."""
        self.tick(now_us)
        if not self.is_armed:
            return None
        output = self.shaper.advance(now_us)
        self._check_output(output, now_us)
        return output if self.is_armed else None

    def stand(self) -> None:
        """Output zero, now; the next command must be neutral."""
        self.shaper.zero()
        self.is_armed = False

    # --- what the driver says ---

    def driver_failed(self, text: str) -> None:
        """Stand and latch: the robot did not do what it was told."""
        self.stand()
        self.fault = f"driver: {text}"
        self.latch.press(self.fault)

    def driver_works(self) -> None:
        """Note that the driver obeys again. The latch stays, and motion begins anew.

        Somebody may have reset meanwhile, and be at full speed on paper.
        """
        self.stand()
        self.fault = ""

    # --- what can be told ---

    def state(self) -> GateState:
        """Return what the agent wants to know."""
        broken = f"invariant {' '.join(sorted(self.violations))}" if self.violations else ""
        return GateState(
            epoch=self.epoch,
            latch=self.latch.kind,
            stop_id=self.latch.stop_id if self.latch.kind else 0,
            stop_by=self.latch.by,
            moving=self.shaper.is_moving,
            applied=self.applied,
            refused={code.value: count for code, count in self.refused.items()},
            watchdog=self.watchdog,
            fault=self.fault or broken,
        )

    # --- inside ---

    def _apply(self, arrival: Arrival) -> None:
        frame = arrival.frame
        self.seq = frame.seq
        self._newest = (frame.epoch, frame.seq)
        self.fresh_us = self.sending_us(arrival)
        self.is_armed = True
        self.shaper.aim(frame.axes, arrival.now_us)
        self.applied += 1

    def sending_us(self, arrival: Arrival) -> int:
        """Return from when the watchdog counts."""
        return arrival.now_us - max(0, arrival.age_us)

    # The invariants once more, from other facts than the rules use: what no test has thought of
    # ends in a stop, not in motion. The numbers are those of docs/safety.md.

    def _is_sound(self, arrival: Arrival) -> bool:
        frame, age_us = arrival.frame, arrival.age_us
        is_dated = arrival.sent_us is not None
        return self._require(
            I1=0 < frame.epoch == self.highest_epoch and arrival.member == self.holder,
            I3=(frame.epoch, frame.seq) > self._newest,
            I4=is_dated and -FUTURE_US <= age_us <= self.config.max_age_us,
            I5=self.latch.kind is None,
            I8=self.is_armed or frame.axes.count(0.0) == len(frame.axes),
        )

    def _check_output(self, output: Sequence[float], now_us: int) -> None:
        if any(output):
            self._require(
                I1=self.holder is not None,
                I5=self.latch.kind is None,
                I7=now_us - self.fresh_us <= self.config.promise_us,
                I9=self.shaper.is_within(output),
            )

    def _require(self, **invariants: bool) -> bool:
        if all(invariants.values()):
            return True
        broken = [name for name, holds in invariants.items() if not holds]
        self.violations.update(broken)
        self.revoke()
        self.latch.press(f"gate: invariant {' '.join(broken)}")
        return False
