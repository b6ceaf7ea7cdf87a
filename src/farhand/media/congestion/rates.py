"""Rates of what was sent and of what arrived."""

from collections import deque
from collections.abc import Sequence

from farhand.media.congestion.packet_log import Acked

BUCKET_US = 100_000
BUCKETS = 10


class SentRate:
    """Bits of the last second, in buckets of 100 ms."""

    def __init__(self) -> None:
        # One more than a second: of the oldest only what the newest has not reached yet counts.
        self._buckets = [0] * (BUCKETS + 1)
        self._current = 0

    def add(self, size: int, now_us: int) -> None:
        """Count ``size`` bytes as sent now."""
        bucket = now_us // BUCKET_US
        if bucket != self._current:
            self._turn(bucket)
        self._buckets[self._current % len(self._buckets)] += size

    def bps(self, now_us: int) -> int:
        """Return the bits of the last second."""
        self._turn(now_us // BUCKET_US)
        oldest = self._buckets[(self._current + 1) % len(self._buckets)]
        return (sum(self._buckets) - oldest * (now_us % BUCKET_US) // BUCKET_US) * 8

    def _turn(self, bucket: int) -> None:
        held = len(self._buckets)
        for k in range(max(self._current + 1, bucket - held + 1), bucket + 1):
            self._buckets[k % held] = 0
        self._current = max(self._current, bucket)


class AckedRate:
    """Rate of arrival, by the receiver's clock.

    Each report covers the time since the one before it; after a report that was lost, only the
    time between its own packets, so that the gap does not look like a slow link.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int, int]] = deque()
        self._last_arrival_us: int | None = None
        self._number = 0

    def reset(self) -> None:
        """Forget everything: the receiver's clock was set."""
        self._samples.clear()
        self._last_arrival_us = None

    def add(self, acked: Sequence[Acked], number: int) -> None:
        """Take the packets of report ``number``, which must not be empty."""
        last_us = max(acked[-1].arrival_us, acked[0].arrival_us)
        size = sum(a.size for a in acked)
        previous_us = self._last_arrival_us
        if previous_us is None or number != (self._number + 1) & 0xFF:
            covered_us = last_us - acked[0].arrival_us
            size -= acked[0].size
        else:
            covered_us = last_us - previous_us
        self._number = number
        self._last_arrival_us = last_us
        self._samples.append((last_us, size, max(covered_us, 0)))
        while len(self._samples) > 2 and (
            self._samples[0][0] < last_us - 1_000_000 or len(self._samples) > 100
        ):
            self._samples.popleft()

    def bps(self, window_us: int) -> int | None:
        """Return the rate over about the last ``window_us``; ``None``: not known yet."""
        size = covered_us = 0
        for _, bytes_, us in reversed(self._samples):
            size += bytes_
            covered_us += us
            if covered_us >= window_us:
                break
        return size * 8_000_000 // covered_us if covered_us >= window_us // 3 else None
