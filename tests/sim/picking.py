"""How the red block is picked up from the start and put down to the left: axis by axis.

The same waypoints serve whoever drives the arm by its axes: one axis is held until its own position
has passed a value. The tip's motion keeps the hand's pitch, so the hand points down from the third
step on.
"""

from collections.abc import Callable
from typing import NamedTuple


class Move(NamedTuple):
    """Hold ``axis`` at full speed towards ``goal`` until its position is there."""

    axis: str
    goal: float


OPEN = Move("gripper", 0.078)
APPROACH = (
    OPEN,
    Move("tool.x", 0.40),
    Move("wrist", -0.57),
    Move("tool.y", 0.195),
    Move("tool.x", 0.515),
    Move("tool.z", -0.225),
)
"""From the stow pose to the fingers left and right of the red block."""
CLOSE = Move("gripper", 0.0401)
LIFT = Move("tool.z", -0.05)
CARRY = (Move("shoulder_pan", 0.7), Move("tool.z", -0.222))


def perform(
    moves: tuple[Move, ...],
    position: Callable[[str], float],
    hold: Callable[[str, float], None],
    *,
    most: int = 2_000,
) -> None:
    """Make all ``moves``.

    Args:
        moves: In this order.
        position: Returns an axis' position.
        hold: Holds an axis for a moment: its name, and the part of its speed, -1 to 1.
        most: After so many moments without getting there this raises :class:`AssertionError`.

    """
    for move in moves:
        side = 1.0 if move.goal > position(move.axis) else -1.0
        for _ in range(most):
            if (position(move.axis) - move.goal) * side >= 0:
                break
            hold(move.axis, side)
        else:
            raise AssertionError(f"{move} was not reached: {position(move.axis)}")
        hold(move.axis, 0.0)
