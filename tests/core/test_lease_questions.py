"""Asking whoever drives, their answers, and what ends a question without one."""

import pytest

from farhand.core.lease import (
    Asked,
    AskOver,
    Denied,
    Driver,
    Granted,
    IdleWarning,
    Lease,
    LeaseRules,
    Misplaced,
    Persist,
    Question,
    Released,
    Revoked,
    Standstill,
)
from farhand.core.lease_effects import Effect, How, Outcome, Reason
from farhand.core.lease_rules import ASK_US, IDLE_US, IDLE_WARNING_US, TTL_US
from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId

A, B, C, D = (MemberId(x) for x in "abcd")
ANA, BEN = Driver(A, "Ana", "operator"), Driver(B, "Ben", "operator", "blind")
SUE, POLICY = Driver(C, "Sue", "supervisor"), Driver(D, "policy", "program")
ONE = Epoch(1)


def asked(lease: Lease | None = None, asker: Driver = BEN) -> Lease:
    """Return a lease that Ana holds since 0 and ``asker`` wants since 1."""
    lease = lease or Lease()
    lease.request(ANA, 0)
    lease.request(asker, 1, "the door")
    return lease


def over(outcome: Outcome, by: str = "Ana", asker: Driver = BEN) -> AskOver:
    return AskOver(Question(1, asker, "the door", 1 + ASK_US), outcome, by)


def grant(driver: Driver, epoch: int, how: How = "free", by: str = "") -> list[Effect]:
    return [Persist(Epoch(epoch)), Granted(driver, Epoch(epoch), TTL_US, how, by)]


def taken(reason: Reason = "transferred") -> list[Effect]:
    return [Standstill(), Revoked(ANA, ONE, reason)]


def keep(lease: Lease, until_us: int, since_us: int = 0) -> list[Effect]:
    """Let the holder be there until then, and return what happened meanwhile."""
    effects: list[Effect] = []
    for now_us in range(since_us, until_us, TTL_US // 2):
        assert lease.holder is not None
        effects += lease.renew(lease.holder.member, lease.epoch, now_us)
    return effects + lease.tick(until_us)


def test_a_yes_hands_over_through_standstill() -> None:
    lease = asked()
    effects = lease.answer(A, 1, accept=True, now_us=5)
    assert effects == [over("accepted"), *taken(), *grant(BEN, 2, "accepted", "Ana")]
    assert lease.question is None


def test_a_no_leaves_all_as_it_is() -> None:
    lease = asked()
    effects = lease.answer(A, 1, accept=False, now_us=5)
    assert effects == [over("refused"), Denied(B, Code.REFUSED_BY_HOLDER, A, "Ana")]
    assert lease.is_held_by(A, 1)
    assert lease.request(BEN, 6) == [Asked(Question(2, BEN, "", 6 + ASK_US), ANA)]


@pytest.mark.parametrize(
    ("member", "ask", "code"),
    [(B, 1, Code.NOT_HOLDER), (C, 1, Code.NOT_HOLDER), (A, 2, Code.WRONG_STATE)],
)
def test_only_the_holder_answers_and_only_the_open_question(
    member: MemberId, ask: int, code: Code
) -> None:
    lease = asked()
    assert lease.answer(member, ask, accept=True, now_us=5) == [Misplaced(member, code)]
    assert lease.question is not None
    assert lease.is_held_by(A, 1)


def test_an_answer_after_the_question_is_over_does_nothing() -> None:
    lease = asked()
    lease.cancel(B, 2)
    assert lease.answer(A, 1, accept=True, now_us=5) == [Misplaced(A, Code.WRONG_STATE)]


def test_one_question_at_a_time_and_asking_again_is_the_same_one() -> None:
    lease = asked()
    assert lease.request(SUE, 2) == [Denied(C, Code.HELD, A, "Ana")]
    question = Question(1, BEN, "the door", 1 + ASK_US)
    assert lease.request(BEN, 3, "something else") == [Asked(question, ANA, is_new=False)]


def test_silence_is_a_refusal() -> None:
    lease = asked()
    refused = [over("silence"), Denied(B, Code.REFUSED_BY_HOLDER, A, "Ana")]
    assert keep(lease, ASK_US) == []
    assert lease.tick(1 + ASK_US) == refused


def test_silence_is_a_yes_where_the_owner_says_so() -> None:
    lease = asked(Lease(rules=LeaseRules(on_silence="grant")))
    handed = [over("silence"), *taken(), *grant(BEN, 2, "silence", "Ana")]
    assert keep(lease, 1 + ASK_US) == handed


def test_only_the_asker_takes_a_question_back() -> None:
    lease = asked()
    assert lease.cancel(A, 2) == lease.cancel(C, 2) == []
    assert lease.cancel(B, 2) == [over("cancelled")]
    assert lease.cancel(B, 3) == []


def test_a_lease_that_becomes_free_goes_to_the_asker_at_once() -> None:
    gets = [over("free", ""), *grant(BEN, 2)]
    lease = asked()
    assert lease.release(A, 1, 5) == [Standstill(), Released(ANA, ONE), *gets]
    lease = asked()
    assert lease.left(A, 5) == [*taken("session-ended"), *gets]
    lease = asked()
    assert lease.tick(TTL_US) == [*taken("expired"), *gets]
    assert lease.returned(ANA, TTL_US + 1) == [], "there is no grace where somebody waited"


@pytest.mark.parametrize(
    ("reason", "code"),
    [("stopped", Code.LATCHED), ("reset", Code.LATCHED), ("gate-lost", Code.GATE_LOST)],
)
def test_what_lets_nobody_drive_denies_the_asker(reason: Reason, code: Code) -> None:
    lease = asked()
    assert lease.revoke(reason) == [*taken(reason), over("denied", ""), Denied(B, code)]
    assert lease.question is None
    assert lease.deadline_us is None


def test_nobody_is_granted_the_lease_while_a_stop_holds_the_robot() -> None:
    lease = asked()
    assert lease.latch(is_on=True) == [
        *taken("stopped"),
        over("denied", ""),
        Denied(B, Code.LATCHED),
    ]
    assert lease.latch(is_on=True) == []
    assert lease.request(ANA, 5) == [Denied(A, Code.LATCHED)]
    assert lease.force(SUE, 5, "now") == [Denied(C, Code.LATCHED)]
    assert lease.force(SUE, 5, " ") == [Denied(C, Code.REASON_MISSING)]
    assert lease.returned(ANA, 5) == []
    assert lease.transfer(A, 1, BEN, 5) == [Denied(A, Code.NOT_HOLDER)]
    assert lease.epoch == ONE
    assert lease.latch(is_on=False) == []
    assert lease.request(ANA, 6) == grant(ANA, 2)


def test_a_reason_holds_nothing_that_a_terminal_obeys() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    lease.request(BEN, 1, "\x1b[2J my\r\nshift\u202e\0 ")
    assert lease.question is not None
    assert lease.question.reason == "[2J my shift"
    forced = lease.force(SUE, 2, " fire\x07\n now ")
    assert isinstance(forced[-1], Granted)
    assert forced[-1].reason == "fire now"


def test_an_asker_that_leaves_takes_the_question_along() -> None:
    lease = asked()
    assert lease.left(B, 2) == [over("left")]
    assert lease.release(A, 1, 5) == [Standstill(), Released(ANA, ONE)]


def test_an_asker_that_may_no_longer_drive_takes_it_along_too() -> None:
    watching = Driver(B, "Ben", "viewer")
    assert asked().returned(watching, 2) == [over("left")]
    refused = [over("left"), Denied(B, Code.MAY_NOT_DRIVE, A, "Ana")]
    assert asked().request(watching, 2) == refused
    assert asked().force(watching, 2, "now") == refused


def test_a_holder_with_a_new_connection_keeps_the_question() -> None:
    lease = asked()
    again = Driver(C, "Ana", "operator")
    assert lease.returned(again, 2, was=A) == [Standstill(), *grant(again, 2, "again")]
    assert lease.since_us == 0
    assert lease.answer(A, 1, accept=True, now_us=3) == [Misplaced(A, Code.NOT_HOLDER)]
    revoked = Revoked(again, Epoch(2), "transferred")
    yes = [over("accepted"), Standstill(), revoked, *grant(BEN, 3, "accepted", "Ana")]
    assert lease.answer(C, 1, accept=True, now_us=3) == yes


def test_an_asker_with_a_new_connection_keeps_the_question_and_steers_as_before() -> None:
    lease = asked()
    again = Driver(D, "Ben", "operator", "video")
    question = Question(1, Driver(D, "Ben", "operator", "blind"), "the door", 1 + ASK_US)
    assert lease.returned(again, 2, was=B) == [Asked(question, ANA, is_new=False)]


def test_a_transfer_to_the_asker_is_a_yes_and_to_somebody_else_a_no() -> None:
    lease = asked()
    accepted = [over("accepted"), *taken(), *grant(BEN, 2, "transferred", "Ana")]
    assert lease.transfer(A, 1, BEN, 5) == accepted
    passed = [over("passed-over"), Denied(B, Code.HELD, C, "Sue")]
    handed = [*taken(), *grant(SUE, 2, "transferred", "Ana")]
    assert asked().transfer(A, 1, SUE, 5) == [*passed, *handed]


def test_a_transfer_to_oneself_is_a_new_epoch_and_keeps_the_question() -> None:
    lease = asked()
    assert lease.transfer(A, 1, ANA, 5) == [Standstill(), *grant(ANA, 2, "again")]
    assert lease.question is not None


def test_force_needs_a_reason_and_passes_the_asker_over() -> None:
    lease = asked()
    for empty in ("", "  \t", "\0\x1b\u200b\u202e \n"):
        assert lease.force(SUE, 2, empty) == [Denied(C, Code.REASON_MISSING, A, "Ana")]
    effects = lease.force(SUE, 2, "fire")
    assert effects[:2] == [over("passed-over"), Denied(B, Code.HELD, C, "Sue")]
    assert effects[2:4] == taken("forced")
    assert effects[-1] == Granted(SUE, Epoch(2), TTL_US, "forced", "Ana", "fire")


def test_who_asked_may_lose_patience_and_force() -> None:
    lease = asked(asker=SUE)
    effects = lease.force(SUE, 2, "fire")
    assert effects[0] == over("accepted", asker=SUE)
    assert lease.is_held_by(C, 2)


def test_a_program_may_ask_but_not_force() -> None:
    lease = asked(asker=POLICY)
    assert lease.force(POLICY, 2, "faster") == [Denied(D, Code.HELD, A, "Ana")]
    lease.answer(A, 1, accept=True, now_us=3)
    assert lease.is_held_by(D, 2)


def test_without_motion_the_lease_is_warned_of_and_taken_without_grace() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert keep(lease, IDLE_WARNING_US - 1) == []
    assert lease.idle_release_in_us(IDLE_WARNING_US - 1) is None
    assert lease.tick(IDLE_WARNING_US) == [IdleWarning(is_on=True)]
    assert lease.idle_release_in_us(IDLE_WARNING_US) == IDLE_US - IDLE_WARNING_US
    assert keep(lease, IDLE_US - 1, IDLE_WARNING_US) == []
    assert lease.tick(IDLE_US) == taken("idle")
    assert lease.returned(ANA, IDLE_US + 1) == []


def test_motion_ends_the_warning_and_neutral_does_not() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert keep(lease, IDLE_WARNING_US) == [IdleWarning(is_on=True)]
    assert lease.renew(A, 1, IDLE_WARNING_US + 5) == []
    moved_us = IDLE_WARNING_US + 9
    assert lease.renew(A, 1, moved_us, is_input=True) == [IdleWarning(is_on=False)]
    assert lease.idle_release_in_us(moved_us) is None
    assert keep(lease, moved_us + IDLE_WARNING_US - 1, moved_us) == []
    assert lease.is_held_by(A, 1)


def test_asking_again_or_a_new_connection_is_no_motion() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    keep(lease, IDLE_US - 3)
    lease.request(ANA, IDLE_US - 2)
    lease.returned(ANA, IDLE_US - 1)
    assert lease.tick(IDLE_US) == [Standstill(), Revoked(ANA, Epoch(3), "idle")]


def test_an_idle_lease_goes_to_the_asker() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    keep(lease, IDLE_US - 1)
    lease.request(BEN, IDLE_US - 1)
    effects = lease.tick(IDLE_US)
    assert effects[:2] == taken("idle")
    assert effects[-2:] == grant(BEN, 2)


def test_an_owner_may_switch_the_idle_release_off() -> None:
    lease = Lease(rules=LeaseRules(idle_us=0))
    lease.request(ANA, 0)
    assert keep(lease, 3 * IDLE_US) == []
    assert lease.is_held_by(A, 1)


def test_a_grant_that_cannot_be_carried_out_is_taken_back_and_the_asker_told() -> None:
    lease = Lease()
    lease.request(ANA, 0)
    assert lease.undo(Code.GATE_LOST) == [Denied(A, Code.GATE_LOST)]
    assert lease.undo(Code.GATE_LOST) == []
    lease.request(ANA, 1)
    lease.request(BEN, 2)
    lease.returned(ANA, 3)
    known, denied, closed, told = lease.undo(Code.INTERNAL)
    assert (known, denied) == (Revoked(ANA, Epoch(2), "revoked"), Denied(A, Code.INTERNAL))
    assert isinstance(closed, AskOver)
    assert (closed.outcome, told) == ("denied", Denied(B, Code.INTERNAL))
    assert lease.request(ANA, 4) == grant(ANA, 4), "no epoch is used twice"


@pytest.mark.parametrize(
    "wrong",
    [{"ask_us": 0}, {"ttl_us": 0}, {"grace_us": -1}, {"idle_us": 5}, {"idle_warning_us": 0}],
)
def test_times_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"last|warning"):
        LeaseRules(**wrong)  # type: ignore[arg-type]
