"""A peer that breaks SCTP's rules costs bounded work, and what it costs it pays itself."""

import asyncio
import re
from typing import Any

import pytest
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import DataChunk, ForwardTsnChunk, SackChunk, serialize_packet

from farhand.media.aiortc_.sctp import MOST_CHUNKS
from farhand.media.aiortc_.sctp_guard import (
    FORWARD_EVERY_S,
    MAX_MISORDERED,
    MAX_PACKET,
    MAX_STREAMS,
)
from tests.media.aiortc_.outage import Outage
from tests.media.aiortc_.robot import Robot, connected
from tests.media.stock_viewer import StockViewer, until

pytestmark = pytest.mark.webrtc

LABELS = ["safety", "control", "messages", "frames"]


def association(robot: Robot) -> Any:
    return robot.connection._pc.sctp


def packet(sctp: Any, chunk: Any) -> bytes:
    """What a peer sends who knows the association."""
    return serialize_packet(5000, 5000, sctp._local_verification_tag, chunk)


def sack(sctp: Any, cumulative: int, gaps: list[tuple[int, int]]) -> bytes:
    chunk = SackChunk()
    chunk.cumulative_tsn, chunk.gaps = cumulative % 2**32, gaps
    return packet(sctp, chunk)


@pytest.mark.parametrize("gaps", [[(2, 65535)] * 300, [(5, 1)], [(2, 3)] * 4])
async def test_gaps_that_cannot_be_are_not_walked_through(gaps: list[tuple[int, int]]) -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        receive, taken = sctp._receive_sack_chunk, []

        async def spy(chunk: Any) -> None:
            taken.append(chunk)
            await receive(chunk)

        sctp._receive_sack_chunk = spy
        outage = Outage(robot.connection)
        outage.begin()
        for _ in range(5):
            assert robot.connection.send("safety", b"beat")
        await sctp._handle_data(sack(sctp, sctp._last_sacked_tsn, gaps))
        await sctp._handle_data(sack(sctp, sctp._local_tsn, []))
        assert not taken
        await sctp._handle_data(sack(sctp, sctp._last_sacked_tsn, [(2, 3), (5, 5)]))
        assert len(taken) == 1
        outage.end()
        assert robot.connection.send("safety", b"after")
        await until(lambda: ("safety", b"after") in viewer.messages)


async def test_numbers_with_a_gap_after_each_are_kept_up_to_a_bound() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        first = sctp._last_received_tsn + 2
        sctp._send_sack = _nothing
        for number in range(2 * MAX_MISORDERED):
            chunk: Any = DataChunk()
            chunk.flags, chunk.stream_id, chunk.user_data = 7, 0, b"x"
            chunk.tsn = (first + 2 * number) % 2**32
            await sctp._handle_data(packet(sctp, chunk))
        assert len(sctp._sack_misordered) == MAX_MISORDERED
        # What fills the gap is taken all the same.
        before = len(robot.messages)
        viewer.channels["control"].send(b"next")
        await until(lambda: len(robot.messages) > before)
        assert robot.messages[-1] == ("control", b"next")


async def test_streams_that_nobody_opened_are_not_kept() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        known = len(sctp._inbound_streams)
        for stream_id in (MAX_STREAMS, 0xFFFF):
            data: Any = DataChunk()
            data.flags, data.stream_id, data.user_data = 7, stream_id, b"x"
            data.tsn = (sctp._last_received_tsn + 1) % 2**32
            await sctp._handle_data(packet(sctp, data))
            skip: Any = ForwardTsnChunk()
            skip.cumulative_tsn, skip.streams = data.tsn, [(0, 0), (stream_id, 0)]
            await sctp._handle_data(packet(sctp, skip))
        assert len(sctp._inbound_streams) == known
        viewer.channels["control"].send(b"next")
        await until(lambda: ("control", b"next") in robot.messages)


async def test_a_packet_longer_than_any_path_takes_is_not_read() -> None:
    async with connected(labels=LABELS) as (robot, _, _feeds):
        sctp = association(robot)
        chunk: Any = DataChunk()
        chunk.flags, chunk.stream_id, chunk.tsn = 7, 0, sctp._last_received_tsn + 1
        chunk.user_data = b"x" * MAX_PACKET
        before = sctp._last_received_tsn
        await sctp._handle_data(packet(sctp, chunk))
        assert sctp._last_received_tsn == before


@pytest.mark.parametrize("reliable", [1, 4])
async def test_a_viewer_that_never_acknowledges_holds_bounded_memory(reliable: int) -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        outage = Outage(robot.connection)
        outage.begin()
        for _ in range(reliable):
            robot.connection.send("messages", "m" * 1000)
        await asyncio.sleep(0.02)
        for number in range(MOST_CHUNKS + 500):
            robot.connection.send("frames", "f" * 100)
            if number % 200 == 0:
                sctp._t3_expired()  # takes what it gives up out of the bytes in flight
        held = len(sctp._sent_queue) + len(sctp._outbound_queue)
        assert MOST_CHUNKS // 2 - 8 <= held <= MOST_CHUNKS // 2 + 8
        # The other half is for those that the person drives and stops by.
        assert robot.connection.send("safety", b"beat")
        for _ in range(MOST_CHUNKS):
            robot.connection.send("safety", b"beat")
            sctp._flight_size = 0
        assert len(sctp._sent_queue) + len(sctp._outbound_queue) <= MOST_CHUNKS + 8
        outage.end()
        sctp._t3_expired()
        await until(lambda: robot.connection.send("safety", b"after"), 10)
        await until(lambda: ("safety", b"after") in viewer.messages, 10)


async def test_nothing_stale_comes_after_an_outage_in_a_long_message() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        long = "m" * 50_000
        outage = Outage(robot.connection)
        outage.begin()
        robot.connection.send("messages", long)
        await until(lambda: len(sctp._outbound_queue) > 20)
        for _ in range(50):
            assert robot.connection.send("safety", b"stale")
        outage.end()
        assert robot.connection.send("safety", b"new")
        await until(lambda: ("messages", long) in viewer.messages, 10)
        assert ("safety", b"stale") not in viewer.messages
        assert viewer.messages.count(("safety", b"new")) == 1
        robot.connection.send("messages", "on it goes")
        await until(lambda: ("messages", "on it goes") in viewer.messages, 10)
        await until(lambda: not sctp._sent_queue and not sctp._outbound_queue, 10)
        assert sctp._flight_size == 0


async def test_a_viewer_that_takes_no_long_messages_gets_none_and_raises_nothing() -> None:
    robot, viewer = Robot(labels=LABELS), StockViewer(LABELS)
    try:
        sdp, _ = await robot.connection.offer()
        answer = re.sub(r"max-message-size:\d+", "max-message-size:10", await viewer.answer(sdp))
        await robot.connection.accept(answer)
        await until(lambda: set(robot.opened) == set(LABELS))
        assert not robot.connection.send("messages", "m" * 11)
        assert robot.connection.send("messages", "m" * 10)
    finally:
        await viewer.close()
        await robot.connection.close()


async def _nothing() -> None:
    pass


async def test_losses_make_no_storm_of_forward_tsn_and_acknowledgements(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each FORWARD TSN of aiortc is acknowledged, and each acknowledgement brings a FORWARD TSN.
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        left: list[Any] = []
        transmit = RTCDtlsTransport._send_data

        async def spy(transport: Any, data: bytes) -> None:
            if transport is sctp.transport:
                left.append(data[12])
            await transmit(transport, data)

        monkeypatch.setattr(RTCDtlsTransport, "_send_data", spy)
        skip: Any = ForwardTsnChunk()
        skip.cumulative_tsn = sctp._last_sacked_tsn
        for expected in (1, 2):
            # As many acknowledgements, each answered at once.
            for _ in range(10):
                await sctp._send_chunk(skip)
            assert left.count(ForwardTsnChunk.type) == expected
            await asyncio.sleep(FORWARD_EVERY_S)
        assert robot.connection.send("safety", b"beat")
        await until(lambda: ("safety", b"beat") in viewer.messages)


async def test_control_is_acknowledged_at_most_25_times_a_second_and_the_last_one_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        acknowledged: list[int] = []
        transmit = RTCDtlsTransport._send_data

        async def spy(transport: Any, data: bytes) -> None:
            if transport is sctp.transport and data[12] == SackChunk.type:
                acknowledged.append(int.from_bytes(data[16:20], "big"))
            await transmit(transport, data)

        monkeypatch.setattr(RTCDtlsTransport, "_send_data", spy)
        for _ in range(50):
            viewer.channels["safety"].send(b"answer")
            await asyncio.sleep(0.01)
        await until(lambda: acknowledged[-1:] == [sctp._last_received_tsn])
        assert 3 <= len(acknowledged) <= 25
