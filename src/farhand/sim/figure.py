"""The arm and the blocks as a camera sees them: which faces, where, how bright, far ones first."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farhand.sim import kinematics, solids, spec
from farhand.sim.blocks import Block
from farhand.sim.cast import LIGHT_YAW
from farhand.sim.fill import Array, Frame, is_inside
from farhand.sim.shared import Pose

SHADES = 16
"""In how many brightnesses each material is painted."""
Floats = NDArray[np.float64]

_ARM = (
    solids.TURRET,
    solids.SHOULDER,
    solids.PLATE,
    solids.PLATE,
    solids.ELBOW,
    solids.FOREARM,
    solids.WRIST,
    solids.PALM,
    solids.FINGER,
    solids.FINGER,
)
_BLOCKS = tuple(solids.block(colour) for colour, *_ in spec.BLOCKS)
_SHADOW_HALF_M = 0.035


class Lens(NamedTuple):
    """Where a camera is, seen from the rover: ahead, left, up, and turned to the left by."""

    x: float
    y: float
    z: float
    yaw: float


class Faces(NamedTuple):
    """Quadrilaterals ahead, left and above of the lens (n, 4, 3), far ones first."""

    quads: Array
    texels: Array


class Figure:
    """Arm and blocks.

    Args:
        colours: Index of each material's first and darkest texel.

    """

    def __init__(self, colours: dict[str, int]) -> None:
        parts = (*_ARM, *_BLOCKS)
        self._count = len(parts)
        self._corners = np.array([corner for part in parts for corner in part.corners])
        self._part_of_corner = np.repeat(
            np.arange(self._count), [len(part.corners) for part in parts]
        )
        sizes = np.cumsum([0, *(len(part.corners) for part in parts)])
        self._faces = np.array(
            [
                [first + corner for corner in face]
                for first, part in zip(sizes, parts, strict=False)
                for face in part.faces
            ]
        )
        self._part_of_face = np.repeat(np.arange(self._count), [len(part.faces) for part in parts])
        self._texel = np.array([colours[part.material] for part in parts for _ in part.faces])
        self._middles = np.array([np.mean(part.corners, axis=0) for part in parts])

    def faces(self, pose: Pose, lens: Lens, frame: Frame, parts: Sequence[int]) -> Faces:
        """Return what the lens sees of ``parts``: of :data:`ARM`, and blocks by their number."""
        turns, places = _frames(pose)
        back = _turned(-lens.yaw)
        away = np.array(lens[:3])
        turns, places = back @ turns, (places - away) @ back.T
        corners = (turns[self._part_of_corner] @ self._corners[..., None])[..., 0]
        corners += places[self._part_of_corner]
        middles = (turns @ self._middles[..., None])[..., 0] + places
        is_drawn = np.zeros(self._count, bool)
        is_drawn[list(parts)] = True
        quads = corners[self._faces]
        is_seen = is_drawn[self._part_of_face] & is_inside(quads, frame)
        seen = np.flatnonzero(is_seen)
        quads = quads[seen]
        normals = _cross(quads[:, 1] - quads[:, 0], quads[:, 2] - quads[:, 0])
        is_front = (normals * quads[:, 0]).sum(axis=1) < 0
        seen, quads, normals = seen[is_front], quads[is_front], normals[is_front]
        distance = (middles[self._part_of_face[seen]] ** 2).sum(axis=1)
        order = np.argsort(-distance, kind="stable")
        bright = _brightness(normals[order], LIGHT_YAW - pose.yaw - lens.yaw)
        return Faces(quads[order], self._texel[seen[order]] + bright)


def near_blocks(pose: Pose) -> list[int]:
    """Return the blocks that the arm may hide or be hidden by."""
    return [
        i
        for i, block in enumerate(pose.blocks)
        if math.hypot(block.x - pose.x, block.y - pose.y) < 1.2 and not _is_under(pose, block)
    ]


ARM = range(len(_ARM))
FIRST_BLOCK = len(_ARM)


def shadows(pose: Pose, lens: Lens) -> Array:
    """Return what lies in the shade of arm and blocks: (n, 4, 3) on the floor, from the lens."""
    arm = kinematics.skeleton(pose.joints)
    flat = [_strip(one, other) for one, other in itertools.pairwise(arm)]
    for block in pose.blocks:
        x, y = _seen_from_rover(pose, block.x, block.y)
        half = spec.BLOCK_M / 2 + 0.006
        turn = block.yaw - pose.yaw
        cos, sin = math.cos(turn) * half, math.sin(turn) * half
        flat.append(
            [
                (x + a * cos - b * sin, y + a * sin + b * cos)
                for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
        )
    corners = np.zeros((len(flat), 4, 3))
    corners[..., :2] = flat
    return seen_from(lens, corners)


def seen_from(lens: Lens, points: Array) -> Array:
    """Return points (..., 3) as seen from the lens instead of from the rover."""
    seen: Array = (points - np.array(lens[:3])) @ _turned(-lens.yaw).T
    return seen


def _is_under(pose: Pose, block: Block) -> bool:
    x, y = _seen_from_rover(pose, block.x, block.y)
    return abs(x) < 0.46 and abs(y) < 0.29 and block.z < 0.24


def _strip(one: kinematics.Point, other: kinematics.Point) -> list[tuple[float, float]]:
    """Return the shadow of a link, given in the arm's base frame, as seen from the rover."""
    x, y = spec.ARM_MOUNT[0], spec.ARM_MOUNT[1]
    ahead, left = other[0] - one[0], other[1] - one[1]
    length = math.hypot(ahead, left)
    if length < 1e-6:
        ahead, left, length = 1e-6, 0.0, 1e-6
    side = (-left / length * _SHADOW_HALF_M, ahead / length * _SHADOW_HALF_M)
    return [
        (x + point[0] + sign * side[0], y + point[1] + sign * side[1])
        for point, sign in ((one, -1), (other, -1), (other, 1), (one, 1))
    ]


def _frames(pose: Pose) -> tuple[Floats, Floats]:
    """Return each part's turn (n, 3, 3) and place (n, 3), as seen from the rover."""
    pan, lift, elbow, wrist = pose.joints
    arm = np.array(kinematics.skeleton(pose.joints)) + spec.ARM_MOUNT
    shoulder, bend, tip, _ = arm
    base = _turned(pan)
    upper, fore, hand = (
        base @ _raised(angle) for angle in (lift, lift + elbow, lift + elbow + wrist)
    )
    left = base[:, 1]
    apart = left * (pose.grip + solids.FINGER_M) / 2
    turns = [base, upper, upper, upper, fore, fore, hand, hand, hand, hand]
    places = [
        np.array(spec.ARM_MOUNT),
        shoulder,
        shoulder + left * solids.PLATE_AT_M,
        shoulder - left * solids.PLATE_AT_M,
        bend,
        bend,
        tip,
        tip,
        tip + apart,
        tip - apart,
    ]
    for block in pose.blocks:
        turns.append(_turned(block.yaw - pose.yaw) @ _raised(block.pitch))
        places.append(np.array((*_seen_from_rover(pose, block.x, block.y), block.z)))
    return np.array(turns), np.array(places)


def _seen_from_rover(pose: Pose, x: float, y: float) -> tuple[float, float]:
    cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
    x, y = x - pose.x, y - pose.y
    return x * cos + y * sin, y * cos - x * sin


def _turned(yaw: float) -> Floats:
    cos, sin = math.cos(yaw), math.sin(yaw)
    return np.array(((cos, -sin, 0.0), (sin, cos, 0.0), (0.0, 0.0, 1.0)))


def _raised(pitch: float) -> Floats:
    cos, sin = math.cos(pitch), math.sin(pitch)
    return np.array(((cos, 0.0, -sin), (0.0, 1.0, 0.0), (sin, 0.0, cos)))


def _cross(one: Array, other: Array) -> Array:
    # numpy's own takes five times as long on few rows.
    turned, twisted = (1, 2, 0), (2, 0, 1)
    product: Array = one[:, turned] * other[:, twisted] - one[:, twisted] * other[:, turned]
    return product


def _brightness(normals: Array, light_yaw: float) -> Array:
    """Return the shade of each face: light falls from the ceiling and a little from one side."""
    size = np.sqrt((normals * normals).sum(axis=1)) + 1e-12
    side = normals[:, 0] * math.cos(light_yaw) + normals[:, 1] * math.sin(light_yaw)
    light = 0.55 + (0.3 * normals[:, 2] + 0.22 * side) / size
    shade: Array = np.clip(np.rint(light * (SHADES - 1)), 0, SHADES - 1).astype(np.intp)
    return shade
