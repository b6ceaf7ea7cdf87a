"""The connection to the server, for robots and people: hello, keepalive, resume, reconnect.

It knows nothing of rooms and sessions: messages go up and down as structs.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit, urlunsplit

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from farhand.core.backoff import Backoff
from farhand.errors import Code, ConfigError, ConnectionClosed, FarhandError, RemoteProtocolError
from farhand.link.outbox import LinkOutbox
from farhand.link.reasons import unreachable
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import ServiceId
from farhand.protocol.version import PROTOCOL, PROTOCOL_MIN, SUBPROTOCOL, negotiate

log = structlog.get_logger(__name__)

OPEN_TIMEOUT_S = 5.0
WELCOME_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 0.3
"""A dead server must not hold up the reconnect; a living one answers in milliseconds."""
FIRST_SILENCE_S = 25.0
"""Until the server's first ping says otherwise."""
WATCH_S = 0.1
CLOSE_REPLACED = 4001
HOPELESS_S = 10.0
URGENT_S = 1.5
"""Longest delay for whoever is in a session: back in the room within 3 s, however long it took."""

CLOSE_REVOKED = 4010
CLOSE_KICKED = 4011
PREPARE_TIMEOUT_S = 10.0

_HOPELESS = frozenset(
    {
        Code.VERSION,
        Code.ROLE_REFUSED,
        Code.INVALID_ID,
        Code.UNKNOWN_SERVICE,
        Code.REPLACED,
        Code.REVOKED,
        Code.FORBIDDEN,
    }
)
"""Refusals that the same hello will meet again: ask slowly."""
_LAST_WORDS = frozenset({Code.REPLACED, Code.SLOW_CONSUMER, Code.REVOKED})
"""Errors after which the server closes the connection."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def service_url(url: str, service: ServiceId) -> str:
    """Return the address of a service's native socket at ``url`` (http, https, ws or wss).

    Raises:
        ConfigError: FH-1001, not such an address.

    """
    bad = ConfigError(
        Code.CONFIG_INVALID, f"server: {url!r} is no address.", "Give http://HOST:PORT."
    )
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        _ = parts.port  # raises where it is no number
    except ValueError as exc:
        raise bad from exc
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise bad
    path = f"{parts.path.rstrip('/')}/v1/service/{service}/ws"
    return urlunsplit((scheme, parts.netloc, path, "", ""))


@dataclass(frozen=True, slots=True)
class LinkEvents:
    """What a link tells its owner; all are called on the event loop and must not block."""

    on_connected: Callable[[m.Welcome], None]
    on_message: Callable[[m.ServerMessage], None]
    on_lost: Callable[[FarhandError, float], None]
    """Why, and in how many seconds the next attempt is made."""


class ServerLink:
    """A connection to one service that is always there or being made again.

    Args:
        url: Address of the service's socket (:func:`service_url`).
        hello: Makes the first message; the resume token is added by the link.
        events: Where to tell.
        is_urgent: Whether somebody is in a session, who must not wait for a server that is back.
        prepare: Called before each attempt, with what ended the one before; gets what the hello
            needs (a fresh credential, the server's time). What it raises fails the attempt.
        random: Source of the jitter.

    """

    def __init__(
        self,
        url: str,
        hello: Callable[[str | None], m.Hello],
        events: LinkEvents,
        *,
        is_urgent: Callable[[], bool] = lambda: False,
        prepare: Callable[[FarhandError | None], Awaitable[None]] | None = None,
        random: Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.welcome: m.Welcome | None = None
        """Of the connection that is open now."""
        self._hello = hello
        self._events = events
        self._is_urgent = is_urgent
        self._prepare = prepare
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._clock = clock
        self._outbox = LinkOutbox()
        self._something = asyncio.Event()
        self._backoff = Backoff()
        self._resume: str | None = None
        self._retry_after_ms = 0
        self._heard_at = 0.0
        self._silence_s = FIRST_SILENCE_S
        self._why: FarhandError | None = None
        self._socket: ClientConnection | None = None
        self._is_closing = False

    @property
    def is_connected(self) -> bool:
        """Whether the server has welcomed us and nothing has failed since."""
        return self.welcome is not None

    def send(self, message: m.ClientMessage) -> bool:
        """Queue ``message``; ``False``: no connection, or nobody reads it: it is dropped."""
        if self.welcome is None:
            return False
        if not self._outbox.put(message):
            self._cut(ConnectionClosed(Code.SLOW_CONSUMER, "The server does not read."))
            return False
        self._something.set()
        return True

    async def run(self) -> None:
        """Connect and stay connected until :meth:`close`."""
        why: FarhandError | None = None
        while not self._is_closing:
            why = await self._one_connection(why)
            if self._is_closing:
                return
            delay = self._next_delay(why)
            self._retry_after_ms = 0
            self._events.on_lost(why, delay)
            await asyncio.sleep(delay)

    def _next_delay(self, why: FarhandError) -> float:
        jitter = self._random.random()
        delay = self._backoff.next_delay(jitter, self._retry_after_ms)
        if why.code in _HOPELESS:
            return max(delay, HOPELESS_S)
        if self._is_urgent() and why.code is not Code.UNAUTHENTICATED:
            return min(delay, self._retry_after_ms / 1000 + jitter * URGENT_S)
        return delay

    async def close(self) -> None:
        """Say what is queued, then goodbye. :meth:`run` returns."""
        self._is_closing = True
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(SocketClosed, OSError):
                while (data := self._outbox.pop()) is not None:
                    await socket.send(data, text=True)
            await socket.close()

    async def _one_connection(self, before: FarhandError | None) -> FarhandError:
        self._why = None
        try:
            if self._prepare is not None:
                async with asyncio.timeout(PREPARE_TIMEOUT_S):
                    await self._prepare(before)
            async with connect(
                self.url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                max_size=codec.MAX_MESSAGE_BYTES,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=None,  # the protocol has its own keepalive
                proxy=None if urlsplit(self.url).hostname in _LOOPBACK else True,
            ) as socket:
                if self._is_closing:
                    return ConnectionClosed(Code.GOING_AWAY, "Closed.")
                await self._talk(socket)
        except (SocketClosed, OSError, TimeoutError, InvalidHandshake, InvalidURI) as exc:
            return self._why or self._reason(exc)
        except FarhandError as exc:
            return exc
        finally:
            self._socket = None
            self.welcome = None
            self._outbox.clear()
        return self._why or ConnectionClosed(
            Code.SERVER_UNREACHABLE, "The server closed the connection."
        )

    def _reason(self, exc: Exception) -> FarhandError:
        closed = exc.rcvd.code if isinstance(exc, SocketClosed) and exc.rcvd is not None else None
        if closed == CLOSE_REPLACED:
            return ConnectionClosed(Code.REPLACED, "Another connection took this one's place.")
        if closed == CLOSE_REVOKED:
            return ConnectionClosed(Code.REVOKED, "The server has taken our access away.")
        if closed == CLOSE_KICKED:
            return ConnectionClosed(Code.FORBIDDEN, "Somebody has sent us out.")
        return unreachable(self.url, exc)

    async def _talk(self, socket: ClientConnection) -> None:
        await socket.send(codec.encode(self._hello(self._resume)), text=True)
        async with asyncio.timeout(WELCOME_TIMEOUT_S):
            welcome = await self._await_welcome(socket)
        self._socket, self.welcome, self._resume = socket, welcome, welcome.resume
        self._heard_at, self._silence_s = self._clock(), FIRST_SILENCE_S
        self._backoff.reset()
        self._events.on_connected(welcome)
        tasks = [asyncio.create_task(self._write(socket)), asyncio.create_task(self._watch())]
        try:
            async for data in socket:
                self._heard_at = self._clock()
                self._receive(codec.decode_server(data))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _await_welcome(self, socket: ClientConnection) -> m.Welcome:
        message = codec.decode_server(await socket.recv())
        if isinstance(message, m.Error):
            if message.code is Code.RESUME_REFUSED:
                self._resume = None
            self._retry_after_ms = message.retry_after_ms or 0
            raise RemoteProtocolError(message.code, message.text)
        if not isinstance(message, m.Welcome):
            raise RemoteProtocolError(
                Code.HELLO_FIRST, "The server's first message was no welcome."
            )
        if negotiate(message.protocol, PROTOCOL_MIN) is None:
            raise RemoteProtocolError(
                Code.VERSION, f"The server speaks {message.protocol}, this program {PROTOCOL}."
            )
        return message

    def _receive(self, message: m.ServerMessage) -> None:
        if isinstance(message, m.Ping):
            # A hostile or broken server must not make us deaf or nervous.
            self._silence_s = min(max(message.timeout_ms / 1000, 0.5), 120.0)
            self.send(m.Pong(message.n))
            return
        if isinstance(message, m.Pong):
            return
        if isinstance(message, m.System) and message.code is Code.GOING_AWAY:
            self._why = ConnectionClosed(message.code, message.text)
            self._retry_after_ms = message.retry_after_ms or 0
        if isinstance(message, m.Error) and message.code in _LAST_WORDS:
            self._why = ConnectionClosed(message.code, message.text)
            self._retry_after_ms = message.retry_after_ms or 0
        self._events.on_message(message)

    async def _write(self, socket: ClientConnection) -> None:
        with contextlib.suppress(SocketClosed):
            while True:
                await self._something.wait()
                self._something.clear()
                while (data := self._outbox.pop()) is not None:
                    await socket.send(data, text=True)

    async def _watch(self) -> None:
        last = self._clock()
        while True:
            await asyncio.sleep(WATCH_S)
            now = self._clock()
            if now - last > 5 * WATCH_S:
                # We were the ones who slept: what came meanwhile has not been read yet.
                self._heard_at += now - last
            last = now
            if now - self._heard_at > self._silence_s:
                self._cut(ConnectionClosed(Code.KEEPALIVE_TIMEOUT, "The server has gone silent."))

    def _cut(self, why: FarhandError) -> None:
        self._why = why
        self.welcome = None
        if self._socket is not None:
            self._socket.transport.abort()
