"""No two drivers, in a million steps of everything that can go wrong.

``FARHAND_PROOF_STEPS`` is how many; ``make proofs`` makes it a million.
"""

import os
import time
from typing import Any

import pytest
import structlog

from farhand.agent import authority as authority_module
from farhand.core.gate import Arrival, Gate
from farhand.core.lease import Lease
from farhand.core.lease_effects import Driver, Effect, Persist, Standstill
from farhand.protocol.ids import Epoch
from farhand.protocol.types import SteerBy
from tests.proofs.authority_steps import run
from tests.proofs.authority_world import Disk, Timeless, World

STEPS = int(os.environ.get("FARHAND_PROOF_STEPS", "10000"))
MUTANT_STEPS = 200_000
SEED = 20
CRASHES = (
    *("before the write", "before the rename", "after the rename"),
    *("before the gate is told", "after the gate was told", "before people are told"),
)


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log line for each grant would be most of the time."""
    nothing = structlog.wrap_logger(None, processors=[_drop])
    monkeypatch.setattr(authority_module, "log", nothing)


def _drop(*_: object) -> dict[str, object]:
    raise structlog.DropEvent


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_there_are_never_two_drivers() -> None:
    began = time.monotonic()
    counts = run(World(SEED), STEPS).audit.counts
    print(f"{STEPS} steps in {time.monotonic() - began:.1f} s: {dict(counts)}")  # noqa: T201
    # It says something only if people drove, lied, and everything died meanwhile.
    for what, in_10_000 in (("motion", 100), ("neutral", 50), ("FH-7001", 100), ("FH-7002", 20)):
        assert counts[what] > in_10_000 * STEPS / 10_000, what
    for what in ("gate killed", "agent started", "stop"):
        assert counts[what] >= STEPS / 10_000, what
    if STEPS >= 100_000:
        for where in CRASHES:
            assert counts[f"crash {where}"] > STEPS / 100_000, where


class LateDisk(Disk):
    """Acknowledges what is on disk only after the next one."""

    def store(self, epoch: Epoch) -> None:
        durable = self.newest
        super().store(epoch)
        self.durable = durable


class ReusedEpoch(Timeless):
    """Begins again one below."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.lease.epoch = Epoch(max(0, self.lease.epoch - 1))


class GrantsFirst(Timeless):
    """Tells the gate, then the disk."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.lease = _GrantsFirst(epoch=self.lease.epoch, rules=self.lease.rules)


class _GrantsFirst(Lease):
    def _grant(self, driver: Driver, now_us: int, *rest: Any, **named: Any) -> list[Effect]:
        return super()._grant(driver, now_us, *rest, **named)[::-1]


class ForgetsFullDisk(Timeless):
    """Goes on when the disk has refused the epoch."""

    def _persist(self, effect: Persist) -> bool:
        super()._persist(effect)
        return True

    def _undo(self, code: object) -> None:
        pass


class Higher(Gate):
    def is_from_holder(self, arrival: Arrival) -> bool:
        return arrival.frame.epoch > self.epoch or super().is_from_holder(arrival)


class Older(Gate):
    def is_from_holder(self, arrival: Arrival) -> bool:
        is_older = 0 < arrival.frame.epoch < self.epoch
        return is_older or super().is_from_holder(arrival)


class AnyMember(Gate):
    def is_from_holder(self, arrival: Arrival) -> bool:
        return arrival.frame.epoch == self.epoch


class AnyEpoch(Gate):
    def is_from_holder(self, arrival: Arrival) -> bool:
        return arrival.member == self.holder


class Moves(Timeless):
    """Hands over without a word to the gate."""

    def _carry_out_one(self, effect: Effect) -> bool:
        return isinstance(effect, Standstill) or super()._carry_out_one(effect)


class GrantsMoving(Gate):
    """Goes on through a grant. The lease has it stand before: both must fail."""

    def grant(self, member: int, epoch: int, now_us: int, steer_by: SteerBy = "video") -> bool:
        is_armed = self.is_armed
        granted = super().grant(member, epoch, now_us, steer_by)
        self.is_armed = is_armed
        return granted


class NeverRevokes(Gate):
    def revoke(self) -> None:
        self.stand()


def silent(gate: type[Gate]) -> type[Gate]:
    """Return ``gate`` without the invariants that would stop it at run time."""
    return type(gate.__name__, (gate,), {"_require": lambda _self, **_invariants: True})


MUTANTS: dict[str, dict[str, object]] = {
    "epoch used before it is on disk": {"authority_class": GrantsFirst},
    "disk says yes too early": {"disk_class": LateDisk},
    "epoch used although the disk was full": {"authority_class": ForgetsFullDisk},
    "epoch reused after a reboot": {"authority_class": ReusedEpoch},
    "gate takes a higher epoch": {"gate_class": silent(Higher)},
    "gate takes an older epoch": {"gate_class": silent(Older)},
    "gate takes any member": {"gate_class": silent(AnyMember)},
    "gate takes any epoch": {"gate_class": silent(AnyEpoch)},
    "grant without standstill": {
        "gate_class": silent(GrantsMoving),
        "authority_class": Moves,
    },
    "gate does not revoke": {"gate_class": silent(NeverRevokes)},
    "gate keeps the grant of a dead agent": {"is_gate_told": False},
}


@pytest.mark.parametrize("name", MUTANTS)
def test_each_hole_is_found(name: str) -> None:
    with pytest.raises(AssertionError, match="step"):
        run(World(SEED, **MUTANTS[name]), MUTANT_STEPS)  # type: ignore[arg-type]
