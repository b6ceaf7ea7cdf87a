"""Who may drive."""

import pytest

from farhand.core.lease import (
    GRACE_US,
    TTL_US,
    Asked,
    Denied,
    Driver,
    Granted,
    Lease,
    Persist,
    Question,
    Released,
    Revoked,
    Standstill,
)
from farhand.core.lease_effects import How
from farhand.core.lease_rules import ASK_US
from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId
from farhand.protocol.messages import Role

A, B, C = MemberId("a"), MemberId("b"), MemberId("c")
ANA = Driver(A, "Ana", "operator")
BEN = Driver(B, "Ben", "operator", "blind")
POLICY = Driver(C, "policy", "program")
SUPER = Driver(C, "Sue", "supervisor")
WHY = "a child on the road"


def grant(
    driver: Driver, epoch: int, how: How = "free", by: str = "", reason: str = ""
) -> list[object]:
    number = Epoch(epoch)
    return [Persist(number), Granted(driver, number, TTL_US, how, by, reason)]


def test_a_free_robot_is_granted_and_the_epoch_is_persisted_first() -> None:
    lease = Lease(epoch=41)
    assert lease.request(ANA, 0) == grant(ANA, 42)
    assert lease.holder == ANA
    assert lease.deadline_us == TTL_US
    assert lease.is_held_by(A, 42)
    assert not lease.is_held_by(A, 41)
    assert not lease.is_held_by(B, 42)


def test_a_second_request_is_a_question_to_the_holder() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    question = Question(1, BEN, "the door", 1 + ASK_US)
    assert lease.request(BEN, 1, "the door") == [Asked(question, ANA)]
    assert lease.question == question
    assert lease.is_held_by(A, 1)


@pytest.mark.parametrize("role", ["viewer", "robot"])
def test_who_may_not_drive_is_denied(role: Role) -> None:
    lease = Lease()
    viewer = Driver(B, "Vera", role)
    assert lease.request(viewer, 0) == [Denied(B, Code.MAY_NOT_DRIVE)]
    lease.request(ANA, 0)
    assert lease.force(viewer, 1, WHY) == [Denied(B, Code.MAY_NOT_DRIVE, A, "Ana")]
    assert lease.transfer(A, 1, viewer, 1) == [Denied(A, Code.MAY_NOT_DRIVE, A, "Ana")]
    assert lease.is_held_by(A, 1)


def test_the_holder_that_asks_again_gets_a_new_epoch_through_standstill() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.request(ANA, 5) == [Standstill(), *grant(ANA, 2, "again")]


def test_unrenewed_lease_expires_exactly_at_its_deadline() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.tick(TTL_US - 1) == []
    assert lease.tick(TTL_US) == [Standstill(), Revoked(ANA, Epoch(1), "expired")]
    assert lease.tick(TTL_US) == []
    assert lease.holder is None


def test_renewing_keeps_the_lease_only_for_the_holder_and_its_epoch() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.renew(B, 1, 100) == []
    assert lease.renew(A, 7, 100) == []
    assert lease.deadline_us == TTL_US
    assert lease.renew(A, 1, 100) == []
    assert lease.deadline_us == 100 + TTL_US


def test_renewing_too_late_finds_the_lease_expired() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    expired = [Standstill(), Revoked(ANA, Epoch(1), "expired")]
    assert lease.renew(A, 1, TTL_US) == expired
    assert lease.holder is None


def test_release_frees_the_robot_and_leaves_no_grace() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.release(B, 1, 1) == []
    assert lease.release(A, 2, 1) == []
    assert lease.release(A, 1, 1) == [Standstill(), Released(ANA, Epoch(1))]
    assert lease.release(A, 1, 2) == []
    assert lease.returned(ANA, 2) == []
    assert lease.deadline_us is None


def test_an_expired_lease_can_be_taken_by_anybody_at_once() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    expired = [Standstill(), Revoked(ANA, Epoch(1), "expired")]
    assert lease.request(BEN, TTL_US) == [*expired, *grant(BEN, 2)]
    assert lease.returned(ANA, TTL_US + 1) == []


def test_the_former_holder_gets_it_back_during_the_grace() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    lease.tick(TTL_US)
    assert lease.deadline_us == TTL_US + GRACE_US
    assert lease.returned(BEN, TTL_US + 1) == []
    assert lease.returned(ANA, TTL_US + GRACE_US - 1) == grant(ANA, 2, "again")


def test_the_former_holder_is_known_under_its_old_id() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    lease.tick(TTL_US)
    again = Driver(C, "Ana", "operator")
    assert lease.returned(again, TTL_US + 1, was=A) == grant(again, 2, "again")


@pytest.mark.parametrize("now_us", [10, TTL_US + 1])
def test_who_comes_back_in_a_role_that_does_not_drive_gets_nothing_back(now_us: int) -> None:
    lease = Lease()
    lease.request(ANA, 0)
    lease.tick(now_us)
    lost = [Standstill(), Revoked(ANA, Epoch(1), "session-ended")] if lease.holder else []
    assert lease.returned(Driver(A, "Ana", "viewer"), now_us) == lost
    assert lease.returned(ANA, now_us) == []


def test_the_grace_ends() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    lease.tick(TTL_US)
    assert lease.returned(ANA, TTL_US + GRACE_US) == []
    assert lease.deadline_us is None
    assert lease.request(BEN, TTL_US + GRACE_US) == grant(BEN, 2)


def test_a_tick_that_comes_after_the_grace_gives_none() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    late = TTL_US + GRACE_US
    assert lease.tick(late) == [Standstill(), Revoked(ANA, Epoch(1), "expired")]
    assert lease.deadline_us is None
    assert lease.returned(ANA, late) == []


def test_a_holder_with_a_new_connection_starts_from_standstill() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.returned(ANA, 10) == [Standstill(), *grant(ANA, 2, "again")]


def test_transfer_goes_through_standstill() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.transfer(A, 1, BEN, 5) == [
        Standstill(),
        Revoked(ANA, Epoch(1), "transferred"),
        *grant(BEN, 2, "transferred", "Ana"),
    ]


def test_only_the_holder_transfers() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.transfer(B, 1, BEN, 5) == [Denied(B, Code.NOT_HOLDER, A, "Ana")]
    assert Lease().transfer(B, 1, BEN, 5) == [Denied(B, Code.NOT_HOLDER)]


def test_higher_rank_forces_through_standstill() -> None:
    lease = Lease()
    lease.request(POLICY, 0)
    assert lease.force(ANA, 1, WHY) == [
        Standstill(),
        Revoked(POLICY, Epoch(1), "forced"),
        *grant(ANA, 2, "forced", "policy", WHY),
    ]
    assert lease.force(SUPER, 2, f" {WHY} ") == [
        Standstill(),
        Revoked(ANA, Epoch(2), "forced"),
        *grant(SUPER, 3, "forced", "Ana", WHY),
    ]


def test_equal_and_lower_rank_do_not_force() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.force(BEN, 1, WHY) == [Denied(B, Code.HELD, A, "Ana")]
    assert lease.force(POLICY, 1, WHY) == [Denied(C, Code.HELD, A, "Ana")]
    assert lease.is_held_by(A, 1)


def test_forcing_a_free_robot_is_a_request() -> None:
    lease = Lease()
    assert lease.force(BEN, 0, WHY) == grant(BEN, 1)
    assert lease.force(BEN, 1, WHY) == [Standstill(), *grant(BEN, 2, "again")]


def test_revoke_takes_the_lease_without_grace() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.revoke("stopped") == [Standstill(), Revoked(ANA, Epoch(1), "stopped")]
    assert lease.revoke("stopped") == []
    assert lease.returned(ANA, 1) == []


def test_revoke_ends_a_grace() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    lease.tick(TTL_US)
    assert lease.revoke("stopped") == []
    assert lease.returned(ANA, TTL_US + 1) == []


def test_a_member_that_left_for_good_loses_lease_and_grace() -> None:
    lease = Lease()
    assert lease.left(A, 0) == []
    lease.request(ANA, 0)
    assert lease.left(B, 1) == []
    assert lease.left(A, 1) == [Standstill(), Revoked(ANA, Epoch(1), "session-ended")]
    lease.request(ANA, 0)
    lease.tick(TTL_US)
    assert lease.left(A, TTL_US + 1) == []
    assert lease.returned(ANA, TTL_US + 1) == []


def test_epochs_rise_strictly_over_all_ways_to_get_the_lease() -> None:
    lease, seen = Lease(epoch=9), []
    steps = [
        lease.request(ANA, 0),
        lease.returned(ANA, 1),
        lease.transfer(A, lease.epoch, BEN, 2),
        lease.force(SUPER, 3, WHY),
        lease.request(SUPER, 4),
    ]
    for effects in steps:
        assert isinstance(effects[-2], Persist)
        assert isinstance(effects[-1], Granted)
        assert effects[-2].epoch == effects[-1].epoch
        seen.append(effects[-1].epoch)
    assert seen == [10, 11, 12, 13, 14]
