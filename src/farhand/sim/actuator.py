"""The drive electronics: what wheels, head and arm are told, and the time-out that zeroes them.

Nothing here knows sockets.

This is the last thing that stands still when everything above it has died, so it is kept apart from
the physics: it changes the *command* at once, and the motors then follow in their own time. There
is one command for all motors, one time-out, one halt: nothing can stop the wheels and not the arm.
"""

import math
from collections.abc import Sequence

from farhand.sim.spec import AXES, DEVICE_TIMEOUT_S, WHEEL_TRACK_M

ARM = slice(4, None)
"""The arm's part of the command."""
STILL = (0.0,) * len(AXES)
TIMEOUT_US = round(DEVICE_TIMEOUT_S * 1e6)


class Actuator:
    """The command of all motors.

    Every method takes ``now_us`` and says whether the command changed. Call :meth:`expire` no later
    than :attr:`deadline_us`.
    """

    def __init__(self) -> None:
        self.command: tuple[float, ...] = STILL
        """Left and right wheel in m/s at the rim, then the other axes as the manifest has them."""
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
    def left(self) -> float:
        """Commanded rim speed of the left wheel, m/s."""
        return self.command[0]

    @property
    def right(self) -> float:
        """Commanded rim speed of the right wheel, m/s."""
        return self.command[1]

    @property
    def arm(self) -> float:
        """The largest command of a joint (rad/s), the gripper or the tip (m/s), without sign."""
        return max(map(abs, self.command[ARM]))

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
        linear, angular, *others = (
            min(max(value, axis.minimum), axis.maximum)
            for value, axis in zip(setpoint, AXES, strict=True)
        )
        self.applied = n
        turn = angular * WHEEL_TRACK_M / 2
        return self._set((linear - turn, linear + turn, *others), now_us)

    def halt(self) -> bool:
        """Zero the command, and obey nothing but neutral next."""
        self.is_halted = True
        return self._set(STILL, 0)

    def release(self) -> bool:
        """Zero the command because the one who gave it is gone."""
        return self._set(STILL, 0)

    def expire(self, now_us: int) -> bool:
        """Zero the command if its time is over."""
        if self.deadline_us is None or now_us < self.deadline_us:
            return False
        self.timeouts += 1
        return self._set(STILL, now_us)

    def _set(self, command: tuple[float, ...], now_us: int) -> bool:
        before, self.command = self.command, command
        self.deadline_us = now_us + TIMEOUT_US if any(command) else None
        return command != before
