"""Who may drive the robot.

At most one member holds the lease; it dies unless renewed, and every grant has an epoch above all
before it.  Nothing here knows about sockets, files or clocks.  All times are integer microseconds.
"""

from dataclasses import dataclass
from typing import Literal

from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId
from farhand.protocol.messages import Role, SteerBy

TTL_US = 2_000_000
"""A holder that sends nothing for this long has lost the lease."""
GRACE_US = 5_000_000
"""For this long after that it gets the lease back without asking, if nobody else has taken it."""

RANK: dict[Role, int] = {"supervisor": 3, "operator": 2, "program": 1}
"""Who may take the lease from whom; roles that are not here do not drive."""

Reason = Literal[
    "expired",
    "idle",
    "stopped",
    "reset",
    "forced",
    "transferred",
    "gate-lost",
    "session-ended",
    "revoked",
]


@dataclass(frozen=True, slots=True)
class Driver:
    """A member that drives or wants to."""

    member: MemberId
    name: str
    """As shown on screens."""
    role: Role
    steer_by: SteerBy = "video"


@dataclass(frozen=True, slots=True)
class Standstill:
    """Take the grant from the gate: the robot stands."""


@dataclass(frozen=True, slots=True)
class Persist:
    """Write ``epoch`` to disk, for good. If that fails, call ``revoke`` instead of going on."""

    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Granted:
    """Tell the gate, then everybody: ``driver`` drives under ``epoch``."""

    driver: Driver
    epoch: Epoch
    ttl_us: int


@dataclass(frozen=True, slots=True)
class Denied:
    """Tell ``member`` no; ``holder`` drives instead, if somebody does."""

    member: MemberId
    code: Code
    holder: MemberId | None = None
    holder_name: str = ""


@dataclass(frozen=True, slots=True)
class Revoked:
    """Tell everybody that ``driver`` has lost the lease."""

    driver: Driver
    epoch: Epoch
    reason: Reason


@dataclass(frozen=True, slots=True)
class Released:
    """Tell everybody that ``driver`` has given the lease back."""

    driver: Driver
    epoch: Epoch


Effect = Standstill | Persist | Granted | Denied | Revoked | Released


class Lease:
    """The control lease of one robot.

    Methods return effects for the caller to carry out in order.  Call :meth:`tick` no later than
    :attr:`deadline_us`.

    Args:
        epoch: The newest epoch on disk; grants begin above it.
        ttl_us: How long a grant lasts without renewal.
        grace_us: How long after its end the former holder gets it back.

    """

    def __init__(self, *, epoch: int = 0, ttl_us: int = TTL_US, grace_us: int = GRACE_US) -> None:
        self.epoch = Epoch(epoch)
        """The newest epoch; it holds while :attr:`holder` is set."""
        self.ttl_us = ttl_us
        self.grace_us = grace_us
        self.holder: Driver | None = None
        self.deadline_us: int | None = None
        """When the lease ends unless renewed, or when the former holder's grace ends."""
        self._former: Driver | None = None

    def is_held_by(self, member: MemberId, epoch: int) -> bool:
        """Say whether ``member`` holds the lease under ``epoch``."""
        return self.holder is not None and self.holder.member == member and self.epoch == epoch

    def request(self, driver: Driver, now_us: int) -> list[Effect]:
        """Grant the lease, or deny it and name the holder.

        The holder itself gets a new epoch: its page may be new.
        """
        effects = self.tick(now_us)
        if driver.role not in RANK:
            return [*effects, self._deny(driver.member, Code.MAY_NOT_DRIVE)]
        if self.holder is None:
            return [*effects, *self._grant(driver, now_us)]
        if self.holder.member != driver.member:
            return [*effects, self._deny(driver.member, Code.HELD)]
        return [*effects, Standstill(), *self._grant(driver, now_us)]

    def renew(self, member: MemberId, epoch: int, now_us: int) -> list[Effect]:
        """Keep the lease: for each control frame that the gate applied, and for ``lease-renew``."""
        effects = self.tick(now_us)
        if self.is_held_by(member, epoch):
            self.deadline_us = now_us + self.ttl_us
        return effects

    def release(self, member: MemberId, epoch: int, now_us: int) -> list[Effect]:
        """Take the lease back from the holder, who asks for it."""
        effects = self.tick(now_us)
        if self.holder is None or not self.is_held_by(member, epoch):
            return effects
        gone, self.holder, self.deadline_us = self.holder, None, None
        return [*effects, Standstill(), Released(gone, self.epoch)]

    def transfer(self, member: MemberId, epoch: int, to: Driver, now_us: int) -> list[Effect]:
        """Hand the lease to ``to``, as the holder wishes, through standstill."""
        effects = self.tick(now_us)
        if not self.is_held_by(member, epoch):
            return [*effects, self._deny(member, Code.NOT_HOLDER)]
        if to.role not in RANK:
            return [*effects, self._deny(member, Code.MAY_NOT_DRIVE)]
        return [*effects, *self._take("transferred"), *self._grant(to, now_us)]

    def force(self, driver: Driver, now_us: int) -> list[Effect]:
        """Give the lease to a member of higher rank than the holder, through standstill."""
        effects = self.tick(now_us)
        if self.holder is None or self.holder.member == driver.member:
            return [*effects, *self.request(driver, now_us)]
        if driver.role not in RANK:
            return [*effects, self._deny(driver.member, Code.MAY_NOT_DRIVE)]
        if RANK[driver.role] <= RANK[self.holder.role]:
            return [*effects, self._deny(driver.member, Code.HELD)]
        return [*effects, *self._take("forced"), *self._grant(driver, now_us)]

    def revoke(self, reason: Reason) -> list[Effect]:
        """Take the lease from whoever has it: a stop, a lost gate, a member that left. No grace."""
        effects = self._take(reason)
        self._former = self.deadline_us = None
        return effects

    def left(self, member: MemberId) -> list[Effect]:
        """Forget ``member``, who left for good."""
        known = self.holder or self._former
        return self.revoke("session-ended") if known and known.member == member else []

    def returned(self, driver: Driver, now_us: int, was: MemberId | None = None) -> list[Effect]:
        """Give the lease back to a holder with a new connection, as long as it is not lost.

        Args:
            driver: Who returned.
            now_us: The time.
            was: Its member id before, if that changed.

        """
        effects = self.tick(now_us)
        if driver.role not in RANK:
            return [*effects, *self.left(driver.member)]
        ids = (driver.member, was)
        if self.holder is not None and self.holder.member in ids:
            return [*effects, Standstill(), *self._grant(driver, now_us)]
        if self._former is not None and self._former.member in ids:
            return [*effects, *self._grant(driver, now_us)]
        return effects

    def tick(self, now_us: int) -> list[Effect]:
        """Let what is over end."""
        if self.deadline_us is None or now_us < self.deadline_us:
            return []
        if self.holder is None:
            self._former = self.deadline_us = None
            return []
        over_us, former = self.deadline_us + self.grace_us, self.holder
        effects = self._take("expired")
        if now_us < over_us:
            self._former, self.deadline_us = former, over_us
        return effects

    def _grant(self, driver: Driver, now_us: int) -> list[Effect]:
        self.epoch = Epoch(self.epoch + 1)
        self.holder, self._former = driver, None
        self.deadline_us = now_us + self.ttl_us
        return [Persist(self.epoch), Granted(driver, self.epoch, self.ttl_us)]

    def _take(self, reason: Reason) -> list[Effect]:
        if self.holder is None:
            return []
        gone, self.holder, self.deadline_us = self.holder, None, None
        return [Standstill(), Revoked(gone, self.epoch, reason)]

    def _deny(self, member: MemberId, code: Code) -> Denied:
        if self.holder is None:
            return Denied(member, code)
        return Denied(member, code, self.holder.member, self.holder.name)
