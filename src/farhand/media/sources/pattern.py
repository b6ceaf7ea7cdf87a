"""A camera that needs no camera: a moving pattern with a time stamp, for tests and benches."""

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from farhand.media import strip
from farhand.media.base import RawFrame
from farhand.media.sources.threaded import ThreadedSource

_STEP = 4
_SPAN = 600
"""Pixels that the pattern moves before it begins anew."""
_SEED = 1


class PatternSource(ThreadedSource):
    """Noise that drifts to the left: as hard to encode as a driving camera's, the same each time.

    Args:
        width: Even; at least 512 for the stamp to be drawn.
        height: Even.
        fps: Frames per second.

    """

    def __init__(self, width: int = 640, height: int = 480, fps: float = 30) -> None:
        super().__init__()
        self._width, self._height, self._fps = width, height, fps

    def read(self, emit: Callable[[RawFrame], None], stopped: threading.Event) -> None:
        """Draw frame after frame at the wanted rate."""
        canvas = _canvas(self._width, self._height)
        began = time.monotonic()
        index = 0
        while not stopped.wait(max(0.0, began + index / self._fps - time.monotonic())):
            emit(self._draw(canvas, index))
            index += 1

    def _draw(self, canvas: NDArray[np.uint8], index: int) -> RawFrame:
        stamp_us = time.monotonic_ns() // 1000
        shift = index * _STEP % _SPAN
        picture = np.ascontiguousarray(canvas[:, shift : shift + self._width])
        if self._width >= strip.WIDTH and self._height >= strip.HEIGHT:
            strip.draw(picture[: self._height], stamp_us)
        return RawFrame(picture, "yuv420p", stamp_us)


def _canvas(width: int, height: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(_SEED)
    return rng.integers(96, 160, (height * 3 // 2, width + _SPAN), np.uint8)
