"""The receiver's half of transport-wide congestion control: which packets came, and when. Pure.

draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1. The sender's half is in ``congestion``.
"""

import struct

MAX_PACKETS = 1_000
"""Reported at once: a second at 10 Mbit/s. A number further ahead begins a new count."""
MEMORY_US = 500_000
"""How long an arrival is kept, to be told again when an older packet comes late."""

_TICK_US = 250
_REFERENCE_US = 64_000
_HEAD = struct.Struct("!HH")
_SYMBOLS = 7
_TWO_BIT_VECTOR = 0xC000
_MISSING, _SMALL, _LARGE = 0, 1, 2


class Arrivals:
    """Takes transport-wide numbers as packets come in and makes the reports."""

    def __init__(self) -> None:
        self._arrived: dict[int, int] = {}
        self._base: int | None = None
        self._newest = 0
        self._reports = 0

    def add(self, number: int, now_us: int) -> None:
        """Note the packet with this 16-bit number."""
        ahead = (number - self._newest + 0x8000 & 0xFFFF) - 0x8000
        full = self._newest + ahead
        if self._base is None or full >= self._base + MAX_PACKETS:
            self._arrived.clear()
            self._base = self._newest = full = number
        elif full <= self._newest - MAX_PACKETS:
            return
        self._arrived.setdefault(full, now_us)
        self._newest = max(self._newest, full)
        self._base = min(self._base, full)

    def report(self) -> bytes | None:
        """Return the feedback control information for all since the last report.

        ``None``: nothing came.
        """
        if self._base is None or self._base > self._newest:
            return None
        numbers = range(self._base, self._newest + 1)
        first_us = next(self._arrived[n] for n in numbers if n in self._arrived)
        reference = first_us // _REFERENCE_US
        symbols, deltas, at = [], bytearray(), reference * _REFERENCE_US // _TICK_US
        for number in numbers:
            arrived_us = self._arrived.get(number)
            if arrived_us is None:
                symbols.append(_MISSING)
                continue
            delta = max(-0x8000, min(arrived_us // _TICK_US - at, 0x7FFF))
            at += delta
            is_small = 0 <= delta <= 0xFF
            symbols.append(_SMALL if is_small else _LARGE)
            deltas += delta.to_bytes(1) if is_small else delta.to_bytes(2, signed=True)
        head = _HEAD.pack(self._base & 0xFFFF, len(symbols))
        clock = (reference & 0xFFFFFF).to_bytes(3) + bytes((self._reports & 0xFF,))
        self._reports += 1
        self._base = self._newest + 1
        self._forget(self._arrived[self._newest])
        return head + clock + _chunks(symbols) + deltas

    def _forget(self, newest_us: int) -> None:
        old = [n for n, us in self._arrived.items() if us < newest_us - MEMORY_US]
        for number in old:
            del self._arrived[number]


def number_of(packet: bytes, extension: int) -> int | None:
    """Return the transport-wide number in an RTP packet's one-byte header extension (RFC 8285)."""
    if len(packet) < 16 or not packet[0] & 0x10:
        return None
    at = 12 + 4 * (packet[0] & 0x0F)
    if packet[at : at + 2] != b"\xbe\xde":
        return None
    end = min(at + 4 + 4 * int.from_bytes(packet[at + 2 : at + 4]), len(packet))
    at += 4
    while at < end:
        kind, size = packet[at] >> 4, (packet[at] & 0x0F) + 1
        if not packet[at]:
            at += 1
        elif kind == extension and size == 2 and at + 3 <= end:
            return int.from_bytes(packet[at + 1 : at + 3])
        else:
            at += 1 + size
    return None


def _chunks(symbols: list[int]) -> bytes:
    out = bytearray()
    for begin in range(0, len(symbols), _SYMBOLS):
        chunk = _TWO_BIT_VECTOR
        for place, symbol in enumerate(symbols[begin : begin + _SYMBOLS]):
            chunk |= symbol << 2 * (_SYMBOLS - 1 - place)
        out += chunk.to_bytes(2)
    return bytes(out)
