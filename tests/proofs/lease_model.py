"""What must be true of a lease at every step, from the rules alone."""

from dataclasses import replace

from hypothesis.stateful import RuleBasedStateMachine

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
    Persist,
    Question,
    Released,
    Revoked,
    Standstill,
)
from farhand.core.lease_rules import ASK_US, GRACE_US, IDLE_US, IDLE_WARNING_US, TTL_US
from farhand.protocol.ids import Epoch

SILENT = frozenset({"accepted", "free", "cancelled", "left"})
"""Ends of a question after which the asker hears nothing, or a grant."""


class LeaseModel(RuleBasedStateMachine):
    """A lease, and beside it who may drive, who asks, and since when."""

    lease_class: type[Lease] = Lease

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.disk = self.granted = Epoch(0)
        self.holder: Driver | None = None
        self.heard_us = self.input_us = 0
        self.lost: tuple[Driver, int] | None = None
        self.question: Question | None = None
        self.asks = 0
        self.is_standing = True
        self.is_warned = False
        self.terms = LeaseRules()
        self.lease = self.lease_class(epoch=0, rules=self.terms)

    # --- what must hold of every effect and after every step ---

    def _carry_out(
        self, effects: list[Effect], *, allowed: Driver | None = None, how: str = ""
    ) -> None:
        ended: AskOver | None = None
        told: list[Denied] = []
        for effect in effects:
            match effect:
                case Persist():
                    assert effect.epoch > self.disk, "I1 epoch does not rise"
                    self.disk = effect.epoch
                case Granted():
                    self._granted(effect, allowed, ended)
                case Standstill():
                    self.is_standing = True
                case Revoked() | Released():
                    self._gone(effect)
                case Asked():
                    self._asked(effect)
                case AskOver():
                    self._ask_over(effect)
                    ended = effect
                case Denied():
                    told.append(effect)
                case IdleWarning():
                    assert effect.is_on != self.is_warned, "warned twice"
                    self.is_warned = effect.is_on
        if ended is not None and ended.outcome not in SILENT:
            heard = [no for no in told if no.member == ended.question.asker.member]
            is_granted = self.holder is not None and self.holder == ended.question.asker
            assert len(heard) == (0 if is_granted else 1), "asker left in the dark"
        if ended is not None and ended.outcome == "silence" and self.terms.on_silence == "grant":
            grants = [effect.driver for effect in effects if isinstance(effect, Granted)]
            assert ended.question.asker in grants, "silence was a yes, and is not kept"
        for no in told:
            assert no.holder == (self.holder.member if self.holder else None), "wrong holder named"
        self._check(how)

    def _granted(self, effect: Granted, allowed: Driver | None, ended: AskOver | None) -> None:
        assert effect.epoch == self.disk > self.granted, "I1 used before it was on disk"
        assert self.is_standing, "I2 hand-over without standstill"
        assert effect.driver.role in RANK, "may not drive"
        if ended is not None and effect.driver == ended.question.asker:
            is_due = ended.outcome in ("accepted", "free") or (
                ended.outcome == "silence" and self.terms.on_silence == "grant"
            )
            assert is_due, "I1 granted although refused"
        else:
            assert effect.driver == allowed, "I1 granted to somebody who did not ask"
        is_same = self.holder is not None and effect.how == "again"
        assert self.holder is None or is_same, "I1 two drivers"
        if not is_same:
            self.input_us, self.is_warned = self.now, False
        self.holder, self.granted, self.heard_us = effect.driver, effect.epoch, self.now
        self.lost, self.is_standing = None, False

    def _gone(self, effect: Revoked | Released) -> None:
        assert effect.driver == self.holder, "I1 revoked from somebody else"
        assert self.is_standing, "I2 revoked while moving"
        if isinstance(effect, Revoked) and effect.reason == "expired":
            self.lost = (effect.driver, self.heard_us + TTL_US + GRACE_US)
        self.holder, self.is_warned = None, False

    def _asked(self, effect: Asked) -> None:
        assert self.holder == effect.holder, "nobody to ask"
        question = effect.question
        assert question.asker.role in RANK, "a viewer asks"
        assert question.asker.member != effect.holder.member, "asks itself"
        if effect.is_new:
            assert self.question is None, "two questions"
            assert question.ask > self.asks, "a number twice"
            assert question.ends_us == self.now + ASK_US, "not the time that was promised"
            self.asks = question.ask
        else:
            assert self.question is not None, "no question to go on with"
            same = replace(question, asker=self.question.asker)
            assert same == self.question, "the question changed"
        self.question = question

    def _ask_over(self, effect: AskOver) -> None:
        assert effect.question == self.question, "another question ended"
        if effect.outcome == "silence":
            assert self.now >= effect.question.ends_us, "cut short"
        self.question = None

    def _check(self, how: str) -> None:
        assert self.lease.holder == self.holder, "I1 the lease changed in silence"
        assert self.lease.question == self.question, "the question changed in silence"
        if self.holder is not None:
            assert self.now - self.heard_us < TTL_US, "I11 a dead lease"
            assert self.now - self.input_us < IDLE_US, "idle"
        due = self.holder is not None and self.now - self.input_us >= IDLE_WARNING_US
        assert self.is_warned == due, f"idle warning {how}"
        left_us = self.input_us + IDLE_US - self.now if due else None
        assert self.lease.idle_release_in_us(self.now) == left_us, "idle countdown"
        if self.question is not None:
            assert self.holder is not None, "a question to nobody"
            assert self.now < self.question.ends_us, "an endless question"

    def _settle(self) -> None:
        self._carry_out(self.lease.tick(self.now))
