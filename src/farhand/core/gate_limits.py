"""How fast the setpoint may be and may change: velocity, acceleration and jerk of each axis.

A stop does not pass through here slowly: :meth:`Shaper.zero` is immediate.
"""

import math
from collections.abc import Sequence
from typing import Protocol

STEP_US = 1000
"""Steps of the profile; fixed, so that the result does not depend on who asks when."""
MAX_STEPS = 40
"""After a late tick the setpoint does not catch up: two ticks are made good, no more."""
AT_GOAL = 1e-9


class Limits(Protocol):
    """What the robot allows on one axis, in m or rad and seconds."""

    @property
    def id(self) -> str:
        """The axis' name in the manifest."""

    @property
    def minimum(self) -> float:
        """Lowest setpoint, at most 0."""

    @property
    def maximum(self) -> float:
        """Highest setpoint, at least 0."""

    @property
    def acceleration(self) -> float:
        """Largest change per second away from zero."""

    @property
    def deceleration(self) -> float:
        """Largest change per second towards zero."""

    @property
    def jerk(self) -> float:
        """Largest change of the acceleration per second."""

    @property
    def position_minimum(self) -> float | None:
        """Where the axis must not go below; ``None``: anywhere."""

    @property
    def position_maximum(self) -> float | None:
        """Where it must not go above."""


class AxisShaper:
    """One axis on its way to a target.

    Args:
        limits: The robot's own.
        cap: Part of the velocity range that may ever be used, 0 to 1.

    Raises:
        ValueError: The limits make no sense (zero must lie inside, all must be finite).

    """

    def __init__(self, limits: Limits, cap: float = 1.0) -> None:
        changes = (limits.acceleration, limits.deceleration, limits.jerk)
        if not all(map(math.isfinite, (limits.minimum, limits.maximum, *changes))):
            raise ValueError("limits must be finite")
        if not limits.minimum <= 0 <= limits.maximum or min(changes) <= 0:
            raise ValueError("zero must lie between minimum and maximum, the others above zero")
        self.full_minimum = self.minimum = limits.minimum * cap
        """Lowest setpoint ever, and under the governor's cap of now."""
        self.full_maximum = self.maximum = limits.maximum * cap
        self.low, self.high = -math.inf, math.inf
        """How fast it may approach a position limit."""
        self.acceleration = limits.acceleration
        self.deceleration = limits.deceleration
        self.jerk = limits.jerk
        self.wanted = 0.0
        """What the driver asks for."""
        self.target = 0.0
        """What of it the ranges allow now."""
        self.value = 0.0
        self.rate = 0.0
        """Change of the value per second, now."""

    def aim(self, target: float) -> None:
        """Go for ``target``, which must be finite, as far as the range allows."""
        self.wanted = target
        self._cut()

    def cap(self, fraction: float) -> None:
        """Use ``fraction`` of the range from now on; what is faster brakes."""
        self.minimum, self.maximum = self.full_minimum * fraction, self.full_maximum * fraction
        self._cut()

    def approach(self, low: float, high: float) -> None:
        """Go no lower and no higher than this near a position limit; what is faster brakes."""
        self.low, self.high = low, high
        self._cut()

    def cut(self, low: float, high: float) -> None:
        """Bring the setpoint itself between ``low`` and ``high``, now: there is no way to brake."""
        if not low <= self.value <= high:
            self.value, self.rate = max(low, min(high, self.value)), 0.0

    def zero(self) -> None:
        """Stand still, now."""
        self.wanted = self.target = self.value = self.rate = 0.0

    def step(self, dt: float) -> None:
        """Advance by ``dt`` seconds."""
        # Reversing passes through standstill, where other limits begin to count.
        goal = self.target if self.target * self.value >= 0 else 0.0
        gap = goal - self.value
        if gap == 0 and self.rate == 0:
            return
        # The fastest change from which the goal can still be met without overshoot:
        # x * dt + x**2 / (2 * jerk) = |gap|, solved for x without cancellation.
        wish = 2 * abs(gap) / (dt + math.sqrt(dt * dt + 2 * abs(gap) / self.jerk))
        down, up = self._slopes()
        wish = max(-down, min(up, math.copysign(wish, gap)))
        reach = self.jerk * dt
        self.rate = max(self.rate - reach, min(self.rate + reach, wish))
        value = self.value + self.rate * dt
        if abs(goal - value) < AT_GOAL and abs(self.rate) <= reach:
            value, self.rate = goal, 0.0
        # A lowered cap is braked to, not jumped to; until then it goes no further.
        low, high = min(self.minimum, self.value), max(self.maximum, self.value)
        self.value = max(low, min(high, value))

    def _cut(self) -> None:
        low, high = max(self.minimum, self.low), min(self.maximum, self.high)
        self.target = max(low, min(high, self.wanted)) + 0.0  # -0.0 + 0.0 is 0.0

    def _slopes(self) -> tuple[float, float]:
        if self.value > 0:
            return self.deceleration, self.acceleration
        if self.value < 0:
            return self.acceleration, self.deceleration
        return self.acceleration, self.acceleration


class Shaper:
    """All axes of a robot on their way to the last command.

    Args:
        limits: One for each axis, in the manifest's order.
        cap: Part of each velocity range that may ever be used, 0 to 1.

    """

    def __init__(self, limits: Sequence[Limits], cap: float = 1.0) -> None:
        self.axes = [AxisShaper(limit, cap) for limit in limits]
        self._fraction = 1.0
        self.profiled_us = 0
        """How long the profile has run: late ticks are not made good, so it can lag the clock."""
        self.at_us: int | None = None
        """Up to when the profile has been computed; ``None``: it starts with the next question."""

    @property
    def is_moving(self) -> bool:
        """Whether anything is not zero, or is to become so."""
        return any(axis.value or axis.target for axis in self.axes)

    @property
    def output(self) -> tuple[float, ...]:
        """The setpoint as of the last :meth:`advance`."""
        return tuple(axis.value for axis in self.axes)

    def aim(self, targets: Sequence[float], now_us: int) -> None:
        """Go for ``targets``: finite numbers, one for each axis."""
        self.advance(now_us)
        for axis, target in zip(self.axes, targets, strict=True):
            axis.aim(target)

    def cap(self, fraction: float) -> None:
        """Use ``fraction`` of each range from now on."""
        if fraction != self._fraction:
            self._fraction = fraction
            for axis in self.axes:
                axis.cap(fraction)

    def zero(self) -> None:
        """Stand still on all axes, now."""
        self.at_us = None
        for axis in self.axes:
            axis.zero()

    def advance(self, now_us: int) -> tuple[float, ...]:
        """Return the setpoint for now."""
        if self.at_us is None:
            self.at_us = now_us
        steps = (now_us - self.at_us) // STEP_US
        if steps > 0:
            self.at_us += steps * STEP_US
            steps = min(steps, MAX_STEPS)
            self.profiled_us += steps * STEP_US
            for axis in self.axes:
                for _ in range(steps):
                    axis.step(STEP_US / 1e6)
        return self.output

    def is_within(self, output: Sequence[float]) -> bool:
        """Say whether every number is finite and inside its axis' range, whatever the cap."""
        return all(
            axis.full_minimum <= value <= axis.full_maximum
            for axis, value in zip(self.axes, output, strict=True)
        )
