"""Which feedback is read at all: the work that a viewer can cause is bounded here."""

from collections import Counter

from farhand.core.limits import TokenBucket
from farhand.media.congestion.feedback import Feedback, parse

PER_S, BURST = 100, 50
"""A browser sends 20 a second; parsing thousands of forged ones would cost a core."""
MAX_FCI = 8_192
"""Bytes: more than fits a datagram on any usual path."""


class Admission:
    """Token bucket of reports before the parser."""

    def __init__(self, now_us: int) -> None:
        self.ignored: Counter[str] = Counter()
        """Feedback that counted for nothing: ``malformed``, ``flood``; the controller adds
        ``absurd`` (its clock) and ``unknown`` (no packet in it was waiting to be reported)."""
        self._bucket = TokenBucket(PER_S, BURST, now_us / 1e6)

    def admit(self, fci: bytes, now_us: int) -> Feedback | None:
        """Return the report; ``None``: it is one too many, too long or malformed."""
        if len(fci) > MAX_FCI or not self._bucket.take(now_us / 1e6):
            self.ignored["flood"] += 1
            return None
        try:
            return parse(fci)
        except ValueError:
            self.ignored["malformed"] += 1
            return None
