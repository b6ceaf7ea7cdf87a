"""The network that `farhand demo` can make bad: real packets late, some lost, and good again."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from farhand.client import Robot, connect
from farhand.errors import Code, ConfigError
from farhand.kits.demo import DemoOptions, stack_for
from farhand.kits.demo_network import DemoNetwork
from farhand.kits.late_proxy import LateProxy
from farhand.kits.stack import Stack, free_port
from farhand.media import bad_network
from farhand.media.aiortc_.late import MAX_WAITING, Way
from farhand.media.bad_network import BadNetwork, parse

ROBOT = "sim-rover"


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("100ms,5%", BadNetwork(100, 5.0)),
        ("0ms,0%", BadNetwork()),
        ("2000ms, 50%", BadNetwork(2000, 50.0)),
        ("30ms,0.5%", BadNetwork(30, 0.5)),
        ("80ms", BadNetwork(80)),
    ],
)
def test_what_the_flag_says(text: str, network: BadNetwork) -> None:
    assert parse(text) == network
    assert parse(str(network)) == network


@pytest.mark.parametrize(
    "text", ["", "100", "5%", "100ms,5", "-1ms,0%", "2001ms,0%", "0ms,51%", "1e3ms,0%", "nanms,0%"]
)
def test_what_it_may_not_say(text: str) -> None:
    with pytest.raises(ConfigError, match="Write 100ms,5%") as refused:
        parse(text)
    assert refused.value.code is Code.CONFIG_INVALID


@pytest.mark.parametrize("text", ["", "{", '{"delayMs": 9999}', '{"lossPercent": 99}', "[]", "\0"])
def test_a_file_without_sense_is_a_good_network(tmp_path: Path, text: str) -> None:
    file = tmp_path / "network.json"
    file.write_text(text)
    assert bad_network.read(file).is_good
    assert bad_network.read(tmp_path / "none").is_good


class Loop:
    """A clock and its timers."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, object]] = []

    def way(self, seed: int = 1) -> Way:
        return Way(lambda: self.now, lambda at, run: self.timers.append((at, run)), Random(seed))

    def run_until(self, when: float) -> None:
        while due := [timer for timer in self.timers if timer[0] <= when]:
            timer = min(due, key=lambda one: one[0])
            self.timers.remove(timer)
            self.now = timer[0]
            timer[1]()  # type: ignore[operator]
        self.now = when


def test_datagrams_are_late_by_the_delay_and_in_order_when_it_shrinks() -> None:
    loop, arrived = Loop(), list[tuple[float, int]]()
    way = loop.way()
    way.put(lambda: arrived.append((loop.now, 0)))
    assert arrived == [(0.0, 0)]
    way.network = BadNetwork(100)
    for number in (1, 2):
        way.put(lambda number=number: arrived.append((loop.now, number)))  # type: ignore[misc]
    way.network = BadNetwork(0)
    way.put(lambda: arrived.append((loop.now, 3)))
    loop.run_until(0.0999)
    assert len(arrived) == 1
    loop.run_until(1.0)
    assert arrived[1:] == [(0.1, 1), (0.1, 2), (0.1, 3)]
    way.put(lambda: arrived.append((loop.now, 4)))
    assert arrived[-1] == (1.0, 4)


def test_the_part_that_is_lost_is_lost_and_counted() -> None:
    loop, arrived = Loop(), list[int]()
    way = loop.way()
    way.network = BadNetwork(0, 20.0)
    for number in range(5000):
        way.put(lambda number=number: arrived.append(number))  # type: ignore[misc]
    assert way.dropped == 5000 - len(arrived)
    assert way.passed == len(arrived)
    assert 0.18 < way.dropped / 5000 < 0.22


def test_what_waits_is_bounded() -> None:
    loop = Loop()
    way = loop.way()
    way.network = BadNetwork(2000)
    for _ in range(MAX_WAITING + 7):
        way.put(lambda: None)
    assert way.dropped == 7


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    finally:
        writer.close()


async def test_the_proxy_delays_both_ways_keeps_the_order_and_passes_the_end(
    tmp_path: Path,
) -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    file = tmp_path / "network.json"
    bad_network.write(file, BadNetwork(50, 20.0))
    with LateProxy(server.sockets[0].getsockname()[1], file) as proxy:
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        began = time.monotonic()
        writer.write(b"ping")
        assert await reader.readexactly(4) == b"ping"
        assert time.monotonic() - began >= 0.1
        sent = Random(1).randbytes(1_000_000)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(60):
            assert await reader.read() == sent
        assert proxy.late > 0
        writer.close()
        cut_off, other = await asyncio.open_connection("127.0.0.1", proxy.port)
        other.write(b"ping")
        assert await cut_off.readexactly(4) == b"ping"
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await cut_off.read() == b""
    other.close()
    server.close()


async def test_what_tcp_loses_arrives_later(tmp_path: Path) -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    file = tmp_path / "network.json"
    bad_network.write(file, BadNetwork(0, 50.0))
    with LateProxy(server.sockets[0].getsockname()[1], file) as proxy:
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        began = time.monotonic()
        for _ in range(10):
            writer.write(b"ping")
            assert await reader.readexactly(4) == b"ping"
        assert proxy.late > 0
        assert time.monotonic() - began >= 0.2 * proxy.late
        writer.close()
    server.close()


async def test_without_a_server_the_proxy_hangs_up(tmp_path: Path) -> None:
    with LateProxy(free_port(), tmp_path / "none") as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()


@pytest.fixture(scope="module")
def network() -> Iterator[DemoNetwork]:
    with DemoNetwork(free_port(), BadNetwork()) as network:
        yield network


@pytest.fixture(scope="module")
def stack(network: DemoNetwork) -> Iterator[Stack]:
    options = DemoOptions(browser=False, stamp=False)
    with stack_for(options, network.proxy.target, None, network) as stack:
        stack.wait_until_online(ROBOT)
        yield stack


async def round_trip_ms(robot: Robot, count: int = 60) -> float:
    """Return the median round trip of the control frames that come back from now on."""
    trips = robot.setpoints.round_trips_us
    await asyncio.sleep(0.6)  # frames of before are back
    trips.clear()
    await robot.wait_until(lambda: len(trips) >= count, 30.0)
    return statistics.median(trips) / 1000


@pytest.mark.webrtc
@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("over_server", [False, True], ids=["datagrams", "server"])
async def test_a_delay_is_twice_in_the_round_trip_and_goes_again(
    network: DemoNetwork, stack: Stack, over_server: bool
) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open(ROBOT, cameras=[], over_server=over_server) as robot,
    ):
        await robot.take_control(steer_by="blind")
        before = await round_trip_ms(robot)
        network.become(BadNetwork(100))
        during = await round_trip_ms(robot)
        network.become(BadNetwork())
        after = await round_trip_ms(robot)
    print(f"round trip {before:.0f}, {during:.0f}, {after:.0f} ms")  # noqa: T201 - the figures
    assert 195 < during - before < (400 if over_server else 300)  # TCP bunches what is late
    assert abs(after - before) < 60


@pytest.mark.webrtc
@pytest.mark.process
@pytest.mark.slow
async def test_loss_loses_datagrams_and_counts_them(network: DemoNetwork, stack: Stack) -> None:
    async with connect(stack.url, name="ana") as client, client.open(ROBOT, cameras=[]) as robot:
        await robot.take_control(steer_by="blind")
        await asyncio.sleep(1.0)
        before = network.counts()
        assert before.sent > 0
        network.become(BadNetwork(0, 10.0))
        try:
            await asyncio.sleep(4.0)
            assert "10 % lost" in network.line()
        finally:
            network.become(BadNetwork())
        await asyncio.sleep(1.0)
        after = network.counts()
        assert robot.session is not None
    passed = after.sent + after.received - before.sent - before.received
    dropped = after.dropped - before.dropped
    assert 0.03 < dropped / (dropped + passed) < 0.2
    assert network.line() == ""


@pytest.mark.process
@pytest.mark.slow
def test_the_switch_of_the_page(network: DemoNetwork, stack: Stack) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}", trust_env=False) as page:
        shown = page.get("/v1/demo/network").json()
        assert (shown["delayMs"], shown["lossPercent"], shown["mayChange"]) == (0, 0.0, True)
        changed = page.put("/v1/demo/network", json={"delayMs": 30, "lossPercent": 2.5})
        assert (changed.status_code, changed.json()["delayMs"]) == (200, 30)
        assert network.now == BadNetwork(30, 2.5)
        bodies: list[object] = [{"delayMs": 2001}, {"lossPercent": -1}, {"delay": 1}, []]
        for body in (*bodies, {"delayMs": 1.5}):
            assert page.put("/v1/demo/network", json=body).status_code == 422, body
        assert page.put("/v1/demo/network", content=b" " * 5000).status_code == 413
        for headers in ({"Origin": "https://evil.example"}, {"X-Forwarded-For": "10.0.0.1"}):
            refused = page.put("/v1/demo/network", json={}, headers=headers)
            assert refused.status_code == 403, headers
        assert network.now == BadNetwork(30, 2.5)
        network.become(BadNetwork())
        assert '<meta name="farhand-demo" content="network">' in page.get("/").text
