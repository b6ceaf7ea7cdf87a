"""A robot of two axes for the gate's proofs: it goes where it is told, a tick late."""

from collections import deque
from dataclasses import dataclass

MS = 1000
REACH = 0.3
"""How far the second axis may go, to both sides."""
EPSILON = 1e-6


@dataclass(frozen=True)
class Limit:
    minimum: float = -0.8
    maximum: float = 1.0
    acceleration: float = 5.0
    deceleration: float = 8.0
    jerk: float = 100.0
    id: str = "linear.x"
    position_minimum: float | None = None
    position_maximum: float | None = None


LIMITS = (Limit(), Limit(id="arm", position_minimum=-REACH, position_maximum=REACH))


class Plant:
    """Where the second axis is, and what its sensor says."""

    def __init__(self) -> None:
        self.position = 0.0
        self.is_blind = False
        """The sensor says nothing."""
        self.told_us: int | None = None
        """When the gate last had a position, of this gate's life."""
        self._late: deque[float] = deque([0.0])

    def move(self, output: float, dt_s: float) -> None:
        """Go on for ``dt_s``: with what was said a tick before, as a motor would."""
        self._late.append(output)
        # A gate that was away: the device stops by itself.
        self.position += self._late.popleft() * min(dt_s, 0.02)

    def rest(self) -> None:
        """Stand still."""
        self._late = deque([0.0])

    def is_known(self, now_us: int) -> bool:
        return self.told_us is not None and now_us - self.told_us <= 200 * MS

    def check(self, output: float, now_us: int) -> None:
        assert abs(self.position) <= REACH + EPSILON, "I14 beyond its limit"
        if output and self.told_us is not None:
            assert self.is_known(now_us), "I14 moves without a known position"
            gap = max(0.0, REACH - self.position if output > 0 else REACH + self.position)
            # Half a tick's way: the sensor is older than the plant.
            assert output**2 <= 2 * 8.0 * (gap + 0.01), "I14 too fast to brake"
        assert not output or self.told_us is not None, "I14 moves without a known position"
