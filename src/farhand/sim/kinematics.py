"""Where the arm's parts are for given joints, and which joint rates move its tip.

Pure functions of numbers, in the arm's base frame: metres, x ahead, y left, z up. All links lie in
one upright plane that the first joint turns, so everything but that joint is planar.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from farhand.sim.spec import FOREARM_M, HAND_M, SHOULDER_M, UPPER_ARM_M

Joints = tuple[float, float, float, float]
"""Shoulder pan, shoulder lift, elbow, wrist, in rad."""
Point = tuple[float, float, float]

DAMPING_M = 0.01
"""Far below any lever of the arm, so that it costs nothing where the arm moves well; near a
singularity it bounds the joints' rates."""
PITCH_LEVER_M = 0.1
"""What a wrong pitch of the hand counts against a wrong place of the tip: one rad as so much."""
STRAY = (0.1, 0.5)
"""How far the tip may leave the line it was told to follow, as the sine of the angle between the
two: up to the first it goes on, from the second on it stands, between them it slows."""


class Plane(NamedTuple):
    """The arm in its own plane: distances from the first joint's axis, and heights."""

    elbow: tuple[float, float]
    wrist: tuple[float, float]
    tip: tuple[float, float]
    pitch: float
    """Of the hand, above level."""


class Skeleton(NamedTuple):
    """The arm's points in its base frame."""

    shoulder: Point
    elbow: Point
    wrist: Point
    tip: Point


def plane(joints: Sequence[float]) -> Plane:
    """Return the arm's points in its plane."""
    _, lift, elbow, wrist = joints
    bend, pitch = lift + elbow, lift + elbow + wrist
    elbow_r, elbow_z = UPPER_ARM_M * math.cos(lift), SHOULDER_M + UPPER_ARM_M * math.sin(lift)
    wrist_r, wrist_z = elbow_r + FOREARM_M * math.cos(bend), elbow_z + FOREARM_M * math.sin(bend)
    tip = (wrist_r + HAND_M * math.cos(pitch), wrist_z + HAND_M * math.sin(pitch))
    return Plane((elbow_r, elbow_z), (wrist_r, wrist_z), tip, pitch)


def skeleton(joints: Sequence[float]) -> Skeleton:
    """Return the arm's points (forward kinematics)."""
    flat, cos, sin = plane(joints), math.cos(joints[0]), math.sin(joints[0])
    points = ((0.0, SHOULDER_M), flat.elbow, flat.wrist, flat.tip)
    return Skeleton(*((r * cos, r * sin, z) for r, z in points))


def tip_rates(
    joints: Joints, velocity: Point, free: tuple[bool, bool, bool]
) -> tuple[float, float, float, float]:
    """Return the joint rates that move the tip with ``velocity`` (inverse kinematics).

    Damped least squares: near a singularity the rates stay bounded and the tip slows. The hand
    keeps its pitch while all joints may move. Where the tip cannot follow the line it slows, then
    stands.

    Args:
        joints: Where the joints are.
        velocity: Of the tip, m/s.
        free: Whether lift, elbow and wrist may move; one at its stop may not.

    """
    speed = math.hypot(*velocity)
    if speed == 0.0:
        return (0.0, 0.0, 0.0, 0.0)
    flat, cos, sin = plane(joints), math.cos(joints[0]), math.sin(joints[0])
    ahead, across = velocity[0] * cos + velocity[1] * sin, velocity[1] * cos - velocity[0] * sin
    radius, height = flat.tip
    turn = across * radius / (radius * radius + DAMPING_M**2)
    pivots = ((0.0, SHOULDER_M), flat.elbow, flat.wrist)
    columns = [
        (z - height, radius - r, PITCH_LEVER_M if all(free) else 0.0) if is_free else (0.0,) * 3
        for (r, z), is_free in zip(pivots, free, strict=True)
    ]
    bends = _least_squares(columns, (ahead, velocity[2], 0.0))
    moved_ahead = sum(column[0] * rate for column, rate in zip(columns, bends, strict=True))
    moved_up = sum(column[1] * rate for column, rate in zip(columns, bends, strict=True))
    moved = (moved_ahead, turn * radius, moved_up)
    wish = (ahead, across, velocity[2])
    along = sum(a * b for a, b in zip(moved, wish, strict=True)) / speed
    pace = math.hypot(*moved)
    if along <= 0.0:
        return (0.0, 0.0, 0.0, 0.0)
    stray = math.sqrt(max(0.0, pace * pace - along * along)) / pace
    factor = min(max((STRAY[1] - stray) / (STRAY[1] - STRAY[0]), 0.0), 1.0)
    lift, elbow, wrist = (rate * factor for rate in bends)
    return turn * factor, lift, elbow, wrist


def _least_squares(
    columns: Sequence[tuple[float, ...]], goal: tuple[float, float, float]
) -> list[float]:
    """Return J^T (J J^T + d^2)^-1 goal for the 3 x 3 matrix of ``columns``."""
    m = [
        [sum(c[i] * c[j] for c in columns) + (DAMPING_M**2 if i == j else 0.0) for j in range(3)]
        for i in range(3)
    ]
    cofactors = [
        [
            m[(i + 1) % 3][(j + 1) % 3] * m[(i + 2) % 3][(j + 2) % 3]
            - m[(i + 1) % 3][(j + 2) % 3] * m[(i + 2) % 3][(j + 1) % 3]
            for j in range(3)
        ]
        for i in range(3)
    ]
    determinant = sum(m[0][j] * cofactors[0][j] for j in range(3))
    force = [sum(cofactors[j][i] * goal[j] for j in range(3)) / determinant for i in range(3)]
    return [sum(c[i] * force[i] for i in range(3)) for c in columns]
