"""What the gate tells its caller to do, and what its rules ask about."""

from collections.abc import Callable
from dataclasses import dataclass

from farhand.core.gate_latch import LatchRecord
from farhand.protocol.control import ControlFrame
from farhand.protocol.gate_link import Halted, ResetDone


@dataclass(frozen=True, slots=True)
class SaveLatch:
    """Write ``record`` to disk, for good; if that fails, leave out the effects behind this one."""

    record: LatchRecord


@dataclass(frozen=True, slots=True)
class FinishReset:
    """Call :meth:`Gate.finish_reset` with these."""

    member: int
    stop_id: int


@dataclass(frozen=True, slots=True)
class Reply:
    """Send ``message`` to the agent."""

    message: Halted | ResetDone


Effect = SaveLatch | FinishReset | Reply


@dataclass(frozen=True, slots=True)
class Arrival:
    """One control frame with all that the rules ask about it."""

    member: int
    frame: ControlFrame
    now_us: int
    sent_us: int | None
    """When it was sent, by estimate, on the robot's clock; ``None``: no estimate."""
    is_relayed: bool = False
    """Whether it came by way of the server."""

    @property
    def age_us(self) -> int:
        """How old it is by estimate; 0 when unknown."""
        return 0 if self.sent_us is None else self.now_us - self.sent_us


Rule = Callable[[Arrival], bool]
