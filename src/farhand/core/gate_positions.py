"""Where each axis is, and how fast it may go there: no faster than it can brake before its limit.

Only axes with a position limit count; the driver says where they are.  An axis whose position is
not known stands.  All times are integer microseconds of the robot's monotonic clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from farhand.core.gate_limits import AxisShaper, Limits, Shaper

FRESH_US = 200_000
"""A position that has not come again for longer is not known."""
DELAY_S = 0.1
"""A setpoint holds for one tick, and takes one or two more to be seen in the position: with less,
the axis would swing beyond its limit."""
AT_LIMIT = 0.05
"""Allowed less than this part of its speed, an axis that wants more is at its limit."""
SHOWN_US = 300_000
"""So long an axis stays reported: it may tremble at its limit."""


@dataclass(slots=True)
class _Place:
    """One axis with a limit."""

    index: int
    limits: Limits
    axis: AxisShaper
    position: float = math.nan
    moved: float = 0.0
    """How far it has gone since by what it was told."""
    at_us: int = -FRESH_US - 1
    shown_until_us: int = 0


class Positions:
    """The axes of one robot that have position limits.

    Args:
        limits: One for each axis, in the manifest's order.
        shaper: Of the same axes: it is told how fast each may go.

    """

    def __init__(self, limits: Sequence[Limits], shaper: Shaper) -> None:
        pairs = enumerate(zip(limits, shaper.axes, strict=True))
        self.places = [_Place(i, limit, axis) for i, (limit, axis) in pairs if _is_limited(limit)]
        self.now_us = 0

    def locate(self, positions: Sequence[float | None], now_us: int) -> None:
        """Take where the axes are now; ``None`` and NaN are not known.

        Raises:
            ValueError: Not one position for each axis.

        """
        if self.places and len(positions) <= self.places[-1].index:
            raise ValueError(f"{len(positions)} positions are not one for each axis")
        for place in self.places:
            position = positions[place.index]
            if position is not None and math.isfinite(position):
                place.position, place.moved, place.at_us = position, 0.0, now_us

    def hold(self, now_us: int) -> None:
        """Tell the shaper how fast each axis may go."""
        passed_s, self.now_us = (now_us - self.now_us) / 1e6, now_us
        for place in self.places:
            place.moved += place.axis.value * passed_s
            self._hold(place, now_us)

    def at_limit(self) -> tuple[int, ...]:
        """Return the axes that a limit holds, or whose position is not known."""
        return tuple(place.index for place in self.places if self.now_us < place.shown_until_us)

    def is_known(self, place: _Place, now_us: int) -> bool:
        """Say whether the position is not too old."""
        return now_us - place.at_us <= FRESH_US

    def speed(self, place: _Place, gap: float, now_us: int) -> float:
        """Return how fast the axis may go towards a limit that is ``gap`` away.

        From this speed it can brake, though the position is old, the setpoint still rises and the
        deceleration takes time to build up.
        """
        axis = place.axis
        react_s = DELAY_S + (axis.acceleration + axis.deceleration) / axis.jerk
        react_s += (now_us - place.at_us) / 1e6
        return axis.deceleration * (
            math.sqrt(react_s**2 + 2 * max(0.0, gap) / axis.deceleration) - react_s
        )

    def is_within(self, output: Sequence[float], now_us: int) -> bool:
        """Say whether no axis goes faster towards its limit than it can brake at all."""
        for place in self.places:
            value = output[place.index]
            if value and now_us - place.at_us > FRESH_US:
                return False
            low, high = gaps(place.limits, place.position + place.moved)
            gap = high if value > 0 else low
            if value and value**2 > 2 * place.axis.deceleration * max(0.0, gap) + 1e-9:
                return False
        return True

    def _hold(self, place: _Place, now_us: int) -> None:
        axis = place.axis
        if not self.is_known(place, now_us):
            axis.approach(0.0, 0.0)
            axis.cut(0.0, 0.0)
            place.shown_until_us = now_us + SHOWN_US
            return
        low, high = gaps(place.limits, place.position + place.moved)
        down, up = (self.speed(place, gap, now_us) for gap in (low, high))
        axis.approach(-down, up)
        # A position that jumped leaves no way to brake at the usual rate.
        axis.cut(-_brakable(axis, low), _brakable(axis, high))
        wants, allowed = axis.wanted, up if axis.wanted > 0 else down
        full = axis.full_maximum if wants > 0 else -axis.full_minimum
        if abs(wants) > allowed and allowed < AT_LIMIT * full:
            place.shown_until_us = now_us + SHOWN_US


def gaps(limits: Limits, position: float) -> tuple[float, float]:
    """Return how far it is to the lower and the upper limit; negative: beyond it."""
    low, high = limits.position_minimum, limits.position_maximum
    return (
        math.inf if low is None else position - low,
        math.inf if high is None else high - position,
    )


def _brakable(axis: AxisShaper, gap: float) -> float:
    return math.sqrt(2 * axis.deceleration * max(0.0, gap))


def _is_limited(limits: Limits) -> bool:
    return limits.position_minimum is not None or limits.position_maximum is not None
