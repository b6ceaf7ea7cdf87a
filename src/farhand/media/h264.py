"""H.264 in Annex B cut into RTP payloads (RFC 6184, mode 1). Pure: bytes in, bytes out."""

from collections.abc import Iterator

MAX_PAYLOAD = 1150
"""Bytes of one RTP payload: with all headers still below the 1280 that every IPv6 link carries."""

_START = b"\x00\x00\x01"
_FU_A = 28
_TYPE = 0x1F
_NRI = 0xE0
_FIRST = 0x80
_LAST = 0x40
_IDR = 5


def nal_units(stream: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an Annex-B byte stream without their start codes."""
    begin = stream.find(_START)
    while begin >= 0:
        begin += len(_START)
        following = stream.find(_START, begin)
        end = len(stream) if following < 0 else following
        # Zeros before a start code belong to it (four-byte form) or are trailing padding: no NAL
        # unit ends in zero.
        unit = stream[begin:end].rstrip(b"\x00")
        if unit:
            yield unit
        begin = following


def payloads(stream: bytes, limit: int = MAX_PAYLOAD) -> list[bytes]:
    """Return the RTP payloads of one access unit: whole NAL units where they fit, else FU-A."""
    packed: list[bytes] = []
    for unit in nal_units(stream):
        if len(unit) <= limit:
            packed.append(unit)
        else:
            packed.extend(_fragments(unit, limit))
    return packed


def _fragments(unit: bytes, limit: int) -> Iterator[bytes]:
    indicator = unit[0] & _NRI | _FU_A
    kind = unit[0] & _TYPE
    room = limit - 2
    body = len(unit) - 1
    count = -(-body // room)
    size = -(-body // count)
    for index in range(count):
        edge = (_FIRST if index == 0 else 0) | (_LAST if index == count - 1 else 0)
        begin = 1 + index * size
        yield bytes((indicator, edge | kind)) + unit[begin : begin + size]


def is_key(stream: bytes) -> bool:
    """Say whether the access unit is an IDR picture."""
    return any(unit[0] & _TYPE == _IDR for unit in nal_units(stream))
