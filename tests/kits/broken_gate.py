"""A gate with one fault, as a program: ``python -m tests.kits.broken_gate FAULT gate run …``.

It stands in the place of the real one, so that a kit which passes it is caught.
"""

import sys
from collections.abc import Callable
from typing import Any

from farhand.cli import main
from farhand.core.gate import Arrival, Effect, Gate, Reply
from farhand.gate import runner
from farhand.protocol.gate_link import Halted


class Broken(Gate):
    """A gate that does not check itself."""

    def _require(self, **invariants: bool) -> bool:
        return True


def ignoring(*rules: str) -> type[Gate]:
    return type("Ignoring", (Broken,), {rule: lambda _self, _arrival: True for rule in rules})


class NoWatchdog(Broken):
    def is_silent(self, now_us: int) -> bool:
        return False


class NoLimits(Broken):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for axis in self.shaper.axes:
            axis.acceleration = axis.deceleration = axis.jerk = 1e9


class DeafToStop(Broken):
    """Confirms STOP and drives on."""

    def halt(self, member: int, nonce: int, name: str) -> list[Effect]:
        return [Reply(Halted(member, nonce, self.latch.stop_id))]


class ForgetsStop(Broken):
    """Stands, and is as before: only a broken rule would not do, as the agent grants no lease."""

    def halt(self, member: int, nonce: int, name: str) -> list[Effect]:
        self.stand()
        return [Reply(Halted(member, nonce, self.latch.stop_id))]


class ResetsAnything(Broken):
    def reset(self, member: int, stop_id: int) -> list[Effect]:
        return super().reset(member, self.latch.stop_id)


class SlowWatchdog(Broken):
    def is_silent(self, now_us: int) -> bool:
        return super().is_silent(now_us - 100_000)


class MovesOnGrant(Broken):
    """Takes whatever comes first for neutral."""

    def is_neutral_or_armed(self, _arrival: Arrival) -> bool:
        return True


FAULTS: dict[str, Callable[[], type[Gate]]] = {
    "none": lambda: Gate,
    "age": lambda: ignoring("is_young"),
    "future": lambda: ignoring("is_past"),
    "beat": lambda: ignoring("has_heard_lately"),
    "fence": lambda: ignoring("is_from_holder"),
    "replay": lambda: ignoring("is_new"),
    "latch": lambda: ForgetsStop,
    "neutral": lambda: MovesOnGrant,
    "watchdog": lambda: NoWatchdog,
    "slow-watchdog": lambda: SlowWatchdog,
    "limits": lambda: NoLimits,
    "stop": lambda: DeafToStop,
    "reset": lambda: ResetsAnything,
}


if __name__ == "__main__":
    runner.Gate = FAULTS[sys.argv.pop(1)]()  # type: ignore[attr-defined]
    main.main()
