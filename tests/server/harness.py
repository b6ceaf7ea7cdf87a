"""A real server on loopback and real sockets to it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from farhand.core.limits import Limits
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, RoomId
from farhand.protocol.manifest import Manifest
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.serve import Server, build_server
from farhand.server.settings import ServerSettings

T = TypeVar("T")
ROVER = "rover"
TIMEOUT_S = 20.0
GENEROUS = Limits(rate=1e6, burst=1e6, robot_rate=1e6, robot_burst=1e6)


@contextmanager
def running(**settings: Any) -> Iterator[Server]:
    """Run a server on a free port, on a thread of its own."""
    settings = {"host": "127.0.0.1", "port": 0, "strangers_per_address": 1000, **settings}
    server = build_server(ServerSettings(**settings))
    thread = threading.Thread(target=server.start, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


class Client:
    """A member's socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: m.Welcome

    @property
    def id(self) -> Any:
        return self.welcome.member_id

    async def say(self, *messages: m.ClientMessage) -> None:
        for message in messages:
            await self.socket.send(codec.encode(message), text=True)

    async def read(self) -> m.ServerMessage:
        async with asyncio.timeout(TIMEOUT_S):
            return codec.decode_server(await self.socket.recv())

    async def get(self, kind: type[T]) -> T:
        """Return the next message of ``kind``; others are skipped."""
        while True:
            message = await self.read()
            if isinstance(message, kind):
                return message

    async def hello(self, role: m.Role = "operator", name: str = "ana", **fields: Any) -> "Client":
        await self.say(m.Hello(role, name, **fields))
        self.welcome = await self.get(m.Welcome)
        return self

    async def join(self, room: str = ROVER, **fields: Any) -> m.Joined:
        await self.say(m.Join(RoomId(room), **fields))
        return await self.get(m.Joined)

    async def closed(self) -> tuple[int | None, list[m.ServerMessage]]:
        """Wait for the close; return its code and what came before."""
        heard = []
        try:
            while True:
                heard.append(await self.read())
        except ConnectionClosed as exc:
            return (exc.rcvd.code if exc.rcvd else None), heard


async def until(is_so: Callable[[], object]) -> None:
    """Return when ``is_so()``; the server runs on another thread."""
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so():  # noqa: ASYNC110 - anything may make it so
            await asyncio.sleep(0.01)


def url(port: int, path: str | None = None) -> str:
    return f"ws://127.0.0.1:{port}{path or f'/v1/service/{DEFAULT_SERVICE}/ws'}"


@asynccontextmanager
async def client(port: int, path: str | None = None, **options: Any) -> AsyncIterator[Client]:
    """Open a socket; no hello yet."""
    options = {"subprotocols": [Subprotocol(SUBPROTOCOL)], "compression": None, **options}
    async with connect(url(port, path), ping_interval=None, close_timeout=1, **options) as socket:
        yield Client(socket)


async def robot(made: Client, robot_id: str = ROVER, **fields: Any) -> Client:
    manifest = Manifest(RobotId(robot_id), robot_id)
    return await made.hello(
        "robot", robot_id, robot_id=RobotId(robot_id), manifest=manifest, **fields
    )
