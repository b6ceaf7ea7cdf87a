"""Whether the setpoint obeys the governor, judged from the setpoints alone."""

from collections.abc import Sequence

from farhand.core.gate_limits import AxisShaper, Shaper

SLACK_US = 100_000
"""Beyond what an axis needs to brake from full speed."""
EPSILON = 1e-9


class CapWatch:
    """Notices a setpoint above the cap that does not brake.

    Args:
        shaper: Where the setpoints come from; its clock counts, which never catches up.

    """

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._cap = 1.0
        self._before: tuple[float, ...] = (0.0,) * len(shaper.axes)
        self._since_us = 0
        """When the cap was last lowered, or obeyed."""
        self._brake_us = max(map(brake_us, shaper.axes), default=0) + SLACK_US

    def holds(self, output: Sequence[float], cap: float) -> bool:
        """Say whether ``output`` is under ``cap``, or on its way there.

        Args:
            output: The setpoint; call this with each one.
            cap: Part of each range that the governor leaves.

        """
        before, self._before = self._before, tuple(output)
        lowered, self._cap = cap < self._cap, cap
        if cap >= 1 or is_under(self._shaper.axes, output, cap):
            self._since_us = self._shaper.profiled_us
            return True
        if lowered:
            self._since_us = self._shaper.profiled_us
        pairs = zip(self._shaper.axes, output, before, strict=True)
        return self._shaper.profiled_us - self._since_us <= self._brake_us and all(
            is_under([axis], [value], cap) or abs(value) <= abs(old) + EPSILON
            for axis, value, old in pairs
        )


def is_under(axes: Sequence[AxisShaper], output: Sequence[float], cap: float) -> bool:
    """Say whether every axis is within its part of the range."""
    return all(
        axis.full_minimum * cap - EPSILON <= value <= axis.full_maximum * cap + EPSILON
        for axis, value in zip(axes, output, strict=True)
    )


def brake_us(axis: AxisShaper) -> int:
    """Return how long the axis needs from full speed to standstill, jerk and all."""
    speed = max(-axis.full_minimum, axis.full_maximum)
    steepest = axis.acceleration + axis.deceleration
    return int(1e6 * (speed / axis.deceleration + 2 * steepest / axis.jerk))
