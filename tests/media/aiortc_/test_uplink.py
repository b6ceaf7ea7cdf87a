"""What leaves for a viewer, on real connections: numbers, reports, shares, repair."""

import asyncio
import time

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from farhand.media.aiortc_.sender import TRANSPORT_CC
from farhand.media.arrivals import number_of
from tests.media.aiortc_.robot import Robot, connected, pattern_camera, shared
from tests.media.aiortc_.test_contract import packets_of, sender_of
from tests.media.aiortc_.viewing import viewed
from tests.media.stock_viewer import until

pytestmark = pytest.mark.webrtc

ID = 5


async def test_the_offer_asks_for_transport_wide_feedback_and_no_extension_id_is_used_twice() -> (
    None
):
    feeds = [pattern_camera()]
    robot = Robot(feeds)
    sdp, _ = await robot.connection.offer()
    lines = sdp.splitlines()
    ids = [line.split(":")[1].split(" ")[0] for line in lines if line.startswith("a=extmap:")]
    assert f"a=extmap:{ID} {TRANSPORT_CC}" in lines
    assert len(ids) == len(set(ids))
    payloads = {
        line.split(":")[1].split(" ")[0]
        for line in lines
        if line.startswith("a=rtpmap:") and "H264" in line
    }
    assert payloads
    assert all(f"a=rtcp-fb:{payload} transport-cc" in lines for payload in payloads)
    await robot.connection.close()
    await feeds[0].close()


async def test_every_packet_of_all_cameras_and_repetitions_has_the_next_number() -> None:
    async with viewed(cameras=2) as (robot, _, _feeds, _pictures):
        with packets_of(robot) as packets:
            await until(lambda: len(packets) > 40)
            first = RtpPacket.parse(packets[0])
            nack = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=0, lost=[first.sequence_number])
            for item in robot.connection._cameras.values():
                await item.sender._handle_rtcp_packet(nack)
            before = len(packets)
            await until(lambda: len(packets) > before + 40)
        numbers = [number_of(packet, ID) for packet in packets]
        assert None not in numbers
        start = numbers[0] or 0
        assert numbers == [(start + k) & 0xFFFF for k in range(len(numbers))]
        kinds = {(p.ssrc, p.payload_type) for p in map(RtpPacket.parse, packets)}
        # Two cameras, and RTX of at least one of them.
        assert len(kinds) >= 3


async def test_our_own_viewer_reports_every_packet_and_the_statistics_fill() -> None:
    async with viewed() as (robot, _, _feeds, pictures):
        uplink = robot.connection._uplink
        controller = uplink._controller
        assert controller is not None
        await until(lambda: len(pictures) > 45)
        await until(lambda: controller._log.reported > 60)
        assert controller._log.next_number - controller._log.reported < 40
        assert controller.has_feedback
        assert not controller.ignored
        stats = robot.connection.stats()
        assert stats.sent_bytes > 10_000
        assert stats.sent_bps > 10_000
        assert stats.target_bps is not None
        assert stats.loss == 0
        assert stats.rtt_s is not None
        assert 0 <= stats.rtt_s < 1
        assert stats.queue_s is not None
        assert not stats.is_silent
        assert [camera.camera for camera in stats.cameras] == ["camera0"]


async def test_each_camera_is_told_its_share() -> None:
    async with viewed(cameras=2) as (robot, _, _feeds, _pictures):
        outlets = [item.outlet for item in robot.connection._cameras.values()]
        assert all(outlet.budget_bps is not None for outlet in outlets)
        assert outlets[0].budget_bps == outlets[1].budget_bps
        before = outlets[1].budget_bps or 0
        robot.connection.stop_camera(outlets[0].camera)
        await until(lambda: len(robot.connection._uplink._outlets) == 1)
        assert (outlets[1].budget_bps or 0) >= before


async def test_a_flood_of_requests_is_bounded_work_and_bounded_rate() -> None:
    async with viewed() as (robot, _, feeds, pictures):
        await until(lambda: len(pictures) > 10)
        sender = sender_of(robot)
        stream = sender._stream
        assert stream is not None
        rtx_payload_type = stream.parameters.rtx_payload_type
        encoder = feeds[0].encoder
        assert encoder is not None
        with packets_of(robot) as packets:
            began = time.monotonic()
            keys, repeated = encoder.key_frames, sender.outlet.retransmitted
            newest = stream._seq - 1
            lost = [(newest - k) & 0xFFFF for k in range(200)] + list(range(0, 65536, 64))
            for _ in range(50):
                await sender._handle_rtcp_packet(
                    RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=lost)
                )
                await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2))
                await asyncio.sleep(0.01)
            rtx = [p for p in packets if p[1] & 0x7F == rtx_payload_type]
        stats = robot.connection.stats()
        assert stats.target_bps is not None
        again = sender.outlet.retransmitted - repeated
        assert 0 < len(rtx) <= again + 40
        # 15 % of the target for the time it took, and the burst that the budget may have saved.
        seconds = time.monotonic() - began
        most = 0.15 * stats.target_bps / 8 * (seconds + 0.5) + 4_800
        assert sum(map(len, rtx)) < most + 40 * len(rtx)
        assert encoder.key_frames - keys <= 3


async def test_forged_feedback_changes_nothing_and_the_picture_goes_on() -> None:
    async with viewed() as (robot, _, _feeds, pictures):
        dtls = robot.connection._dtls
        uplink = robot.connection._uplink
        controller = uplink._controller
        assert controller is not None
        target = controller.target_bps
        head = b"\x8f\xcd"
        bodies = [
            b"",
            b"\xff" * 8,
            b"\xff" * 1000,
            bytes(8) + b"\x80\x00\xff\xff" + bytes(4) + b"\x3f\xff" * 20,
        ]
        for body in bodies:
            await dtls._handle_rtcp_data(head + (len(body) // 4).to_bytes(2) + body)
        await dtls._handle_rtcp_data(b"\x81\xc9\x00\x01" + bytes(4))
        await dtls._handle_rtcp_data(b"\x81\xce\x00\x03" + bytes(12))
        assert controller.target_bps >= target // 2
        seen = len(pictures)
        await until(lambda: len(pictures) > seen + 10)


async def test_without_feedback_the_receivers_reports_and_its_estimate_are_used() -> None:
    async with connected(cameras=1) as (robot, viewer, _feeds):
        controller = robot.connection._uplink._controller
        assert controller is not None
        await until(lambda: bool(viewer.frames) and len(viewer.frames[0]) > 20)
        await until(lambda: robot.connection.stats().loss is not None, 10)
        assert not controller.has_feedback
        remb = b"REMB\x01" + bytes((5 << 2 | 1, 0x86, 0xA0))
        sender = sender_of(robot)
        fci = remb + sender._ssrc.to_bytes(4, "big")
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci))
        assert controller.target_bps <= 0x186A0 << 5


async def test_a_viewer_back_from_a_silence_gets_a_key_frame_at_once() -> None:
    async with viewed() as (robot, _, feeds, pictures):
        await until(lambda: len(pictures) > 10)
        connection = robot.connection
        wire, dtls = connection._wire, connection._dtls
        send, take = wire.send, dtls._handle_rtcp_data

        async def deaf(data: bytes) -> None:
            """Nothing comes back."""

        wire.send = lambda packet: None  # type: ignore[method-assign]
        dtls._handle_rtcp_data = deaf  # type: ignore[method-assign]
        await until(lambda: connection.stats().is_silent)
        encoder = feeds[0].encoder
        assert encoder is not None
        keys, sent = encoder.key_frames, len(robot.sent)
        await asyncio.sleep(0.5)
        shown = len(pictures)
        # Packets flow meanwhile: they are what notices that the link is back.
        assert len(robot.sent) > sent
        wire.send = send  # type: ignore[method-assign]
        dtls._handle_rtcp_data = take  # type: ignore[method-assign]
        await until(lambda: not connection.stats().is_silent, 1)
        await until(lambda: encoder.key_frames > keys, 0.5)
        await until(lambda: len(pictures) > shown + 3, 1)


async def test_two_stock_viewers_do_not_share_numbers() -> None:
    async with shared(2) as (_feed, (one, two), _viewers):
        with packets_of(one) as first, packets_of(two) as second:
            await until(lambda: len(first) > 10 and len(second) > 10)
    for packets in (first, second):
        numbers = [number_of(packet, ID) or 0 for packet in packets]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
