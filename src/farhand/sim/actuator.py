"""The drive electronics: what the wheels are told, and the time-out that zeroes them.

Nothing here knows sockets.

This is the last thing that stands still when everything above it has died, so it is kept apart from
the physics: it changes the *command* at once, and the wheels then follow in their own time.
"""

import math
from collections.abc import Sequence

from farhand.sim.spec import AXES, DEVICE_TIMEOUT_S, WHEEL_TRACK_M

TIMEOUT_US = round(DEVICE_TIMEOUT_S * 1e6)


class Actuator:
    """The command of both wheels and of the camera head.

    Every method takes ``now_us`` and says whether the command changed. Call :meth:`expire` no later
    than :attr:`deadline_us`.
    """

    def __init__(self) -> None:
        self.left = 0.0
        """Commanded rim speed of the left wheel, m/s."""
        self.right = 0.0
        self.pan = 0.0
        """Commanded rate of the head, rad/s."""
        self.tilt = 0.0
        self.applied = 0
        """Number of the newest setpoint applied."""
        self.deadline_us: int | None = None
        """When the time-out zeroes the command; ``None``: it is zero already."""
        self.timeouts = 0
        self.is_dropping = False
        """Fault: setpoints are not heard."""
        self.is_halted = False
        """After a halt motion needs a neutral setpoint first: what was under way is not obeyed."""

    @property
    def command(self) -> tuple[float, float, float, float]:
        """Left and right wheel in m/s, pan and tilt in rad/s."""
        return self.left, self.right, self.pan, self.tilt

    def apply(self, n: int, setpoint: Sequence[float], now_us: int) -> bool:
        """Obey setpoint number ``n``: one rate for each axis.

        What is not a finite number is not obeyed.
        """
        if self.is_dropping or len(setpoint) != len(AXES) or not all(map(math.isfinite, setpoint)):
            return False
        if self.is_halted:
            if any(setpoint):
                return False
            self.is_halted = False
        linear, angular, pan, tilt = (
            min(max(value, axis.minimum), axis.maximum)
            for value, axis in zip(setpoint, AXES, strict=True)
        )
        self.applied = n
        turn = angular * WHEEL_TRACK_M / 2
        return self._set(linear - turn, linear + turn, pan, tilt, now_us)

    def halt(self) -> bool:
        """Zero the command, and obey nothing but neutral next."""
        self.is_halted = True
        return self._set(0.0, 0.0, 0.0, 0.0, 0)

    def release(self) -> bool:
        """Zero the command because the one who gave it is gone."""
        return self._set(0.0, 0.0, 0.0, 0.0, 0)

    def expire(self, now_us: int) -> bool:
        """Zero the command if its time is over."""
        if self.deadline_us is None or now_us < self.deadline_us:
            return False
        self.timeouts += 1
        return self._set(0.0, 0.0, 0.0, 0.0, now_us)

    def _set(self, left: float, right: float, pan: float, tilt: float, now_us: int) -> bool:
        before = self.command
        self.left, self.right, self.pan, self.tilt = left, right, pan, tilt
        self.deadline_us = now_us + TIMEOUT_US if any(self.command) else None
        return self.command != before
