from typing import Any

import pytest
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

from farhand.media.aiortc_ import private
from farhand.media.aiortc_.jitter import KeyFrameBuffer
from tests.media.aiortc_.viewing import viewed

START = b"\x00\x00\x00\x01"
KEY, DELTA = START + b"\x67", START + b"\x41"


def packet(seq: int, data: bytes, timestamp: int) -> RtpPacket:
    made: Any = RtpPacket(sequence_number=seq & 0xFFFF, timestamp=timestamp)
    made._data = data
    return made  # type: ignore[no-any-return]


def test_a_gap_before_a_key_frame_holds_up_nothing() -> None:
    buffer = KeyFrameBuffer()
    buffer.add(packet(0xFFFE, DELTA, 1))
    # 0xFFFF is lost for good.
    buffer.add(packet(0, DELTA, 3))
    buffer.add(packet(1, KEY, 4))
    _, frame = buffer.add(packet(2, DELTA, 5))
    assert frame is not None
    assert (frame.timestamp, frame.data) == (4, KEY)


def test_a_gap_without_a_key_frame_is_waited_for_as_before() -> None:
    buffer = KeyFrameBuffer()
    buffer.add(packet(1, DELTA, 1))
    assert buffer.add(packet(3, DELTA, 3))[1] is None
    _, frame = buffer.add(packet(2, DELTA, 2))
    assert frame is not None
    assert frame.timestamp == 1


def test_an_old_key_frame_that_comes_again_changes_nothing() -> None:
    buffer = KeyFrameBuffer()
    buffer.add(packet(10, KEY, 1))
    _, first = buffer.add(packet(11, DELTA, 2))
    assert first is not None
    buffer.add(packet(10, KEY, 1))
    _, second = buffer.add(packet(12, DELTA, 3))
    assert second is not None
    assert second.timestamp == 2


@pytest.mark.webrtc
async def test_our_viewers_receivers_have_it() -> None:
    async with viewed(cameras=2) as (_, viewer, _feeds, _pictures):
        buffers = [
            private.read(receiver, RTCRtpReceiver, "jitter_buffer")
            for receiver in viewer._pc.getReceivers()
        ]
    assert len(buffers) == 2
    assert all(isinstance(b, KeyFrameBuffer) and isinstance(b, JitterBuffer) for b in buffers)
