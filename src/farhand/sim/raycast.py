"""One camera's view: for each pixel the index of its texel, then one look-up into yuv420p.

Walls, boxes and drums are upright, so each column needs one ray.  The head's tilt shifts the
picture (as a shift lens does) instead of turning it: uprights stay upright, and the cost stays a
few array operations a picture.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farhand.sim.atlas import LEVELS, Floats, Ints, Texture
from farhand.sim.blocks import Block
from farhand.sim.cast import NEAR_M, cast, cast_room
from farhand.sim.decor import DECK_M, NOSE, Decor
from farhand.sim.figure import ARM, FIRST_BLOCK, Figure, Lens, near_blocks, seen_from, shadows
from farhand.sim.fill import (
    Array,
    Frame,
    Spans,
    clip_near,
    cover,
    is_inside,
    pixels,
    project,
    quads_of,
)
from farhand.sim.hall import CEILING, Thing
from farhand.sim.shared import Pose
from farhand.sim.spec import CameraSpec

FAR_M = 40.0
_SHADOW = (16 + (np.arange(256) - 16).clip(0) * 0.62).astype(np.uint8)
"""Luma in the shade, by luma in the light."""


class Surface(NamedTuple):
    """What some columns see of something upright."""

    depth: Floats
    """Infinite = nothing."""
    start: Ints
    """Index of the texel at its top."""
    texels: Floats
    """How many texels it is high."""


class View:
    """Renders what one camera sees.

    Args:
        spec: The camera.
        things: What stands in the hall.
        decor: Its textures.

    """

    def __init__(self, spec: CameraSpec, things: tuple[Thing, ...], decor: Decor) -> None:
        self._spec = spec
        self._decor = decor
        self._tall = [thing for thing in things if thing.height >= CEILING]
        self._low = [thing for thing in things if thing.height < CEILING]
        self._focal = spec.width / 2 / math.tan(spec.fov_rad / 2)
        self._index = np.zeros((spec.height, spec.width), np.int32)
        self._figure = Figure(decor.figure)
        nose = [
            (texel, [(x, y, level) for x, y in four])
            for name, level, outline in NOSE
            for texel, four in ((decor.nose[name], quad) for quad in quads_of(list(outline)))
        ]
        self._nose = np.array([quad for _, quad in nose])
        self._nose_texels = np.array([texel for texel, _ in nose])
        self._deck = (int(self._nose_texels.min()), int(self._nose_texels.max()))
        floor = decor.floor
        self._floor_end = int(floor.offsets[-1] + floor.rows[-1] * floor.strides[-1])
        slope = ((spec.width - 1) / 2 - np.arange(spec.width)) / self._focal
        self._slope: Floats = slope.astype(np.float32)
        """Of each column's ray, to the left."""
        self._rows: Floats = (np.arange(spec.height) + 0.5).astype(np.float32)
        # Of the picture being rendered:
        self._x = self._y = self._cos = self._sin = self._horizon = 0.0
        self._dx = self._dy = self._slope

    def render(self, pose: Pose, out: NDArray[np.uint8]) -> None:
        """Paint the view at ``pose`` into ``out``, yuv420p (height * 3 // 2, width)."""
        self._look(pose)
        walls = self._walls()
        self._paint_room(walls)
        near = near_blocks(pose)
        far = [i for i in range(len(pose.blocks)) if i not in near]
        standing = [(self._distance(thing), thing) for thing in self._low]
        lying = [(self._distance(pose.blocks[i]), i) for i in far]
        for _, thing in sorted([*standing, *lying], key=lambda one: one[0], reverse=True):
            if isinstance(thing, int):
                self._paint_figure(pose, [FIRST_BLOCK + thing], walls)
            else:
                self._paint_thing(thing, walls)
        if self._spec.on_head:
            self._paint_nose(self._lens(pose))
        self._paint_figure(pose, [*ARM, *(FIRST_BLOCK + i for i in near)])
        self._develop(out)
        self._shade_floor(pose, out)

    def _look(self, pose: Pose) -> None:
        spec = self._spec
        yaw = pose.yaw + spec.yaw_rad + (pose.pan if spec.on_head else 0.0)
        self._x = pose.x + spec.x_m * math.cos(pose.yaw)
        self._y = pose.y + spec.x_m * math.sin(pose.yaw)
        self._cos, self._sin = math.cos(yaw), math.sin(yaw)
        tilt = pose.tilt if spec.on_head else 0.0
        self._horizon = spec.height / 2 + self._focal * math.tan(tilt)
        self._dx = (self._cos - self._sin * self._slope).astype(np.float32)
        self._dy = (self._sin + self._cos * self._slope).astype(np.float32)

    def _develop(self, out: NDArray[np.uint8]) -> None:
        height, width = self._index.shape
        atlas = self._decor.atlas
        np.take(atlas.luma, self._index, out=out[:height], mode="clip")
        small = np.ascontiguousarray(self._index[::2, ::2])
        chroma = np.take(atlas.chroma, small, mode="clip").view(np.uint8)
        planes = out[height:].reshape(2, height // 2, width // 2)
        planes[0], planes[1] = chroma[:, 0::2], chroma[:, 1::2]

    # --- the room ---

    def _walls(self) -> Surface:
        """Return what stands from the floor to the ceiling, the nearest for each column."""
        depth, along = cast_room(self._x, self._y, self._dx, self._dy)
        wall, scale = self._decor.walls, self._decor.wall_scale
        # The mean of how many texels a pixel covers upwards and sideways, which at a grazing angle
        # is more.
        upwards = depth * (scale / self._focal)
        sideways = np.abs(np.diff(along, append=along[-1:])) * scale
        level = _level(np.sqrt(upwards * np.clip(sideways, upwards, 8 * upwards)))
        column = np.minimum((along * scale).astype(np.int32) >> level, wall.rows[level] - 1)
        start = wall.offsets[level] + column * wall.strides[level]
        texels = wall.strides[level].astype(np.float32)
        for thing in self._tall:
            columns = self._columns(thing)
            if columns.start >= columns.stop:
                continue
            surface, _ = self._see(thing, columns)
            nearer = surface.depth < depth[columns]
            for mine, theirs in zip((depth, start, texels), surface, strict=True):
                mine[columns][nearer] = theirs[nearer]
        return Surface(depth, start, texels)

    def _paint_room(self, walls: Surface) -> None:
        decor, height, below = self._decor, self._spec.height, self._spec.height_m
        top, bottom = self._edge(walls.depth, CEILING), self._edge(walls.depth, 0.0)
        ceiling = slice(0, _row(float(top.max()) + 1, height))
        floor = slice(_row(float(bottom.min()), height), height)
        self._paint_plane(ceiling, decor.ceiling, decor.ceiling_scale, below - CEILING)
        self._paint_plane(floor, decor.floor, decor.floor_scale, below)
        rows = slice(_row(float(top.min()), height), _row(float(bottom.max()) + 1, height))
        self._paint_upright(rows, slice(None), walls, CEILING)

    def _paint_plane(self, rows: slice, texture: Texture, scale: float, below: float) -> None:
        """Paint rows that see a level plane ``below`` the camera (negative: above it)."""
        side = math.copysign(1.0, below)
        drop = np.maximum((self._rows[rows] - self._horizon) * side, 0.25)
        depth = np.minimum(self._focal * abs(below) / drop, FAR_M)
        # The mean of how many texels a pixel covers sideways and, foreshortened, ahead.
        level = _level(depth * (scale / self._focal) * np.sqrt(depth / abs(below)))
        size = (scale / (1 << level)).astype(np.float32)[:, None]
        reach = depth[:, None] * size
        x = (reach * self._dx + self._x * size).astype(np.int32)
        y = (reach * self._dy + self._y * size).astype(np.int32)
        y *= texture.strides[level][:, None]
        y += texture.offsets[level][:, None]
        np.add(x, y, out=self._index[rows])

    def _paint_upright(self, rows: slice, columns: slice, surface: Surface, height: float) -> None:
        density = surface.texels * (surface.depth / np.float32(self._focal * height))
        texel = self._rows[rows, None] * density - self._edge(surface.depth, height) * density
        is_on = (texel >= 0) & (texel < surface.texels)
        index = texel.astype(np.int32)
        index += surface.start
        np.copyto(self._index[rows, columns], index, where=is_on)

    # --- things ---

    def _distance(self, thing: Thing | Block) -> float:
        return math.hypot(thing.x - self._x, thing.y - self._y)

    def _paint_thing(self, thing: Thing, walls: Surface) -> None:
        columns = self._columns(thing)
        if columns.start >= columns.stop:
            return
        surface, back = self._see(thing, columns)
        is_seen = surface.depth < walls.depth[columns]
        if not is_seen.any():
            return
        surface = surface._replace(texels=surface.texels * is_seen)
        height = self._spec.height
        top, bottom = self._edge(surface.depth, thing.height), self._edge(surface.depth, 0.0)
        rows = slice(_row(float(top.min()), height), _row(float(bottom.max()) + 1, height))
        self._paint_upright(rows, columns, surface, thing.height)
        if thing.height < self._spec.height_m:
            far = np.where(is_seen, self._edge(back, thing.height), top)
            self._paint_lid(columns, far, top, self._decor.lids[thing.skin])

    def _paint_lid(self, columns: slice, far: Floats, near: Floats, texel: int) -> None:
        height = self._spec.height
        rows = slice(_row(float(far.min()), height), _row(float(near.max()) + 1, height))
        lines = self._rows[rows, None]
        np.copyto(self._index[rows, columns], texel, where=(lines >= far) & (lines < near))

    def _edge(self, depth: Floats, level: float) -> Floats:
        """Return the rows where something at ``depth`` is ``level`` metres above the floor."""
        edge: Floats = self._horizon + (self._focal * (self._spec.height_m - level)) / depth
        return edge.astype(np.float32)

    def _see(self, thing: Thing, columns: slice) -> tuple[Surface, Floats]:
        """Return what ``columns`` see of ``thing``, and the depth of its far side."""
        hit = cast(thing, self._x, self._y, self._dx[columns], self._dy[columns])
        skin = self._decor.skins[thing.skin]
        depth = np.where(np.isfinite(hit.depth), hit.depth, np.float32(FAR_M))
        level = _level(depth * (skin.strides[0, 0] / (self._focal * thing.height)))
        rows, strides = skin.rows[hit.shade, level], skin.strides[hit.shade, level]
        column = np.clip((hit.u * rows).astype(np.int32), 0, rows - 1)
        start = skin.offsets[hit.shade, level] + column * strides
        # A ray that misses sees no texel at all.
        texels = np.where(np.isfinite(hit.depth), strides, 0).astype(np.float32)
        return Surface(np.where(texels > 0, hit.depth, np.float32(1e9)), start, texels), hit.back

    def _columns(self, thing: Thing) -> slice:
        """Return the columns that may see ``thing``; empty: it is out of sight."""
        x, y, reach = thing.x - self._x, thing.y - self._y, thing.reach
        ahead, left = x * self._cos + y * self._sin, y * self._cos - x * self._sin
        if ahead + reach < NEAR_M:
            return slice(0, 0)
        if ahead - reach < NEAR_M:
            return slice(0, self._spec.width)
        high = (left + reach) / (ahead - reach if left + reach > 0 else ahead + reach)
        low = (left - reach) / (ahead - reach if left - reach < 0 else ahead + reach)
        middle, width = self._spec.width / 2, self._spec.width
        first = _row(middle - high * self._focal - 1, width)
        return slice(first, max(first, _row(middle - low * self._focal + 2, width)))

    # --- the rover, its arm, and the blocks ---

    def _paint_nose(self, lens: Lens) -> None:
        """Paint the deck, as the driver sees it when looking down."""
        quads = seen_from(lens, self._nose)
        is_seen = is_inside(quads, self._frame)
        if is_seen.any():
            spans = self._cover(quads[is_seen])
            texels = self._nose_texels[is_seen][spans.owner]
            self._index.reshape(-1)[pixels(spans)] = np.repeat(texels, spans.length)

    def _lens(self, pose: Pose) -> Lens:
        spec = self._spec
        return Lens(spec.x_m, 0.0, spec.height_m, spec.yaw_rad + (pose.pan if spec.on_head else 0))

    def _paint_figure(self, pose: Pose, parts: list[int], walls: Surface | None = None) -> None:
        """Paint parts of arm and blocks over everything, or before the ``walls`` only."""
        faces = self._figure.faces(pose, self._lens(pose), self._frame, parts)
        if not len(faces.quads):
            return
        spans = self._cover(faces.quads)
        index, texels = pixels(spans), np.repeat(faces.texels[spans.owner], spans.length)
        flat = self._index.reshape(-1)
        if walls is None:
            # What is all below the deck is also all before it: the deck's edge hides it.
            is_low = faces.quads[..., 2].max(axis=1) < DECK_M - self._spec.height_m
            low = np.flatnonzero(np.repeat(is_low[spans.owner], spans.length))
            is_deck = (flat[index[low]] >= self._deck[0]) & (flat[index[low]] <= self._deck[1])
            texels[low[is_deck]] = flat[index[low[is_deck]]]
        else:
            is_seen = walls.depth[index % self._spec.width] > float(faces.quads[..., 0].mean())
            index, texels = index[is_seen], texels[is_seen]
        flat[index] = texels

    def _shade_floor(self, pose: Pose, out: NDArray[np.uint8]) -> None:
        """Darken the floor below arm and blocks where it is seen: how high the hand is."""
        shade = shadows(pose, self._lens(pose))
        shade = shade[is_inside(shade, self._frame)]
        if not len(shade):
            return
        index = pixels(self._cover(shade))
        index = index[self._index.reshape(-1)[index] < self._floor_end]
        luma = out[: self._spec.height].reshape(-1)
        luma[index] = _SHADOW[luma[index]]

    @property
    def _frame(self) -> Frame:
        return Frame(self._focal, self._horizon, self._spec.width, self._spec.height)

    def _cover(self, quads: Array) -> Spans:
        """Return the pixels of quadrilaterals that are given from the lens."""
        kept, owner = clip_near(quads)
        spans = cover(project(kept, self._frame), self._spec.width, self._spec.height)
        return spans._replace(owner=owner[spans.owner])


def _row(position: float, size: int) -> int:
    return min(max(math.floor(position), 0), size)


def _level(texels_per_pixel: Floats) -> Ints:
    level = np.rint(np.log2(np.maximum(texels_per_pixel, 1e-3)))
    return np.clip(level, 0, LEVELS - 1).astype(np.int32)
