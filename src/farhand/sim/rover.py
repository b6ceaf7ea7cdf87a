"""The rover's body: wheels that follow their command, a pose, a head, a battery.

Deterministic: no clock, no dice.
"""

import math

from farhand.sim import hall, spec


class Rover:
    """Physics of one rover, advanced by :meth:`step` with the actuator's command.

    Args:
        seed: Furnishes the hall and fills the battery; the same seed and commands give the same
            run.

    """

    def __init__(self, seed: int = 1) -> None:
        self.things = hall.furnish(seed)
        self.x, self.y, self.yaw = hall.START
        self.left = 0.0
        """Measured rim speed of the left wheel, m/s."""
        self.right = 0.0
        self.pan = 0.0
        self.tilt = 0.0
        self.charge = 0.97 - 0.01 * (seed % 20)
        """0 empty to 1 full."""
        self.has_collided = False
        """Whether something is in the way right now."""
        self.is_stalled = False
        """Fault: the motors do not turn, whatever they are told."""
        self.steps = 0

    @property
    def linear(self) -> float:
        """Speed forward, m/s; zero while something holds the body."""
        return 0.0 if self.has_collided else (self.left + self.right) / 2

    @property
    def angular(self) -> float:
        """Turn rate to the left, rad/s."""
        return (self.right - self.left) / spec.WHEEL_TRACK_M

    @property
    def voltage(self) -> float:
        """Battery voltage, sagging under load."""
        empty, full = spec.BATTERY_VOLTS
        load = 0.4 * min(1.0, abs(self.left) + abs(self.right))
        return empty + (full - empty) * self.charge - load

    def step(self, command: tuple[float, float, float, float], dt: float) -> None:
        """Advance by ``dt`` seconds."""
        left, right, pan, tilt = command
        self.left = self._wheel(self.left, left, dt)
        self.right = self._wheel(self.right, right, dt)
        self._move(dt)
        self.pan = _clamp(self.pan + pan * dt, spec.PAN_LIMIT_RAD)
        self.tilt = _clamp(self.tilt + tilt * dt, spec.TILT_LIMIT_RAD)
        effort = min(1.0, (abs(self.left) + abs(self.right)) / 2)
        drain = (1 - effort) / spec.BATTERY_IDLE_S + effort / spec.BATTERY_DRIVE_S
        self.charge -= drain * dt
        if self.charge < spec.BATTERY_SWAP:
            self.charge = 1.0
        self.steps += 1

    def _wheel(self, speed: float, command: float, dt: float) -> float:
        if self.is_stalled:
            command = 0.0
        if command == 0.0:
            brake = spec.BRAKE_MPS2 * dt
            return 0.0 if abs(speed) <= brake else speed - math.copysign(brake, speed)
        return speed + (command - speed) * (1 - math.exp(-dt / spec.WHEEL_TAU_S))

    def _move(self, dt: float) -> None:
        ahead, turn = (self.left + self.right) / 2 * dt, self.angular * dt
        heading = self.yaw + turn / 2
        x, y = self.x + ahead * math.cos(heading), self.y + ahead * math.sin(heading)
        # The body is round: it can always turn on the spot.
        self.yaw = math.remainder(self.yaw + turn, math.tau)
        if ahead == 0.0:
            self.has_collided = False
        elif hall.is_free(self.things, x, y, spec.BODY_RADIUS_M):
            self.x, self.y, self.has_collided = x, y, False
        else:
            self.has_collided = True


def _clamp(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
