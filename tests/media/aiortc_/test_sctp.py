"""Control never waits: not for bulk data, not for a window, not for a timer after an outage."""

import asyncio
import time
from typing import Any

import pytest
from aiortc.rtcsctptransport import USERDATA_MAX_LENGTH

from farhand.media.aiortc_.private import run
from farhand.media.aiortc_.sctp import MOST_UNACKNOWLEDGED, send_now
from tests.media.aiortc_.outage import Outage
from tests.media.aiortc_.robot import Robot, connected
from tests.media.stock_viewer import StockViewer, until

pytestmark = pytest.mark.webrtc

LABELS = ["safety", "control", "messages", "telemetry"]


def association(robot: Robot) -> Any:
    return robot.connection._pc.sctp


async def test_a_small_message_leaves_within_the_call() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        sctp = association(robot)
        sent: list[bytes] = []
        send = sctp._send_chunk

        async def spy(chunk: Any) -> None:
            sent.append(getattr(chunk, "user_data", b""))
            await send(chunk)

        sctp._send_chunk = spy
        assert robot.connection.send("safety", b"beat")
        assert sent == [b"beat"]
        assert robot.connection.send("control", "text")
        assert sent == [b"beat", b"text"]
        await until(lambda: len(viewer.messages) == 2)
        assert viewer.messages == [("safety", b"beat"), ("control", "text")]


async def test_what_is_written_as_a_coroutine_but_waits_is_noticed() -> None:
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError):
        run(waits())


@pytest.mark.parametrize("outage_s", [1.0, 5.0])
async def test_after_an_outage_control_arrives_at_once_and_nothing_stale_before_it(
    outage_s: float,
) -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        robot.connection.send("safety", b"before")
        await until(lambda: viewer.messages == [("safety", b"before")])
        outage = Outage(robot.connection)
        outage.begin()
        over = time.monotonic() + outage_s
        while time.monotonic() < over:
            assert robot.connection.send("safety", b"lost")
            assert robot.connection.send("control", b"x" * 60)
            await asyncio.sleep(0.01)
        outage.end()
        viewer.messages.clear()
        began = time.monotonic()
        assert robot.connection.send("safety", b"after")
        await until(lambda: ("safety", b"after") in viewer.messages, 1)
        # aiortc alone: up to a second, until the timer fires. Here a round trip on loopback; the
        # limit is for a busy machine.
        assert time.monotonic() - began < 0.25
        assert ("safety", b"lost") not in viewer.messages
        # The association is alive for the others too.
        robot.connection.send("messages", "reliable")
        await until(lambda: ("messages", "reliable") in viewer.messages, 5)
        await until(lambda: association(robot)._flight_size == 0, 5)
        assert association(robot)._association_state.name == "ESTABLISHED"


async def test_safety_does_not_wait_for_a_long_message_that_is_under_way() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        long = "m" * 200_000
        robot.connection.send("messages", long)
        await until(lambda: len(association(robot)._outbound_queue) > 20)
        for number in range(20):
            assert robot.connection.send("safety", bytes((number,)))
        await until(lambda: len(viewer.messages) == 21)
        labels = [label for label, _ in viewer.messages]
        assert labels[-1] == "messages"
        assert viewer.messages[-1][1] == long
        assert [data for label, data in viewer.messages if label == "safety"] == [
            bytes((number,)) for number in range(20)
        ]
        await until(lambda: not association(robot)._sent_queue)
        robot.connection.send("messages", "and on it goes")
        await until(lambda: viewer.messages[-1] == ("messages", "and on it goes"))


async def test_safety_leaves_beside_a_long_message_on_a_fast_link() -> None:
    async with connected(labels=LABELS) as (robot, _, _feeds):
        sctp = association(robot)
        sctp._cwnd, sctp._ssthresh = 1_000_000, 500_000
        outage = Outage(robot.connection)
        outage.begin()
        for _ in range(2):
            assert robot.connection.send("messages", "m" * 120_000)
        while sctp._flight_size < 100_000:
            await sctp._data_channel_flush()
            await sctp._transmit()
        assert robot.connection.send("safety", b"stop")
        outage.end()


async def test_telemetry_overtakes_reliable_messages_that_wait_and_keeps_its_order() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        for number in range(10):
            robot.connection.send("messages", f"{number}" + "x" * 20_000)
        for number in range(3):
            robot.connection.send("telemetry", f"{number}")
        await until(lambda: len(viewer.messages) == 13)
        told = [data for label, data in viewer.messages if label == "telemetry"]
        assert told == ["0", "1", "2"]
        assert viewer.messages.index(("telemetry", "2")) <= 5
        numbers = [str(data)[0] for label, data in viewer.messages if label == "messages"]
        assert numbers == [str(number) for number in range(10)]


async def test_what_nobody_acknowledges_is_bounded() -> None:
    async with connected(labels=LABELS) as (robot, _, _feeds):
        outage = Outage(robot.connection)
        outage.begin()
        accepted = 0
        window = association(robot)._cwnd
        while robot.connection.send("safety", b"x" * 1000):
            accepted += 1000
        assert window - 1000 <= accepted - MOST_UNACKNOWLEDGED <= window
        outage.end()
        await until(lambda: robot.connection.send("safety", b"again"), 3)


async def test_what_does_not_fit_one_packet_takes_the_usual_way() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        channel = robot.connection._channels._channels["safety"]
        assert send_now(channel, b"") is None
        assert send_now(channel, b"x" * (USERDATA_MAX_LENGTH + 1)) is None
        assert robot.connection.send("safety", b"y" * 3000)
        await until(lambda: ("safety", b"y" * 3000) in viewer.messages)


async def test_the_operators_control_is_back_at_once_too() -> None:
    async with connected(labels=LABELS) as (robot, viewer, _feeds):
        outage = Outage(robot.connection)
        outage.begin()
        over = time.monotonic() + 2
        while time.monotonic() < over:
            robot.connection.send("safety", b"beat")
            await asyncio.sleep(0.02)
        outage.end()
        assert isinstance(viewer, StockViewer)
        viewer.channels["control"].send(b"drive")
        await until(lambda: ("control", b"drive") in robot.messages, 1)
