"""How much one peer may ask of the server: the figures, and two ways to count."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound that the hub keeps. Rates are messages per second."""

    rate: float = 100.0
    burst: float = 200.0
    robot_rate: float = 400.0
    """A robot talks with everybody in its room: 40 candidates to each of ten who join together."""
    robot_burst: float = 800.0
    control_rate: float = 100.0
    """Control over the server: 60 frames and 20 gate answers a second, and some air."""
    control_burst: float = 100.0
    robot_control_rate: float = 2000.0
    """Beats and verdicts to 20 people who have no data channel."""
    robot_control_burst: float = 2000.0
    flood: int = 1000
    """Refused messages within ``flood_window_s`` after which the peer is cut."""
    bad_frames: int = 20
    """Undecodable messages within ``flood_window_s`` after which the peer is cut."""
    flood_window_s: float = 10.0
    hello_timeout_s: float = 5.0
    candidates: int = 40
    """Of one side in one negotiation."""
    negotiations: int = 20
    """Of one pair of members within ``negotiation_window_s``."""
    negotiation_window_s: float = 60.0
    resume_grace_s: float = 10.0
    """How long a session waits for a member whose socket was lost."""
    claims: int = 64
    """Sessions that one member may claim to be alive."""
    signals: int = 64
    """Instructions to one member that wait for its answer."""


class TokenBucket:
    """So many a second on average, so many at once.

    Args:
        rate: Tokens per second.
        burst: Tokens of a full bucket; it starts full.

    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take one token, or ``amount``; ``False``: there are not so many, and none is taken."""
        tokens = self._tokens + (now - self._at) * self._rate
        if tokens > self._burst:  # noqa: PLR1730 - min() costs half as much as all the rest here
            tokens = self._burst
        self._at = now
        if tokens < amount:
            self._tokens = tokens
            return False
        self._tokens = tokens - amount
        return True

    @property
    def wait_ms(self) -> int:
        """Milliseconds until the next token, from the last :meth:`take`."""
        return max(1, round((1.0 - self._tokens) / self._rate * 1000))


class Window:
    """At most ``limit`` events in any ``span_s`` seconds."""

    __slots__ = ("_limit", "_span_s", "_times")

    def __init__(self, limit: int, span_s: float) -> None:
        self._limit = limit
        self._span_s = span_s
        self._times: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Count one event; ``False``: it is one too many, and was not counted."""
        while self._times and now - self._times[0] >= self._span_s:
            self._times.popleft()
        if len(self._times) >= self._limit:
            return False
        self._times.append(now)
        return True

    def is_idle(self, now: float) -> bool:
        """Say whether nothing within the span is remembered."""
        return not self._times or now - self._times[-1] >= self._span_s

    def wait_ms(self, now: float) -> int:
        """Milliseconds until the oldest counted event no longer counts."""
        return max(1, round((self._times[0] + self._span_s - now) * 1000)) if self._times else 1
