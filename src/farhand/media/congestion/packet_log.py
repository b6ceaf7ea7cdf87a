"""What was sent on one transport, until the receiver reports it."""

from enum import IntEnum
from typing import NamedTuple

from farhand.media.congestion.feedback import Feedback

CAPACITY = 4096
"""Packets, a power of two: 4.5 s at 8 Mbit/s. A report that is older says nothing of use."""
MASK = CAPACITY - 1


class Kind(IntEnum):
    """Why a packet is sent."""

    MEDIA = 0
    RTX = 1
    PROBE = 2


class Acked(NamedTuple):
    """One packet that arrived. ``arrival_us`` is the receiver's clock."""

    number: int
    sent_us: int
    arrival_us: int
    size: int


class Report(NamedTuple):
    """What one feedback message says that was not known before."""

    acked: list[Acked]
    """By number, each packet once in the log's life."""
    lost: int
    """Packets reported missing for the first time, less those that arrived after all."""


GONE, OUT, LOST = range(3)


class PacketLog:
    """Ring of sent packets: bounded, and each is acknowledged once.

    Numbers are counted without wrapping here; 16 bits of them go on the wire. A report about a
    packet that was never sent, or too long ago, is ignored.
    """

    def __init__(self) -> None:
        self.next_number = 0
        """Of the next packet, not wrapped."""
        self.reported = 0
        """All packets before this number were covered by a report, or by one that was lost."""
        self.unreported_since_us: int | None = None
        """When the oldest packet left of those sent since the newest report."""
        self._state = bytearray(CAPACITY)
        self._sent_us = [0] * CAPACITY
        self._size = [0] * CAPACITY

    def add(self, size: int, now_us: int) -> int:
        """Note that a packet of ``size`` bytes leaves now; return its number, not wrapped."""
        number = self.next_number
        slot = number & MASK
        self._state[slot] = OUT
        self._sent_us[slot] = now_us
        self._size[slot] = size
        self.next_number = number + 1
        if self.unreported_since_us is None:
            self.unreported_since_us = now_us
        return number

    def take(self, feedback: Feedback) -> Report:
        """Take a report; work is bounded by its received packets and by the packets sent."""
        end = self.next_number
        base = end - ((end - feedback.base_seq) & 0xFFFF)
        oldest = max(0, end - CAPACITY)
        state, sent_us, size = self._state, self._sent_us, self._size
        acked: list[Acked] = []
        late = 0
        for offset, arrival_us in feedback.received:
            number = base + offset
            if not oldest <= number < end:
                continue
            slot = number & MASK
            if state[slot] == GONE:
                continue
            late += state[slot] == LOST
            state[slot] = GONE
            acked.append(Acked(number, sent_us[slot], arrival_us, size[slot]))
        lost = self._mark_lost(max(oldest, base), base + feedback.count)
        return Report(acked, lost - late)

    def _mark_lost(self, base: int, stop: int) -> int:
        """Judge the packets that no report had covered yet; each is looked at once."""
        stop = min(stop, self.next_number)
        lost = 0
        for number in range(max(base, self.reported), stop):
            slot = number & MASK
            if self._state[slot] == OUT:
                self._state[slot] = LOST
                lost += 1
        if stop > self.reported:
            self.reported = stop
            self.unreported_since_us = (
                self._sent_us[stop & MASK] if stop < self.next_number else None
            )
        return lost
