"""All textures in one flat array, so that a whole picture is one look-up by index."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVELS = 6
"""Full size and five times halved: what is far away neither flickers nor costs bit rate."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


_BT601 = (
    (65.481, 128.553, 24.966, 16.5),
    (-37.797, -74.203, 112.0, 128.5),
    (112.0, -93.786, -18.214, 128.5),
)
"""From red, green and blue between 0 and 1 to video-range luma, Cb and Cr (ITU-R BT.601).

Last in each row: its zero and half a step, since the conversion to integers cuts off.
"""


_PIECE = 16_384


class Texture(NamedTuple):
    """Where a texture stands in the atlas, by level.

    Texel (a, b) of level l is at ``offsets[l] + a * strides[l] + b``.
    """

    offsets: Ints
    rows: Ints
    strides: Ints


class Atlas:
    """Textures, painted as RGB between 0 and 1, kept as BT.601 video-range luma and chroma."""

    def __init__(self) -> None:
        self._luma: list[NDArray[np.uint8]] = []
        self._chroma: list[NDArray[np.uint16]] = []
        self._size = 0
        self.luma = np.zeros(0, np.uint8)
        self.chroma = np.zeros(0, np.uint16)
        """Cb in the low byte, Cr in the high byte."""

    def add(self, rgb: Floats) -> Texture:
        """Add a texture (rows, columns, 3)."""
        offsets, rows, strides = [], [], []
        for _ in range(LEVELS):
            offsets.append(self._size)
            rows.append(rgb.shape[0])
            strides.append(rgb.shape[1])
            self._append(rgb.reshape(-1, 3))
            rgb = _halve(rgb)
        as_ints = (np.array(values, np.int32) for values in (offsets, rows, strides))
        return Texture(*as_ints)

    def add_colour(self, red: float, green: float, blue: float) -> int:
        """Add a single colour and return its index."""
        self._append(np.array([[red, green, blue]], np.float32))
        return self._size - 1

    def finish(self) -> None:
        """Put together what was added; nothing can be added afterwards."""
        self.luma, self.chroma = np.concatenate(self._luma), np.concatenate(self._chroma)
        self._luma.clear()
        self._chroma.clear()

    def _append(self, rgb: Floats) -> None:
        # At once, since the painted floats are four times as large; in pieces that fit a cache.
        for start in range(0, len(rgb), _PIECE):
            red, green, blue = np.clip(rgb[start : start + _PIECE], 0.0, 1.0).T
            luma, cb, cr = (r * red + g * green + b * blue + zero for r, g, b, zero in _BT601)
            self._luma.append(luma.astype(np.uint8))
            self._chroma.append(cb.astype(np.uint16) | cr.astype(np.uint16) << np.uint16(8))
        self._size += len(rgb)


def _halve(rgb: Floats) -> Floats:
    if rgb.shape[0] < 2 or rgb.shape[1] < 2:
        return rgb
    even = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
    half: Floats = (
        even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    ) * np.float32(0.25)
    return half
