"""A time stamp painted into the picture, so that whoever sees the picture knows when it was made.

Two rows of 32 squares in the top left corner, row by row, most significant bit first, white = 1: 48
bits of ``stamp_us``, 16 bits of checksum. It survives lossy encoding because a square is 16 pixels
wide; scale the picture and it is gone.
"""

import numpy as np
from numpy.typing import NDArray

SQUARE = 16
COLUMNS = 32
ROWS = 2
WIDTH = SQUARE * COLUMNS
HEIGHT = SQUARE * ROWS

_BITS = 64
_WHITE = 235
_BLACK = 16
_MIDDLE = 128
_MASK_48 = (1 << 48) - 1


def checksum(stamp: int) -> int:
    """Return the 16 bits that go with ``stamp``, mixed so that no even picture passes."""
    return ((stamp >> 32) * 3 + (stamp >> 16 & 0xFFFF) * 5 + (stamp & 0xFFFF) * 7 + 0x5A5A) & 0xFFFF


def draw(luma: NDArray[np.uint8], stamp_us: int) -> None:
    """Paint ``stamp_us`` (its low 48 bits) into ``luma``, which is at least 512 x 32."""
    stamp = stamp_us & _MASK_48
    word = stamp << 16 | checksum(stamp)
    bits = np.unpackbits(np.frombuffer(word.to_bytes(8, "big"), np.uint8)).reshape(ROWS, COLUMNS)
    squares = np.where(bits, _WHITE, _BLACK).astype(np.uint8)
    luma[:HEIGHT, :WIDTH] = squares.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)


def read(luma: NDArray[np.uint8]) -> int | None:
    """Return the stamp in ``luma``; ``None``: there is none, or it is damaged."""
    if luma.shape[0] < HEIGHT or luma.shape[1] < WIDTH:
        return None
    half = SQUARE // 2
    centres = luma[half:HEIGHT:SQUARE, half:WIDTH:SQUARE]
    word = int.from_bytes(np.packbits(centres.reshape(_BITS) > _MIDDLE).tobytes(), "big")
    stamp = word >> 16
    return stamp if word & 0xFFFF == checksum(stamp) else None
