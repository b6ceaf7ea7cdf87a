"""One direction of a bad link: which packet arrives, and when.

Pure: ``now_us`` is an argument (integer microseconds, monotonic), chance is seeded.
"""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

QUEUE_PACKETS = 200


@dataclass(frozen=True, slots=True)
class Burst:
    """Losses that come in bursts: the Gilbert-Elliott model, one step for each packet."""

    enter: float
    """Probability that a burst begins."""
    leave: float
    """Probability that it ends."""
    loss: float = 1.0
    """Fraction lost within it."""

    def __post_init__(self) -> None:
        _check_fractions(enter=self.enter, leave=self.leave, loss=self.loss)


@dataclass(frozen=True, slots=True)
class Impairment:
    """What is wrong with one direction. The default is a perfect link."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Added to the delay, evenly from ``-jitter_s`` to ``+jitter_s``; the order is kept."""
    loss: float = 0.0
    """Fraction of the packets, 0 to 1, each by itself."""
    burst: Burst | None = None
    duplicate: float = 0.0
    reorder: float = 0.0
    """Fraction of the packets that skip the delay, and so overtake those that wait."""
    rate_bps: int | None = None
    """Of IP packets with their headers; ``None``: unlimited."""
    queue_s: float | None = None
    """Longest wait for the rate: what would wait longer is dropped. ``None``: no such bound."""
    queue_packets: int = QUEUE_PACKETS
    """Most packets that wait for the rate."""
    is_down: bool = False
    """Everything that enters is lost; what is under way still arrives."""

    def __post_init__(self) -> None:
        _check_fractions(loss=self.loss, duplicate=self.duplicate, reorder=self.reorder)
        if min(self.delay_s, self.jitter_s, self.queue_s or 0.0) < 0 or self.queue_packets < 1:
            raise ValueError(f"No link is like this: {self}.")
        if self.rate_bps is not None and self.rate_bps <= 0:
            raise ValueError("A rate of 0 is written is_down=True.")


@dataclass(slots=True)
class Counters:
    """What happened to the packets of one direction so far."""

    received: int = 0
    sent: int = 0
    lost: int = 0
    """By chance, or because the link was down."""
    dropped: int = 0
    """Because the queue before the rate was full."""
    duplicated: int = 0
    reordered: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    queued_max: int = 0
    late_max_us: int = 0
    """How late the process was at worst in letting a packet go: how far to trust the delays."""


@dataclass(order=True, slots=True)
class _Flying:
    at_us: int
    number: int
    packet: bytes = field(compare=False)


class Line:
    """Packets go in by :meth:`take` and come out by :meth:`due`.

    Args:
        impairment: See there; :meth:`change` takes another one while packets are under way.
        seed: The same seed gives the same losses.

    """

    def __init__(self, impairment: Impairment, seed: str = "") -> None:
        self.impairment = impairment
        self.counters = Counters()
        self._random = random.Random(seed).random  # noqa: S311 - a network, no secret
        self._is_in_burst = False
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._head_leaves_us = 0
        """When the packet at the head of ``_waiting`` has left the rate limiter."""
        self._flying: list[_Flying] = []
        self._flown = 0
        self._last_arrival_us = 0

    def change(self, impairment: Impairment, now_us: int) -> None:
        """Let ``impairment`` hold from now on; the packet that is being sent keeps its time."""
        self._advance(now_us)
        self.impairment = impairment
        if impairment.rate_bps is None:
            while self._waiting:
                self._fly(self._pop_waiting(), now_us)

    def take(self, packet: bytes, now_us: int) -> None:
        """Let a packet enter."""
        self._advance(now_us)
        self.counters.received += 1
        self.counters.received_bytes += len(packet)
        if self.impairment.is_down or self._is_unlucky():
            self.counters.lost += 1
        elif self.impairment.rate_bps is None:
            self._fly(packet, now_us)
        elif self._is_full(len(packet), self.impairment.rate_bps):
            self.counters.dropped += 1
        else:
            if not self._waiting:
                self._head_leaves_us = now_us + _time_us(packet, self.impairment.rate_bps)
            self._waiting.append(packet)
            self._waiting_bytes += len(packet)
            self.counters.queued_max = max(self.counters.queued_max, len(self._waiting))

    def due(self, now_us: int) -> list[bytes]:
        """Return the packets that have arrived by now, in order."""
        self._advance(now_us)
        arrived = []
        while self._flying and self._flying[0].at_us <= now_us:
            flying = heapq.heappop(self._flying)
            late_us = now_us - flying.at_us
            self.counters.late_max_us = max(self.counters.late_max_us, late_us)
            self.counters.sent += 1
            self.counters.sent_bytes += len(flying.packet)
            arrived.append(flying.packet)
        return arrived

    def next_due_us(self) -> int | None:
        """Return when :meth:`due` has work again."""
        times = [self._head_leaves_us] if self._waiting else []
        if self._flying:
            times.append(self._flying[0].at_us)
        return min(times, default=None)

    def _is_unlucky(self) -> bool:
        loss, burst = self.impairment.loss, self.impairment.burst
        if burst is None:
            self._is_in_burst = False
        else:
            turns = self._random() < (burst.leave if self._is_in_burst else burst.enter)
            self._is_in_burst ^= turns
            if self._is_in_burst:
                loss = burst.loss
        return loss > 0 and self._random() < loss

    def _is_full(self, size: int, rate_bps: int) -> bool:
        if not self._waiting:
            return False
        wait_s = (self._waiting_bytes + size) * 8 / rate_bps
        longest_s = self.impairment.queue_s
        is_long = longest_s is not None and wait_s > longest_s
        return is_long or len(self._waiting) >= self.impairment.queue_packets

    def _advance(self, now_us: int) -> None:
        """Move what has left the rate limiter on its way."""
        rate_bps = self.impairment.rate_bps
        while rate_bps and self._waiting and self._head_leaves_us <= now_us:
            left_us = self._head_leaves_us
            self._fly(self._pop_waiting(), left_us)
            if self._waiting:
                self._head_leaves_us = left_us + _time_us(self._waiting[0], rate_bps)

    def _pop_waiting(self) -> bytes:
        packet = self._waiting.popleft()
        self._waiting_bytes -= len(packet)
        return packet

    def _fly(self, packet: bytes, left_us: int) -> None:
        impairment = self.impairment
        delay_s = impairment.delay_s
        if impairment.jitter_s:
            delay_s = max(0.0, delay_s + (2 * self._random() - 1) * impairment.jitter_s)
        if impairment.reorder and self._random() < impairment.reorder:
            self.counters.reordered += 1
            at_us = left_us
        else:
            at_us = self._last_arrival_us = max(
                left_us + round(delay_s * 1e6), self._last_arrival_us
            )
        self._push(at_us, packet)
        if impairment.duplicate and self._random() < impairment.duplicate:
            self.counters.duplicated += 1
            self._push(at_us, packet)

    def _push(self, at_us: int, packet: bytes) -> None:
        self._flown += 1
        heapq.heappush(self._flying, _Flying(at_us, self._flown, packet))


def _time_us(packet: bytes, rate_bps: int) -> int:
    return round(len(packet) * 8_000_000 / rate_bps)


def _check_fractions(**fractions: float) -> None:
    for name, value in fractions.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}, not a fraction from 0 to 1.")
