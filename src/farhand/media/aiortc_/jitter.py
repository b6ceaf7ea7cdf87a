"""A jitter buffer that goes on at a key frame instead of waiting for what is lost for good.

aiortc's holds a gap until 512 packets have come after it: seconds at any rate. Nothing after a
key frame refers to what was before it.
"""

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

from farhand.media.aiortc_ import private

CAPACITY = 512
"""Packets, as in aiortc."""
_SPS_AT_START = (b"\x00\x00\x00\x01\x67", b"\x00\x00\x00\x01\x27", b"\x00\x00\x00\x01\x47")


def install(receiver: RTCRtpReceiver) -> None:
    """Give ``receiver``, which has received nothing yet, this buffer."""
    private.write(receiver, RTCRtpReceiver, "jitter_buffer", KeyFrameBuffer())


class KeyFrameBuffer(JitterBuffer):
    """aiortc's buffer for H.264 whose key frames begin with a parameter set, as our robots send."""

    def __init__(self) -> None:
        super().__init__(capacity=CAPACITY, is_video=True)

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; see aiortc."""
        if self._origin is not None and _data(packet).startswith(_SPS_AT_START):
            ahead = (packet.sequence_number - self._origin) & 0xFFFF
            if 0 < ahead < self.capacity:
                self.remove(ahead)
        return super().add(packet)


def _data(packet: RtpPacket) -> bytes:
    data: bytes = getattr(packet, "_data")  # noqa: B009 (unknown to aiortc's types)
    return data
