"""The colours of the hall, and what its crates, bins, barrels, pillars and cabinets look like."""

from collections.abc import Callable

import numpy as np

from farhand.sim.atlas import Floats
from farhand.sim.canvas import Canvas
from farhand.sim.hall import CEILING

SKIN_SCALE = 150.0

WHITE, INK = (0.92, 0.92, 0.9), (0.1, 0.11, 0.13)
CONCRETE, JOINT = (0.56, 0.57, 0.58), (0.36, 0.37, 0.39)
YELLOW, ORANGE, RED = (0.95, 0.74, 0.1), (0.93, 0.45, 0.12), (0.78, 0.16, 0.13)
TEAL, NAVY, GREEN, BLUE = (
    (0.1, 0.42, 0.47),
    (0.14, 0.2, 0.36),
    (0.22, 0.52, 0.3),
    (0.13, 0.36, 0.68),
)
WOOD, DARK_WOOD = (0.68, 0.49, 0.29), (0.42, 0.28, 0.15)


def _wood() -> Floats:
    dice = np.random.default_rng(9)
    crate = Canvas(0.85, 0.85, SKIN_SCALE, WOOD)
    for i in range(6):
        tone = np.array(WOOD) * dice.uniform(0.85, 1.05)
        crate.rect(0, i * 0.142, 0.85, 0.142, tuple(tone))
        crate.rect(0, i * 0.142, 0.85, 0.01, DARK_WOOD)
    crate.noise(dice, 0.03, 0.04)
    crate.frame(0, 0, 0.85, 0.85, 0.1, (0.58, 0.41, 0.23))
    crate.frame(0.1, 0.1, 0.65, 0.65, 0.012, DARK_WOOD)
    crate.text(0.26, 0.33, 0.14, "LAB", DARK_WOOD)
    crate.rect(0, 0.78, 0.85, 0.07, INK, 0.3)
    return crate.rgb


def _bin(colour: tuple[float, float, float]) -> Floats:
    box = Canvas(0.9, 0.75, SKIN_SCALE, colour)
    for i in range(6):
        box.rect(0.08 + i * 0.14, 0.16, 0.03, 0.5, INK, 0.25)
        box.rect(0.11 + i * 0.14, 0.16, 0.012, 0.5, WHITE, 0.25)
    box.rect(0, 0, 0.9, 0.09, WHITE, 0.22)
    box.rect(0, 0.09, 0.9, 0.015, INK, 0.5)
    box.rect(0.33, 0.2, 0.24, 0.16, WHITE)
    box.rect(0.36, 0.24, 0.18, 0.02, INK)
    box.rect(0.36, 0.29, 0.12, 0.02, INK)
    box.rect(0, 0.68, 0.9, 0.07, INK, 0.35)
    return box.rgb


def _barrel(colour: tuple[float, float, float]) -> Floats:
    barrel = Canvas(0.91, 0.88, SKIN_SCALE, colour)
    for height in (0.0, 0.28, 0.58, 0.84):
        barrel.rect(0, height, 0.91, 0.025, WHITE, 0.35)
        barrel.rect(0, height + 0.025, 0.91, 0.02, INK, 0.45)
    barrel.rect(0.28, 0.34, 0.34, 0.2, WHITE)
    barrel.hatch(0.3, 0.36, 0.3, 0.16, 0.1, INK)
    barrel.rect(0, 0.8, 0.91, 0.08, INK, 0.3)
    return barrel.rgb


def _pillar() -> Floats:
    pillar = Canvas(0.63, CEILING, 120, (0.74, 0.73, 0.71))
    pillar.rect(0, CEILING - 1.2, 0.63, 1.2, INK)
    pillar.hatch(0, CEILING - 1.2, 0.63, 1.2, 0.315, YELLOW)
    pillar.rect(0, CEILING - 0.1, 0.63, 0.1, INK)
    pillar.rect(0, 0, 0.63, 0.15, (0.5, 0.5, 0.5))
    return pillar.rgb


def _partition() -> Floats:
    wall = Canvas(3.1, CEILING, 100, (0.76, 0.75, 0.72))
    wall.rect(0, CEILING - 1.05, 3.1, 1.05, TEAL)
    wall.rect(0, CEILING - 1.12, 3.1, 0.07, ORANGE)
    wall.rect(0.55, 0.6, 2.0, 1.2, INK)
    wall.rect(0.61, 0.66, 1.88, 1.08, (0.12, 0.2, 0.3))
    for i, size in enumerate((0.3, 0.5, 0.42, 0.7, 0.62, 0.8)):
        wall.rect(0.8 + i * 0.26, 1.62 - size, 0.16, size, (0.25, 0.7, 0.75))
    wall.text(0.75, 0.74, 0.12, "FARHAND", WHITE)
    wall.rect(0, CEILING - 0.12, 3.1, 0.12, (0.17, 0.18, 0.2))
    wall.rect(0, CEILING - 0.3, 3.1, 0.3, INK, 0.2)
    return wall.rgb


def _bench() -> Floats:
    bench = Canvas(2.6, 0.42, 100, (0.3, 0.31, 0.34))
    bench.rect(0, 0, 2.6, 0.06, WOOD)
    for i in range(5):
        bench.frame(0.06 + i * 0.5, 0.1, 0.46, 0.28, 0.015, INK)
        bench.rect(0.24 + i * 0.5, 0.16, 0.1, 0.03, WHITE)
    return bench.rgb


def _cabinet() -> Floats:
    cabinet = Canvas(1.4, 1.7, 110, (0.5, 0.53, 0.57))
    for x in (0.03, 0.71):
        cabinet.frame(x, 0.04, 0.66, 1.58, 0.015, INK)
        cabinet.rect(x + 0.08, 0.16, 0.5, 0.02, INK, 0.6)
        cabinet.rect(x + 0.08, 0.21, 0.5, 0.02, INK, 0.6)
    cabinet.rect(0.6, 0.8, 0.04, 0.16, WHITE)
    cabinet.rect(0.76, 0.8, 0.04, 0.16, WHITE)
    cabinet.rect(0, 1.62, 1.4, 0.08, INK, 0.5)
    return cabinet.rgb


SKINS: dict[str, Callable[[], Floats]] = {
    "wood": _wood,
    "blue": lambda: _bin(BLUE),
    "green": lambda: _bin(GREEN),
    "red": lambda: _barrel(RED),
    "yellow": lambda: _barrel(YELLOW),
    "pillar": _pillar,
    "partition": _partition,
    "bench": _bench,
    "cabinet": _cabinet,
}
LIDS = {"green": (0.3, 0.62, 0.38), "bench": (0.74, 0.55, 0.34)}
