"""A peer that does not read: it is cut, nobody else notices, memory stays flat."""

import asyncio
import gc
import itertools
import socket as sockets
import time

import psutil
from websockets.frames import Frame, Opcode

from farhand.errors import Code
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, Epoch
from tests.server.harness import GENEROUS, TIMEOUT_S, Client, client, robot, running, until
from tests.stalls import StallWatch

ROOM = "crowded"
PAD = "x" * 400


class Deaf:
    """A member on a raw socket with a small receive buffer, that reads nothing after its joined."""

    def __init__(self, port: int) -> None:
        self.sock = sockets.socket()
        self.sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.settimeout(TIMEOUT_S)
        self.sock.send(
            f"GET /v1/service/{DEFAULT_SERVICE}/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.wait(b"\r\n\r\n")

    def wait(self, what: bytes) -> None:
        data = b""
        while what not in data:
            data += self.sock.recv(4096)

    def say(self, *messages: m.ClientMessage) -> None:
        for message in messages:
            self.sock.send(Frame(Opcode.TEXT, codec.encode(message)).serialize(mask=True))

    def rest(self) -> bytes:
        data = b""
        try:
            while part := self.sock.recv(65536):
                data += part
        except OSError:
            pass
        return data


async def deaf_viewer(port: int) -> Deaf:
    def enter() -> Deaf:
        deaf = Deaf(port)
        deaf.say(m.Hello("viewer", "deaf"), m.Join(ROOM, media=False))  # type: ignore[arg-type]
        deaf.wait(b'"joined"')
        return deaf

    return await asyncio.to_thread(enter)


_stamps = itertools.count()


def status() -> m.Status:
    counters = m.GateCounters(refused={PAD: 1})
    return m.Status(next(_stamps), "idle", m.LeaseState(Epoch(0)), gate_counters=counters)


async def pump(rover: Client, witness: Client, count: int) -> float:
    """Send ``count`` statuses to the room; return the witness's worst delay in seconds."""
    worst = 0.0
    for _ in range(count):
        sent = time.perf_counter()
        await rover.say(status())
        await witness.get(m.Status)
        worst = max(worst, time.perf_counter() - sent)
    return worst


async def test_state_for_one_who_does_not_read_is_replaced_and_memory_stays_flat() -> None:
    with running(limits=GENEROUS) as server:
        async with client(server.port) as rover, client(server.port) as ana:
            await robot(rover, ROOM)
            await rover.join(ROOM)
            await ana.hello()
            await ana.join(ROOM, media=False)
            deaf = await deaf_viewer(server.port)
            await pump(rover, ana, 300)
            gc.collect()
            before = psutil.Process().memory_info().rss
            with StallWatch() as watch:
                worst = await pump(rover, ana, 4000)
            grown = psutil.Process().memory_info().rss - before
            assert grown < 2 * 2**20, f"{grown} bytes for 2 MB that nobody reads"
            assert worst - watch.lost_s < 1.0
            assert len(server.gateway.waiting) == 1
            deaf.sock.close()


async def test_one_who_lets_signaling_fill_is_cut_and_nobody_else_notices() -> None:
    with running(limits=GENEROUS) as server:
        async with client(server.port) as rover, client(server.port) as ana:
            await robot(rover, ROOM)
            await rover.join(ROOM)
            await ana.hello()
            await ana.join(ROOM, media=False)
            deaf = await deaf_viewer(server.port)
            while not server.gateway.waiting:
                await pump(rover, ana, 50)
            for _ in range(200):
                async with client(server.port) as visitor:
                    await visitor.hello()
                    await visitor.join(ROOM, media=False)
            left = set()
            async with asyncio.timeout(TIMEOUT_S):
                while "deaf" not in left:
                    event = await ana.get(m.Event)
                    if event.kind == "left" and event.member is not None:
                        left.add(event.member.name)
            await ana.say(m.Ping(1, 1000))
            await ana.get(m.Pong)
            await until(lambda: not server.gateway.waiting)
            deaf.sock.close()


async def test_a_stop_that_does_not_get_out_within_a_second_cuts_its_receiver() -> None:
    with running(limits=GENEROUS) as server:
        async with client(server.port) as ana:
            deaf = await asyncio.to_thread(Deaf, server.port)
            deaf.say(m.Hello("robot", "deaf", robot_id=ROOM), m.Join(ROOM, media=False))  # type: ignore[arg-type]
            await asyncio.to_thread(deaf.wait, b'"joined"')
            await ana.hello()
            joined = await ana.join(ROOM, media=False)
            to = joined.members[0].id
            while not server.gateway.waiting:
                await ana.say(*(m.LeaseRequest(to=to, reason=PAD) for _ in range(20)))
                await asyncio.sleep(0.01)
            with StallWatch() as watch:
                stopped_at = time.monotonic()
                await ana.say(m.Stop(1, to=to))
                event = await ana.get(m.Event)
                while event.kind != "left":
                    event = await ana.get(m.Event)
                took_s = time.monotonic() - stopped_at
                assert took_s > 0.9
                assert took_s - watch.lost_s < 1.5
            rest = await asyncio.to_thread(deaf.rest)
            assert Code.SLOW_CONSUMER.encode() in rest
            deaf.sock.close()


async def test_pings_of_one_who_does_not_read_the_pongs_do_not_pile_up() -> None:
    with running(limits=GENEROUS) as server:
        async with client(server.port) as rover, client(server.port) as ana:
            await robot(rover, ROOM)
            await rover.join(ROOM)
            await ana.hello()
            await ana.join(ROOM, media=False)
            deaf = await deaf_viewer(server.port)
            while not server.gateway.waiting:
                await pump(rover, ana, 50)
            before = psutil.Process().memory_info().rss
            ping = Frame(Opcode.PING, b"p" * 125).serialize(mask=True)
            for _ in range(100):
                await asyncio.to_thread(deaf.sock.send, ping * 300)
            await pump(rover, ana, 50)
            assert psutil.Process().memory_info().rss - before < 2 * 2**20
            deaf.sock.close()
