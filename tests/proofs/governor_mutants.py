"""Governors and position limits with one fault each; as in :mod:`tests.proofs.mutants`."""

from collections.abc import Sequence
from typing import Any

from farhand.core.gate import Gate
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.core.gate_limits import Limits
from farhand.core.gate_positions import Positions
from farhand.core.governor import Governor
from farhand.protocol.types import CapReason, SteerBy
from tests.proofs.mutants import Mutant, ignoring

Wish = tuple[float, CapReason]


def with_governor(**members: Any) -> type[Mutant]:
    """Return a gate whose governors have ``members`` in place of their own."""
    governor_class: type[Governor] = type("Broken", (Governor,), members)

    def grant(
        self: Mutant, member: int, epoch: int, now_us: int, steer_by: SteerBy = "video"
    ) -> bool:
        is_granted = Mutant.grant(self, member, epoch, now_us, steer_by)
        if is_granted:
            self.governor = governor_class(self.config.governor, steer_by, self.top_speed)
        return is_granted

    return type("WithGovernor", (Mutant,), {"grant": grant})


def with_positions(**members: Any) -> type[Mutant]:
    """Return a gate whose position limits have ``members`` in place of their own."""
    positions_class: type[Positions] = type("Broken", (Positions,), members)

    def init(
        self: Mutant,
        config: GateConfig,
        limits: Sequence[Limits],
        record: LatchRecord,
        now_us: int,
    ) -> None:
        Mutant.__init__(self, config, limits, record, now_us)
        self.positions = positions_class(limits, self.shaper)

    return type("WithPositions", (Mutant,), {"__init__": init})


def _stale_by_none_only(self: Governor, _now_us: int) -> bool:
    return self._newer_us is None


def _fresh_without_picture(self: Governor, now_us: int) -> bool:
    return self._newer_us is not None and Governor.is_stale(self, now_us)


def _known(self: Governor, now_us: int, *, is_known: bool) -> Wish:
    return Governor.wish(self, now_us, is_known=is_known or True)


def _future_view(_self: Governor, now_us: int, seen_us: int) -> int | None:
    return max(1, now_us - seen_us) if seen_us else None


def _never_too_long(self: Governor, now_us: int, *, is_known: bool) -> Wish:
    wish, reason = Governor.wish(self, now_us, is_known=is_known)
    return (0.2, "loop") if reason == "loop-too-long" else (wish, reason)


def _falls_slowly(self: Governor, now_us: int, level: float, reason: CapReason) -> None:
    if 0 < level < self.level and now_us - self._reason_us < 2_000_000:
        return
    Governor._set(self, now_us, level, reason)


def _never_aside(_self: Governor, _now_us: int, _view_us: int | None, _told_us: int) -> bool:
    return False


def _aside_at_once(self: Governor, _now_us: int, view_us: int | None, told_us: int) -> bool:
    return view_us is not None and told_us > self.config.t_stop_ms * 1000


def _half_as_strict(self: Governor, loop_us: int) -> float:
    return Governor.allowed(self, loop_us // 2)


class Unapplied(Mutant):
    """The cap is for the screen only."""

    def _apply_cap(self) -> None:
        if self.governor is not None and self.governor.lock is not None:
            self.stand()


class NewCommandsOnly(Mutant):
    """A lowered cap leaves the running setpoint alone."""

    def _apply_cap(self) -> None:
        super()._apply_cap()
        for axis in self.shaper.axes:
            axis.maximum = max(axis.maximum, axis.value)
            axis.cut(axis.minimum, axis.maximum)
            axis.target = max(axis.target, axis.value)


class CapJumps(Mutant):
    """A lowered cap is not braked to."""

    def _apply_cap(self) -> None:
        super()._apply_cap()
        for axis in self.shaper.axes:
            axis.cut(axis.minimum, axis.maximum)


class LockGoesOn(Mutant):
    """Commands are refused, but what runs goes on."""

    def _apply_cap(self) -> None:
        self.shaper.cap(max(0.01, self.governor.cap) if self.governor else 1.0)


def _any_gap(self: Positions, place: Any, gap: float, now_us: int) -> float:
    return Positions.speed(self, place, gap + 0.05, now_us)


def _beyond(self: Positions, now_us: int) -> None:
    self.now_us = now_us


def _at_first_only(self: Positions, place: Any, _now_us: int) -> bool:
    return bool(place.at_us > 0)


GOVERNOR_MUTANTS: dict[str, type[Gate]] = {
    "stalevideo": ignoring("has_new_video"),
    "looptoolong": ignoring("has_short_loop"),
    "lockgoeson": LockGoesOn,
    "staletime": with_governor(is_stale=_stale_by_none_only),
    "nopicture": with_governor(is_stale=_fresh_without_picture),
    "staletick": with_governor(tick=lambda _self, _now_us: None),
    "tstop": with_governor(wish=_never_too_long),
    "nosample": with_governor(wish=_known),
    "formula": with_governor(allowed=lambda _self, _loop_us: 10.0),
    "formulahalf": with_governor(allowed=_half_as_strict),
    "ownview": with_governor(longest=lambda _self, _view_us, told_us: told_us),
    "told": with_governor(longest=lambda _self, view_us, _told_us: view_us),
    "neveraside": with_governor(is_aside=_never_aside),
    "asideatonce": with_governor(is_aside=_aside_at_once),
    "futureseen": with_governor(own_view=_future_view),
    "blindcap": with_governor(cap=property(lambda self: self.level)),
    "ungoverned": with_governor(observe=lambda _self, _now_us, **_: None),
    "rise": with_governor(rise_us=0),
    "fall": with_governor(_set=_falls_slowly),
    "neverback": with_governor(rise_us=10**12),
    "unapplied": Unapplied,
    "running": NewCommandsOnly,
    "capjumps": CapJumps,
    "position": with_positions(hold=_beyond),
    "brake": with_positions(speed=_any_gap),
    "unknownposition": with_positions(is_known=_at_first_only),
}
"""Name of the rule that is broken, and the gate that breaks it."""
