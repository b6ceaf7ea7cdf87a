"""Whether the picture of one person stands still, and what to tell of it. Pure."""

from dataclasses import dataclass
from typing import Literal

from farhand.core.limits import TokenBucket

Why = Literal["silence", "not-shown"]
"""Packets leave and nothing is heard; or the driver's own word."""

SILENT_US = 500_000
"""How long nothing has been heard when :attr:`ViewerStats.is_silent` turns true."""
TOLD_HZ, TOLD_BURST = 0.05, 2.0
"""A link that comes and goes is told of five times in the first minute, then three times."""


@dataclass(frozen=True, slots=True)
class FreezeNews:
    """The picture has frozen, or is back."""

    kind: Literal["video-frozen", "video-back"]
    why: Why
    age_us: int | None
    """Of the picture, as far as the robot knows; at its return the most that it became."""


class Freeze:
    """The picture of one person.

    Args:
        now_us: The time.

    """

    def __init__(self, now_us: int) -> None:
        self._why: Why | None = None
        self._since_us = 0
        self._age_us = 0
        self._is_told = False
        self._bucket = TokenBucket(TOLD_HZ, TOLD_BURST, now_us / 1e6)

    def update(self, why: Why | None, age_us: int | None, now_us: int) -> FreezeNews | None:
        """Take what holds now, and the picture's age where it is known; return what is news."""
        if self._why is None:
            return self._begin(why, age_us, now_us) if why is not None else None
        if why is not None:
            # Without the driver's word it is at least as old as the silence.
            known_us = now_us - self._since_us + SILENT_US if age_us is None else age_us
            self._age_us = max(self._age_us, known_us)
            return None
        ended = FreezeNews("video-back", self._why, self._age_us)
        is_told = self._is_told
        self.clear()
        return ended if is_told else None

    def clear(self) -> None:
        """Forget it: nothing is known of the picture any more, or it is not to be seen."""
        self._why, self._is_told = None, False

    @property
    def why(self) -> Why | None:
        """Why the picture stands still; ``None``: it does not."""
        return self._why

    def _begin(self, why: Why, age_us: int | None, now_us: int) -> FreezeNews | None:
        self._why, self._since_us = why, now_us
        self._age_us = SILENT_US if age_us is None else age_us
        self._is_told = self._bucket.take(now_us / 1e6)
        return FreezeNews("video-frozen", why, age_us) if self._is_told else None
