"""The hall that the rover drives in: where things stand, and whether a body touches one.

Pure geometry, metres.

The floor is the rectangle from (0, 0) to (SIZE_X, SIZE_Y); x runs along the hall, y to the left, z
up.
"""

import math
import random
from dataclasses import dataclass

SIZE_X = 14.0
SIZE_Y = 9.0
CEILING = 3.2
START = (2.2, 4.5, 0.0)
"""Where the rover starts: x, y, yaw."""


@dataclass(frozen=True, slots=True)
class Box:
    """A cuboid on the floor, turned by ``yaw``."""

    x: float
    y: float
    half_x: float
    half_y: float
    yaw: float
    height: float
    skin: str

    @property
    def reach(self) -> float:
        """Radius of the circle around it."""
        return math.hypot(self.half_x, self.half_y)

    def gap(self, x: float, y: float) -> float:
        """Return the distance from (x, y) to its side; 0 inside."""
        sin, cos = math.sin(self.yaw), math.cos(self.yaw)
        along = abs((x - self.x) * cos + (y - self.y) * sin) - self.half_x
        across = abs((y - self.y) * cos - (x - self.x) * sin) - self.half_y
        return math.hypot(max(along, 0.0), max(across, 0.0))


@dataclass(frozen=True, slots=True)
class Drum:
    """An upright cylinder on the floor."""

    x: float
    y: float
    radius: float
    height: float
    skin: str

    @property
    def reach(self) -> float:
        """Radius of the circle around it."""
        return self.radius

    def gap(self, x: float, y: float) -> float:
        """Return the distance from (x, y) to its side; 0 inside."""
        return max(0.0, math.hypot(x - self.x, y - self.y) - self.radius)


Thing = Box | Drum

_FIXED: tuple[Thing, ...] = (
    # A partition with a gateway in the middle, so that there is somewhere to drive to.
    Box(9.4, 1.55, 0.09, 1.55, 0.0, CEILING, "partition"),
    Box(9.4, 7.45, 0.09, 1.55, 0.0, CEILING, "partition"),
    Drum(5.6, 2.3, 0.2, CEILING, "pillar"),
    Drum(5.6, 6.7, 0.2, CEILING, "pillar"),
    Box(12.9, 4.5, 0.45, 1.3, 0.0, 0.42, "bench"),
    Box(0.45, 8.1, 0.4, 0.7, 0.0, 1.7, "cabinet"),
    Box(0.45, 1.0, 0.4, 0.7, 0.0, 1.7, "cabinet"),
)

_LOOSE: tuple[Thing, ...] = (
    # Each is moved and turned a little by the seed.
    Box(7.3, 7.3, 0.42, 0.42, 0.3, 0.84, "wood"),
    Box(8.2, 7.7, 0.35, 0.35, 0.1, 0.7, "wood"),
    Box(4.1, 1.2, 0.5, 0.36, 0.2, 0.72, "blue"),
    Box(7.5, 1.3, 0.4, 0.4, 0.6, 0.8, "wood"),
    Box(4.0, 7.8, 0.35, 0.35, 0.8, 0.34, "green"),
    Box(11.6, 1.5, 0.5, 0.4, 0.4, 1.0, "blue"),
    Drum(8.1, 2.4, 0.29, 0.88, "red"),
    Drum(3.2, 7.2, 0.29, 0.88, "yellow"),
    Drum(11.9, 7.6, 0.29, 0.88, "red"),
    Drum(11.2, 7.1, 0.29, 0.88, "yellow"),
)


def furnish(seed: int) -> tuple[Thing, ...]:
    """Return everything that stands in the hall of ``seed``, always the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - a layout, not a secret
    things = list(_FIXED)
    for thing in _LOOSE:
        x, y = thing.x + dice.uniform(-0.25, 0.25), thing.y + dice.uniform(-0.25, 0.25)
        turn = dice.uniform(-0.4, 0.4)
        if isinstance(thing, Box):
            placed: Thing = Box(
                x, y, thing.half_x, thing.half_y, thing.yaw + turn, thing.height, thing.skin
            )
        else:
            placed = Drum(x, y, thing.radius, thing.height, thing.skin)
        things.append(placed)
    return tuple(things)


def is_free(things: tuple[Thing, ...], x: float, y: float, radius: float) -> bool:
    """Say whether a round body at (x, y) touches neither a wall nor a thing."""
    if not (radius <= x <= SIZE_X - radius and radius <= y <= SIZE_Y - radius):
        return False
    return all(thing.gap(x, y) >= radius for thing in things)
