"""Filling many convex quadrilaterals at once: from corners to the pixels they cover."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.04
"""What is nearer to the lens is cut off."""

Array = NDArray[Any]


class Spans(NamedTuple):
    """Runs of pixels in the order of their quadrilaterals: painted in this order, the last wins."""

    start: Array
    """Index of the first pixel in the flat picture."""
    length: Array
    owner: Array
    """Number of the quadrilateral."""


class Frame(NamedTuple):
    """How a lens projects on its picture, in pixels."""

    focal: float
    horizon: float
    width: int
    height: int


def project(quads: Array, frame: Frame) -> Array:
    """Return (n, 4, 2) columns and rows of (n, 4, 3) corners ahead, left and above of the lens."""
    scaled = quads[..., 1:] * (frame.focal / quads[..., :1])
    points: Array = np.array((frame.width / 2, frame.horizon)) - scaled
    return points


def is_inside(quads: Array, frame: Frame) -> Array:
    """Say of each of the quadrilaterals (n, 4, 3) whether it may be in the picture."""
    ahead, left, up = (quads[..., i] for i in range(3))
    side = ahead * (frame.width / 2 / frame.focal)
    above, below = frame.horizon / frame.focal, (frame.height - frame.horizon) / frame.focal
    outside = (ahead < NEAR_M).all(axis=1)
    outside |= (left > side).all(axis=1) | (-left > side).all(axis=1)
    outside |= (up > ahead * above).all(axis=1) | (-up > ahead * below).all(axis=1)
    inside: Array = ~outside
    return inside


def cover(corners: Array, width: int, height: int) -> Spans:
    """Return the pixels whose middles lie in each of the convex quadrilaterals (n, 4, 2)."""
    columns, rows = corners[..., 0], corners[..., 1]
    top = _first_middle(rows.min(axis=1), height)
    counts = _first_middle(rows.max(axis=1), height) - top
    owner = np.repeat(np.arange(len(corners)), counts)
    row = np.arange(len(owner)) + np.repeat(top - (np.cumsum(counts) - counts), counts)
    after = (1, 2, 3, 0)
    rise = rows[:, after] - rows
    slope = (columns[:, after] - columns) / np.where(rise == 0, 1.0, rise)
    # Of each edge: its ends' rows, and column = slope * row + zero.
    edges = np.stack((rows, rows[:, after], slope, columns - slope * rows))[:, owner]
    y = (row + 0.5)[:, None]
    is_cut = (edges[0] <= y) != (edges[1] <= y)
    cut = edges[2] * y + edges[3]
    first = _first_middle(np.where(is_cut, cut, np.inf).min(axis=1, initial=np.inf), width)
    last = _first_middle(np.where(is_cut, cut, -np.inf).max(axis=1, initial=-np.inf), width)
    is_on = last > first
    row, first, last, owner = row[is_on], first[is_on], last[is_on], owner[is_on]
    return Spans(row * width + first, last - first, owner)


def pixels(spans: Spans) -> Array:
    """Return the index of each pixel of ``spans`` in the flat picture."""
    offset = spans.start - (np.cumsum(spans.length) - spans.length)
    index = np.repeat(offset, spans.length)
    index += np.arange(len(index))
    return index


def _first_middle(position: Array, size: int) -> Array:
    """Return the first pixel whose middle is at ``position`` or beyond it, 0 to ``size``."""
    return np.ceil(np.clip(position, 0.0, size) - 0.5).astype(np.intp)


def clip_near(quads: Array) -> tuple[Array, Array]:
    """Cut off what is behind the lens.

    Returns the quadrilaterals (n, 4, 3) that are left, and for each the number of the one it was.
    """
    is_near = quads[..., 0] < NEAR_M
    whole = np.flatnonzero(~is_near.any(axis=1))
    cut = np.flatnonzero(is_near.any(axis=1) & ~is_near.all(axis=1))
    if not len(cut):
        return quads[whole], whole
    kept, owner = list(quads[whole]), list(whole)
    for index in cut:
        corners = _clip(quads[index])
        # Three to five corners: one quadrilateral, and a second one for the fifth.
        for four in (corners[:4], [corners[0], *corners[3:]]):
            if len(four) > 2:
                kept.append(np.array([*four, four[-1]][:4]))
                owner.append(index)
    order = np.argsort(owner, kind="stable")
    return np.array(kept)[order], np.array(owner)[order]


def _clip(quad: Array) -> list[Array]:
    kept: list[Array] = []
    for corner, following in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        if corner[0] >= NEAR_M:
            kept.append(corner)
        if (corner[0] >= NEAR_M) != (following[0] >= NEAR_M):
            part = (NEAR_M - corner[0]) / (following[0] - corner[0])
            kept.append(corner + (following - corner) * part)
    return kept
