"""How long packets wait in queues on the way.

One-way delay less the least seen: its minimum over 150 ms is the queue that never empties. A
minimum, since a busy processor at either end delays many packets and never all of them (NADA,
RFC 8698 section 5.1.1, filters the same way); a queue that stands delays every one.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from farhand.media.congestion.packet_log import Acked

WINDOW_US = 150_000
"""Longer than four frames at 30 fps and than the hiccups of a busy machine (10-40 ms)."""
MIN_SPAN_US = 100_000
BASE_BUCKETS = 30
"""Seconds for which the least delay is remembered: at 100 ppm clocks part by 3 ms in it."""
KEPT_US = 1_000_000
"""By our own clock, whatever the receiver's says."""
SPREADS = 8


@dataclass(frozen=True, slots=True)
class _Sample:
    at_us: int
    first_us: int
    last_us: int
    lowest_us: int


class QueueDelay:
    """Standing queue and spread within bursts, from acknowledged packets."""

    def __init__(self) -> None:
        self.queue_us: int | None = None
        """How long every packet of the last 150 ms waited at least."""
        self.is_valid = False
        """The window holds enough to be judged."""
        self.spread_us: int | None = None
        """How much longer the slowest packet of a report took than its fastest (median of 8)."""
        self._window: deque[_Sample] = deque()
        self._base: deque[tuple[int, int]] = deque()
        self._spreads: deque[int] = deque(maxlen=SPREADS)

    def reset(self) -> None:
        """Forget everything: the receiver's clock was set."""
        self.queue_us, self.is_valid, self.spread_us = None, False, None
        self._window.clear()
        self._base.clear()
        self._spreads.clear()

    def rebase(self) -> None:
        """Take the present delay for the way itself: the route has changed."""
        if self._window:
            lowest_us = min(s.lowest_us for s in self._window)
            self._base = deque([(self._base[-1][0], lowest_us)])
            self.queue_us = 0

    def add(self, acked: Sequence[Acked], now_us: int) -> None:
        """Take the packets of one report, which must not be empty."""
        delays = [a.arrival_us - a.sent_us for a in acked]
        lowest_us, highest_us = min(delays), max(delays)
        first_us, last_us = acked[0].arrival_us, acked[-1].arrival_us
        if len(delays) >= 3:
            self._spreads.append(highest_us - lowest_us)
            self.spread_us = int(median(self._spreads))
        self._note_base(lowest_us, now_us // 1_000_000)
        window = self._window
        newest_us = max(first_us, last_us)
        window.append(_Sample(now_us, min(first_us, last_us), newest_us, lowest_us))
        while len(window) > 2 and (
            window[0].last_us < newest_us - WINDOW_US or window[0].at_us < now_us - KEPT_US
        ):
            window.popleft()
        self.is_valid = newest_us - window[0].first_us >= MIN_SPAN_US
        self.queue_us = min(s.lowest_us for s in window) - self._base[0][1]

    def _note_base(self, delay_us: int, second: int) -> None:
        """Keep the least delay of the last 30 s (a queue whose values only rise)."""
        base = self._base
        while base and base[-1][1] >= delay_us:
            base.pop()
        base.append((second, delay_us))
        while base[0][0] <= second - BASE_BUCKETS:
            base.popleft()
