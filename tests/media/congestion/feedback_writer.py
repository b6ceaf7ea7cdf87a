"""Writes transport-wide feedback, the way a browser does."""

import struct
from collections.abc import Sequence

from farhand.media.congestion.feedback import REFERENCE_US, TICK_US


def write(base_seq: int, arrivals_us: Sequence[int | None], number: int) -> bytes:
    """Return the FCI for packets from ``base_seq`` on; two-bit chunks, runs for the long gaps."""
    first = next((a for a in arrivals_us if a is not None), 0)
    reference = first // REFERENCE_US
    clock = reference * REFERENCE_US // TICK_US
    symbols, deltas = [], b""
    for arrival in arrivals_us:
        if arrival is None:
            symbols.append(0)
            continue
        delta = arrival // TICK_US - clock
        clock += delta
        symbols.append(1 if 0 <= delta <= 255 else 2)
        deltas += struct.pack("!B" if symbols[-1] == 1 else "!h", delta)
    chunks = b""
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at] and run < 0x1FFF:
            run += 1
        if run > 7:
            chunks += struct.pack("!H", symbols[at] << 13 | run)
            at += run
        else:
            seven = [*symbols[at : at + 7], 0, 0, 0, 0, 0, 0, 0][:7]
            word = 0b11
            for symbol in seven:
                word = word << 2 | symbol
            chunks += struct.pack("!H", word)
            at += 7
    head = struct.pack("!HHI", base_seq, len(symbols), (reference & 0xFFFFFF) << 8 | number)
    return head + chunks + deltas
