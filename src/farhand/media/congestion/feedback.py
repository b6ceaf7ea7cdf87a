"""Transport-wide feedback: which packets arrived, and when by the receiver's clock.

Format: draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1.
"""

import struct
from dataclasses import dataclass

TICK_US = 250
REFERENCE_US = 64_000
PERIOD_US = REFERENCE_US << 24
"""The reference time wraps after this long: twelve days."""
HEADER = struct.Struct("!HHI")
LOST, SMALL, LARGE, RESERVED = range(4)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One report about ``count`` packets with consecutive numbers."""

    base_seq: int
    """Number of the first packet, 16 bits."""
    count: int
    number: int
    """Of this report, 8 bits: a gap means that a report was lost."""
    received: tuple[tuple[int, int], ...]
    """(offset from ``base_seq``, arrival time in µs) of each packet that arrived, by offset."""

    @property
    def arrivals_us(self) -> tuple[int | None, ...]:
        """One entry a packet: when it arrived; ``None``: it did not."""
        arrivals: list[int | None] = [None] * self.count
        for offset, at_us in self.received:
            arrivals[offset] = at_us
        return tuple(arrivals)


def parse(fci: bytes) -> Feedback:
    """Read the feedback control information of an RTCP packet of type 205, format 15.

    Work is bounded by the length of ``fci``: a run of lost packets costs one step.

    Raises:
        ValueError: It is cut short, or says what the format does not allow.

    """
    if len(fci) < HEADER.size:
        raise ValueError("feedback is shorter than its header")
    base_seq, count, word = HEADER.unpack_from(fci)
    symbols, at = _symbols(fci, count)
    clock_us = (word >> 8) * REFERENCE_US
    received: list[tuple[int, int]] = []
    end = len(fci)
    for offset, symbol in symbols:
        if symbol == SMALL:
            if at >= end:
                raise ValueError("feedback ends within its arrival times")
            clock_us += fci[at] * TICK_US
            at += 1
        else:
            if at + 2 > end:
                raise ValueError("feedback ends within its arrival times")
            ticks = fci[at] << 8 | fci[at + 1]
            clock_us += (ticks - 0x10000 if ticks & 0x8000 else ticks) * TICK_US
            at += 2
        received.append((offset, clock_us))
    return Feedback(base_seq, count, word & 0xFF, tuple(received))


def _symbols(fci: bytes, count: int) -> tuple[list[tuple[int, int]], int]:
    """Return (offset, symbol) of every packet that arrived, and where the arrival times begin."""
    found: list[tuple[int, int]] = []
    offset, at, end = 0, HEADER.size, len(fci)
    while offset < count:
        if at + 2 > end:
            raise ValueError("feedback ends within its status chunks")
        chunk = fci[at] << 8 | fci[at + 1]
        at += 2
        if not chunk & 0x8000:
            symbol, run = chunk >> 13, min(chunk & 0x1FFF, count - offset)
            if symbol != LOST:
                if symbol == RESERVED or run > end - at:
                    raise ValueError("feedback has a run that cannot be")
                found += [(k, symbol) for k in range(offset, offset + run)]
            # A run of length zero goes on for ever only as long as the data does.
            offset += run
        elif not chunk & 0x4000:
            for k in range(min(14, count - offset)):
                if chunk >> (13 - k) & 1:
                    found.append((offset + k, SMALL))
            offset += 14
        else:
            for k in range(min(7, count - offset)):
                symbol = chunk >> (12 - 2 * k) & 3
                if symbol == RESERVED:
                    raise ValueError("feedback has a status that is not defined")
                if symbol:
                    found.append((offset + k, symbol))
            offset += 7
    return found, at
