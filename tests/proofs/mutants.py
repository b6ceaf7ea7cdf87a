"""Gates with one fault each. None of this exists in the product: a mutant is a subclass.

The run-time invariants are switched off in them, so that the machine has to notice by itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from farhand.core.clock_sync import ClockSync
from farhand.core.gate import Arrival, Effect, Gate, Reply
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.core.gate_limits import Limits
from farhand.core.gate_positions import Positions
from farhand.protocol.gate_link import Halted, ResetDone
from farhand.protocol.types import SteerBy


class Mutant(Gate):
    """A gate that does not check itself."""

    def _require(self, **invariants: bool) -> bool:
        return True


def ignoring(*rules: str) -> type[Mutant]:
    """Return a gate in which ``rules`` always hold."""
    return type("Ignoring", (Mutant,), {rule: lambda _self, _arrival: True for rule in rules})


class NoFence(Mutant):
    def is_from_holder(self, arrival: Arrival) -> bool:
        return arrival.member == self.holder


class AnyMember(Mutant):
    def is_from_holder(self, arrival: Arrival) -> bool:
        return arrival.frame.epoch == self.epoch


class ForgedBeat(Mutant):
    def has_heard_lately(self, arrival: Arrival) -> bool:
        return self.clock.sent_at(arrival.frame.heard) is None or super().has_heard_lately(arrival)


class OldBeat(Mutant):
    def has_heard_lately(self, arrival: Arrival) -> bool:
        return self.clock.sent_at(arrival.frame.heard) is not None


class RelayedLikeAny(Mutant):
    def has_heard_lately(self, arrival: Arrival) -> bool:
        return super().has_heard_lately(replace(arrival, is_relayed=False))


class Unlimited(Mutant):
    names: tuple[str, ...] = ()

    def __init__(
        self, config: GateConfig, limits: Sequence[Limits], record: LatchRecord, now_us: int
    ) -> None:
        super().__init__(config, limits, record, now_us)
        for axis in self.shaper.axes:
            for name in self.names:
                setattr(axis, name, -1e9 if name.endswith("minimum") else 1e9)
            axis.cap(1.0)


class NoVelocityLimit(Unlimited):
    names = ("full_minimum", "full_maximum")


class NoAccelerationLimit(Unlimited):
    names = ("acceleration", "deceleration", "jerk")


class NoJerkLimit(Unlimited):
    names = ("jerk",)


class NoLongLinkCap(Mutant):
    def __init__(
        self, config: GateConfig, limits: Sequence[Limits], record: LatchRecord, now_us: int
    ) -> None:
        super().__init__(config, limits, record, now_us)
        self.shaper = type(self.shaper)(limits)
        self.positions = Positions(limits, self.shaper)


class LateWatchdog(Mutant):
    def is_silent(self, now_us: int) -> bool:
        return super().is_silent(now_us - 200_000)


class FromArrival(Mutant):
    def sending_us(self, arrival: Arrival) -> int:
        return arrival.now_us


class BuysTime(Mutant):
    def is_past(self, _arrival: Arrival) -> bool:
        return True

    def sending_us(self, arrival: Arrival) -> int:
        return arrival.now_us - arrival.age_us


class NoPause(Mutant):
    def is_hung(self, _now_us: int) -> bool:
        return False


class GrantClearsStop(Mutant):
    def grant(self, member: int, epoch: int, now_us: int, steer_by: SteerBy = "video") -> bool:
        self.latch.kind = None
        return super().grant(member, epoch, now_us, steer_by)


class AnyResetId(Mutant):
    def reset(self, member: int, stop_id: int) -> list[Effect]:
        return super().reset(member, self.latch.stop_id)


class KeepOwner(Mutant):
    def finish_reset(self, member: int, stop_id: int) -> list[Effect]:
        self.stand()
        self.latch.clear()
        return [Reply(ResetDone(member, stop_id))]


class KeepMoving(Mutant):
    def grant(self, member: int, epoch: int, now_us: int, steer_by: SteerBy = "video") -> bool:
        stand, self.stand = self.stand, lambda: None  # type: ignore[method-assign]
        try:
            return super().grant(member, epoch, now_us, steer_by)
        finally:
            self.stand = stand  # type: ignore[method-assign]


class AnyEpoch(Mutant):
    def is_next_epoch(self, _epoch: int) -> bool:
        return True


class KeepOffset(Mutant):
    def grant(self, member: int, epoch: int, now_us: int, steer_by: SteerBy = "video") -> bool:
        forget, self.clock.forget = self.clock.forget, lambda *_: None  # type: ignore[method-assign]
        try:
            return super().grant(member, epoch, now_us, steer_by)
        finally:
            self.clock.forget = forget  # type: ignore[method-assign]


class ReconnectGoesOn(Mutant):
    def forget(self, member: int, now_us: int) -> None:
        self.clock.forget(member, now_us)


class AgentForgotten(Mutant):
    def agent_gone(self) -> None:
        self.clock.forget_all()


class DeviceGoesOn(Mutant):
    def driver_works(self) -> None:
        self.fault = ""


class StopRamps(Mutant):
    def halt(self, member: int, nonce: int, name: str) -> list[Effect]:
        self.stand, kept = (lambda: None), self.stand  # type: ignore[method-assign]
        for axis in self.shaper.axes:
            axis.aim(0.0)
        try:
            return super().halt(member, nonce, name)
        finally:
            self.stand = kept  # type: ignore[method-assign]


class AckFirst(Mutant):
    def halt(self, member: int, nonce: int, name: str) -> list[Effect]:
        return super().halt(member, nonce, name)[::-1]


class NeverSaved(Mutant):
    def halt(self, member: int, nonce: int, name: str) -> list[Effect]:
        super().halt(member, nonce, name)
        return [Reply(Halted(member, nonce, self.latch.stop_id))]


class StartsOpen(Mutant):
    def __init__(
        self, config: GateConfig, limits: Sequence[Limits], record: LatchRecord, now_us: int
    ) -> None:
        super().__init__(config, limits, record, now_us)
        self.latch.open_start()


class ForgetsStop(Mutant):
    def __init__(
        self, config: GateConfig, limits: Sequence[Limits], record: LatchRecord, now_us: int
    ) -> None:
        super().__init__(config, limits, LatchRecord(record.stop_id, is_stopped=False), now_us)


class NeverMoves(Mutant):
    def setpoint(self, now_us: int) -> tuple[float, ...] | None:
        self.stand()
        return super().setpoint(now_us)


def with_clock(**methods: Any) -> type[Mutant]:
    """Return a gate whose clock measurement has ``methods`` in place of its own."""
    clock_class = type("Clock", (ClockSync,), methods)

    def init(
        self: Mutant,
        config: GateConfig,
        limits: Sequence[Limits],
        record: LatchRecord,
        now_us: int,
    ) -> None:
        Mutant.__init__(self, config, limits, record, now_us)
        self.clock = clock_class(max_rtt_us=2 * config.max_age_us)

    return type("WithClock", (Mutant,), {"__init__": init})


def _accepting(*excuses: str) -> type[Mutant]:
    def why_not(self: ClockSync, member: int, n: int, peer_us: int, now_us: int) -> str:
        why = ClockSync._why_not(self, member, n, peer_us, now_us)
        return "" if why in excuses else why

    def sent_at(self: ClockSync, n: int) -> int | None:
        fallback = self._sent.get(self.newest) if "future" in excuses else None
        return self._sent.get(n, fallback)

    return with_clock(_why_not=why_not, sent_at=sent_at)


def _any_rtt(self: ClockSync, member: int, now_us: int) -> object:
    self.max_rtt_us = 10**9
    return ClockSync._best(self, member, now_us)


def _one_answer(self: ClockSync, member: int, now_us: int) -> object:
    estimate = self._members.get(member)
    return estimate.best if estimate else None


def _never_old(self: ClockSync, member: int, _now_us: int) -> object:
    estimate = self._members.get(member)
    return ClockSync._best(self, member, estimate.touched_us if estimate else 0)


MUTANTS: dict[str, type[Gate]] = {
    "fence": NoFence,
    "member": AnyMember,
    "epoch": AnyEpoch,
    "seq": ignoring("is_new"),
    "age": ignoring("is_young"),
    "future": BuysTime,
    "nanage": ignoring("has_known_clock"),
    "beat": ignoring("has_heard_lately"),
    "forgedbeat": ForgedBeat,
    "oldbeat": OldBeat,
    "relayed": RelayedLikeAny,
    "finite": ignoring("is_finite"),
    "axes": ignoring("has_all_axes"),
    "arm": ignoring("is_neutral_or_armed"),
    "limit": NoVelocityLimit,
    "longlink": NoLongLinkCap,
    "acceleration": NoAccelerationLimit,
    "jerk": NoJerkLimit,
    "watchdog": LateWatchdog,
    "arrival": FromArrival,
    "pause": NoPause,
    "estop": ignoring("is_unlatched"),
    "remotereset": GrantClearsStop,
    "resetid": AnyResetId,
    "keepowner": KeepOwner,
    "keepmoving": KeepMoving,
    "offsetreset": KeepOffset,
    "reconnect": ReconnectGoesOn,
    "agentgone": AgentForgotten,
    "deviceback": DeviceGoesOn,
    "stopramps": StopRamps,
    "ackfirst": AckFirst,
    "latchpersist": NeverSaved,
    "latchlost": ForgetsStop,
    "startlatch": StartsOpen,
    "nevermoves": NeverMoves,
    "twice": _accepting("twice"),
    "forgedanswer": _accepting("future"),
    "inflight": _accepting("void"),
    "slowlink": with_clock(_best=_any_rtt),
    "silence": with_clock(_best=_never_old),
    "oneanswer": with_clock(_best=_one_answer),
}
"""Name of the rule that is broken, and the gate that breaks it."""
