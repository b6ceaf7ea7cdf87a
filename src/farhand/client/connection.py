"""A person's or program's connection to a service: which robots are there, and opening one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from farhand import __version__
from farhand.client.robot import Robot
from farhand.client.robots import RobotInfo, list_robots
from farhand.errors import Code, ConnectionClosed, FarhandError, RemoteProtocolError
from farhand.link.websocket import LinkEvents, ServerLink, service_url
from farhand.media.aiortc_.certificate import Certificate
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, CameraId, MemberId, RoomId, ServiceId
from farhand.protocol.manifest import Manifest

Credential = str | Callable[[], Awaitable[str | None]]
"""An API token, or what gets a fresh credential before each hello."""

CONNECT_TIMEOUT_S = 10.0
ROBOT_TIMEOUT_S = 2.0
"""A robot that has just come online, or whose server has, needs a moment to enter its room."""


class Client:
    """A connection to one service of a server. Made by :func:`connect`."""

    def __init__(
        self,
        url: str,
        hello: m.Hello,
        service: ServiceId,
        credential: Credential | None = None,
    ) -> None:
        self.robot: Robot | None = None
        """The one that is open."""
        self.members: dict[MemberId, m.Member] = {}
        """Everybody in the room that is open."""
        self.lost: FarhandError | None = None
        """Why there is no connection to the server now."""
        self._url = url
        self._service = service
        self._hello = hello
        self._credential = credential
        self._certificate = Certificate()
        self._welcome: asyncio.Future[m.Welcome] = asyncio.get_running_loop().create_future()
        self._joined: asyncio.Future[m.Joined] | None = None
        self._ready: asyncio.Future[Robot] | None = None
        self._manifest: Manifest | None = None
        self._start: m.SessionStart | None = None
        self._join: m.Join | None = None
        self._link = ServerLink(
            service_url(url, service),
            lambda resume: replace(self._hello, resume=resume),
            LinkEvents(self._on_connected, self._receive, self._on_lost),
            is_urgent=lambda: self.robot is not None,
            prepare=self._prepare,
        )

    @property
    def member_id(self) -> MemberId:
        """Our own id."""
        return self._welcome.result().member_id

    @property
    def is_connected(self) -> bool:
        """Whether the server is there."""
        return self._link.is_connected

    async def robots(self) -> list[RobotInfo]:
        """Return the robots of the server, by its REST interface.

        Raises:
            ConnectionClosed: FH-4001, the server does not answer.

        """
        return await list_robots(self._url, self._service, await self._token())

    @asynccontextmanager
    async def open(
        self,
        robot_id: str,
        *,
        cameras: Sequence[str] | None = None,
        over_server: bool = False,
        at_once: bool = False,
        password: str | None = None,
        timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> AsyncIterator[Robot]:
        """Enter the robot's room; on leaving the block, leave it.

        Args:
            robot_id: The robot's id, which is its room's.
            cameras: Which to watch; ``None``: all.
            over_server: No peer connection: control and status go through the server. A robot that
                is enrolled lets nobody drive like that.
            at_once: Do not wait for the peer connection, which comes up meanwhile: what is said
                before then goes through the server.
            password: Of the room, where it has one.
            timeout_s: How long to wait for the room and the peer connection.

        Raises:
            RemoteProtocolError: FH-3020, no such robot in the room.
            ConnectionClosed: The peer connection did not come up (FH-4002).

        """
        wanted = None if cameras is None else tuple(CameraId(camera) for camera in cameras)
        self._join = m.Join(
            RoomId(robot_id),
            media=not over_server,
            cameras=wanted,
            password=password,
            fingerprint=None if over_server else self._certificate.fingerprint,
        )
        try:
            async with asyncio.timeout(timeout_s):
                robot = await self._enter(robot_id)
                if not (over_server or at_once):
                    await robot.wait_until(lambda: _is_ready(robot), timeout_s)
        except TimeoutError:
            await self._leave()
            raise ConnectionClosed(
                Code.PEER_CONNECTION_FAILED, f"No connection to {robot_id}."
            ) from None
        except FarhandError:
            await self._leave()
            raise
        try:
            yield robot
        finally:
            await self._leave()

    async def close(self) -> None:
        """Leave the room and the server."""
        await self._leave()
        await self._link.close()

    async def run(self) -> None:
        """Keep the connection until :meth:`close`."""
        await self._link.run()

    async def welcomed(self) -> m.Welcome:
        """Return the server's first welcome."""
        return await self._welcome

    async def _enter(self, robot_id: str) -> Robot:
        self._joined = asyncio.get_running_loop().create_future()
        self._ready = asyncio.get_running_loop().create_future()
        self._manifest = self._start = None
        self.members = {}
        assert self._join is not None  # noqa: S101 - set by open
        if not self._link.send(self._join):
            raise self.lost or ConnectionClosed(Code.SERVER_UNREACHABLE, "No connection.")
        await self._joined
        await asyncio.wait([self._ready], timeout=ROBOT_TIMEOUT_S)
        if not any(member.robot_id == robot_id for member in self.members.values()):
            raise RemoteProtocolError(Code.UNKNOWN_ROBOT, f"No robot {robot_id} in its room.")
        return await self._ready

    async def _leave(self) -> None:
        robot, self.robot = self.robot, None
        self._join = None
        if robot is not None:
            await robot.close()
            self._link.send(m.Leave())

    # --- the link's callbacks ---

    async def _prepare(self, before: FarhandError | None) -> None:
        del before
        self._hello = replace(self._hello, token=await self._token())

    async def _token(self) -> str | None:
        credential = self._credential
        if not callable(credential):
            return credential
        try:
            return await credential()
        except FarhandError:
            raise
        except Exception as exc:  # the caller's own: it must not end the link without a word
            text = f"No credential could be got: {type(exc).__name__}."
            raise ConnectionClosed(Code.UNAUTHENTICATED, text) from exc

    def _on_connected(self, welcome: m.Welcome) -> None:
        self.lost = None
        if not self._welcome.done():
            self._welcome.set_result(welcome)
        elif self._join is not None:
            sessions = self.robot.live_sessions() if self.robot is not None else {}
            self._link.send(replace(self._join, sessions=sessions))

    def _on_lost(self, why: FarhandError, delay_s: float) -> None:
        self.lost = why
        if why.code in (Code.REVOKED, Code.UNAUTHENTICATED) and self.robot is not None:
            self.robot.lose_control()
        # Waiting again would not help somebody who has never been let in.
        if not self._welcome.done() and why.code is not Code.SERVER_UNREACHABLE:
            self._welcome.set_exception(why)

    def _receive(self, message: m.ServerMessage) -> None:
        match message:
            case m.Joined():
                self.members = {member.id: member for member in message.members}
                if self._joined is not None and not self._joined.done():
                    self._joined.set_result(message)
            case m.Error() if (
                self._joined is not None and not self._joined.done() and message.about == "join"
            ):
                self._joined.set_exception(RemoteProtocolError(message.code, message.text))
            case m.Config():
                self._manifest = message.manifest
            case m.SessionStart():
                self._start = message
            case m.Event(kind="joined", member=m.Member() as member):
                self.members[member.id] = member
            case m.Event(kind="left", member=m.Member() as member):
                self.members.pop(member.id, None)
        self._assemble()
        self._pass_on(message)

    def _assemble(self) -> None:
        """Make the robot as soon as its member and its manifest are known, in any order."""
        manifest, start = self._manifest, self._start
        if self.robot is None and manifest is not None and self._join is not None:
            found = (x for x in self.members.values() if x.robot_id == manifest.robot_id)
            member = next(found, None)
            if member is None:
                return
            ice_servers = self._link.welcome.ice_servers if self._link.welcome else ()
            self.robot = Robot(
                member,
                manifest,
                self.member_id,
                self._link.send,
                ice_servers,
                certificate=self._certificate,
            )
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(self.robot)
        if self.robot is not None and start is not None:
            self._start = None
            if start.member.robot_id == self.robot.manifest.robot_id:
                self.robot.start_session(start)

    def _pass_on(self, message: m.ServerMessage) -> None:
        robot = self.robot
        if robot is None:
            return
        if isinstance(message, m.Offer | m.Candidate):
            if robot.session is not None and robot.session.id == message.session_id:
                robot.session.take(message)
        elif (
            isinstance(message, m.Event | m.Error)
            or getattr(message, "from_", None) == robot.member.id
        ):
            robot.receive(message)


def _is_ready(robot: Robot) -> bool:
    session = robot.session
    if session is not None and session.error is not None:
        raise session.error
    return session is not None and {"safety", "messages"} <= session.open


@asynccontextmanager
async def connect(
    url: str,
    *,
    name: str,
    token: Credential | None = None,
    role: m.Role = "operator",
    service: str = DEFAULT_SERVICE,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> AsyncIterator[Client]:
    """Connect to a service of the server at ``url``.

    Args:
        url: The server's address.
        name: Ours, on screens; a server with accounts knows better.
        token: An API token, or what gets a fresh one before each hello.
        role: What we want to be.
        service: Which service.
        timeout_s: How long to wait for the server's welcome.

    Raises:
        ConnectionClosed: FH-4001, no server there within ``timeout_s``.
        RemoteProtocolError: The server refused us: FH-2004 not believed, FH-2006 revoked.

    """
    hello = m.Hello(role, name, software=f"farhand-python {__version__}")
    client = Client(url, hello, ServiceId(service), token)
    keeper = asyncio.create_task(client.run())
    try:
        try:
            async with asyncio.timeout(timeout_s):
                await client.welcomed()
        except TimeoutError:
            raise client.lost or ConnectionClosed(
                Code.SERVER_UNREACHABLE, f"No server at {url}."
            ) from None
        yield client
    finally:
        await client.close()
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
