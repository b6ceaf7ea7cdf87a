"""Who may drive the robot.

At most one member holds the lease; it dies unless renewed, and every grant has an epoch above all
before it.  Whoever wants it while another member has it asks: one question at a time, answered by
the holder, by silence, or by the lease becoming free.  Nothing here knows about sockets, files or
clocks.  All times are integer microseconds.
"""

from dataclasses import replace

from farhand.core.lease_base import LeaseBase
from farhand.core.lease_effects import (
    RANK,
    Asked,
    AskOver,
    Denied,
    Driver,
    Effect,
    Granted,
    IdleWarning,
    Misplaced,
    Persist,
    Question,
    Reason,
    Released,
    Revoked,
    Standstill,
)
from farhand.core.lease_rules import GRACE_US, TTL_US, LeaseRules, readable
from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId

__all__ = [
    "GRACE_US",
    "RANK",
    "TTL_US",
    "AskOver",
    "Asked",
    "Denied",
    "Driver",
    "Effect",
    "Granted",
    "IdleWarning",
    "Lease",
    "LeaseRules",
    "Misplaced",
    "Persist",
    "Question",
    "Reason",
    "Released",
    "Revoked",
    "Standstill",
]


class Lease(LeaseBase):
    """The control lease of one robot.

    Methods return effects for the caller to carry out in order.  Call :meth:`tick` no later than
    :attr:`deadline_us`.

    Args:
        epoch: The newest epoch on disk; grants begin above it.
        rules: How long things last.

    """

    # --- what people want ---

    def request(self, driver: Driver, now_us: int, reason: str = "") -> list[Effect]:
        """Grant a free lease; ask the holder of one that is not free.

        The holder itself gets a new epoch: its page may be new.
        """
        effects = self.tick(now_us)
        if driver.role not in RANK:
            return [*effects, *self._drop(driver.member), self._deny(driver, Code.MAY_NOT_DRIVE)]
        if self.is_latched:
            return [*effects, self._deny(driver, Code.LATCHED)]
        if self.holder is None:
            return [*effects, *self._grant(driver, now_us)]
        if self.holder.member == driver.member:
            return [*effects, Standstill(), *self._grant(driver, now_us, "again")]
        return [*effects, *self._ask(self.holder, driver, now_us, readable(reason))]

    def answer(self, member: MemberId, ask: int, *, accept: bool, now_us: int) -> list[Effect]:
        """Carry out the holder's word on question ``ask``."""
        effects, question = self.tick(now_us), self.question
        if self.holder is None or self.holder.member != member:
            return [*effects, Misplaced(member, Code.NOT_HOLDER)]
        if question is None or question.ask != ask:
            return [*effects, Misplaced(member, Code.WRONG_STATE)]
        if accept:
            return [*effects, *self._hand_over(question.asker, now_us, "accepted")]
        return [*effects, *self._dismiss(Code.REFUSED_BY_HOLDER, "refused")]

    def cancel(self, member: MemberId, now_us: int) -> list[Effect]:
        """Drop the question of ``member``, who does not want the lease any more."""
        return [*self.tick(now_us), *self._drop(member, "cancelled")]

    def renew(
        self, member: MemberId, epoch: int, now_us: int, *, is_input: bool = False
    ) -> list[Effect]:
        """Keep the lease: for each control frame of the holder, and for ``lease-renew``.

        Args:
            member: Whose sign of life it is.
            epoch: The one it named.
            now_us: The time.
            is_input: It moved the robot; else the holder may be somebody who went away.

        """
        effects = self.tick(now_us)
        if not self.is_held_by(member, epoch):
            return effects
        self._renewed_us = now_us
        if is_input:
            self._input_us = now_us
            if self._is_warned:
                self._is_warned = False
                effects.append(IdleWarning(is_on=False))
        return effects

    def release(self, member: MemberId, epoch: int, now_us: int) -> list[Effect]:
        """Take the lease back from the holder, who wants that; whoever asked for it gets it."""
        effects, gone = self.tick(now_us), self.holder
        if gone is None or not self.is_held_by(member, epoch):
            return effects
        self._vacate()
        return [*effects, Standstill(), Released(gone, self.epoch), *self._to_asker(now_us)]

    def transfer(self, member: MemberId, epoch: int, to: Driver, now_us: int) -> list[Effect]:
        """Hand the lease to ``to``, as the holder wishes, through standstill."""
        effects = self.tick(now_us)
        if self.holder is None or not self.is_held_by(member, epoch):
            return [*effects, self._denied(member, Code.NOT_HOLDER)]
        if to.role not in RANK:
            return [*effects, self._denied(member, Code.MAY_NOT_DRIVE)]
        if to.member == member:
            return [*effects, *self.request(to, now_us)]
        return [*effects, *self._hand_over(to, now_us, "transferred")]

    def force(self, driver: Driver, now_us: int, reason: str = "") -> list[Effect]:
        """Give the lease to a member of higher rank than the holder, through standstill.

        Args:
            driver: Who takes it.
            now_us: The time.
            reason: Why; needed.

        """
        effects = self.tick(now_us)
        if driver.role not in RANK:
            return [*effects, *self._drop(driver.member), self._deny(driver, Code.MAY_NOT_DRIVE)]
        reason = readable(reason)
        if not reason:
            return [*effects, self._deny(driver, Code.REASON_MISSING)]
        if self.is_latched:
            return [*effects, self._deny(driver, Code.LATCHED)]
        if self.holder is None or self.holder.member == driver.member:
            return [*effects, *self.request(driver, now_us)]
        if RANK[driver.role] <= RANK[self.holder.role]:
            return [*effects, self._deny(driver, Code.HELD)]
        return [*effects, *self._hand_over(driver, now_us, "forced", reason)]

    # --- what happens ---

    def latch(self, *, is_on: bool) -> list[Effect]:
        """Note whether a `stop` holds the robot; while it does, nobody gets the lease."""
        self.is_latched = is_on
        return self.revoke("stopped") if is_on else []

    def revoke(self, reason: Reason) -> list[Effect]:
        """Take the lease from the holder and the hope of it from the asker: a stop, a lost gate.

        Nobody gets it back without asking.
        """
        effects = self._take(reason)
        self._former = None
        is_latched = reason in ("stopped", "reset")
        return [*effects, *self._dismiss(Code.LATCHED if is_latched else Code.GATE_LOST)]

    def undo(self, code: Code) -> list[Effect]:
        """Take back the newest grant, which could not be carried out; ``code`` says why."""
        gone, self._former = self.holder, None
        if gone is None:
            return []
        # Who drove before and only got a new epoch believes to drive still.
        known = [Revoked(gone, Epoch(self.epoch - 1), "revoked")] if self._is_regrant else []
        self._vacate()
        return [*known, self._deny(gone, code), *self._dismiss(code)]

    def left(self, member: MemberId, now_us: int) -> list[Effect]:
        """Forget ``member``, who left for good; whoever asked gets what they leave."""
        effects = [*self.tick(now_us), *self._drop(member)]
        if self._former is not None and self._former.member == member:
            self._former = None
        if self.holder is None or self.holder.member != member:
            return effects
        return [*effects, *self._take("session-ended"), *self._to_asker(now_us)]

    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        """Give lease or question back to a member with a new connection, as long as it is not lost.

        Args:
            driver: Who returned; they steer by what they steered by.
            now_us: The time.
            was: Its member id before, if that changed.

        """
        effects = self.tick(now_us)
        ids = (driver.member, was)
        if driver.role not in RANK:
            for member in filter(None, ids):
                effects += self.left(member, now_us)
            return effects
        if self.holder is not None and self.holder.member in ids:
            driver = replace(driver, steer_by=self.holder.steer_by)
            return [*effects, Standstill(), *self._grant(driver, now_us, "again")]
        if self._former is not None and self._former.member in ids:
            driver = replace(driver, steer_by=self._former.steer_by)
            return [*effects, *self._grant(driver, now_us, "again")]
        if self.question is not None and self.holder and self.question.asker.member in ids:
            driver = replace(driver, steer_by=self.question.asker.steer_by)
            self.question = replace(self.question, asker=driver)
            effects.append(Asked(self.question, self.holder, is_new=False))
        return effects
