"""What a lease is made of: its timers, its question, and how it is given and taken."""

from collections.abc import Callable
from dataclasses import replace

from farhand.core.lease_effects import (
    Asked,
    AskOver,
    Denied,
    Driver,
    Effect,
    Granted,
    How,
    IdleWarning,
    Outcome,
    Persist,
    Question,
    Reason,
    Revoked,
    Standstill,
)
from farhand.core.lease_rules import LeaseRules
from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId

_Timer = tuple[int, Callable[[int], list[Effect]]]


class LeaseBase:
    """State of one robot's lease; :class:`farhand.core.lease.Lease` has what people do with it."""

    def __init__(self, *, epoch: int = 0, rules: LeaseRules | None = None) -> None:
        self.epoch = Epoch(epoch)
        """The newest epoch; it holds while :attr:`holder` is set."""
        self.rules = rules or LeaseRules()
        self.holder: Driver | None = None
        self.since_us = 0
        """Since when the holder has had it."""
        self.is_latched = False
        """Whether a `stop` holds the robot: nobody is granted what the gate would refuse anyway."""
        self.question: Question | None = None
        """What the holder has been asked; only while there is one."""
        self._asks = 0
        self._is_warned = False
        self._is_regrant = False
        self._renewed_us = 0
        self._input_us = 0
        self._former: Driver | None = None
        self._former_until_us = 0

    @property
    def deadline_us(self) -> int | None:
        """When something ends by itself; ``None``: nothing does."""
        timer = self._next_timer()
        return None if timer is None else timer[0]

    def is_held_by(self, member: MemberId, epoch: int) -> bool:
        """Say whether ``member`` holds the lease under ``epoch``."""
        return self.holder is not None and self.holder.member == member and self.epoch == epoch

    def idle_release_in_us(self, now_us: int) -> int | None:
        """Return when the warned holder loses the lease; ``None``: nobody is warned."""
        if not self._is_warned:
            return None
        return max(0, self._input_us + self.rules.idle_us - now_us)

    def tick(self, now_us: int) -> list[Effect]:
        """Let what is over end, in the order in which it ended."""
        effects: list[Effect] = []
        while (timer := self._next_timer()) is not None and timer[0] <= now_us:
            effects += timer[1](now_us)
        return effects

    # --- timers ---

    def _next_timer(self) -> _Timer | None:
        timers: list[_Timer] = []
        if self.holder is not None:
            timers.append((self._renewed_us + self.rules.ttl_us, self._expire))
            if self.rules.idle_us:
                timers.append((self._input_us + self.rules.idle_us, self._end_idle))
                if not self._is_warned:
                    timers.append((self._input_us + self.rules.idle_warning_us, self._warn))
        if self.question is not None:
            timers.append((self.question.ends_us, self._silence))
        if self._former is not None:
            timers.append((self._former_until_us, self._end_grace))
        return min(timers, key=lambda timer: timer[0], default=None)

    def _expire(self, now_us: int) -> list[Effect]:
        former, until_us = self.holder, self._renewed_us + self.rules.ttl_us + self.rules.grace_us
        effects = [*self._take("expired"), *self._to_asker(now_us)]
        if self.holder is None:
            self._former, self._former_until_us = former, until_us
        return effects

    def _end_grace(self, _now_us: int) -> list[Effect]:
        self._former = None
        return []

    def _warn(self, _now_us: int) -> list[Effect]:
        self._is_warned = True
        return [IdleWarning(is_on=True)]

    def _end_idle(self, now_us: int) -> list[Effect]:
        return [*self._take("idle"), *self._to_asker(now_us)]

    def _silence(self, now_us: int) -> list[Effect]:
        if self.question is not None and self.rules.on_silence == "grant":
            return self._hand_over(self.question.asker, now_us, "silence")
        return self._dismiss(Code.REFUSED_BY_HOLDER, "silence")

    # --- questions ---

    def _ask(self, holder: Driver, driver: Driver, now_us: int, reason: str) -> list[Effect]:
        is_new = self.question is None
        if self.question is None:
            self._asks += 1
            self.question = Question(self._asks, driver, reason, now_us + self.rules.ask_us)
        elif self.question.asker.member == driver.member:
            self.question = replace(self.question, asker=driver)
        else:
            return [self._deny(driver, Code.HELD)]
        return [Asked(self.question, holder, is_new)]

    def _close(self, outcome: Outcome) -> AskOver | None:
        question, self.question = self.question, None
        by = self.holder.name if self.holder is not None else ""
        return None if question is None else AskOver(question, outcome, by)

    def _dismiss(
        self, code: Code, outcome: Outcome = "denied", holder: Driver | None = None
    ) -> list[Effect]:
        over = self._close(outcome)
        return [] if over is None else [over, self._deny(over.question.asker, code, holder)]

    def _drop(self, member: MemberId, outcome: Outcome = "left") -> list[Effect]:
        if self.question is None or self.question.asker.member != member:
            return []
        over = self._close(outcome)
        return [] if over is None else [over]

    # --- grants ---

    def _grant(
        self, driver: Driver, now_us: int, how: How = "free", by: str = "", reason: str = ""
    ) -> list[Effect]:
        self.epoch = Epoch(self.epoch + 1)
        self._is_regrant = how == "again" and self.holder is not None
        if not self._is_regrant:
            # A new page or connection is no input: else an idle lease could be kept for ever.
            self.since_us = self._input_us = now_us
            self._is_warned = False
        self.holder, self._former, self._renewed_us = driver, None, now_us
        ttl_us = self.rules.ttl_us
        return [Persist(self.epoch), Granted(driver, self.epoch, ttl_us, how, by, reason)]

    def _hand_over(self, to: Driver, now_us: int, how: How, reason: str = "") -> list[Effect]:
        by = self.holder.name if self.holder is not None else ""
        if self.question is not None and self.question.asker.member != to.member:
            ended = self._dismiss(Code.HELD, "passed-over", to)
        else:
            over = self._close("accepted" if how != "silence" else "silence")
            ended = [] if over is None else [over]
        taken = self._take("forced" if how == "forced" else "transferred")
        return [*ended, *taken, *self._grant(to, now_us, how, by, reason)]

    def _to_asker(self, now_us: int) -> list[Effect]:
        over = self._close("free")
        return [] if over is None else [over, *self._grant(over.question.asker, now_us)]

    def _take(self, reason: Reason) -> list[Effect]:
        gone = self.holder
        if gone is None:
            return []
        self._vacate()
        return [Standstill(), Revoked(gone, self.epoch, reason)]

    def _vacate(self) -> None:
        self.holder, self._is_warned = None, False

    def _deny(self, driver: Driver, code: Code, holder: Driver | None = None) -> Denied:
        return self._denied(driver.member, code, holder)

    def _denied(self, member: MemberId, code: Code, holder: Driver | None = None) -> Denied:
        holder = holder or self.holder
        if holder is None:
            return Denied(member, code)
        return Denied(member, code, holder.member, holder.name)
