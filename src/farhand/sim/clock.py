"""The clock burnt into the pictures: text for people, a strip for programs.

A program reads a picture's age from its pixels.

The strip, in luma, measured in pixels of the original picture (640 x 480 or 320 x 240), top left
corner at (0, 0):

- 2 rows of 40 cells, each cell 8 x 8: 320 x 16 pixels. White (235) = 1, black (16) = 0. Read a cell
  as the mean of its inner 4 x 4 pixels; at least 126 is a 1. This survives H.264 at any rate we
  use.
- Row 0: the bits 1 0 1 0, then 36 bits: the capture stamp in milliseconds (``stamp_us // 1000``
  modulo 2**36).
- Row 1: the bits 0 1 0 1, then 24 bits: the number of the newest setpoint applied (modulo 2**24),
  then 12 bits: a check.
- All numbers are most significant bit first. The check is ``(0x5A5 + 1*a + 3*b + 5*c + 7*d + 11*e)
  mod 4096``, where a b c are the stamp's three groups of 12 bits and d e the setpoint number's two,
  highest first.

Below the strip stands ``camera name, robot's local time with milliseconds``. Nothing here needs
more than 53-bit numbers.
"""

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farhand.sim.font import draw, draw_width

CELL = 8
COLUMNS = 40
ROWS = 2
WIDTH = CELL * COLUMNS
HEIGHT = CELL * ROWS
BLACK, WHITE = 16, 235
THRESHOLD = 126
STAMP_BITS = 36
APPLIED_BITS = 24
_CHECK_BITS = 12
_SYNC = ((1, 0, 1, 0), (0, 1, 0, 1))
_TEXT_HEIGHT = 18

Pixels = NDArray[np.uint8]


class Strip(NamedTuple):
    """What a strip says."""

    stamp_ms: int
    """Capture stamp in milliseconds, modulo 2**36."""
    applied: int
    """Number of the newest setpoint applied, modulo 2**24."""


def check(strip: Strip) -> int:
    """Return the strip's check."""
    mask = 0xFFF
    stamp, applied = strip
    groups = (
        stamp >> 24 & mask,
        stamp >> 12 & mask,
        stamp & mask,
        applied >> 12 & mask,
        applied & mask,
    )
    weighted = sum(w * g for w, g in zip((1, 3, 5, 7, 11), groups, strict=True))
    return (0x5A5 + weighted) % 4096


def encode(strip: Strip) -> NDArray[np.bool_]:
    """Return the strip's cells, (2, 40)."""
    first = [*_SYNC[0], *_bits(strip.stamp_ms, STAMP_BITS)]
    second = [*_SYNC[1], *_bits(strip.applied, APPLIED_BITS), *_bits(check(strip), _CHECK_BITS)]
    return np.array([first, second], dtype=bool)


def decode(luma: Pixels) -> Strip | None:
    """Return what the strip in ``luma`` (height, width) says; ``None``: none, or damaged."""
    if luma.shape[0] < HEIGHT or luma.shape[1] < WIDTH:
        return None
    cells = luma[:HEIGHT, :WIDTH].reshape(ROWS, CELL, COLUMNS, CELL)[:, 2:6, :, 2:6]
    bits = (cells.mean(axis=(1, 3)) >= THRESHOLD).astype(int).tolist()
    if tuple(bits[0][:4]) != _SYNC[0] or tuple(bits[1][:4]) != _SYNC[1]:
        return None
    strip = Strip(_number(bits[0][4:]), _number(bits[1][4 : 4 + APPLIED_BITS]))
    return strip if _number(bits[1][4 + APPLIED_BITS :]) == check(strip) else None


class Stamper:
    """Burns the clock into yuv420p pictures.

    Args:
        robot_id: Shown in the text.

    """

    def __init__(self, robot_id: str) -> None:
        self._robot_id = robot_id[:12]

    def burn(self, picture: Pixels, label: str, stamp_us: int, applied: int) -> None:
        """Write strip and text over the top left corner of ``picture`` (height * 3 // 2, width)."""
        height = picture.shape[0] * 2 // 3
        strip = Strip(stamp_us // 1000 % 2**STAMP_BITS, applied % 2**APPLIED_BITS)
        cells = np.where(encode(strip), np.uint8(WHITE), np.uint8(BLACK))
        corner = picture[:HEIGHT, :WIDTH].reshape(ROWS, CELL, COLUMNS, CELL)
        corner[...] = cells[:, None, :, None]
        text = f"{label} {_local_time(stamp_us)}"
        if picture.shape[1] > WIDTH:
            text = f"{self._robot_id} {text}"
        width = max(WIDTH, draw_width(text, scale=2) + 8)
        band = picture[HEIGHT : HEIGHT + _TEXT_HEIGHT, :width]
        band[...] = BLACK
        draw(band, text, x=4, y=2, value=WHITE, scale=2)
        bottom = (HEIGHT + _TEXT_HEIGHT) // 2
        chroma = picture[height:].reshape(2, height // 2, picture.shape[1] // 2)
        chroma[:, :bottom, : width // 2] = 128


def _local_time(stamp_us: int) -> str:
    # The stamp is monotonic: wall clock now, less its age.
    wall_ms = (time.time_ns() // 1000 - (time.monotonic_ns() // 1000 - stamp_us)) // 1000
    moment = time.localtime(wall_ms // 1000)
    return time.strftime("%H:%M:%S", moment) + f".{wall_ms % 1000:03d}"


def _bits(number: int, count: int) -> list[int]:
    return [number >> i & 1 for i in reversed(range(count))]


def _number(bits: list[int]) -> int:
    return int("".join(map(str, bits)), 2)
