"""The link against a server that the test plays by hand."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.typing import Subprotocol

from farhand.errors import Code, ConfigError, ConnectionClosed, FarhandError
from farhand.link.websocket import URGENT_S, LinkEvents, ServerLink, service_url
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId
from farhand.protocol.version import SUBPROTOCOL
from tests.stalls import StallWatch

Script = Callable[[ServerConnection, m.Hello], Awaitable[None]]
WELCOME = m.Welcome(MemberId("me"), DEFAULT_SERVICE, "1.0", "token", 0)


async def say(socket: ServerConnection, message: m.ServerMessage) -> None:
    await socket.send(codec.encode(message).decode())


async def hear(socket: ServerConnection) -> m.ClientMessage:
    return codec.decode_client(await socket.recv())


class Played:
    """A server that follows one script for each connection, and a link to it."""

    def __init__(self, scripts: list[Script]) -> None:
        self.prepared: list[FarhandError | None] = []
        self.unprepared: list[Exception] = []
        """What goes wrong in the next preparations."""
        self.hellos: list[m.Hello] = []
        self.received: list[m.ServerMessage] = []
        self.welcomes: list[m.Welcome] = []
        self.lost: list[tuple[FarhandError, float]] = []
        self.news = asyncio.Event()
        self._scripts = scripts
        self.server: Server | None = None

    async def start(self) -> None:
        self.server = await serve(
            self._serve, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], ping_interval=None
        )
        port = self.server.sockets[0].getsockname()[1]
        self.link = ServerLink(
            service_url(f"http://127.0.0.1:{port}", DEFAULT_SERVICE),
            lambda resume: m.Hello("operator", "ana", resume=resume),
            LinkEvents(self._connected, self._message, self._lost),
            prepare=self._prepare,
            random=Random(1),
        )
        self.task = asyncio.create_task(self.link.run())

    async def close(self) -> None:
        await self.link.close()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                self.news.clear()
                await self.news.wait()

    async def _serve(self, socket: ServerConnection) -> None:
        hello = await hear(socket)
        assert isinstance(hello, m.Hello)
        self.hellos.append(hello)
        script = self._scripts[min(len(self.hellos), len(self._scripts)) - 1]
        with contextlib.suppress(SocketClosed):
            await script(socket, hello)

    async def _prepare(self, before: FarhandError | None) -> None:
        self.prepared.append(before)
        if self.unprepared:
            raise self.unprepared.pop()

    def _connected(self, welcome: m.Welcome) -> None:
        self.welcomes.append(welcome)
        self.news.set()

    def _message(self, message: m.ServerMessage) -> None:
        self.received.append(message)
        self.news.set()

    def _lost(self, why: FarhandError, delay_s: float) -> None:
        self.lost.append((why, delay_s))
        self.news.set()


@contextlib.asynccontextmanager
async def played(*scripts: Script) -> AsyncIterator[Played]:
    made = Played(list(scripts))
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def friendly(socket: ServerConnection, _: m.Hello) -> None:
    await say(socket, WELCOME)
    await socket.wait_closed()


async def rude(socket: ServerConnection, _: m.Hello) -> None:
    await say(socket, WELCOME)
    socket.transport.abort()


async def test_it_comes_back_with_its_resume_token_after_the_connection_is_cut() -> None:
    async with played(rude, friendly) as world:
        await world.until(lambda: len(world.welcomes) == 2)
        assert [hello.resume for hello in world.hellos] == [None, "token"]
        why, delay_s = world.lost[0]
        assert why.code is Code.SERVER_UNREACHABLE
        assert 0 <= delay_s <= 1


async def test_pings_are_answered_and_messages_passed_on() -> None:
    answers: list[m.ClientMessage] = []

    async def script(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, WELCOME)
        await say(socket, m.Ping(7, 25_000))
        answers.append(await hear(socket))
        await say(socket, m.System("info", Code.GOING_AWAY, "hello"))
        await socket.wait_closed()

    async with played(script) as world:
        await world.until(lambda: world.received)
        assert answers == [m.Pong(7)]
        assert world.received == [m.System("info", Code.GOING_AWAY, "hello")]


async def test_a_frozen_server_is_noticed_after_the_time_it_named() -> None:
    async def script(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, WELCOME)
        await say(socket, m.Ping(1, 600))
        await socket.wait_closed()

    async with played(script, friendly) as world:
        await world.until(lambda: world.welcomes)
        with StallWatch() as watch:
            began = time.monotonic()
            await world.until(lambda: world.lost)
            took_s = time.monotonic() - began
        assert took_s > 0.5
        assert took_s - watch.lost_s < 1.5
        assert world.lost[0][0].code is Code.KEEPALIVE_TIMEOUT


async def test_what_the_server_asks_for_is_waited_before_the_next_attempt() -> None:
    async def script(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, WELCOME)
        await say(socket, m.System("warning", Code.GOING_AWAY, "restart", retry_after_ms=30_000))
        await socket.close(1012)

    async with played(script) as world:
        await world.until(lambda: world.lost)
        why, delay_s = world.lost[0]
        assert why.code is Code.GOING_AWAY
        assert delay_s >= 30


async def test_a_refused_hello_is_told_and_asked_again_slowly() -> None:
    async def script(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, m.Error(Code.ROLE_REFUSED, "no supervisors"))
        await socket.close(4004)

    async with played(script) as world:
        await world.until(lambda: world.lost)
        why, delay_s = world.lost[0]
        assert why.code is Code.ROLE_REFUSED
        assert delay_s >= 10


async def test_before_each_hello_the_owner_is_asked_and_told_what_went_wrong() -> None:
    async def refusing(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, m.Error(Code.UNAUTHENTICATED, "who are you?"))
        await socket.close(4004)

    async with played(refusing, friendly) as world:
        await world.until(lambda: world.welcomes)
        before, then = world.prepared
        assert before is None
        assert then is not None
        assert then.code is Code.UNAUTHENTICATED


async def test_a_preparation_that_fails_is_an_attempt_that_failed() -> None:
    async with played(rude, friendly) as world:
        world.unprepared = [ConnectionClosed(Code.SERVER_UNREACHABLE, "no ticket"), OSError()]
        await world.until(lambda: len(world.welcomes) == 2)
        assert {why.code for why, _ in world.lost} == {Code.SERVER_UNREACHABLE}
        assert len(world.lost) == 3


@pytest.mark.parametrize(("close", "code"), [(4010, Code.REVOKED), (4011, Code.FORBIDDEN)])
async def test_whoever_is_thrown_out_comes_back_slowly(close: int, code: Code) -> None:
    async def script(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, WELCOME)
        await socket.close(close)

    async with played(script) as world:
        await world.until(lambda: world.lost)
        why, delay_s = world.lost[0]
        assert why.code is code
        assert delay_s >= 10


async def test_a_refused_resume_token_is_forgotten() -> None:
    async def refusing(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, m.Error(Code.RESUME_REFUSED, "not ours"))
        await socket.close(4004)

    async with played(rude, refusing, friendly) as world:
        await world.until(lambda: len(world.welcomes) == 2)
        assert [hello.resume for hello in world.hellos] == [None, "token", None]


async def test_a_server_that_talks_nonsense_is_left() -> None:
    async def script(socket: ServerConnection, _: m.Hello) -> None:
        await say(socket, WELCOME)
        await socket.send("nonsense")
        await socket.wait_closed()

    async with played(script, friendly) as world:
        await world.until(lambda: world.lost)
        assert world.lost[0][0].code is Code.MALFORMED


async def test_who_is_in_a_session_never_waits_longer_than_the_urgent_delay() -> None:
    link = ServerLink(
        "ws://127.0.0.1:1/",
        lambda _: m.Hello("operator", "ana"),
        LinkEvents(lambda _: None, lambda _: None, lambda _why, _delay: None),
        is_urgent=lambda: True,
        random=Random(3),
    )
    why = ConnectionClosed(Code.SERVER_UNREACHABLE, "gone")
    assert all(link._next_delay(why) <= URGENT_S for _ in range(20))


async def test_without_a_connection_nothing_is_kept_for_later() -> None:
    link = ServerLink(
        "ws://127.0.0.1:1/",
        lambda _: m.Hello("operator", "ana"),
        LinkEvents(lambda _: None, lambda _: None, lambda _why, _delay: None),
    )
    assert not link.send(m.Leave())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://localhost:8080", "ws://localhost:8080/v1/service/default/ws"),
        ("https://gw.example.com/x/", "wss://gw.example.com/x/v1/service/default/ws"),
        ("localhost:8080", "ws://localhost:8080/v1/service/default/ws"),
        ("wss://gw.example.com", "wss://gw.example.com/v1/service/default/ws"),
    ],
)
def test_the_address_of_a_service(given: str, expected: str) -> None:
    assert service_url(given, DEFAULT_SERVICE) == expected


@pytest.mark.parametrize("given", ["ftp://x", "http://"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="FH-1001"):
        service_url(given, DEFAULT_SERVICE)
