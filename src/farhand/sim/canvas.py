"""Painting textures: rectangles, text, noise and soft shades on a canvas measured in metres."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from farhand.sim.atlas import Floats
from farhand.sim.font import ROWS, bitmap

Colour = Sequence[float]


class Canvas:
    """An RGB picture, x to the right and y along the rows, both in metres.

    Args:
        width_m: Size in x.
        height_m: Size in y.
        scale: Texels for each metre.
        colour: What it is filled with.

    """

    def __init__(self, width_m: float, height_m: float, scale: float, colour: Colour) -> None:
        self.scale = scale
        shape = (round(height_m * scale), round(width_m * scale), 3)
        self.rgb: Floats = np.empty(shape, np.float32)
        self.rgb[...] = colour

    def rect(  # noqa: PLR0917 - place, size, how: as in any drawing library
        self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float = 1.0
    ) -> None:
        """Fill a rectangle."""
        area = self._area(x, y, width, height)
        area += (np.array(colour, np.float32) - area) * np.float32(alpha)

    def frame(  # noqa: PLR0917 - place, size, how: as in any drawing library
        self, x: float, y: float, width: float, height: float, line: float, colour: Colour
    ) -> None:
        """Draw a rectangle's outline of width ``line``, inside it."""
        self.rect(x, y, width, line, colour)
        self.rect(x, y + height - line, width, line, colour)
        self.rect(x, y, line, height, colour)
        self.rect(x + width - line, y, line, height, colour)

    def text(
        self, x: float, y: float, height: float, text: str, colour: Colour, *, flip: bool = False
    ) -> None:
        """Write ``text`` of ``height`` with its first row at ``y``; ``flip``: rows run upwards."""
        zoom = max(1, round(height * self.scale / ROWS))
        pixels = bitmap(text).repeat(zoom, axis=0).repeat(zoom, axis=1)
        pixels = pixels[::-1] if flip else pixels
        area = self._area(x, y, pixels.shape[1] / self.scale, pixels.shape[0] / self.scale)
        area[pixels[: area.shape[0], : area.shape[1]]] = colour

    def hatch(  # noqa: PLR0917 - place, size, how: as in any drawing library
        self, x: float, y: float, width: float, height: float, pitch: float, colour: Colour
    ) -> None:
        """Fill a rectangle with diagonal stripes."""
        area = self._area(x, y, width, height)
        rows, columns = np.ogrid[: area.shape[0], : area.shape[1]]
        area[(rows + columns) / self.scale % pitch < pitch / 2] = colour

    def noise(self, dice: np.random.Generator, grain_m: float, strength: float) -> None:
        """Make the surface uneven, in patches of ``grain_m``."""
        grain = max(1, round(grain_m * self.scale))
        rows, columns = self.rgb.shape[0] // grain + 2, self.rgb.shape[1] // grain + 2
        coarse = dice.normal(0.0, strength, (rows, columns)).astype(np.float32)
        self.rgb *= 1.0 + stretch(coarse, self.rgb.shape[0], self.rgb.shape[1])[..., None]

    def shade(self, factor: NDArray[np.float32]) -> None:
        """Multiply with ``factor``, stretched over the whole."""
        self.rgb *= stretch(factor, self.rgb.shape[0], self.rgb.shape[1])[..., None]

    def _area(self, x: float, y: float, width: float, height: float) -> Floats:
        x0, x1 = round(x * self.scale), round((x + width) * self.scale)
        y0, y1 = round(y * self.scale), round((y + height) * self.scale)
        return self.rgb[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)]


def stretch(coarse: Floats, rows: int, columns: int) -> Floats:
    """Return ``coarse`` stretched smoothly to (rows, columns)."""
    return _stretch(_stretch(coarse, rows, 0), columns, 1)


def _stretch(values: Floats, size: int, axis: int) -> Floats:
    position = np.linspace(0.0, values.shape[axis] - 1.0, size, dtype=np.float32)
    low = np.minimum(position.astype(np.intp), max(0, values.shape[axis] - 2))
    high = np.minimum(low + 1, values.shape[axis] - 1)
    part = position - low
    part = part[:, None] if axis == 0 else part[None, :]
    stretched: Floats = values.take(low, axis) * (1 - part) + values.take(high, axis) * part
    return stretched
