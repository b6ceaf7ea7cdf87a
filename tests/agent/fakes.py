"""A real hub behind a real socket in this process, a fake gate and a fake WebRTC stack."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from farhand.agent.agent import Agent
from farhand.agent.identity import Identity
from farhand.agent.settings import AgentSettings
from farhand.agent.side_message import AppliedLog
from farhand.agent.telemetry import Measurement
from farhand.core.access import OPEN, Principal
from farhand.core.admission import Admitted, Door, Meeting, OpenDoor
from farhand.core.hub import Hub
from farhand.core.lease_rules import LeaseRules
from farhand.core.member import Close, Effect, PeerId, Send
from farhand.core.resume import ResumeSigner
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.keys.signing import GRANT, ROBOT, SigningKey, key_id, verify
from farhand.link.websocket import LinkEvents, ServerLink, service_url
from farhand.media.base import CameraFeed, EncodedFrame, Rung, SentFrame, ViewerStats
from farhand.protocol import codec, control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, CameraId, MemberId, RobotId, RoomId, ServiceId
from farhand.protocol.manifest import Axis, Camera, Manifest
from farhand.protocol.version import SUBPROTOCOL

T = TypeVar("T", bound=m.ServerMessage)
PATIENCE_S = 20.0
MANIFEST = Manifest(
    RobotId("rover"),
    "Rover",
    cameras=(Camera(CameraId("front"), "Front", 640, 480, 30.0, main=True),),
    axes=(Axis("linear.x", "Forward", "m/s", -1.0, 1.0), Axis("angular.z", "Turn", "rad/s", -1, 1)),
)


class SigningDoor(OpenDoor):
    """Everybody may come; robots get grants, unless a test wants them to be wrong."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.changed: dict[str, object] = {}
        """Claims that are not what they should be."""
        self.signs = True
        self.robot_key: str | None = None
        """If set, a robot must prove that it holds it."""
        self.refused = 0
        self.revoked = False
        """The robot is nobody any more."""

    def authorise(self, hello: m.Hello, service_id: ServiceId) -> Admitted:
        if hello.role == "robot" and self.robot_key is not None:
            public = {key_id(self.robot_key): self.robot_key}
            try:
                verify(
                    hello.token or "",
                    typ=ROBOT,
                    key_of=public.get,
                    audience=self.key.id,
                    now_s=time.time(),
                )
            except NotAllowed:
                self.refused += 1
                raise
        if hello.role == "guest":
            return Admitted(OPEN, service_id, "guest", hello.name)
        if self.revoked and hello.role == "robot":
            raise NotAllowed(Code.REVOKED, "Your access has ended.")
        return super().authorise(hello, service_id)

    def grant(self, principal: Principal, meeting: Meeting) -> str | None:
        if not self.signs:
            return None
        now_s = int(time.time())
        claims = {
            "iss": self.key.id,
            "sub": principal.id,
            "aud": meeting.robot_id,
            "jti": secrets.token_urlsafe(16),
            "iat": now_s,
            "exp": now_s + 60,
            "sid": meeting.session_id,
            "member": meeting.member.id,
            "role": meeting.member.role,
            "name": meeting.member.name,
            "fp": meeting.fingerprint,
            "scopes": list(meeting.scopes),
        }
        return self.key.sign(GRANT, claims | self.changed)


class HubServer:
    """`core.hub` behind a WebSocket, as small as it gets."""

    def __init__(self, secret: bytes, door: Door | None = None) -> None:
        self._secret = secret
        self._door = door
        self._sockets: dict[PeerId, ServerConnection] = {}
        self._peers = 0
        self._server: Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        self._hub = Hub(
            new_id=lambda: secrets.token_urlsafe(16),
            signer=ResumeSigner(self._secret),
            wall_ms=lambda: int(time.time() * 1000),
            door=self._door,
        )
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            ping_interval=None,
            process_request=_health,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._ticker = asyncio.create_task(self._tick())

    async def revoke(self, is_gone: Callable[[Principal], bool]) -> None:
        await self._apply(self._hub.revoke(is_gone, time.monotonic()))

    async def kick(self, member: MemberId) -> None:
        await self._apply(self._hub.kick(member, "enough", time.monotonic()))

    async def kill(self) -> None:
        """Be gone, without a word."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._server is not None:
            for socket in tuple(self._sockets.values()):
                socket.transport.abort()
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            await self._apply(self._hub.tick(time.monotonic()))

    async def _serve(self, socket: ServerConnection) -> None:
        self._peers += 1
        peer, hub = PeerId(self._peers), self._hub
        self._sockets[peer] = socket
        await self._apply(hub.connected(peer, DEFAULT_SERVICE, time.monotonic()))
        with contextlib.suppress(ConnectionClosed):
            async for data in socket:
                try:
                    effects = hub.receive(peer, codec.decode_client(data), time.monotonic())
                except RemoteProtocolError as exc:
                    effects = hub.malformed(peer, exc, time.monotonic())
                await self._apply(effects)
        self._sockets.pop(peer, None)
        await self._apply(hub.disconnected(peer, time.monotonic()))

    async def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                for peer in effect.peers:
                    if peer in self._sockets:
                        with contextlib.suppress(ConnectionClosed):
                            await self._sockets[peer].send(codec.encode(effect.message), text=True)
            elif isinstance(effect, Close) and effect.peer in self._sockets:
                await self._sockets.pop(effect.peer).close(effect.code)


def _health(connection: ServerConnection, request: Request) -> Response | None:
    """Tell the time over HTTP, as the server does."""
    if request.path != "/health":
        return None
    now = datetime.now(UTC).isoformat()
    return connection.respond(HTTPStatus.OK, f'{{"status":"ok","timestamp":"{now}"}}')


@dataclass
class FakeGate:
    """The gate's end of the socket: beats, applies everything, latches on STOP."""

    path: Path
    received: list[g.ToGate] = field(default_factory=list)
    beats: bool = True
    deaf_to_stops: int = 0
    """So many STOPs stay unanswered."""
    _writer: asyncio.StreamWriter | None = None
    _stop_id: int = 0
    _server: asyncio.Server | None = None
    _beater: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        self._beater = asyncio.create_task(self._beat())

    async def close(self) -> None:
        assert self._server is not None
        assert self._beater is not None
        self._beater.cancel()
        self._server.close()
        if self._writer is not None:
            self._writer.transport.abort()

    def say(self, message: g.FromGate) -> None:
        if self._writer is not None:
            self._writer.write(g.pack_link(message))

    def of(self, kind: type) -> list[g.ToGate]:
        return [message for message in self.received if isinstance(message, kind)]

    async def _beat(self) -> None:
        n = 0
        while True:
            n += 1
            if self.beats:
                self.say(g.GateBeatNow(n, time.monotonic_ns() // 1000))
            await asyncio.sleep(0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.say(g.GateHello("test", 2, 150, 0.25))
        self.say(g.GateState(0, None, 0, "", False, 0, {}, 0))
        link = g.LinkReader()
        while data := await reader.read(4096):
            for body in link.feed(data):
                self._take(g.decode_to_gate(body))

    def _take(self, message: g.ToGate) -> None:
        self.received.append(message)
        now_us = time.monotonic_ns() // 1000
        if isinstance(message, g.Command):
            frame = control.unpack_control(message.frame)
            number, is_neutral = message.member, not any(frame.axes)
            judged = g.Judged(
                number, frame.epoch, frame.seq, frame.sent_us, 1, now_us, is_neutral=is_neutral
            )
            self.say(judged)
        elif isinstance(message, g.Halt) and self.deaf_to_stops:
            self.deaf_to_stops -= 1
        elif isinstance(message, g.Halt):
            self._stop_id += 1
            self.say(g.GateState(0, "stop", self._stop_id, message.name, False, 0, {}, 0))
            self.say(g.Halted(message.member, message.nonce, self._stop_id))
        elif isinstance(message, g.Reset):
            self.say(g.GateState(0, None, 0, "", False, 0, {}, 0))
            self.say(g.ResetDone(message.member, message.stop_id))


@dataclass
class FakeConnection:
    """A peer connection without a network: the test plays the other end."""

    cameras: list[CameraId]
    channels: Sequence[str]
    on_message: Callable[[str, bytes | str], None]
    on_state: Callable[[str], None]
    on_channel_open: Callable[[str], None]
    on_sent: Callable[[SentFrame], None]
    on_breach: Callable[[str], None] | None
    sent: list[tuple[str, bytes | str]] = field(default_factory=list)
    stopped: list[CameraId] = field(default_factory=list)
    figures: ViewerStats = field(default_factory=ViewerStats)
    is_closed: bool = False
    is_accepted: bool = False

    async def offer(self) -> tuple[str, tuple[m.Track, ...]]:
        return "v=0 offer", tuple(m.Track(str(i), c) for i, c in enumerate(self.cameras))

    async def accept(self, sdp: str) -> None:
        if "bad" in sdp:
            raise RuntimeError(sdp)
        self.is_accepted = True

    async def add_candidate(self, candidate: m.IceCandidate | None) -> None:
        pass

    def send(self, label: str, data: bytes | str) -> bool:
        self.sent.append((label, data))
        return not self.is_closed

    def stop_camera(self, camera: CameraId) -> None:
        self.stopped.append(camera)

    def stats(self) -> ViewerStats:
        return self.figures

    async def close(self) -> None:
        self.is_closed = True

    def come_up(self) -> None:
        self.on_state("connected")
        for label in self.channels:
            self.on_channel_open(label)

    def of(self, label: str) -> list[bytes | str]:
        return [data for there, data in self.sent if there == label]


class FakeBackend:
    def __init__(self) -> None:
        self.connections: list[FakeConnection] = []

    def connect(
        self,
        *,
        member: MemberId,
        feeds: Sequence[CameraFeed],
        channels: Sequence[str],
        ice_servers: Sequence[m.IceServer],
        on_message: Callable[[str, bytes | str], None],
        on_state: Callable[[str], None],
        on_channel_open: Callable[[str], None],
        on_sent: Callable[[SentFrame], None],
        on_breach: Callable[[str], None] | None = None,
    ) -> FakeConnection:
        cameras = [feed.camera for feed in feeds]
        made = FakeConnection(
            cameras, channels, on_message, on_state, on_channel_open, on_sent, on_breach
        )
        self.connections.append(made)
        return made


class FakePlace:
    rung: Rung | None = None

    def set_budget(self, bitrate_bps: int) -> None:
        pass

    def request_key_frame(self) -> None:
        pass

    def close(self) -> None:
        pass


class FakeFeed:
    camera = CameraId("front")
    max_bitrate_bps = 2_500_000

    def subscribe(self, push: Callable[[EncodedFrame], None]) -> FakePlace:
        return FakePlace()


class FakeTelemetry:
    now: Measurement | None = None

    def latest(self) -> Measurement | None:
        return self.now

    async def run(self) -> None:
        await asyncio.Event().wait()


class Visitor:
    """A person's end of the server's socket; the test says and hears single messages."""

    def __init__(self, url: str, role: m.Role, name: str) -> None:
        self.id = MemberId("")
        self.robot = MemberId("")
        self.fingerprint: str | None = None
        self.heard: list[m.ServerMessage] = []
        self._news = asyncio.Event()
        hello = m.Hello(role, name)
        events = LinkEvents(self._take, self._take, lambda _why, _delay: None)
        self.link = ServerLink(
            service_url(url, DEFAULT_SERVICE), lambda resume: replace(hello, resume=resume), events
        )
        self._task = asyncio.create_task(self.link.run())

    async def enter(self, *, media: bool = True, fingerprint: str | None = None) -> "Visitor":
        self.id = (await self.hear(m.Welcome)).member_id
        self.fingerprint = fingerprint
        self.link.send(m.Join(RoomId("rover"), media=media, fingerprint=fingerprint))
        joined = await self.hear(m.Joined)
        robots = [member for member in joined.members if member.role == "robot"]
        while not robots:  # it comes after us
            event = await self.event("joined")
            robots = [member for member in (event.member,) if member and member.role == "robot"]
        self.robot = robots[0].id
        return self

    def say(self, message: m.Addressed) -> None:
        self.link.send(replace(message, to=self.robot))

    async def hear(self, kind: type[T], is_it: Callable[[T], bool] = lambda _: True) -> T:
        """Return the first such message not heard before, waiting for it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for i, message in enumerate(self.heard):
                    if isinstance(message, kind) and is_it(message):
                        del self.heard[i]
                        return message
                self._news.clear()
                await self._news.wait()

    async def event(self, kind: m.EventKind) -> m.Event:
        return await self.hear(m.Event, lambda event: event.kind == kind)

    async def close(self) -> None:
        await self.link.close()
        self._task.cancel()

    def _take(self, message: m.ServerMessage) -> None:
        self.heard.append(message)
        self._news.set()


@dataclass
class World:
    """A hub, a gate, an agent."""

    hub: HubServer
    gate: FakeGate
    backend: FakeBackend
    telemetry: FakeTelemetry
    agent: Agent
    visitors: list[Visitor] = field(default_factory=list)

    async def visitor(
        self,
        name: str = "ana",
        role: m.Role = "operator",
        *,
        media: bool = True,
        fingerprint: str | None = None,
    ) -> Visitor:
        made = Visitor(f"http://127.0.0.1:{self.hub.port}", role, name)
        self.visitors.append(made)
        return await made.enter(media=media, fingerprint=fingerprint)

    async def connected(self, visitor: Visitor) -> FakeConnection:
        """Let the visitor's session come up and return the robot's end of it."""
        offer = await visitor.hear(m.Offer)
        visitor.link.send(m.Answer(offer.session_id, answer_of(visitor.fingerprint)))
        connection = self.backend.connections[-1]
        await until(lambda: connection.is_accepted)
        connection.come_up()
        return connection


def answer_of(fingerprint: str | None) -> str:
    """Return what stands for an answer from whoever holds that certificate."""
    return "v=0 answer" if fingerprint is None else f"v=0\r\na=fingerprint:{fingerprint}\r\n"


async def until(is_so: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Return when ``is_so()``."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 - anything may make it so
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    *,
    door: Door | None = None,
    identity: Identity | None = None,
    offline_grace_s: float = 600.0,
    lease: LeaseRules | None = None,
    manifest: Manifest = MANIFEST,
) -> AsyncIterator[World]:
    """Start everything, and end it."""
    hub = HubServer(b"s" * 32, door)
    await hub.start()
    gate = FakeGate(folder / "gate.sock")
    await gate.start()
    backend, telemetry = FakeBackend(), FakeTelemetry()
    settings = AgentSettings(
        f"http://127.0.0.1:{hub.port}",
        manifest,
        folder,
        gate.path,
        identity=identity,
        offline_grace_s=offline_grace_s,
        lease=lease or LeaseRules(),
    )
    agent = Agent(
        settings,
        backend=backend,
        feeds=[FakeFeed()] if manifest.cameras else [],
        telemetry=telemetry,
        applied=AppliedLog(),
    )
    task = asyncio.create_task(agent.run())
    made = World(hub, gate, backend, telemetry, agent)
    try:
        await until(lambda: agent.link.is_connected and agent.gate.is_alive)
        yield made
    finally:
        for visitor in made.visitors:
            await visitor.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await gate.close()
        await hub.kill()
