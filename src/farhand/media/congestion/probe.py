"""Finding head-room: a few packets sent faster than the rate in use.

The rate at which they arrive says what the link carries, at the cost of some milliseconds of queue.
The first scale and the ratios are libwebrtc's (3; 0.9 of the sent rate is "carried").
"""

from collections.abc import Sequence
from dataclasses import dataclass

from farhand.media.congestion.packet_log import Acked

FIRST_SCALE, SCALE = 3.0, 1.6
"""Before and after the link has met its limit. A short burst may pass a token bucket, or between
the frames of others, on a link that is full: libwebrtc's 2 then costs a queue of 200 ms."""
DURATION_US = 12_000
MIN_BYTES, MAX_BYTES = 3_600, 15_000
"""Three packets, the fewest that give a rate; and what a link of a tenth can swallow."""
MAX_QUEUE_US = 60_000
"""A probe may delay what comes behind it by this much if there is no head-room at all."""
SEND_US = 100_000
"""So long may it take to send one; what has left by then is judged."""
REPORT_US = 1_000_000
CARRIED = 0.9
MIN_RECEIVED = 0.5
MIN_PACKETS = 3
MIN_SPAN_US = 250
"""The resolution of arrival times: less is not measured."""
MAX_COMPRESSION = 2
"""Packets that arrive this much closer than they left waited for a busy receiver, not for a link
(libwebrtc's bound, too)."""
INTERVAL_US, MAX_INTERVAL_US, PENALTY_US = 2_000_000, 4_500_000, 6_000_000


@dataclass(frozen=True, slots=True)
class Probe:
    """Send ``bytes`` at ``rate_bps`` or faster now, as packets of kind ``PROBE``."""

    id: int
    rate_bps: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a probe found, 0: nothing. ``is_carried``: the link had no less than was asked for."""

    bps: int
    is_carried: bool


def size_of(rate_bps: int, known_bps: int) -> int:
    """Return the bytes of a probe at ``rate_bps`` where ``known_bps`` are known to pass."""
    wanted = rate_bps * DURATION_US // 8_000_000
    harmless = known_bps * MAX_QUEUE_US // 8_000_000
    return max(MIN_BYTES, min(wanted, harmless, MAX_BYTES))


class Prober:
    """One probe at a time: what left, what arrived of it, and when the next one is due."""

    def __init__(self, now_us: int) -> None:
        self.due_us = now_us
        """When the next probe may start."""
        self._interval_us = INTERVAL_US
        self.started = 0
        """Probes so far."""
        self._active: Probe | None = None
        self._taken_us = 0
        self._sent_bytes = 0
        self._first = self._last = 0
        self._acked: list[Acked] = []

    @property
    def active(self) -> Probe | None:
        """The probe that is under way."""
        return self._active

    def start(self, rate_bps: int, known_bps: int, now_us: int) -> Probe:
        """Begin a probe, which the caller sends now."""
        self.started += 1
        self._active = Probe(self.started, rate_bps, size_of(rate_bps, known_bps))
        self._taken_us = now_us
        self._sent_bytes = 0
        self._acked = []
        return self._active

    def on_sent(self, number: int, size: int) -> None:
        """Note a packet of the probe."""
        if self._active is not None:
            if not self._sent_bytes:
                self._first = number
            self._sent_bytes += size
            self._last = number

    def is_sending(self, now_us: int) -> bool:
        """Say whether packets of a probe may still be leaving."""
        probe = self._active
        return (
            probe is not None
            and self._sent_bytes < probe.bytes
            and now_us - self._taken_us < SEND_US
        )

    def on_acked(self, acked: Sequence[Acked], reported: int, now_us: int) -> Result | None:
        """Take acknowledged packets, by number; return the result once the probe is reported."""
        probe = self._active
        if probe is None or not self._sent_bytes:
            return None
        self._acked += [a for a in acked if self._first <= a.number <= self._last]
        if self.is_sending(now_us) or reported <= self._last:
            return None
        self._active = None
        return self._judge(probe)

    def tick(self, now_us: int) -> None:
        """Give up a probe that nobody sends, or nobody reports."""
        if self._active is None:
            return
        if not self._sent_bytes and now_us - self._taken_us > SEND_US:
            self._active = None
            self.due_us = now_us + SEND_US
        elif now_us - self._taken_us > SEND_US + REPORT_US:
            self._active = None
            self.wait(now_us)

    def again(self, now_us: int) -> None:
        """The link carried it: the next, higher one may follow."""
        self.due_us = now_us

    def wait(self, now_us: int) -> None:
        """There is no head-room: try later, and then later still."""
        self.due_us = now_us + self._interval_us
        self._interval_us = max(self._interval_us, min(self._interval_us * 3 // 2, MAX_INTERVAL_US))

    def punish(self, now_us: int) -> None:
        """The last probe promised what the link did not keep: be slower to believe the next."""
        self._interval_us = min(max(self._interval_us, INTERVAL_US) * 2, PENALTY_US)
        self.due_us = now_us + self._interval_us

    def _judge(self, probe: Probe) -> Result | None:
        acked = self._acked
        self._acked = []
        own = sum(a.size for a in acked)
        if len(acked) < MIN_PACKETS or own < MIN_RECEIVED * self._sent_bytes:
            return Result(0, False)
        sent_span_us = max(acked[-1].sent_us - acked[0].sent_us, MIN_SPAN_US)
        span_us = max(acked[-1].arrival_us - acked[0].arrival_us, MIN_SPAN_US)
        if MAX_COMPRESSION * (span_us + 2 * MIN_SPAN_US) < sent_span_us:
            return Result(0, False)
        sent_bps = (own - acked[-1].size) * 8_000_000 // sent_span_us
        received_bps = (own - acked[0].size) * 8_000_000 // span_us
        asked_bps = min(sent_bps, probe.rate_bps)
        return Result(min(received_bps, asked_bps), received_bps >= CARRIED * asked_bps)
