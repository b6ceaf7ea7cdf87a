"""What the hall looks like: floor, walls, ceiling, skins; painted once when the renderer starts."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farhand.sim.atlas import Atlas, Floats, Texture
from farhand.sim.canvas import Canvas, stretch
from farhand.sim.cast import SHADES
from farhand.sim.figure import SHADES as FIGURE_SHADES
from farhand.sim.hall import CEILING, SIZE_X, SIZE_Y, START, Drum, Thing
from farhand.sim.skins import (
    BLUE,
    CONCRETE,
    DARK_WOOD,
    GREEN,
    INK,
    JOINT,
    LIDS,
    NAVY,
    ORANGE,
    RED,
    SKINS,
    TEAL,
    WHITE,
    WOOD,
    YELLOW,
)
from farhand.sim.solids import MATERIALS

FLOOR_SCALE = 180.0
WALL_SCALE = 128.0
CEILING_SCALE = 48.0

LAMPS = tuple((x, y) for x in (1.9, 4.7, 7.5, 11.5) for y in (2.4, 6.6))

DECK_M = 0.25
"""Height of the rover's deck above the floor."""
NOSE: tuple[tuple[str, float, tuple[tuple[float, float], ...]], ...] = (
    # Colour, height above the floor, outline on the deck: what the driver sees of the rover when
    # looking down.
    ("tyre", 0.23, ((0.05, 0.29), (0.37, 0.29), (0.37, 0.2), (0.05, 0.2))),
    ("tyre", 0.23, ((0.05, -0.2), (0.37, -0.2), (0.37, -0.29), (0.05, -0.29))),
    (
        "deck",
        DECK_M,
        ((0.0, 0.2), (0.31, 0.2), (0.4, 0.12), (0.4, -0.12), (0.31, -0.2), (0.0, -0.2)),
    ),
    ("stripe", DECK_M + 0.002, ((0.0, 0.035), (0.38, 0.035), (0.38, -0.035), (0.0, -0.035))),
    ("lamp", DECK_M + 0.002, ((0.34, 0.15), (0.37, 0.12), (0.35, 0.07), (0.32, 0.1))),
    ("lamp", DECK_M + 0.002, ((0.32, -0.1), (0.35, -0.07), (0.37, -0.12), (0.34, -0.15))),
)


class Decor(NamedTuple):
    """All textures of a hall."""

    atlas: Atlas
    floor: Texture
    floor_scale: float
    ceiling: Texture
    ceiling_scale: float
    walls: Texture
    """Column by column: texel (along, from the top)."""
    wall_scale: float
    skins: dict[str, Texture]
    """Like the walls; each array has one more dimension in front, the shade."""
    lids: dict[str, int]
    nose: dict[str, int]
    figure: dict[str, int]
    """First and darkest of the shades of what arm and blocks are made of."""


def decorate(things: tuple[Thing, ...]) -> Decor:
    """Paint the hall with ``things`` in it."""
    atlas = Atlas()
    floor = atlas.add(paint_floor(things))
    ceiling = atlas.add(paint_ceiling())
    walls = atlas.add(paint_walls().transpose(1, 0, 2))
    skins = {name: _add_shades(atlas, paint()) for name, paint in SKINS.items()}
    lids = {name: atlas.add_colour(*colour) for name, colour in LIDS.items()}
    colours = {
        "deck": (0.2, 0.22, 0.25),
        "stripe": ORANGE,
        "tyre": (0.07, 0.07, 0.08),
        "lamp": (1.0, 0.97, 0.85),
    }
    nose = {name: atlas.add_colour(*colour) for name, colour in colours.items()}
    figure = {name: _add_colours(atlas, colour) for name, colour in MATERIALS.items()}
    atlas.finish()
    return Decor(
        atlas,
        floor,
        FLOOR_SCALE,
        ceiling,
        CEILING_SCALE,
        walls,
        WALL_SCALE,
        skins,
        lids,
        nose,
        figure,
    )


def _add_colours(atlas: Atlas, colour: tuple[float, float, float]) -> int:
    shades = [
        atlas.add_colour(*(part * (0.25 + i / FIGURE_SHADES) for part in colour))
        for i in range(FIGURE_SHADES)
    ]
    return shades[0]


def _add_shades(atlas: Atlas, rgb: Floats) -> Texture:
    upright = rgb.transpose(1, 0, 2)
    lights = np.linspace(0.5, 1.05, SHADES, dtype=np.float32)
    shades = [atlas.add(upright * light) for light in lights]
    return Texture(*(np.stack(arrays) for arrays in zip(*shades, strict=True)))


# --- the floor -----------------------------------------------------------------------------------


def paint_floor(things: tuple[Thing, ...]) -> Floats:
    """Return the floor with markings, lamp light and shadows; row 0 is at y = 0."""
    dice = np.random.default_rng(7)
    floor = Canvas(SIZE_X, SIZE_Y, FLOOR_SCALE, CONCRETE)
    _tiles(floor, dice)
    _planks(floor, dice)
    floor.noise(dice, 0.6, 0.03)
    floor.noise(dice, 0.015, 0.035)
    _markings(floor)
    floor.shade(_floor_light())
    for thing in things:
        _shadow(floor, thing)
    return floor.rgb


def _tiles(floor: Canvas, dice: np.random.Generator) -> None:
    for x in range(math.ceil(SIZE_X)):
        for y in range(math.ceil(SIZE_Y)):
            tone = 0.55 + 0.08 * ((x + y) % 2) + dice.uniform(-0.012, 0.012)
            floor.rect(x, y, 1, 1, (tone, tone * 1.01, tone * 1.03))
    for x in range(1, math.ceil(SIZE_X)):
        floor.rect(x - 0.008, 0, 0.016, SIZE_Y, JOINT)
    for y in range(1, math.ceil(SIZE_Y)):
        floor.rect(0, y - 0.008, SIZE_X, 0.016, JOINT)


def _planks(floor: Canvas, dice: np.random.Generator) -> None:
    """Lay a wooden floor behind the partition."""
    start, width = 9.4, 0.18
    for i in range(math.ceil(SIZE_Y / width)):
        x, y = start - dice.uniform(0, 1.4), i * width
        while x < SIZE_X:
            length = dice.uniform(1.2, 2.0)
            left = max(x, start)
            tone = np.array(WOOD) * dice.uniform(0.75, 1.0)
            floor.rect(left, y, x + length - left, width, tuple(tone))
            floor.rect(x + length - 0.006, y, 0.006, width, DARK_WOOD)
            x += length
        floor.rect(start, y, SIZE_X - start, 0.006, DARK_WOOD)


def _markings(floor: Canvas) -> None:
    x, y, _ = START
    floor.rect(x - 0.7, y - 0.7, 1.4, 1.4, BLUE, 0.85)
    floor.frame(x - 0.7, y - 0.7, 1.4, 1.4, 0.07, WHITE)
    floor.text(x - 0.42, y - 0.6, 0.2, "HOME", WHITE, flip=True)
    # A lane round the first room, dashed in the middle.
    floor.frame(1.1, 2.9, 7.6, 3.2, 0.08, YELLOW)
    for i in range(9):
        floor.rect(3.3 + 0.7 * i, y - 0.04, 0.35, 0.08, WHITE)
    # The gateway, and a ribbed rubber mat in front of it.
    floor.rect(8.95, 3.1, 0.9, 2.8, INK)
    floor.hatch(8.95, 3.1, 0.9, 2.8, 0.4, YELLOW)
    floor.rect(6.2, 3.55, 1.5, 1.9, (0.16, 0.17, 0.19))
    for i in range(15):
        floor.rect(6.24 + i * 0.1, 3.6, 0.04, 1.8, (0.28, 0.29, 0.31))
    floor.frame(6.2, 3.55, 1.5, 1.9, 0.04, ORANGE)
    for name, mark_x, mark_y, colour in (
        ("A", 3.6, 0.8, TEAL),
        ("B", 7.8, 0.6, RED),
        ("C", 6.3, 7.7, GREEN),
        ("D", 2.0, 7.4, NAVY),
    ):
        floor.frame(mark_x - 0.65, mark_y - 0.1, 1.3, 1.1, 0.06, colour)
        floor.text(mark_x - 0.25, mark_y + 0.1, 0.6, name, colour, flip=True)
    floor.rect(10.6, 2.9, 2.0, 3.2, RED, 0.75)
    floor.frame(10.6, 2.9, 2.0, 3.2, 0.1, (0.85, 0.7, 0.5))


def _floor_light() -> Floats:
    x, y = np.meshgrid(np.linspace(0, SIZE_X, 141), np.linspace(0, SIZE_Y, 91))
    light = np.full(x.shape, 0.72)
    for lamp_x, lamp_y in LAMPS:
        light += 0.42 * np.exp(-((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / 2.4)
    edge = np.minimum(np.minimum(x, SIZE_X - x), np.minimum(y, SIZE_Y - y))
    light *= 1 - 0.45 * np.exp(-edge / 0.25)
    return light.astype(np.float32)


def _shadow(floor: Canvas, thing: Thing) -> None:
    """Darken the floor under and round ``thing``, more on the side away from the light."""
    reach = thing.reach + 0.7
    x0, y0 = max(0.0, thing.x - reach), max(0.0, thing.y - reach)
    x1, y1 = min(SIZE_X, thing.x + reach), min(SIZE_Y, thing.y + reach)
    x, y = np.meshgrid(
        np.linspace(x0, x1, math.ceil((x1 - x0) / 0.03) + 1),
        np.linspace(y0, y1, math.ceil((y1 - y0) / 0.03) + 1),
    )
    near = np.exp(-_gap(thing, x, y) / 0.09)
    fallen = np.exp(-_gap(thing, x - 0.1, y + 0.14) / 0.16)
    shade = ((1 - 0.5 * near) * (1 - 0.38 * fallen)).astype(np.float32)
    scale = floor.scale
    area = floor.rgb[round(y0 * scale) : round(y1 * scale), round(x0 * scale) : round(x1 * scale)]
    area *= stretch(shade, area.shape[0], area.shape[1])[..., None]


def _gap(thing: Thing, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances from many points to ``thing``, as its own method does for one."""
    x, y = x - thing.x, y - thing.y
    if isinstance(thing, Drum):
        return np.maximum(np.hypot(x, y) - thing.radius, 0.0)
    sin, cos = math.sin(thing.yaw), math.cos(thing.yaw)
    along = np.maximum(np.abs(x * cos + y * sin) - thing.half_x, 0.0)
    across = np.maximum(np.abs(y * cos - x * sin) - thing.half_y, 0.0)
    return np.hypot(along, across)


# --- walls and ceiling ---------------------------------------------------------------------------


def paint_walls() -> Floats:
    """Return the walls side by side: west, north, east, south; row 0 is the ceiling."""
    dice = np.random.default_rng(8)
    length = 2 * (SIZE_X + SIZE_Y)
    walls = Canvas(length, CEILING, WALL_SCALE, (0.8, 0.79, 0.76))
    bands = (
        (0.0, SIZE_Y, TEAL),
        (SIZE_Y, 9.4, TEAL),
        (SIZE_Y + 9.4, 4.6 + SIZE_Y + 4.6, NAVY),
        (2 * SIZE_Y + SIZE_X + 4.6, 9.4, TEAL),
    )
    for start, size, colour in bands:
        walls.rect(start, CEILING - 1.05, size, 1.05, colour)
        walls.rect(start, CEILING - 1.12, size, 0.07, ORANGE)
    for i in range(math.ceil(length / 1.4)):
        walls.rect(i * 1.4, 0, 0.012, CEILING - 1.12, (0.6, 0.59, 0.57))
        walls.rect(i * 1.4, CEILING - 1.05, 0.012, 1.05, INK, 0.4)
    walls.rect(0, CEILING - 0.12, length, 0.12, (0.17, 0.18, 0.2))
    walls.rect(0, 0.22, length, 0.1, (0.55, 0.56, 0.58))
    walls.rect(0, 0.3, length, 0.02, (0.3, 0.31, 0.33))
    walls.noise(dice, 0.5, 0.015)
    walls.noise(dice, 0.02, 0.012)
    _furnish_walls(walls)
    _wall_light(walls)
    return walls.rgb


def _furnish_walls(walls: Canvas) -> None:
    north, east, south = SIZE_Y, SIZE_Y + SIZE_X, 2 * SIZE_Y + SIZE_X
    _sign(walls, 3.3, "DOCK", BLUE)
    _window(walls, north + 1.0, 2.2)
    _door(walls, north + 4.3, ORANGE, "02")
    _window(walls, north + 6.6, 2.2)
    _window(walls, north + 10.5, 2.4)
    _sign(walls, east + 2.6, "FARHAND LAB", NAVY)
    _door(walls, east + 7.2, GREEN, "EXIT")
    _window(walls, south + 1.2, 2.2)
    _door(walls, south + 7.0, BLUE, "01")
    _sign(walls, south + 9.4, "SPEED 1.0", RED)
    _window(walls, south + 11.6, 1.8)


def _door(walls: Canvas, x: float, colour: tuple[float, float, float], name: str) -> None:
    top, width, height = CEILING - 2.15, 1.05, 2.15
    walls.rect(x - 0.08, top - 0.08, width + 0.16, height + 0.08, (0.3, 0.31, 0.33))
    walls.rect(x, top, width, height, colour)
    walls.frame(x + 0.1, top + 1.2, width - 0.2, 0.75, 0.02, INK)
    walls.rect(x + 0.3, top + 0.25, 0.45, 0.7, (0.62, 0.76, 0.82))
    walls.frame(x + 0.3, top + 0.25, 0.45, 0.7, 0.03, INK)
    walls.rect(x + width - 0.16, top + 1.05, 0.1, 0.05, (0.8, 0.8, 0.8))
    walls.rect(x + 0.2, top - 0.42, 0.65, 0.26, INK)
    walls.text(x + 0.27, top - 0.37, 0.16, name, WHITE)


def _window(walls: Canvas, x: float, width: float) -> None:
    top, height = 0.55, 1.25
    walls.rect(x, top, width, height, (0.35, 0.36, 0.38))
    for i in range(20):
        sky = i / 19
        pane = (0.5 + 0.35 * sky, 0.7 + 0.22 * sky, 0.92 + 0.05 * sky)
        walls.rect(x + 0.06, top + 0.06 + i * 0.0565, width - 0.12, 0.0575, pane)
    walls.rect(x + 0.06, top + 0.98, width - 0.12, 0.21, (0.35, 0.5, 0.36))
    walls.rect(x + width / 2 - 0.03, top, 0.06, height, (0.35, 0.36, 0.38))
    walls.rect(x - 0.05, top + height, width + 0.1, 0.06, WHITE)


def _sign(walls: Canvas, x: float, text: str, colour: tuple[float, float, float]) -> None:
    width = len(text) * 0.27 + 0.2
    walls.rect(x, 0.75, width, 0.62, colour)
    walls.frame(x, 0.75, width, 0.62, 0.03, WHITE)
    walls.text(x + 0.12, 0.9, 0.3, text, WHITE)


def _wall_light(walls: Canvas) -> None:
    length = 2 * (SIZE_X + SIZE_Y)
    along, down = np.meshgrid(np.linspace(0, length, 461), np.linspace(0, CEILING, 33))
    light = 1.0 - 0.16 * down / CEILING - 0.3 * np.exp(-(CEILING - down) / 0.12)
    for corner in (0.0, SIZE_Y, SIZE_Y + SIZE_X, 2 * SIZE_Y + SIZE_X, length):
        light *= 1 - 0.3 * np.exp(-np.abs(along - corner) / 0.3)
    # Each wall catches the light in its own way, which tells directions apart.
    tone = np.select(
        [along < SIZE_Y, along < SIZE_Y + SIZE_X, along < 2 * SIZE_Y + SIZE_X],
        [0.9, 0.8, 0.94],
        1.02,
    )
    walls.shade((light * tone).astype(np.float32))


def paint_ceiling() -> Floats:
    """Return the ceiling: panels and lamps; row 0 is at y = 0."""
    ceiling = Canvas(SIZE_X, SIZE_Y, CEILING_SCALE, (0.6, 0.61, 0.62))
    for i in range(math.ceil(SIZE_X / 0.6)):
        ceiling.rect(i * 0.6, 0, 0.03, SIZE_Y, (0.48, 0.49, 0.5))
    for i in range(math.ceil(SIZE_Y / 0.6)):
        ceiling.rect(0, i * 0.6, SIZE_X, 0.03, (0.48, 0.49, 0.5))
    for x, y in LAMPS:
        for halo in range(6):
            grow = 0.3 - halo * 0.05
            ceiling.rect(
                x - 0.6 - grow, y - 0.15 - grow, 1.2 + 2 * grow, 0.3 + 2 * grow, (1, 1, 0.96), 0.12
            )
        ceiling.rect(x - 0.6, y - 0.15, 1.2, 0.3, (1.0, 1.0, 0.97))
    return ceiling.rgb
