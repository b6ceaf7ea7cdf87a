"""The rover's body: wheels that follow their command, a pose, a head, an arm, a battery.

Deterministic: no clock, no dice.
"""

import math
from collections.abc import Sequence

from farhand.sim import hall, spec
from farhand.sim.arm import Arm
from farhand.sim.blocks import HALF_M, Blocks, Hand
from farhand.sim.kinematics import Point, Skeleton

TIP_CLEARANCE_M = 0.004
"""The fingers' ends stay so far above the floor."""
SINK_M = 0.002
"""How far a held block may be pressed into the floor."""
REACH_OUT_M = 0.5
"""What the arm holds out this far from the rover's middle may touch things; nearer, the body does
first."""
ARM_RADIUS_M = 0.03
DECK = ((-0.46, 0.38), 0.29, 0.245)
"""The rover's own body: its x from and to, y to both sides, and height above the floor."""


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
        self.arm = Arm()
        self.blocks = Blocks(self.things)
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

    @property
    def hand(self) -> Hand:
        """Where the gripper is in the hall."""
        return Hand(*self._in_hall(self.arm.tip), self.yaw + self.arm.joints[0], self.arm.pitch)

    def step(self, command: Sequence[float], dt: float) -> None:
        """Advance by ``dt`` seconds with the actuator's command."""
        left, right, pan, tilt, *arm = command
        self.left = self._wheel(self.left, left, dt)
        self.right = self._wheel(self.right, right, dt)
        self._move(dt)
        self.pan = _clamp(self.pan + pan * dt, spec.PAN_LIMIT_RAD)
        self.tilt = _clamp(self.tilt + tilt * dt, spec.TILT_LIMIT_RAD)
        self._reach(arm, dt)
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

    def _reach(self, command: Sequence[float], dt: float) -> None:
        arm, blocks, before = self.arm, self.blocks, self.arm.width
        tool = (command[5], command[6], command[7])
        grip = blocks.grip_minimum
        arm.step(command[:4], command[4], tool, dt, grip_minimum=grip, depth=self._depth)
        arm.hold(blocks.step(self.hand, before, arm.width, dt))

    def _depth(self, arm: Skeleton) -> float:
        """Return how deep the arm would be inside the floor, the deck or a thing."""
        deepest = TIP_CLEARANCE_M - spec.ARM_MOUNT[2] - arm.tip[2]
        if self.blocks.held is not None:
            hangs = self.hand.z - self.blocks.all[self.blocks.held].z
            deepest = max(deepest, HALF_M - SINK_M + hangs - spec.ARM_MOUNT[2] - arm.tip[2])
        (rear, front), side, top = DECK
        for point in (arm.elbow, arm.wrist, arm.tip):
            x, y, z = (a + b for a, b in zip(point, spec.ARM_MOUNT, strict=True))
            over = min(x - rear, front - x, side - abs(y))
            deepest = max(deepest, -z, min(over, top - z))
        if deepest <= 0.0 and not self._is_reach_free(arm, self.x, self.y, self.yaw):
            return math.inf
        return deepest

    def _is_reach_free(self, arm: Skeleton, x: float, y: float, yaw: float) -> bool:
        """Say whether what the arm holds out beyond the body touches anything."""
        for point in (arm.wrist, arm.tip):
            at_x, at_y, height = _in_hall(point, x, y, yaw)
            if math.hypot(at_x - x, at_y - y) > REACH_OUT_M:
                things = tuple(thing for thing in self.things if thing.height > height)
                if not hall.is_free(things, at_x, at_y, ARM_RADIUS_M):
                    return False
        return True

    def _in_hall(self, point: Point) -> Point:
        return _in_hall(point, self.x, self.y, self.yaw)

    def _move(self, dt: float) -> None:
        ahead, turn = (self.left + self.right) / 2 * dt, self.angular * dt
        heading = self.yaw + turn / 2
        x, y = self.x + ahead * math.cos(heading), self.y + ahead * math.sin(heading)
        yaw = math.remainder(self.yaw + turn, math.tau)
        self.has_collided = False
        # The body is round: it can always turn on the spot, if the arm can.
        if turn and not self._is_reach_free(self.arm.skeleton, self.x, self.y, yaw):
            self.has_collided = True
            return
        self.yaw = yaw
        if ahead == 0.0:
            return
        is_free = hall.is_free(self.things, x, y, spec.BODY_RADIUS_M)
        if is_free and self._is_reach_free(self.arm.skeleton, x, y, yaw):
            self.x, self.y = x, y
        else:
            self.has_collided = True


def _in_hall(point: Point, x: float, y: float, yaw: float) -> Point:
    """Return a place in the hall, given in the arm's base frame of a rover at (x, y, yaw)."""
    ahead, left = point[0] + spec.ARM_MOUNT[0], point[1] + spec.ARM_MOUNT[1]
    cos, sin = math.cos(yaw), math.sin(yaw)
    return x + ahead * cos - left * sin, y + ahead * sin + left * cos, point[2] + spec.ARM_MOUNT[2]


def _clamp(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
