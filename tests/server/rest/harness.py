"""The REST interface in this process: a real hub, a real store in memory, no sockets."""

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.requests import Request

from farhand.bus.local import LocalBus
from farhand.core.access import OPEN, Access, Principal, TokenRole
from farhand.core.hub import Hub
from farhand.core.member import PeerId
from farhand.core.resume import ResumeSigner
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, RobotId, RoomId, ServiceId
from farhand.protocol.manifest import Camera, Manifest
from farhand.server.app import make_app
from farhand.server.console_files import ConsoleFiles
from farhand.server.context import Context, Guard, OpenGuard
from farhand.server.frames import text_frame
from farhand.server.gateway import Gateway
from farhand.server.open_door import StoredDoor
from farhand.server.problems import Problem
from farhand.server.settings import ServerSettings
from farhand.server.upgrade import Doorkeeper
from farhand.store.base import Store
from farhand.store.memory import MemoryStore
from farhand.store.sql import SqlStore

ICE = ("stun:stun.example.org:3478",)


class Names(Guard):
    """Believes a bearer token that is the name of a principal it knows."""

    def __init__(self, known: Mapping[str, Principal]) -> None:
        self.known = known

    async def principal(self, request: Request) -> Principal:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = bearer or request.headers.get("x-auth-token", "")
        token = token or request.query_params.get("x-auth-token", "")
        if token not in self.known:
            raise Problem(401, Code.UNAUTHENTICATED, "Who are you?")
        return self.known[token]


def somebody(
    name: str,
    role: TokenRole,
    service: str = "",
    *,
    robot: str | None = None,
    tag: str = "",
) -> Principal:
    access = (
        (Access(ServiceId(service), role, RobotId(robot) if robot else None, tag),)
        if service
        else ()
    )
    return Principal("token", f"t-{name}", name, role, access)


@dataclass
class Place:
    """One server, and those who ask it."""

    app: FastAPI
    context: Context
    http: httpx.AsyncClient
    wall: list[int]
    """Its wall clock, in ms."""
    peers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def store(self) -> Store:
        return self.context.store

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str = "admin",
        status: int | None = None,
        **headers: str,
    ) -> Any:
        """Send a request; return what its body says (``None``: nothing)."""
        answer = await self.send(method, path, body, by=by, **headers)
        if status is not None:
            assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def send(
        self, method: str, path: str, body: Any = None, *, by: str = "admin", **headers: str
    ) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if by:
            names["authorization"] = f"Bearer {by}"
        content = None if body is None else json.dumps(body).encode()
        return await self.http.request(method, path, content=content, headers=names)

    async def documented(self, method: str, path: str, body: Any = None, by: str = "admin") -> Any:
        """Send a request of the documented dialect; return status and body."""
        content = None if body is None else json.dumps(body).encode()
        answer = await self.http.request(
            method, path, content=content, headers={"X-Auth-Token": by}
        )
        return answer.status_code, answer.json()

    # --- who is connected ------------------------------------------------------------------------

    def _hello(self, hello: m.Hello, service: str) -> PeerId:
        gateway = self.context.gateway
        peer = PeerId(next(self.peers))
        gateway.apply(gateway.hub.connected(peer, ServiceId(service), gateway.clock()))
        self.say(peer, hello)
        return peer

    def say(self, peer: PeerId, message: m.ClientMessage) -> None:
        gateway = self.context.gateway
        gateway.apply(gateway.hub.receive(peer, message, gateway.clock()))

    def robot(self, robot_id: str = "rover", service: str = "default", *cameras: str) -> PeerId:
        """Connect a robot, and put it into the room of its own name."""
        declared = tuple(Camera(CameraId(one), one, 64, 48, 5.0) for one in cameras)
        manifest = Manifest(RobotId(robot_id), robot_id, cameras=declared)
        peer = self._hello(
            m.Hello("robot", robot_id, robot_id=RobotId(robot_id), manifest=manifest), service
        )
        self.say(peer, m.Join(RoomId(robot_id)))
        return peer

    def person(self, room: str = "rover", name: str = "ana", service: str = "default") -> PeerId:
        """Connect somebody who watches a robot."""
        peer = self._hello(m.Hello("operator", name), service)
        self.say(peer, m.Join(RoomId(room)))
        return peer

    def gone(self, peer: PeerId) -> None:
        gateway = self.context.gateway
        gateway.apply(gateway.hub.disconnected(peer, gateway.clock(), is_clean=True))

    def member_of(self, name: str) -> MemberId:
        hub = self.context.gateway.hub
        [found] = [one.member.id for one in hub.members() if one.member.name == name]
        return found


@asynccontextmanager
async def place(
    known: Mapping[str, Principal] | None = None, *, file: Path | None = None, **settings: Any
) -> AsyncIterator[Place]:
    """Run a server; without ``known`` one without accounts, with ``file`` one that remembers."""
    wall = [1_767_225_600_000]
    store: Store = MemoryStore(lambda: wall[0]) if file is None else SqlStore(file, lambda: wall[0])
    ids = (f"id-{n:024}" for n in itertools.count())
    chosen = ServerSettings(**{"ice_servers": ICE, **settings})
    hub = Hub(
        new_id=lambda: next(ids),
        signer=ResumeSigner(b"s" * 32),
        wall_ms=lambda: wall[0],
        door=StoredDoor(store),
    )
    gateway = Gateway(
        hub, LocalBus(text_frame), store, Doorkeeper(store, (), 100), wall_ms=lambda: wall[0]
    )
    guard = Names(known) if known is not None else OpenGuard()
    context = Context(gateway, store, guard, chosen)
    app = make_app(context, ConsoleFiles(None, chosen.root_path))
    transport = httpx.ASGITransport(app, root_path=chosen.root_path)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://farhand.test") as http,
    ):
        yield Place(app, context, http, wall)


ADMIN = {"admin": OPEN}
