"""The lease keeps its promises whatever members do, and the proof would notice if it did not."""

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from farhand.core.lease import (
    GRACE_US,
    RANK,
    TTL_US,
    Denied,
    Driver,
    Effect,
    Granted,
    Lease,
    Persist,
    Released,
    Revoked,
    Standstill,
)
from farhand.protocol.ids import Epoch, MemberId

EXAMPLES = int(os.environ.get("FARHAND_PROOF_EXAMPLES", "60"))
DRIVERS = [
    Driver(MemberId("ana"), "Ana", "operator"),
    Driver(MemberId("ben"), "Ben", "operator"),
    Driver(MemberId("policy"), "policy", "program"),
    Driver(MemberId("sue"), "Sue", "supervisor"),
    Driver(MemberId("vera"), "Vera", "viewer"),
]
drivers = st.sampled_from(DRIVERS)


class LeaseMachine(RuleBasedStateMachine):
    """Members that want to drive, a robot that restarts, and a model of who may."""

    lease_class: type[Lease] = Lease

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.disk = Epoch(0)
        self.lease = self.lease_class(epoch=0)
        self.holder: Driver | None = None
        self.granted = Epoch(0)
        self.heard_us = 0
        self.lost: tuple[Driver, int] | None = None
        self.is_standing = True

    def _carry_out(self, effects: list[Effect], *, allowed: Driver | None = None) -> None:
        for effect in effects:
            match effect:
                case Persist():
                    assert effect.epoch > self.disk, "I1 epoch does not rise"
                    self.disk = effect.epoch
                case Granted():
                    assert effect.epoch == self.disk > self.granted, "I1 used before it was on disk"
                    assert self.is_standing, "I2 hand-over without standstill"
                    assert effect.driver == allowed, "I1 granted to somebody who did not ask"
                    assert effect.driver.role in RANK, "may not drive"
                    self.holder, self.granted = effect.driver, effect.epoch
                    self.heard_us, self.lost, self.is_standing = self.now, None, False
                case Standstill():
                    self.is_standing = True
                case Revoked() | Released():
                    assert effect.driver == self.holder, "I1 revoked from somebody else"
                    assert self.is_standing, "I2 revoked while moving"
                    if isinstance(effect, Revoked) and effect.reason == "expired":
                        self.lost = (effect.driver, self.heard_us + TTL_US + GRACE_US)
                    self.holder = None
                case Denied():
                    expected = self.holder.member if self.holder else None
                    assert effect.holder == expected, "names the wrong holder"
        assert self.lease.holder == self.holder, "I1 the lease changed in silence"
        if self.holder is not None:
            assert self.now - self.heard_us < TTL_US, "I11 a dead lease"

    @rule(driver=drivers)
    def request(self, driver: Driver) -> None:
        expired = self.holder is None or self.now - self.heard_us >= TTL_US
        may = driver.role in RANK and (expired or driver == self.holder)
        self._carry_out(self.lease.request(driver, self.now), allowed=driver if may else None)
        assert not may or self.holder == driver, "I11 a free robot was refused"

    @rule(driver=drivers, back=st.integers(0, 2))
    def renew(self, driver: Driver, back: int) -> None:
        effects = self.lease.renew(driver.member, self.granted - back, self.now)
        is_alive = self.now - self.heard_us < TTL_US
        if driver == self.holder and not back and is_alive:
            self.heard_us = self.now
        self._carry_out(effects)

    @rule(driver=drivers, back=st.integers(0, 1))
    def release(self, driver: Driver, back: int) -> None:
        was = self.holder
        self._carry_out(self.lease.release(driver.member, self.granted - back, self.now))
        if was is not None and self.holder is None and self.lost is None:
            assert (was, back) == (driver, 0), "I1 released by somebody else"

    @rule(driver=drivers, to=drivers, back=st.integers(0, 1))
    def transfer(self, driver: Driver, to: Driver, back: int) -> None:
        is_holder = driver == self.holder and not back and self.now - self.heard_us < TTL_US
        effects = self.lease.transfer(driver.member, self.granted - back, to, self.now)
        self._carry_out(effects, allowed=to if is_holder else None)

    @rule(driver=drivers)
    def force(self, driver: Driver) -> None:
        holder = self.holder if self.now - self.heard_us < TTL_US else None
        rank = RANK.get(driver.role, 0)
        may = rank and (holder in (None, driver) or (holder and rank > RANK[holder.role]))
        self._carry_out(self.lease.force(driver, self.now), allowed=driver if may else None)
        assert not may or self.holder == driver, "higher rank was refused"

    @rule(driver=drivers, renamed=st.booleans())
    def returned(self, driver: Driver, renamed: bool) -> None:
        end_us = self.heard_us + TTL_US + GRACE_US
        former = self.holder if self.holder else (self.lost[0] if self.lost else None)
        may = driver == former and self.now < end_us and (self.lost or self.holder)
        again = replace(driver, member=MemberId(driver.member + "'")) if renamed else driver
        was = driver.member if renamed else None
        effects = self.lease.returned(again, self.now, was)
        self._carry_out(effects, allowed=again if may else None)
        assert not may or self.holder == again, "I11 the grace was not kept"
        if renamed and self.holder == again:
            self._carry_out(self.lease.release(again.member, self.granted, self.now))

    @rule(driver=drivers)
    def demoted(self, driver: Driver) -> None:
        """Somebody is back and may only watch now."""
        if self.lost and self.lost[0] == driver:
            self.lost = None
        self._carry_out(self.lease.returned(replace(driver, role="viewer"), self.now))
        assert self.holder is None or self.holder.member != driver.member, "I1 a viewer drives"

    @rule(driver=drivers)
    def left(self, driver: Driver) -> None:
        if self.lost and self.lost[0] == driver:
            self.lost = None
        self._carry_out(self.lease.left(driver.member))
        assert self.holder != driver, "holds although gone"

    @rule(reason=st.sampled_from(["stopped", "gate-lost"]))
    def revoke(self, reason: str) -> None:
        self.lost = None
        self._carry_out(self.lease.revoke("stopped" if reason == "stopped" else "gate-lost"))
        assert self.holder is None

    @rule(ms=st.sampled_from([20, 500, 1_999, 2_000, 4_999, 5_000, 7_000]))
    def wait(self, ms: int) -> None:
        self.now += ms * 1000
        self._carry_out(self.lease.tick(self.now))

    @rule()
    def restart(self) -> None:
        """The agent dies: nothing but the epoch on disk survives."""
        self.lease = self.lease_class(epoch=self.disk)
        self.holder, self.lost, self.is_standing = None, None, True

    @rule(driver=st.sampled_from(DRIVERS[:4]), pause=st.sampled_from([2_000, 6_999, 7_000]))
    def vanish(self, driver: Driver, pause: int) -> None:
        """Somebody drives, is silent, and comes back."""
        self.revoke("stopped")
        self.request(driver)
        self.wait(pause)
        self.returned(driver, renamed=False)

    @rule(first=st.sampled_from(DRIVERS[:4]), second=drivers)
    def contest(self, first: Driver, second: Driver) -> None:
        """One drives, another one wants to."""
        self.revoke("stopped")
        self.request(first)
        self.request(second)
        self.force(second)
        self.transfer(first, second, 0)
        self.release(first, 0)


class Steals(Lease):
    def request(self, driver: Driver, now_us: int) -> list[Effect]:
        if self.holder is not None and driver.role in RANK:
            return [*self._take("forced"), *self._grant(driver, now_us)]
        return super().request(driver, now_us)


class Undying(Lease):
    def tick(self, now_us: int) -> list[Effect]:
        return []


class NoGrace(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        self._former = None
        return super().returned(driver, now_us, was)


class Moving(Lease):
    def _take(self, reason: object) -> list[Effect]:
        return [e for e in super()._take(reason) if not isinstance(e, Standstill)]  # type: ignore[arg-type]


class SameEpoch(Lease):
    def _grant(self, driver: Driver, now_us: int) -> list[Effect]:
        self.epoch = Epoch(max(0, self.epoch - 1)) if self.epoch > 1 else self.epoch
        return super()._grant(driver, now_us)


class GrantsFirst(Lease):
    def _grant(self, driver: Driver, now_us: int) -> list[Effect]:
        return super()._grant(driver, now_us)[::-1]


class AnyRank(Lease):
    def force(self, driver: Driver, now_us: int) -> list[Effect]:
        effects = self.tick(now_us)
        if driver.role not in RANK:
            return [*effects, *super().force(driver, now_us)]
        return [*effects, *self._take("forced"), *self._grant(driver, now_us)]


class AnyEpochRenews(Lease):
    def is_held_by(self, member: MemberId, epoch: int) -> bool:
        return self.holder is not None and self.holder.member == member


class Generous(Lease):
    def __init__(self, *, epoch: int = 0) -> None:
        super().__init__(epoch=epoch, grace_us=2 * GRACE_US)


class Ranked(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        return super().returned(replace(driver, role="operator"), now_us, was)


MUTANTS: dict[str, type[Lease]] = {
    "demoted": Ranked,
    "steals": Steals,
    "undying": Undying,
    "nograce": NoGrace,
    "moving": Moving,
    "sameepoch": SameEpoch,
    "grantsfirst": GrantsFirst,
    "anyrank": AnyRank,
    "anyepoch": AnyEpochRenews,
    "generous": Generous,
}


def prove(lease_class: type[Lease], examples: int) -> None:
    """Run the machine against ``lease_class``."""
    machine = type("Machine", (LeaseMachine,), {"lease_class": lease_class})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            derandomize=EXAMPLES <= 1000,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


@pytest.mark.timeout(36_000)
def test_the_lease_keeps_its_promises() -> None:
    prove(Lease, EXAMPLES)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_promise_is_noticed(name: str) -> None:
    with pytest.raises(AssertionError):
        prove(MUTANTS[name], 60)
