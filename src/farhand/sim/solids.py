"""The shapes that arm and blocks are made of: convex, each in a frame of its own.

A part's frame is along its link (x), to its left (y), and across both (z); metres.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farhand.sim.spec import BLOCK_M, FOREARM_M, HAND_M, SHOULDER_M, UPPER_ARM_M

Floats = NDArray[np.float64]
Corner = tuple[float, float, float]

SIDES = 8
FINGER_M = 0.011
"""How thick a finger is."""
_PALM_M = 0.062
"""From the wrist to where the fingers begin."""


@dataclass(frozen=True, slots=True)
class Solid:
    """A convex body: its corners, and its faces as four of them, counter-clockwise from outside."""

    material: str
    corners: tuple[Corner, ...]
    faces: tuple[tuple[int, int, int, int], ...]


def prism(material: str, bottom: list[Corner], top: list[Corner]) -> Solid:
    """Return what lies between two convex outlines of as many corners, an even number."""
    count = len(bottom)
    faces = [(i, (i + 1) % count, count + (i + 1) % count, count + i) for i in range(count)]
    # Strips of four corners: 0 1 2 3, 0 3 4 5, ...
    lids = [(0, i, i + 1, i + 2) for i in range(1, count - 1, 2)]
    faces += [(a, d, c, b) for a, b, c, d in lids]
    faces += [(count + a, count + b, count + c, count + d) for a, b, c, d in lids]
    return Solid(material, (*bottom, *top), tuple(faces))


def box(material: str, x: tuple[float, float], y: float, z: float, y_end: float = 0.0) -> Solid:
    """Return a cuboid from x to x, y to both sides (``y_end`` at its end), z to both sides."""
    end = y_end or y
    bottom = [(x[0], -y, -z), (x[1], -end, -z), (x[1], end, -z), (x[0], y, -z)]
    return prism(material, bottom, [(a, b, z) for a, b, _ in bottom])


def barrel(material: str, radius: float, half: float) -> Solid:
    """Return a joint: a cylinder across the link."""
    ring = _ring()
    right = [(radius * a, -half, radius * b) for a, b in ring]
    return prism(material, right, [(x, half, z) for x, _, z in right])


def tube(material: str, length: float, radius: float, end: float) -> Solid:
    """Return a link: a cylinder along it that narrows to ``end``."""
    ring = _ring()
    near = [(0.0, radius * a, radius * b) for a, b in ring]
    return prism(material, near, [(length, end * a, end * b) for a, b in ring])


def pillar(material: str, bottom: float, top: float, radius: float, end: float) -> Solid:
    """Return an upright cylinder that narrows to ``end``."""
    ring = _ring()
    foot = [(radius * a, radius * b, bottom) for a, b in ring]
    return prism(material, foot, [(end * a, end * b, top) for a, b in ring])


def _ring() -> list[tuple[float, float]]:
    turns = [math.tau * (i + 0.5) / SIDES for i in range(SIDES)]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


TURRET = pillar("joint", 0.0, SHOULDER_M - 0.03, 0.06, 0.05)
SHOULDER = barrel("joint", 0.034, 0.025)
PLATE = box("plate", (-0.026, UPPER_ARM_M + 0.024), 0.005, 0.023)
"""The upper arm is two of these, with the forearm between them."""
PLATE_AT_M = 0.031
ELBOW = barrel("joint", 0.028, 0.041)
FOREARM = tube("link", FOREARM_M, 0.024, 0.019)
WRIST = barrel("joint", 0.023, 0.027)
PALM = box("joint", (0.0, _PALM_M), 0.024, 0.02, 0.056)
FINGER = box("finger", (_PALM_M, HAND_M), FINGER_M / 2, 0.011)


def block(colour: str) -> Solid:
    """Return a block of ``colour``."""
    half = BLOCK_M / 2
    return box(colour, (-half, half), half, half)


MATERIALS: dict[str, tuple[float, float, float]] = {
    "joint": (0.24, 0.25, 0.28),
    "plate": (0.93, 0.45, 0.12),
    "link": (0.84, 0.85, 0.87),
    "finger": (0.98, 0.8, 0.22),
    "red": (0.86, 0.15, 0.12),
    "green": (0.13, 0.62, 0.25),
    "blue": (0.12, 0.33, 0.85),
}
