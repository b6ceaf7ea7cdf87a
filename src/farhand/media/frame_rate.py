"""How many frames a second a camera really gives. Pure: it reads their stamps."""

MIN_FRAMES = 15
WEIGHT = 1 / 16
"""Of one interval: about half a second at 30 fps."""
TOLERANCE = 0.1
"""Closer to what was expected is as expected: the stamps jitter."""
SLOWEST = 8
FASTEST = 2


class FrameRate:
    """Estimates a camera's frame rate. A webcam in the dark gives half of what it promised.

    Args:
        expected: Frames per second, until more is known.

    """

    def __init__(self, expected: float) -> None:
        self.fps = expected
        """The estimate, from an eighth to twice of what was expected."""
        self._expected = expected
        self._interval_us = 1e6 / expected
        self._seen = 0
        self._last_us: int | None = None

    def note(self, stamp_us: int) -> None:
        """Take the stamp of the next frame."""
        last_us, self._last_us = self._last_us, stamp_us
        if last_us is None:
            return
        expected_us = 1e6 / self._expected
        # One long pause is an interruption, no rate.
        interval_us = min(max(stamp_us - last_us, expected_us / FASTEST), expected_us * SLOWEST)
        self._interval_us += WEIGHT * (interval_us - self._interval_us)
        self._seen += 1
        measured = 1e6 / self._interval_us
        is_known = self._seen >= MIN_FRAMES
        is_other = abs(measured - self._expected) > TOLERANCE * self._expected
        self.fps = measured if is_known and is_other else self._expected
