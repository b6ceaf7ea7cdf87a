"""The arm's joints and its gripper: rates that follow a command, brakes, hard stops.

Deterministic: no clock, no dice. What the arm may not run into is told by its owner.
"""

import math
from collections.abc import Callable, Sequence

from farhand.sim import kinematics, spec
from farhand.sim.kinematics import Joints, Point, Skeleton

APPROACH_S = 0.1
"""The tip's motion brings a joint no faster to its stop than what is left in this time."""
AT_STOP_RAD = 1e-3

Depth = Callable[[Skeleton], float]
"""How deep a posture is inside of something, m; 0 = nothing is in its way."""


def _nothing(_: Skeleton) -> float:
    return 0.0


class Arm:
    """Physics of the arm, advanced by :meth:`step`."""

    def __init__(self) -> None:
        self.joints: Joints = spec.STOW
        self.rates = (0.0, 0.0, 0.0, 0.0)
        """Measured, rad/s."""
        self.width = 0.0
        """Between the fingers, m."""
        self.width_rate = 0.0
        self.skeleton = kinematics.skeleton(self.joints)
        self.is_blocked = False
        """Whether something other than a joint's own stop holds the arm right now."""

    @property
    def tip(self) -> Point:
        """The tip in the arm's base frame (see :data:`farhand.sim.spec.ARM_MOUNT`)."""
        return self.skeleton.tip

    @property
    def pitch(self) -> float:
        """The hand's angle above level."""
        return self.joints[1] + self.joints[2] + self.joints[3]

    @property
    def fastest(self) -> float:
        """The largest measured rate of a joint, rad/s, or of the gripper, m/s."""
        return max(*map(abs, self.rates), abs(self.width_rate))

    def place(self, joints: Joints) -> None:
        """Put the arm in a posture, at rest."""
        self.joints, self.skeleton = joints, kinematics.skeleton(joints)
        self.rates = (0.0, 0.0, 0.0, 0.0)

    def step(
        self,
        joints: Sequence[float],
        gripper: float,
        tool: Point,
        dt: float,
        *,
        grip_minimum: float = 0.0,
        depth: Depth = _nothing,
    ) -> None:
        """Advance by ``dt`` seconds.

        Args:
            joints: Commanded rates, rad/s.
            gripper: Commanded rate of the width, m/s.
            tool: Commanded velocity of the tip in the base frame, m/s; adds to ``joints``.
            dt: Seconds.
            grip_minimum: What is between the fingers is so wide.
            depth: What is in the way; the arm stands rather than go deeper into it.

        """
        command = _within_speeds(
            [a + b for a, b in zip(joints, self._tool_rates(tool), strict=True)]
        )
        follow, brake = 1 - math.exp(-dt / spec.ARM_TAU_S), spec.JOINT_BRAKE * dt
        rates = [
            _follow(rate, goal, follow, brake)
            for rate, goal in zip(self.rates, command, strict=True)
        ]
        self._turn(rates, dt, depth)
        self.width_rate = _follow(self.width_rate, gripper, follow, spec.GRIPPER_BRAKE * dt)
        width = self.width + self.width_rate * dt
        self.width = min(max(width, grip_minimum), spec.GRIPPER_MAX_M)
        if self.width != width:
            self.width_rate = 0.0

    def hold(self, width: float) -> None:
        """Something between the fingers keeps them ``width`` apart."""
        if width != self.width:
            self.width, self.width_rate = width, 0.0

    def _turn(self, rates: list[float], dt: float, depth: Depth) -> None:
        self.is_blocked = False
        if not any(rates):
            self.rates = (0.0, 0.0, 0.0, 0.0)
            return
        moved: list[float] = []
        ends = zip(spec.JOINT_MINIMA, spec.JOINT_MAXIMA, strict=True)
        for i, (low, high) in enumerate(ends):
            position = self.joints[i] + rates[i] * dt
            moved.append(min(max(position, low), high))
            if moved[i] != position:
                rates[i] = 0.0
        pan, lift, elbow, wrist = moved
        skeleton = kinematics.skeleton(moved)
        inside = depth(skeleton)
        if inside > 0.0 and inside >= depth(self.skeleton):
            self.is_blocked = True
            self.rates = (0.0, 0.0, 0.0, 0.0)
            return
        self.joints, self.skeleton = (pan, lift, elbow, wrist), skeleton
        self.rates = (rates[0], rates[1], rates[2], rates[3])

    def _tool_rates(self, tool: Point) -> Sequence[float]:
        """Return the joint rates for the tip's motion, slow enough for every joint and stop."""
        if not any(tool):
            return (0.0, 0.0, 0.0, 0.0)
        free = [True, True, True]
        rates = kinematics.tip_rates(self.joints, tool, (True, True, True))
        while True:
            stopped = [
                i for i in range(3) if free[i] and self._room(i + 1, rates[i + 1]) < AT_STOP_RAD
            ]
            if not stopped:
                break
            free[stopped[0]] = False
            rates = kinematics.tip_rates(self.joints, tool, (free[0], free[1], free[2]))
        slow = 1.0
        for i, rate in enumerate(rates):
            if rate:
                slow = min(slow, self._room(i, rate) / APPROACH_S / abs(rate))
        return _within_speeds([rate * slow for rate in rates])

    def _room(self, joint: int, rate: float) -> float:
        """Return how far ``joint`` is from the stop that ``rate`` takes it to; none: infinite."""
        if rate > 0:
            return spec.JOINT_MAXIMA[joint] - self.joints[joint]
        return self.joints[joint] - spec.JOINT_MINIMA[joint] if rate < 0 else math.inf


def _within_speeds(rates: Sequence[float]) -> list[float]:
    """Slow all joints alike until each is within its speed: the direction stays."""
    excess = max(abs(rate) / most for rate, most in zip(rates, spec.JOINT_SPEEDS, strict=True))
    return [rate / max(excess, 1.0) for rate in rates]


def _follow(rate: float, command: float, follow: float, brake: float) -> float:
    if command == 0.0:
        return 0.0 if abs(rate) <= brake else rate - math.copysign(brake, rate)
    return rate + (command - rate) * follow
