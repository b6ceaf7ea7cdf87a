"""A small bitmap font, five by seven, for the clock and for what is painted on the walls."""

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 5, 7

# Seven rows of five bits for each glyph, leftmost pixel highest.
_GLYPHS = {
    "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F", "3": "1F02040201110E",
    "4": "02060A121F0202", "5": "1F101E0101110E", "6": "0608101E11110E", "7": "1F010204080808",
    "8": "0E11110E11110E", "9": "0E11110F01020C", "A": "0E1111111F1111", "B": "1E11111E11111E",
    "C": "0E11101010110E", "D": "1C12111111121C", "E": "1F10101E10101F", "F": "1F10101E101010",
    "G": "0E11101711110F", "H": "1111111F111111", "I": "0E04040404040E", "J": "0702020202120C",
    "K": "11121418141211", "L": "1010101010101F", "M": "111B1515111111", "N": "11111915131111",
    "O": "0E11111111110E", "P": "1E11111E101010", "Q": "0E11111115120D", "R": "1E11111E141211",
    "S": "0F10100E01011E", "T": "1F040404040404", "U": "1111111111110E", "V": "11111111110A04",
    "W": "1111111515150A", "X": "11110A040A1111", "Y": "1111110A040404", "Z": "1F01020408101F",
    "-": "0000001F000000", ":": "000C0C000C0C00", ".": "00000000000C0C", "_": "0000000000001F",
    ">": "08040201020408", " ": "00000000000000",
}  # fmt: skip


def bitmap(text: str) -> NDArray[np.bool_]:
    """Return ``text`` in capitals as pixels; glyphs that we lack are blank."""
    rows = np.zeros((ROWS, max(1, len(text)) * (COLUMNS + 1) - 1), dtype=bool)
    for i, letter in enumerate(text.upper()):
        rows[:, i * (COLUMNS + 1) :][:, :COLUMNS] = _CACHE.get(letter, _CACHE[" "])
    return rows


def draw_width(text: str, *, scale: int) -> int:
    """Return how wide ``text`` is, in pixels."""
    return int(bitmap(text).shape[1]) * scale


def draw(band: NDArray[np.uint8], text: str, *, x: int, y: int, value: int, scale: int) -> None:
    """Write ``text`` into ``band``, cut off at its edges."""
    pixels = bitmap(text).repeat(scale, axis=0).repeat(scale, axis=1)
    area = band[y : y + pixels.shape[0], x : x + pixels.shape[1]]
    area[pixels[: area.shape[0], : area.shape[1]]] = value


def _parse(code: str) -> NDArray[np.bool_]:
    rows = bytes.fromhex(code)
    return np.array([[row >> i & 1 for i in reversed(range(COLUMNS))] for row in rows], dtype=bool)


_CACHE = {letter: _parse(code) for letter, code in _GLYPHS.items()}
