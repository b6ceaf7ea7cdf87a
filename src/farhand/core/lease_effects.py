"""What the lease tells its caller to do, in the caller's words: who, under which epoch, why."""

from dataclasses import dataclass
from typing import Literal

from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId
from farhand.protocol.messages import Role, SteerBy

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
How = Literal["free", "again", "accepted", "silence", "forced", "transferred"]
"""Why somebody got the lease: nobody had it; they had it before; the holder said yes to their
question, or nothing; by force; the holder named them."""
Outcome = Literal[
    "accepted", "refused", "silence", "cancelled", "free", "passed-over", "denied", "left"
]
"""How a question ended: `free`, the lease became theirs without an answer; `passed-over`, somebody
else got it; `denied`, nobody can drive now."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A member that drives or wants to."""

    member: MemberId
    name: str
    """As shown on screens."""
    role: Role
    steer_by: SteerBy = "video"


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody asks the holder for control."""

    ask: int
    """Its number."""
    asker: Driver
    reason: str
    ends_us: int
    """When silence counts as the answer."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Take the grant from the gate: the robot stands."""


@dataclass(frozen=True, slots=True)
class Persist:
    """Write ``epoch`` to disk, for good. If that fails, call ``undo`` instead of going on."""

    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Granted:
    """Tell the gate, then everybody: ``driver`` drives under ``epoch``."""

    driver: Driver
    epoch: Epoch
    ttl_us: int
    how: How = "free"
    by: str = ""
    """Name of who had it, where they gave it."""
    reason: str = ""
    """Of a taking by force."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """Tell the asker that their question is open and, where it is new, everybody."""

    question: Question
    holder: Driver
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class AskOver:
    """Show nobody this question any more. What the asker must hear stands in another effect."""

    question: Question
    outcome: Outcome
    by: str = ""
    """Name of the holder, while there is one."""


@dataclass(frozen=True, slots=True)
class IdleWarning:
    """Tell everybody: the holder is, or is no longer, about to lose the lease for want of input."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Tell ``member`` that their message makes no sense now."""

    member: MemberId
    code: Code


Effect = (
    Standstill
    | Persist
    | Granted
    | Denied
    | Revoked
    | Released
    | Asked
    | AskOver
    | IdleWarning
    | Misplaced
)
