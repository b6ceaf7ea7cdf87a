"""Rays against upright things, one ray for each column, all columns of a thing at once.

A ray's direction has length one along the line of sight, so that its parameter is the depth of
perspective.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farhand.sim.atlas import Floats, Ints
from farhand.sim.hall import SIZE_X, SIZE_Y, Box, Drum, Thing

Array = NDArray[Any]

NEAR_M = 0.03
SHADES = 8
"""In how many brightnesses each surface is painted; which one is seen depends on where it faces."""
LIGHT_YAW = 2.2
"""Where most of the light comes from."""


class Hit(NamedTuple):
    """Where rays meet a thing, by column."""

    depth: Floats
    """Infinite = the ray misses."""
    back: Floats
    """Depth of its far side."""
    u: Floats
    """How far along the surface, 0 at its left to 1, as seen from outside."""
    shade: Ints


def shade_of(yaw: float) -> int:
    """Return the shade of a surface that faces ``yaw``."""
    return round((math.cos(yaw - LIGHT_YAW) + 1) / 2 * (SHADES - 1))


def cast_room(x: float, y: float, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
    """Return depth and place along the hall's four walls, in metres.

    The place rises from left to right for who stands inside.
    """
    dx, dy = _nonzero(dx), _nonzero(dy)
    to_x = (np.where(dx > 0, SIZE_X, 0.0) - x) / dx
    to_y = (np.where(dy > 0, SIZE_Y, 0.0) - y) / dy
    depth = np.maximum(np.minimum(to_x, to_y), NEAR_M)
    hit_x, hit_y = x + depth * dx, y + depth * dy
    # West, north, east, south: clockwise from above.
    side = np.where(dx > 0, 2 * SIZE_Y + SIZE_X - hit_y, hit_y)
    end = np.where(dy > 0, SIZE_Y + hit_x, 2 * SIZE_Y + 2 * SIZE_X - hit_x)
    along = np.where(to_x < to_y, side, end)
    return depth.astype(np.float32), along.astype(np.float32)


def cast(thing: Thing, x: float, y: float, dx: Floats, dy: Floats) -> Hit:
    """Return where rays from (x, y) meet ``thing``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = (
            _cast_box(thing, x, y, dx, dy)
            if isinstance(thing, Box)
            else _cast_drum(thing, x, y, dx, dy)
        )
    return hit


def _cast_box(box: Box, x: float, y: float, dx: Floats, dy: Floats) -> Hit:
    cos, sin = math.cos(box.yaw), math.sin(box.yaw)
    near_x = (x - box.x) * cos + (y - box.y) * sin
    near_y = (y - box.y) * cos - (x - box.x) * sin
    along, across = _nonzero(dx * cos + dy * sin), _nonzero(dy * cos - dx * sin)
    side_x, side_y = np.sign(along), np.sign(across)
    in_x, out_x = (-side_x * box.half_x - near_x) / along, (side_x * box.half_x - near_x) / along
    in_y, out_y = (-side_y * box.half_y - near_y) / across, (side_y * box.half_y - near_y) / across
    depth, back = np.maximum(in_x, in_y), np.minimum(out_x, out_y)
    is_x = in_x > in_y
    # A narrow end shows the left part of the picture rather than all of it squeezed.
    wide_x = min(1.0, 2 * box.half_y / box.half_x)
    wide_y = min(1.0, 2 * box.half_x / box.half_y)
    u_x = (1 - side_x * (near_y + depth * across) / box.half_y) / 2 * wide_x
    u_y = (1 + side_y * (near_x + depth * along) / box.half_x) / 2 * wide_y
    east, west, north, south = (
        shade_of(box.yaw + turn) for turn in (0, math.pi, math.pi / 2, -math.pi / 2)
    )
    shade = np.where(is_x, np.where(side_x < 0, east, west), np.where(side_y < 0, north, south))
    is_hit = (depth < back) & (depth > NEAR_M)
    return _hit(is_hit, depth, back, np.where(is_x, u_x, u_y), shade)


def _cast_drum(drum: Drum, x: float, y: float, dx: Floats, dy: Floats) -> Hit:
    x, y = x - drum.x, y - drum.y
    a, b = dx * dx + dy * dy, x * dx + y * dy
    square = b * b - a * (x * x + y * y - drum.radius**2)
    root = np.sqrt(np.maximum(square, 0))
    depth, back = (-b - root) / a, (root - b) / a
    yaw = np.arctan2(y + depth * dy, x + depth * dx)
    shade = ((np.cos(yaw - LIGHT_YAW) + 1) / 2 * (SHADES - 1) + 0.5).astype(np.int32)
    # The picture on it goes round twice.
    return _hit((square > 0) & (depth > NEAR_M), depth, back, yaw / math.pi % 1.0, shade)


def _hit(is_hit: Array, depth: Array, back: Array, u: Array, shade: Array) -> Hit:
    return Hit(
        np.where(is_hit, depth, np.inf).astype(np.float32),
        np.where(is_hit, back, np.inf).astype(np.float32),
        np.where(is_hit, u, 0.0).astype(np.float32),
        shade.astype(np.int32),
    )


def _nonzero(values: Floats) -> Floats:
    return np.where(np.abs(values) < 1e-6, np.float32(1e-6), values)
