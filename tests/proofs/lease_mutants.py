"""Leases with one fault each: for every rule one that does without it."""

from dataclasses import replace
from typing import Any

from farhand.core.lease import (
    RANK,
    Asked,
    AskOver,
    Denied,
    Driver,
    Effect,
    Granted,
    IdleWarning,
    Lease,
    LeaseRules,
    Question,
    Reason,
    Standstill,
)
from farhand.core.lease_effects import How, Outcome
from farhand.core.lease_rules import GRACE_US
from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId


class Steals(Lease):
    def request(self, driver: Driver, now_us: int, reason: str = "") -> list[Effect]:
        if self.holder is not None and driver.role in RANK:
            return self._hand_over(driver, now_us, "forced")
        return super().request(driver, now_us, reason)


class Undying(Lease):
    def tick(self, now_us: int) -> list[Effect]:
        return []


class NoGrace(Lease):
    def _expire(self, now_us: int) -> list[Effect]:
        effects = super()._expire(now_us)
        self._former = None
        return effects


class Generous(Lease):
    def __init__(self, *, epoch: int = 0, rules: LeaseRules | None = None) -> None:
        super().__init__(epoch=epoch, rules=replace(rules or LeaseRules(), grace_us=2 * GRACE_US))


class Moving(Lease):
    def _take(self, reason: Reason) -> list[Effect]:
        return [e for e in super()._take(reason) if not isinstance(e, Standstill)]


class MovingAgain(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        effects = super().returned(driver, now_us, was)
        return [e for e in effects if not isinstance(e, Standstill)]


class SameEpoch(Lease):
    def _grant(self, driver: Driver, now_us: int, *rest: Any, **named: Any) -> list[Effect]:
        self.epoch = Epoch(max(0, self.epoch - 1)) if self.epoch > 1 else self.epoch
        return super()._grant(driver, now_us, *rest, **named)


class GrantsFirst(Lease):
    def _grant(self, driver: Driver, now_us: int, *rest: Any, **named: Any) -> list[Effect]:
        return super()._grant(driver, now_us, *rest, **named)[::-1]


class AnyRank(Lease):
    def force(self, driver: Driver, now_us: int, reason: str = "") -> list[Effect]:
        if driver.role in RANK and reason.strip() and self.holder is not None:
            return [*self.tick(now_us), *self._hand_over(driver, now_us, "forced", reason)]
        return super().force(driver, now_us, reason)


class NoReason(Lease):
    def force(self, driver: Driver, now_us: int, reason: str = "") -> list[Effect]:
        return super().force(driver, now_us, reason.strip() or "because")


class AnyEpoch(Lease):
    def is_held_by(self, member: MemberId, epoch: int) -> bool:
        return self.holder is not None and self.holder.member == member


class AnyRole(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        return super().returned(replace(driver, role="operator"), now_us, was)


class OtherEyes(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        effects = super().returned(driver, now_us, was)
        if self.holder is not None and self.holder.member == driver.member:
            self.holder = driver
            last = effects[-1]
            if isinstance(last, Granted):
                return [*effects[:-1], replace(last, driver=driver)]
        return effects


class TwoQuestions(Lease):
    def _ask(self, holder: Driver, driver: Driver, now_us: int, reason: str) -> list[Effect]:
        self.question = None
        return super()._ask(holder, driver, now_us, reason)


class NewTime(Lease):
    def _ask(self, holder: Driver, driver: Driver, now_us: int, reason: str) -> list[Effect]:
        effects = super()._ask(holder, driver, now_us, reason)
        if self.question is not None and isinstance(effects[0], Asked):
            self.question = replace(self.question, ends_us=now_us + self.rules.ask_us)
            return [replace(effects[0], question=self.question)]
        return effects


class AnybodyAnswers(Lease):
    def answer(self, member: MemberId, ask: int, *, accept: bool, now_us: int) -> list[Effect]:
        member = self.holder.member if self.holder is not None else member
        return super().answer(member, ask, accept=accept, now_us=now_us)


class AnyAsk(Lease):
    def answer(self, member: MemberId, ask: int, *, accept: bool, now_us: int) -> list[Effect]:
        ask = self.question.ask if self.question is not None else ask
        return super().answer(member, ask, accept=accept, now_us=now_us)


class DeafToNo(Lease):
    def answer(self, member: MemberId, ask: int, *, accept: bool, now_us: int) -> list[Effect]:
        return super().answer(member, ask, accept=True, now_us=now_us)


class AnybodyCancels(Lease):
    def cancel(self, member: MemberId, now_us: int) -> list[Effect]:
        member = self.question.asker.member if self.question is not None else member
        return super().cancel(member, now_us)


class SilenceYields(Lease):
    def _silence(self, now_us: int) -> list[Effect]:
        assert self.question is not None
        return self._hand_over(self.question.asker, now_us, "silence")


class SilenceKeeps(Lease):
    def _silence(self, now_us: int) -> list[Effect]:
        return self._dismiss(Code.REFUSED_BY_HOLDER, "silence")


class Endless(Lease):
    def __init__(self, *, epoch: int = 0, rules: LeaseRules | None = None) -> None:
        super().__init__(epoch=epoch, rules=rules)
        self.rules = replace(self.rules, ask_us=2 * self.rules.ask_us)


class ForgetsAsker(Lease):
    def _to_asker(self, now_us: int) -> list[Effect]:
        return self._dismiss(Code.HELD, "cancelled")


class StopYields(Lease):
    def revoke(self, reason: Reason) -> list[Effect]:
        return [*self._take(reason), *self._to_asker(0)]


class StopIsMute(Lease):
    def revoke(self, reason: Reason) -> list[Effect]:
        return [e for e in super().revoke(reason) if not isinstance(e, Denied)]


class StopKeepsQuestion(Lease):
    def revoke(self, reason: Reason) -> list[Effect]:
        return self._take(reason)


class StopGrace(Lease):
    def revoke(self, reason: Reason) -> list[Effect]:
        gone = self.holder
        effects = super().revoke(reason)
        self._former, self._former_until_us = gone, self._renewed_us + GRACE_US
        return effects


class KeepsLeaver(Lease):
    def _drop(self, member: MemberId, outcome: Outcome = "left") -> list[Effect]:
        return [] if outcome == "left" else super()._drop(member, outcome)


class DropsQuestion(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        closed = self._close("cancelled")
        return [*([closed] if closed else []), *super().returned(driver, now_us, was)]


class StrangeAsker(Lease):
    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        question: Question | None = self.question
        effects = super().returned(driver, now_us, was)
        if self.question is not None and question is not None:
            self.question = question
            return [e for e in effects if not isinstance(e, Asked)]
        return effects


class PassesOverInSilence(Lease):
    def _dismiss(
        self, code: Code, outcome: Outcome = "denied", holder: Driver | None = None
    ) -> list[Effect]:
        effects = super()._dismiss(code, outcome, holder)
        return effects[:1] if outcome == "passed-over" else effects


class NamesTheOld(Lease):
    def _dismiss(
        self, code: Code, outcome: Outcome = "denied", holder: Driver | None = None
    ) -> list[Effect]:
        return super()._dismiss(code, outcome)


class NeverIdle(Lease):
    def _end_idle(self, now_us: int) -> list[Effect]:
        self._input_us = now_us
        return []


class IdleGrace(Lease):
    def _end_idle(self, now_us: int) -> list[Effect]:
        gone = self.holder
        effects = super()._end_idle(now_us)
        if self.holder is None:
            self._former, self._former_until_us = gone, now_us + GRACE_US
        return effects


class NeutralCounts(Lease):
    def renew(
        self, member: MemberId, epoch: int, now_us: int, *, is_input: bool = False
    ) -> list[Effect]:
        return super().renew(member, epoch, now_us, is_input=True)


class AskingCounts(Lease):
    def _grant(
        self, driver: Driver, now_us: int, how: How = "free", by: str = "", reason: str = ""
    ) -> list[Effect]:
        effects = super()._grant(driver, now_us, how, by, reason)
        self._input_us, self._is_warned = now_us, False
        return effects


class NoWarning(Lease):
    def _warn(self, _now_us: int) -> list[Effect]:
        self._is_warned = True
        return []


class WarnsForEver(Lease):
    def renew(
        self, member: MemberId, epoch: int, now_us: int, *, is_input: bool = False
    ) -> list[Effect]:
        effects = super().renew(member, epoch, now_us, is_input=is_input)
        self._is_warned = self._is_warned or IdleWarning(is_on=False) in effects
        return [e for e in effects if e != IdleWarning(is_on=False)]


class MuteUndo(Lease):
    def undo(self, code: Code) -> list[Effect]:
        return [e for e in super().undo(code) if not isinstance(e, Denied | AskOver)]


MUTANTS: tuple[type[Lease], ...] = (
    *(Steals, Undying, NoGrace, Generous, Moving, MovingAgain, SameEpoch, GrantsFirst),
    *(AnyRank, NoReason, AnyEpoch, AnyRole, OtherEyes),
    *(TwoQuestions, NewTime, AnybodyAnswers, AnyAsk, DeafToNo, AnybodyCancels),
    *(SilenceYields, SilenceKeeps, Endless, ForgetsAsker),
    *(StopYields, StopIsMute, StopKeepsQuestion, StopGrace),
    *(KeepsLeaver, DropsQuestion, StrangeAsker, PassesOverInSilence, NamesTheOld),
    *(NeverIdle, IdleGrace, NeutralCounts, AskingCounts, NoWarning, WarnsForEver, MuteUndo),
)
