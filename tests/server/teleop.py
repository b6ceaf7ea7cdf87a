"""A peer of the documented dialect, over a real socket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.serve import Server
from farhand.store.records import Service

TIMEOUT_S = 20.0
SDP = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n"


def token_of(server: Server) -> str:
    """Return the token of the service that always exists."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        service = server.built.store.get(Service, DEFAULT_SERVICE)
        if server.started and service is not None and service.token:
            return service.token
        time.sleep(0.01)  # it starts on another thread
    raise TimeoutError


class Peer:
    """One socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.id = ""

    async def say(self, event: str, data: Any = None) -> None:
        await self.socket.send(json.dumps({"event": event, "data": data}))

    async def get(self, event: str) -> Any:
        """Return the data of the next frame of an event; others are skipped."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                frame = json.loads(await self.socket.recv())
                if frame["event"] == event:
                    return frame.get("data")

    async def join(self, name: str, **fields: Any) -> str:
        await self.say("join-room", {"name": name, **fields})
        self.id = await self.get("join-room-answer")
        return self.id

    async def closed(self) -> tuple[int | None, list[dict[str, Any]]]:
        """Wait for the close; return its code and what came before."""
        heard = []
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    heard.append(json.loads(await self.socket.recv()))
        except ConnectionClosed as exc:
            return (exc.rcvd.code if exc.rcvd else None), heard


@asynccontextmanager
async def peer(port: int, path: str, **options: Any) -> AsyncIterator[Peer]:
    """Open a socket; nobody has joined yet."""
    options = {"compression": None, "ping_interval": None, "close_timeout": 1, **options}
    async with connect(f"ws://127.0.0.1:{port}{path}", **options) as socket:
        yield Peer(socket)
