"""When each packet leaves: the queue in front of the socket, by priority."""

from collections import deque
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")

BURST_US = 2_000
"""What may leave at once: a timer that wakes once a millisecond or two keeps the rate."""
MIN_BURST_BYTES = 1_500


class Priority(IntEnum):
    """Who goes first."""

    AUDIO = 0
    VIDEO = 1
    RTX = 2
    PROBE = 3


class Pacer(Generic[T]):
    """Priority queue with a token bucket. It drops nothing: who pushes watches the backlog.

    A packet may leave while the bucket is above zero, so a late call makes up for the time lost,
    by at most ``BURST_US``.
    """

    def __init__(self) -> None:
        self.backlog_bytes = 0
        self._queues: tuple[deque[tuple[int, T]], ...] = tuple(deque() for _ in Priority)
        self._tokens = float(MIN_BURST_BYTES)
        self._at_us: int | None = None

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def push(self, priority: Priority, item: T, size: int) -> None:
        """Queue ``item`` of ``size`` bytes; :meth:`pop_due` gives it back."""
        self._queues[priority].append((size, item))
        self.backlog_bytes += size

    def pop_due(self, now_us: int, pacing_bps: int) -> list[T]:
        """Return what may leave now, in order; call :meth:`next_due_us` for the next time."""
        self._fill(now_us, pacing_bps)
        due: list[T] = []
        for queue in self._queues:
            while queue and self._tokens > 0:
                size, item = queue.popleft()
                self._tokens -= size
                self.backlog_bytes -= size
                due.append(item)
        return due

    def next_due_us(self, now_us: int, pacing_bps: int) -> int | None:
        """Return when something may leave, not before ``now_us``; ``None``: nothing waits."""
        if not self.backlog_bytes and not len(self):
            return None
        self._fill(now_us, pacing_bps)
        if self._tokens > 0:
            return now_us
        return now_us + int(-self._tokens * 8_000_000 / max(pacing_bps, 1)) + 1

    def backlog_us(self, pacing_bps: int) -> int:
        """Return how long it takes until all that waits has left."""
        return self.backlog_bytes * 8_000_000 // max(pacing_bps, 1)

    def clear(self, priority: Priority) -> list[T]:
        """Take back all that waits with ``priority``: frames that are no longer wanted."""
        queue = self._queues[priority]
        self.backlog_bytes -= sum(size for size, _ in queue)
        items = [item for _, item in queue]
        queue.clear()
        return items

    def _fill(self, now_us: int, pacing_bps: int) -> None:
        if self._at_us is not None:
            elapsed_us = max(0, now_us - self._at_us)
            per_us = pacing_bps / 8_000_000
            depth = max(MIN_BURST_BYTES, per_us * BURST_US)
            self._tokens = min(depth, self._tokens + per_us * elapsed_us)
        self._at_us = now_us
