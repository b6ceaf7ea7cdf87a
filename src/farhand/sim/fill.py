"""Filling many convex quadrilaterals at once: from corners to the pixels they cover."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.04
"""What is nearer to the lens is cut off."""

Array = NDArray[Any]
_AFTER = (1, 2, 3, 0)
"""The corner after each corner."""


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
    sides = np.stack(
        (
            ahead < NEAR_M,
            left > side,
            -left > side,
            up > ahead * above,
            -up > ahead * below,
        )
    )
    inside: Array = np.logical_not(np.any(np.all(sides, axis=2), axis=0))
    return inside


def cover(corners: Array, width: int, height: int) -> Spans:
    """Return the pixels whose middles lie in each of the convex quadrilaterals (n, 4, 2)."""
    columns, rows = corners[..., 0], corners[..., 1]
    row = _first_middle(rows, height)
    top, bottom = row.min(axis=1), row.max(axis=1)
    ends = np.cumsum(bottom - top)
    total = int(ends[-1]) if len(ends) else 0
    offset = ends - bottom  # a run's place in the list is its row and this
    rise = rows[:, _AFTER] - rows
    slope = (columns[:, _AFTER] - columns) / np.where(rise == 0, 1.0, rise)
    zero = columns - slope * rows
    # Each row of a convex outline meets one edge that runs down and one that runs up.
    down = _meet(row, row[:, _AFTER], offset, slope, zero, total)
    up = _meet(row[:, _AFTER], row, offset, slope, zero, total)
    first = _first_middle(np.minimum(down, up), width)
    length = _first_middle(np.maximum(down, up), width) - first
    owner = np.repeat(np.arange(len(corners)), bottom - top)
    first += (np.arange(total) - offset[owner]) * width
    is_on = length > 0
    return Spans(first[is_on], length[is_on], owner[is_on])


def _meet(  # noqa: PLR0917 - the two ends of an edge, and the line through them
    low: Array, high: Array, offset: Array, slope: Array, zero: Array, total: int
) -> Array:
    """Return the column in which each run meets an edge from row ``low`` to row ``high``."""
    owner, corner = np.nonzero(high > low)
    start = low[owner, corner]
    counts = high[owner, corner] - start
    row = np.arange(int(counts.sum())) + np.repeat(start - (np.cumsum(counts) - counts), counts)
    slopes, zeros = (np.repeat(line[owner, corner], counts) for line in (slope, zero))
    met = np.zeros(total)
    met[row + np.repeat(offset[owner], counts)] = slopes * (row + 0.5) + zeros
    return met


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
    kept: list[list[list[float]]] = []
    owner: list[int] = []
    for index, quad in zip(cut.tolist(), quads[cut].tolist(), strict=True):
        corners = _clip(quad)
        # Three to five corners: one quadrilateral, and a second one for the fifth.
        for four in (corners[:4], [corners[0], *corners[3:]]):
            if len(four) > 2:
                kept.append([*four, four[-1]][:4])
                owner.append(index)
    order = np.argsort(np.concatenate((whole, owner)), kind="stable")
    everything = np.concatenate((quads[whole], np.array(kept)))
    return everything[order], np.concatenate((whole, owner))[order]


def _clip(quad: list[list[float]]) -> list[list[float]]:
    # On lists: numpy takes ten times as long for four corners.
    kept: list[list[float]] = []
    for corner, following in zip(quad, [*quad[1:], quad[0]], strict=True):
        if corner[0] >= NEAR_M:
            kept.append(corner)
        if (corner[0] >= NEAR_M) != (following[0] >= NEAR_M):
            part = (NEAR_M - corner[0]) / (following[0] - corner[0])
            kept.append([a + (b - a) * part for a, b in zip(corner, following, strict=True)])
    return kept


def quads_of(outline: list[Any]) -> list[list[Any]]:
    """Return a convex outline as quadrilaterals; the last may have a corner twice."""
    closed = [*outline, outline[-1]]
    return [[closed[0], *closed[i : i + 3]] for i in range(1, len(outline) - 1, 2)]
