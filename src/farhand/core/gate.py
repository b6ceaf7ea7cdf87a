"""The last check before the motors: whose command, how old, how fast; and when to stand still.

A command moves the robot only if every rule of :class:`Gate` holds (docs/safety.md gives them in
words).  The gate knows no sockets, files or clocks: its caller says what time it is, carries out
the effects in order, asks for :meth:`Gate.setpoint` each tick, and calls :meth:`Gate.tick` from a
thread that nothing else can hold up.  Calls must not overlap.  All times are integer microseconds
of the robot's monotonic clock.
"""

from collections import Counter
from collections.abc import Sequence

from farhand.core.gate_checks import CapWatch
from farhand.core.gate_config import FUTURE_US, MAX_EPOCH, PAUSE_US, GateConfig
from farhand.core.gate_effects import Arrival, Effect, FinishReset, Reply, Rule, SaveLatch
from farhand.core.gate_latch import LatchRecord
from farhand.core.gate_limits import Limits
from farhand.core.gate_positions import Positions
from farhand.core.gate_rules import GateRules
from farhand.core.governor import Governor
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol.control import unpack_control
from farhand.protocol.gate_link import GateBeatNow, GateState, Halted, Judged, ResetDone
from farhand.protocol.types import CapReason, SteerBy

__all__ = ["Arrival", "Effect", "FinishReset", "Gate", "Reply", "Rule", "SaveLatch"]


class Gate(GateRules):
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
        super().__init__(config, limits, record)
        self.positions = Positions(limits, self.shaper)
        self.highest_epoch = 0
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
        base = next((axis for axis in limits if axis.id.startswith("linear")), None)
        self.top_speed = max(-base.minimum, base.maximum) if base else None
        """Of the base, in m/s; ``None``: there is none."""
        self._cap_watch = CapWatch(self.shaper)

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
        if code is None:
            self._observe(arrival)
            broken = (code for code, holds in self._observed_rules if not holds(arrival))
            code = next(broken, None)
        if code is None and not self._is_sound(arrival):
            code = Code.INTERNAL
        if code is None:
            self._apply(arrival)
        else:
            self.refused[code] += 1
        age_ms = min(0xFFFF, max(0, arrival.age_us // 1000))
        is_neutral = not any(frame.axes)
        return Judged(
            *(member, frame.epoch, frame.seq, frame.sent_us, age_ms, now_us, code, is_neutral)
        )

    def grant(self, member: int, epoch: int, now_us: int, steer_by: SteerBy = "video") -> bool:
        """Let ``member`` drive, from standstill; ``False``: ``epoch`` is not above all before."""
        self.pulse(now_us)
        if not self.is_next_epoch(epoch):
            self.stale_grants += 1
            return False
        self.stand()
        self.holder, self.epoch, self.highest_epoch, self.seq = member, epoch, epoch, -1
        self.clock.forget(member, now_us)
        self.governor = Governor(self.config.governor, steer_by, self.top_speed)
        self._apply_cap()
        if self.config.unlatch_on_grant:
            self.latch.open_start()
        return True

    def is_next_epoch(self, epoch: int) -> bool:
        """Say whether ``epoch`` is above the highest seen."""
        return self.highest_epoch < epoch <= MAX_EPOCH

    def revoke(self) -> None:
        """Nobody drives."""
        self.stand()
        self.holder, self.epoch, self.governor = None, 0, None
        self._apply_cap()

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
        """Stop if the last good command or picture is too old, or the main loop hangs.

        Returns whether it did.
        """
        was_armed = self.is_armed
        if self.governor is not None:
            self.governor.tick(now_us)
            self._apply_cap()
        if not self.is_armed:
            return was_armed
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
        self.positions.hold(now_us)
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

    def locate(self, positions: Sequence[float | None], now_us: int) -> None:
        """Take where each axis is, as far as the driver knows; before each :meth:`setpoint`.

        Raises:
            ValueError: Not one position for each axis.

        """
        self.positions.locate(positions, now_us)

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
        loop_us = self.governor.loop_us if self.governor else None
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
            cap=round(self.cap, 4),
            cap_reason=self.cap_reason(),
            loop_ms=None if loop_us is None else min(loop_us // 1000, 0xFFFF_FFFF),
            blind_mm=self._blind_mm(loop_us),
            at_limit=self.positions.at_limit(),
        )

    @property
    def cap(self) -> float:
        """Part of each axis' range that may be used now, all in all."""
        return self.config.speed_cap * (self.governor.cap if self.governor else 1.0)

    def cap_reason(self) -> CapReason:
        """Return why it is what it is."""
        reason = self.governor.told_reason if self.governor else "full"
        return "long-link" if reason == "full" and self.config.speed_cap < 1 else reason

    def _blind_mm(self, loop_us: int | None) -> int | None:
        if loop_us is None or self.top_speed is None:
            return None
        return round(self.cap * self.top_speed * loop_us / 1000)

    # --- inside ---

    def _observe(self, arrival: Arrival) -> None:
        frame, now_us = arrival.frame, arrival.now_us
        if self.governor is not None:
            heard_us = self.clock.sent_at(frame.heard)
            self.governor.observe(
                now_us,
                heard_us=now_us if heard_us is None else heard_us,
                seen_us=frame.seen_us,
                loop_ms=frame.loop_ms,
            )
            self._apply_cap()

    def _apply_cap(self) -> None:
        governor = self.governor
        self.shaper.cap(governor.cap if governor else 1.0)
        if governor is not None and governor.lock is not None and self.is_armed:
            self.stand()

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
                I13=self._cap_watch.holds(output, self.governor.cap if self.governor else 0.0),
                I14=self.positions.is_within(output, now_us),
            )

    def _require(self, **invariants: bool) -> bool:
        if all(invariants.values()):
            return True
        broken = [name for name, holds in invariants.items() if not holds]
        self.violations.update(broken)
        self.revoke()
        self.latch.press(f"gate: invariant {' '.join(broken)}")
        return False
