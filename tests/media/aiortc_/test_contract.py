"""What we rely on in private parts of aiortc 1.16 and aioice 0.13; a failure: do not upgrade."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from aiortc import RTCRtpSender, codecs, rtcrtpsender
from aiortc.rtp import RtcpPsfbPacket, RtpPacket

from farhand.media import h264
from farhand.media.aiortc_ import guard, private
from farhand.media.aiortc_.outlet import PayloadCache
from farhand.media.aiortc_.sender import PLAYOUT_DELAY, FrameSender, install
from farhand.media.base import EncodedFrame
from tests.media.aiortc_.robot import Robot, connected, pattern_camera, shared
from tests.media.stock_viewer import StockViewer, until

pytestmark = pytest.mark.webrtc


@contextmanager
def packets_of(robot: Robot) -> Iterator[list[bytes]]:
    """Collect the RTP packets that leave, before they are encrypted."""
    wire = robot.connection._wire
    send = wire.send
    seen: list[bytes] = []

    def spy(packet: bytearray) -> None:
        seen.append(bytes(packet))
        send(packet)

    wire.send = spy  # type: ignore[method-assign]
    yield seen
    wire.send = send  # type: ignore[method-assign]


def sender_of(robot: Robot) -> FrameSender:
    sender = next(iter(robot.connection._cameras.values())).sender
    assert isinstance(sender, FrameSender)
    return sender


async def test_the_playout_delay_is_negotiated_and_on_every_packet() -> None:
    feed = pattern_camera()
    robot, viewer = Robot([feed]), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    answer = await viewer.answer(sdp)
    assert f"a=extmap:9 {PLAYOUT_DELAY}" in sdp
    assert PLAYOUT_DELAY in answer
    with packets_of(robot) as packets:
        await robot.connection.accept(answer)
        await until(lambda: len(robot.sent) > 5)
    assert packets
    # One-byte header: id 9, three bytes, all zero.
    assert all(b"\x92\x00\x00\x00" in packet[12:32] for packet in packets)
    await robot.connection.close()
    await viewer.close()
    await feed.close()


def test_installing_twice_offers_the_extension_once() -> None:
    install()
    install()
    uris = [extension.uri for extension in codecs.HEADER_EXTENSIONS["video"]]
    assert uris.count(PLAYOUT_DELAY) == 1


async def test_sent_frames_name_the_rtp_timestamp_of_their_packets() -> None:
    async with connected(cameras=1) as (robot, _, _feeds):
        robot.sent.clear()
        with packets_of(robot) as packets:
            await until(lambda: len(robot.sent) >= 20)
        stamps = {RtpPacket.parse(packet).timestamp for packet in packets}
        told = [sent.rtp for sent in robot.sent]
        assert set(told[1:]) <= stamps
        by_capture = [(sent.stamp_us * 9 // 100, sent.rtp) for sent in robot.sent]
        # One random origin for all: nothing is voted on.
        assert len({(rtp - pts) % 2**32 for pts, rtp in by_capture}) == 1


async def test_a_viewers_frames_carry_the_timestamps_that_the_robot_names() -> None:
    async with connected(cameras=1) as (robot, viewer, _feeds):
        await until(lambda: bool(viewer.frames) and len(viewer.frames[0]) >= 20)
        stamps = [frame.pts for frame in viewer.frames[0]]
        told = [sent.rtp for sent in robot.sent]
        # aiortc's receiver counts from its first frame.
        steps = {(b - a) % 2**32 for a, b in pairwise(stamps)}
        assert steps <= {(b - a) % 2**32 for a, b in pairwise(told)}


async def test_a_key_frame_request_of_the_viewer_reaches_the_shared_encoder() -> None:
    async with connected(cameras=1) as (robot, viewer, feeds):
        await until(lambda: bool(viewer.frames) and len(viewer.frames[0]) >= 3)
        await asyncio.sleep(1.1)
        assert feeds[0].encoder is not None
        before = feeds[0].encoder.key_frames
        receiver = viewer.pc.getReceivers()[0]
        await receiver._send_rtcp_pli(sender_of(robot)._ssrc)
        await until(lambda: feeds[0].encoder is not None and feeds[0].encoder.key_frames > before)


async def test_a_lost_packet_is_sent_again() -> None:
    async with connected(cameras=1) as (robot, viewer, _feeds):
        await until(lambda: len(robot.sent) > 3)
        with packets_of(robot) as packets:
            await until(lambda: len(packets) > 3)
            lost = RtpPacket.parse(packets[1])
            receiver = viewer.pc.getReceivers()[0]
            await receiver._send_rtcp_nack(lost.ssrc, [lost.sequence_number])
            await until(lambda: sender_of(robot).outlet.retransmitted == 1)
        again = [RtpPacket.parse(packet) for packet in packets if packet[1] & 0x7F == 102]
        assert again[0].payload == lost.sequence_number.to_bytes(2, "big") + lost.payload
        assert again[0].timestamp == lost.timestamp


async def test_no_encoder_of_aiortc_is_ever_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(codec: object) -> None:
        raise AssertionError(f"aiortc made an encoder for {codec}")

    monkeypatch.setattr(rtcrtpsender, "get_encoder", refuse)
    async with connected(cameras=2) as (robot, viewer, _feeds):
        await until(lambda: len(viewer.frames) == 2 and all(viewer.frames))
        assert all(
            private.read(item.sender, RTCRtpSender, "encoder") is None
            for item in robot.connection._cameras.values()
        )


async def test_reports_of_the_receiver_fill_the_statistics() -> None:
    async with connected(cameras=1) as (robot, _, _feeds):
        await until(lambda: robot.connection.stats().rtt_s is not None, 10)
        stats = robot.connection.stats()
        assert stats.sent_bytes > 1000
        assert stats.loss == 0
        assert stats.rtt_s is not None
        assert 0 <= stats.rtt_s < 1
        # What aiortc's sender reports say is what left.
        assert private.read(sender_of(robot), RTCRtpSender, "packet_count") > 10


async def test_an_estimate_of_the_receiver_is_kept_and_nonsense_is_not() -> None:
    async with connected(cameras=1) as (robot, _, _feeds):
        sender = sender_of(robot)
        ssrc = sender._ssrc
        remb = b"REMB\x01" + bytes((5 << 2 | 1, 0x86, 0xA0)) + ssrc.to_bytes(4, "big")
        for fci in (remb, b"REMB", b"nonsense"):
            packet = RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)
            await sender._handle_rtcp_packet(packet)
        assert robot.connection.remb_bps == 0x186A0 << 5


async def test_a_stopped_sender_says_goodbye_and_the_encoder_is_released() -> None:
    async with connected(cameras=1) as (robot, viewer, feeds):
        await until(lambda: bool(viewer.frames) and bool(viewer.frames[0]))
        said: list[bytes] = []
        send = robot.connection._dtls._send_rtp

        async def spy(data: bytes) -> None:
            said.append(data)
            await send(data)

        robot.connection._dtls._send_rtp = spy  # type: ignore[method-assign]
        robot.connection.stop_camera(feeds[0].camera)
        robot.connection.stop_camera(feeds[0].camera)
        await until(lambda: any(data[1] == 203 for data in said), 1)
        await until(lambda: not feeds[0].is_running and feeds[0].encoder is None, 1)
        # The session goes on.
        assert robot.connection.send("messages", "still here")
        await until(lambda: ("messages", "still here") in viewer.messages)


def test_a_renamed_private_attribute_does_not_go_unnoticed() -> None:
    class Owner:
        pass

    with pytest.raises(AttributeError):
        private.write(Owner(), Owner, "gone", 1)
    with pytest.raises(AttributeError):
        private.read(Owner(), Owner, "gone")


def ports_of(robot: Robot) -> list[tuple[str, int]]:
    connection = robot.connection._dtls.transport._connection
    return [(c.host, c.port) for c in connection.local_candidates if "." in c.host]


async def test_forged_datagrams_are_dropped_and_the_channels_open_all_the_same() -> None:
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    taken: list[bytes] = []
    connection: Any = robot.connection._dtls.transport._connection
    take = connection.data_received

    def spy(data: bytes, component: int) -> None:
        taken.append(data)
        take(data, component)

    connection.data_received = spy
    client_hello = bytes((22, 254, 253)) + bytes(60)
    not_stun = b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(12) + b"\xff\xff\xff\xff"
    forged = [client_hello, b"\x80" * 40, not_stun, b"", b"\x01", b"\x00" * 40]
    dropped = guard.Counter.dropped
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outsider:
        for address in ports_of(robot):
            for datagram in forged:
                outsider.sendto(datagram, address)
        await until(lambda: guard.Counter.dropped >= dropped + len(forged) * len(ports_of(robot)))
        await robot.connection.accept(await viewer.answer(sdp))
        await until(lambda: len(robot.opened) == 3)
        for address in ports_of(robot):
            for datagram in forged:
                outsider.sendto(datagram, address)
        robot.connection.send("messages", "hello")
        await until(lambda: ("messages", "hello") in viewer.messages)
    assert not set(forged) & set(taken)
    await robot.connection.close()
    await viewer.close()


async def seconds_until_noticed() -> float:
    """How long after its success aiortc went on."""
    loop = asyncio.get_running_loop()
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    ice: Any = robot.connection._dtls.transport
    complete = ice._connection._check_list_maybe_complete
    times: list[float] = []

    def spy() -> bool:
        is_done: bool = complete()
        if is_done and not times:
            times.append(loop.time())
        return is_done

    def note() -> None:
        if ice.state == "completed":
            times.append(loop.time())

    ice._connection._check_list_maybe_complete = spy
    ice.on("statechange", note)
    await robot.connection.accept(await viewer.answer(sdp))
    await until(lambda: "connected" in robot.states)
    await robot.connection.close()
    await viewer.close()
    return times[1] - times[0]


async def test_success_of_ice_is_noticed_at_once() -> None:
    assert min([await seconds_until_noticed() for _ in range(5)]) < 0.010


async def test_the_safety_channel_overtakes_what_waits_in_others() -> None:
    labels = ["safety", "messages", "telemetry"]
    async with connected(labels=labels) as (robot, viewer, _feeds):
        for number in range(50):
            robot.connection.send("messages", f"{number:04}" + "x" * 4000)
        robot.connection.send("safety", b"stop")
        await until(lambda: len(viewer.messages) == 51)
        assert viewer.messages.index(("safety", b"stop")) < 10
        numbers = [int(str(data)[:4]) for label, data in viewer.messages if label == "messages"]
        assert numbers == list(range(50))


async def test_frames_for_four_viewers_are_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts: list[bytes] = []
    real = h264.payloads

    def spy(data: bytes) -> list[bytes]:
        cuts.append(data)
        return real(data)

    wanted: list[EncodedFrame] = []
    of = PayloadCache.of

    def ask(self: PayloadCache, frame: EncodedFrame) -> list[bytes]:
        wanted.append(frame)
        return of(self, frame)

    monkeypatch.setattr(h264, "payloads", spy)
    monkeypatch.setattr(PayloadCache, "of", ask)
    async with shared(4) as (_feed, robots, _viewers):
        await until(lambda: all(len(robot.sent) > 10 for robot in robots))
        assert len(cuts) == len({id(data) for data in cuts})
        # As many as there were frames to send, of whatever rung, not as many as were sent.
        assert len(cuts) == len({id(frame) for frame in wanted}) < len(wanted)
