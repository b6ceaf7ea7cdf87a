"""The sizes that a camera's picture is encoded in, and the rates each is good for. Pure."""

from dataclasses import dataclass

RUNGS = 3
SMALLEST_PIXELS = 160 * 90
"""A rung with fewer shows nobody where the robot goes."""
FLOOR_BITS_PER_PIXEL = 0.025
"""0.7 Mbit/s for 1280x720 at 30 fps. The full size looks better than the half down to there and
somewhat further, then it falls to pieces at once; the figures are in ADR 0051."""
FLOOR_OF_MAX = 0.35
"""Of a camera whose own maximum is low: its floors come down with it."""
OVERLAP = 1.2
"""A rung's top over the floor of the next larger one: whoever rises has 1.15 times that floor, and
must have been able to show it."""
BUFFER_S = 0.09
"""At the top. Much less and the top rate is no longer used; at the floor it is a third of a second.
"""


@dataclass(frozen=True, slots=True)
class RungBounds:
    """One size of the picture, and between which rates it is used."""

    index: int
    """0 the camera's own size, 1 half of it, 2 a quarter."""
    width: int
    height: int
    floor_bps: int
    top_bps: int

    @property
    def buffer_bits(self) -> int:
        """How far the encoder may run ahead of its rate (x264's VBV, fixed when it opens).

        x264 spends at most about half of it on one frame, so that a key frame at the floor takes a
        sixth of a second and no frame after a cut is far above its share.
        """
        return int(self.top_bps * BUFFER_S)


def rungs_of(width: int, height: int, fps: float, max_bps: int) -> tuple[RungBounds, ...]:
    """Return the rungs of a picture, the largest first; there is always one.

    Args:
        width: Of the camera's own picture.
        height: The same.
        fps: Frames per second the camera is expected to give.
        max_bps: The most that one viewer is sent.

    """
    per_pixel = min(FLOOR_BITS_PER_PIXEL, FLOOR_OF_MAX * max_bps / (width * height * fps))
    made: list[RungBounds] = []
    for index in range(RUNGS):
        # 4:2:0 has one colour sample for two pixels, so sizes are even; the camera's own is kept.
        w, h = (width >> index & ~1, height >> index & ~1) if index else (width, height)
        if made and w * h < SMALLEST_PIXELS:
            break
        top_bps = min(max_bps, int(OVERLAP * made[-1].floor_bps)) if made else max_bps
        made.append(RungBounds(index, w, h, int(per_pixel * w * h * fps), top_bps))
    return tuple(made)
