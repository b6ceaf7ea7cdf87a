"""One outgoing RTP stream: numbers, header extensions, and what may be asked for again.

Pure: knows no sockets, no library, no clock (``now_s`` is an argument). Packets are made before
they may leave; what depends on the moment of departure is written into them then, in place.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

HISTORY = 1024
"""Packets kept for retransmission: a second at 10 Mbit/s. aiortc keeps 128."""

_HEADER = struct.Struct("!BBHII")
_NUMBER = struct.Struct("!H")
_VERSION_AND_EXTENSION = 0x90
_MARKER = 0x80
_ONE_BYTE_PROFILE = b"\xbe\xde"
_EXTENSIONS_AT = _HEADER.size + 4
_U16 = 0xFFFF
_U32 = 0xFFFFFFFF
_FILLERS = 32


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """What was negotiated for one stream. An extension id of 0 means: not negotiated."""

    ssrc: int
    payload_type: int
    rtx_ssrc: int
    rtx_payload_type: int | None
    mid: str
    mid_id: int
    abs_send_time_id: int
    playout_delay_id: int
    transport_cc_id: int


class RtpStream:
    """Makes the packets of one stream; each must be stamped by :meth:`stamp` when it leaves.

    Args:
        parameters: What was negotiated.
        first_seq: Sequence number to begin with; keep it below 2**15, or SRTP may lose count at the
            first wrap.
        first_rtx_seq: The same for retransmissions.
        origin: RTP timestamp of ``pts`` 0; random (RFC 3550, 5.1).

    """

    def __init__(
        self, parameters: StreamParameters, *, first_seq: int, first_rtx_seq: int, origin: int
    ) -> None:
        self.parameters = parameters
        self.origin = origin
        self.packets = 0
        """Packets made, retransmissions not counted."""
        self.octets = 0
        """Payload bytes made, retransmissions not counted."""
        self.last_timestamp = 0
        self._seq = first_seq
        self._rtx_seq = first_rtx_seq
        self._filler = 0
        self._history: dict[int, tuple[int, int, int, bytes]] = {}
        self._extensions, self._time_at, self._number_at = _extensions(parameters)

    def timestamp(self, pts: int) -> int:
        """Return the RTP timestamp that a frame with ``pts`` leaves with."""
        return (self.origin + pts) & _U32

    def frame(self, payloads: Sequence[bytes], pts: int) -> list[bytearray]:
        """Return the packets of one frame; the last one carries the marker.

        Args:
            payloads: In order.
            pts: 90 kHz.

        """
        stamp = self.last_timestamp = self.timestamp(pts)
        kind, ssrc = self.parameters.payload_type, self.parameters.ssrc
        last = len(payloads) - 1
        packets = []
        for index, payload in enumerate(payloads):
            marker = _MARKER if index == last else 0
            seq = self._seq
            self._seq = (seq + 1) & _U16
            self._history[seq % HISTORY] = (seq, stamp, marker, payload)
            packets.append(self._packet(kind | marker, seq, stamp, ssrc, payload))
            self.octets += len(payload)
        self.packets += len(packets)
        return packets

    def again(self, seq: int) -> bytearray | None:
        """Return packet ``seq`` again, as RTX where negotiated (RFC 4588); ``None``: too old."""
        kept = self._history.get(seq % HISTORY)
        if kept is None or kept[0] != seq:
            return None
        _, stamp, marker, payload = kept
        if self.parameters.rtx_payload_type is None:
            kind = self.parameters.payload_type | marker
            return self._packet(kind, seq, stamp, self.parameters.ssrc, payload)
        kind = self.parameters.rtx_payload_type | marker
        number = self._rtx_seq
        self._rtx_seq = (number + 1) & _U16
        body = _NUMBER.pack(seq) + payload
        return self._packet(kind, number, stamp, self.parameters.rtx_ssrc, body)

    def size_of(self, seq: int) -> int | None:
        """Return how many bytes packet ``seq`` has when it is sent again; ``None``: too old."""
        kept = self._history.get(seq % HISTORY)
        if kept is None or kept[0] != seq:
            return None
        return self.header_bytes + 2 + len(kept[3])

    def was_made(self, seq: int) -> bool:
        """Say whether ``seq`` is the number of a packet made so far, half a circle back at most."""
        return self.behind(seq) < min(self.packets, 1 << 15)

    def behind(self, seq: int) -> int:
        """Return how many packets were made after ``seq``, modulo 2**16."""
        return (self._seq - 1 - seq) & _U16

    @property
    def header_bytes(self) -> int:
        """Of each packet, before the payload."""
        return _HEADER.size + len(self._extensions)

    @property
    def has_filler(self) -> bool:
        """Whether :meth:`filler` has something to return."""
        return self.parameters.rtx_payload_type is not None and self.packets > 0

    def filler(self) -> bytearray | None:
        """Return one of the newest packets again, as RTX: for the viewer just a duplicate.

        ``None``: nothing has been sent, or RTX was not negotiated.
        """
        if not self.has_filler:
            return None
        self._filler = (self._filler + 1) % min(_FILLERS, self.packets)
        return self.again((self._seq - 1 - self._filler) & _U16)

    def stamp(self, packet: bytearray, number: int, now_s: float) -> None:
        """Write into a packet what depends on the moment at which it leaves.

        Args:
            packet: Of this stream; changed in place.
            number: Transport-wide sequence number.
            now_s: Any steady clock, for abs-send-time.

        """
        if self._time_at:
            # 24 bits of seconds in 6.18 fixed point: what the receiver's bandwidth estimate reads.
            at = self._time_at
            packet[at : at + 3] = (int(now_s * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")
        if self._number_at:
            _NUMBER.pack_into(packet, self._number_at, number & _U16)

    def _packet(self, kind: int, seq: int, stamp: int, ssrc: int, payload: bytes) -> bytearray:
        packet = bytearray(_HEADER.pack(_VERSION_AND_EXTENSION, kind, seq, stamp, ssrc))
        packet += self._extensions
        packet += payload
        return packet


def _extensions(parameters: StreamParameters) -> tuple[bytes, int, int]:
    """Return the extensions with zeros for what is stamped, and where time and number stand."""
    block, time_at, number_at = b"", 0, 0
    mid = parameters.mid.encode()
    if parameters.mid_id and mid:
        block += bytes((parameters.mid_id << 4 | len(mid) - 1,)) + mid
    if parameters.playout_delay_id:
        # min = max = 0: Chromium renders at once instead of smoothing (45 -> 17 ms on screen).
        block += bytes((parameters.playout_delay_id << 4 | 2,)) + b"\x00\x00\x00"
    if parameters.abs_send_time_id:
        block += bytes((parameters.abs_send_time_id << 4 | 2,))
        time_at = _EXTENSIONS_AT + len(block)
        block += b"\x00\x00\x00"
    if parameters.transport_cc_id:
        block += bytes((parameters.transport_cc_id << 4 | 1,))
        number_at = _EXTENSIONS_AT + len(block)
        block += b"\x00\x00"
    words = -(-len(block) // 4)
    head = _ONE_BYTE_PROFILE + words.to_bytes(2, "big")
    return head + block.ljust(words * 4, b"\x00"), time_at, number_at
