"""RTCP: transport-wide feedback, out of compound packets and into one; how much is read. Pure."""

import struct

from farhand.core.limits import TokenBucket

_HEAD = struct.Struct("!BBH")
_RTPFB = 205
_TRANSPORT_CC = 15
_VERSION = 0x80
_PADDING = 0x20
_COUNT = 0x1F
_SSRCS = 8

MAX_PACKET = 3_000
"""Bytes. RTCP keeps to the path's MTU (RFC 3550, 6.1); a datagram of 64 kB can hold 270 000 NACKs.
"""
BYTES_PER_S, BURST_BYTES = 64_000, 32_000
"""RTCP is to take 5 % of the media (RFC 3550, 6.2), 50 kB/s at 8 Mbit/s; the dearest, NACKs, take
25 ms of each second then."""


class Intake:
    """How much RTCP of one peer is read: parsing is the dearest that its packets can ask for."""

    def __init__(self) -> None:
        self.refused = 0
        """Packets that were not read."""
        self._bucket = TokenBucket(BYTES_PER_S, BURST_BYTES, now=0.0)

    def take(self, size: int, now_us: int) -> bool:
        """Say whether a compound packet of ``size`` bytes is to be read; if so it is counted."""
        if size > MAX_PACKET or not self._bucket.take(now_us / 1e6, size):
            self.refused += 1
            return False
        return True


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the feedback control information of each transport-wide feedback, and the rest.

    Transport-wide feedback is RTPFB with FMT 15 (the draft transport-wide-cc-extensions-01, 3.1).
    aiortc reads every RTPFB as a list of NACKs. What is no RTCP is left as it is.
    """
    if not _has_feedback(data):
        return [], data
    found, rest, at = [], bytearray(), 0
    while at + _HEAD.size <= len(data):
        flags, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if end > len(data):
            break
        if kind == _RTPFB and flags & _COUNT == _TRANSPORT_CC:
            body = data[at + _HEAD.size : end]
            if flags & _PADDING and body:
                body = body[: max(0, len(body) - body[-1])]
            found.append(body[_SSRCS:])
        else:
            rest += data[at:end]
        at = end
    return found, bytes(rest + data[at:])


def feedback(ssrc: int, fci: bytes) -> bytes:
    """Return the packet of one transport-wide feedback from ``ssrc``."""
    padding = -len(fci) % 4
    tail = bytes(padding - 1) + bytes((padding,)) if padding else b""
    first = _VERSION | _TRANSPORT_CC | (_PADDING if padding else 0)
    body = struct.pack("!II", ssrc, 0) + fci + tail
    return _HEAD.pack(first, _RTPFB, len(body) // 4) + body


def _has_feedback(data: bytes) -> bool:
    at = 0
    while at + _HEAD.size <= len(data):
        flags, kind, words = _HEAD.unpack_from(data, at)
        if kind == _RTPFB and flags & _COUNT == _TRANSPORT_CC:
            return True
        at += 4 * (words + 1)
    return False
