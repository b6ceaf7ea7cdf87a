"""The program on the robot: dials out, joins its room, and brings people, gate and media together.

What comes in is handed to the part that knows: the server's orders here, people's wishes in
``requests``, the gate's messages in ``gate_news``.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import structlog
from msgspec.structs import replace

from farhand import __version__
from farhand.agent.authority import Authority
from farhand.agent.bulletin import Bulletin
from farhand.agent.commands import Commands
from farhand.agent.epoch_file import EpochFile
from farhand.agent.gate_link import GateEvents, GateLink
from farhand.agent.gate_news import GateNews
from farhand.agent.membership import Membership
from farhand.agent.people import People, Person
from farhand.agent.requests import Requests
from farhand.agent.session_host import Means, SessionHost
from farhand.agent.sessions import Sessions
from farhand.agent.settings import AgentSettings
from farhand.agent.side_message import AppliedLog
from farhand.agent.signals import Signals
from farhand.agent.stopping import Stopping
from farhand.agent.telemetry import TelemetrySource
from farhand.agent.video_reports import VideoReports
from farhand.errors import Code, FarhandError, NotAllowed
from farhand.link.websocket import LinkEvents, ServerLink, service_url
from farhand.media.base import CameraFeed, MediaBackend
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, RobotId, RoomId

log = structlog.get_logger(__name__)

_TAKEN_AWAY = frozenset({"revoked", "kicked", Code.REVOKED.value})
"""Reasons for which the server ends a session whose person has lost the right to it."""
_FIXES = {
    Code.UNAUTHENTICATED: "farhand agent leave, then farhand agent join URL",
    Code.REVOKED: "farhand agent leave --forget-key, then farhand agent join URL",
}
GATE_PATIENCE_S = 3.0
"""How long the robot waits for its gate before it goes online without."""


def monotonic_us() -> int:
    """Return the robot's clock."""
    return time.monotonic_ns() // 1000


class Agent:
    """One robot's agent.

    Args:
        settings: Where to dial, what to declare.
        backend: The WebRTC stack.
        feeds: The cameras; their encoders look up applied commands in ``applied``.
        telemetry: Where measurements come from.
        applied: The commands that passed the gate.

    """

    def __init__(
        self,
        settings: AgentSettings,
        *,
        backend: MediaBackend,
        feeds: Sequence[CameraFeed],
        telemetry: TelemetrySource,
        applied: AppliedLog,
        clock_us: Callable[[], int] = monotonic_us,
    ) -> None:
        self.settings = settings
        self.robot_id: RobotId = settings.manifest.robot_id
        self.room = RoomId(self.robot_id)
        self.member_id: MemberId | None = None
        self._telemetry = telemetry
        self._numbers = 0
        self.membership = Membership(
            settings.identity,
            settings.server,
            settings.offline_grace_s,
            lambda: self.sessions.cut_all(),  # noqa: PLW0108 - made below
        )
        self.link = ServerLink(
            service_url(settings.server, settings.service),
            self._hello,
            LinkEvents(self._on_connected, self._on_message, self._on_lost),
            is_urgent=lambda: bool(self.sessions.live()),
            prepare=self.membership.prepare,
        )
        self.gate = GateLink(
            settings.gate_socket,
            command=settings.gate_command,
            events=GateEvents(
                lambda message: self.gate_news.receive(message),  # noqa: PLW0108 - made below
                lambda: self.gate_news.lost(),  # noqa: PLW0108 - made below
                lambda: self.gate_news.back(),  # noqa: PLW0108 - made below
            ),
        )
        self.people = People(
            self.link.send, self._new_number, needs_grant=self.membership.demands_grants
        )
        self.authority = Authority(
            EpochFile(settings.state),
            self.people,
            self.gate.send,
            announce=lambda event: self.bulletin.announce(event),  # noqa: PLW0108 - made below
            on_changed=lambda: self.bulletin.changed(),  # noqa: PLW0108 - made below
            clock_us=clock_us,
            rules=settings.lease,
            has_cameras=bool(settings.manifest.cameras),
        )
        self.bulletin = Bulletin(
            self.robot_id,
            self.people,
            telemetry,
            lease=self.authority.state,
            clock_us=clock_us,
            axes=[axis.id for axis in settings.manifest.axes],
        )
        self.video = VideoReports(
            self.people,
            announce=self.bulletin.announce,
            driver=self.authority.video_driver,
            clock_us=clock_us,
        )
        self.stopping = Stopping(
            self.people,
            self.gate.send,
            on_pressed=lambda: self.authority.revoke("stopped"),
            on_stopped=self._on_stopped,
        )
        self.commands = Commands(self.people, self.gate.send, self.link.send)
        means = Means(
            backend,
            {feed.camera: feed for feed in feeds},
            self._ice_servers,
            self._new_number,
            time.monotonic,
        )
        self.sessions = Sessions(self.people, means, self, self.membership.judge)
        signals = Signals(self.sessions, settings.manifest, join=self._join, leave=self._leave)
        self.requests = Requests(
            self.people,
            self.link.send,
            authority=self.authority,
            stopping=self.stopping,
            commands=self.commands,
            signals=signals,
        )
        self.gate_news = GateNews(
            applied, self.authority, self.stopping, self.commands, self.bulletin
        )

    async def run(self) -> None:
        """Serve until cancelled; then say goodbye and end the gate that was started."""
        tasks = [
            self.gate.run(),
            self._dial(),
            self.bulletin.reporter.run(),
            self.video.run(),
            self._telemetry.run(),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for work in tasks:
                    group.create_task(work)
        finally:
            await self._close()

    async def _dial(self) -> None:
        # A robot that is online can be driven; but a robot without a gate can still be watched.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATE_PATIENCE_S):
                await self.gate_news.is_there.wait()
        await self.link.run()

    async def _close(self) -> None:
        self.membership.close()
        self.authority.revoke("session-ended")
        self.sessions.end_all("the robot goes offline")
        await self.sessions.close()
        await self.link.close()
        self.gate.stop_gate()

    # --- the server ---

    def send(self, message: m.ClientMessage) -> bool:
        """Send to the server; part of :class:`farhand.agent.session_host.Desk`."""
        return self.link.send(message)

    def _hello(self, resume: str | None) -> m.Hello:
        manifest = self.settings.manifest
        if self.gate.hello is not None:  # its driver knows what a stop is
            manifest = replace(manifest, stop_behavior=self.gate.hello.stop_behavior)
        return m.Hello(
            "robot",
            manifest.name,
            robot_id=self.robot_id,
            manifest=manifest,
            resume=resume,
            software=f"farhand {__version__}",
            token=self.membership.token(),
        )

    def _on_connected(self, welcome: m.Welcome) -> None:
        log.info("connected", server=self.settings.server, service=welcome.service_id)
        self.member_id = welcome.member_id
        self.membership.connected(welcome)
        self._join(self.room)

    def _on_lost(self, why: FarhandError, delay_s: float) -> None:
        self.membership.lost()
        if why.code is Code.REVOKED:
            self.sessions.cut_all()  # this robot is nobody's any more
        level = log.warning if why.code is Code.SERVER_UNREACHABLE else log.error
        fix = {"fix": _FIXES[why.code]} if why.code in _FIXES else {}
        level("no server", code=why.code.value, why=why.text, retry_s=round(delay_s, 2), **fix)

    def _join(self, room: RoomId) -> None:
        self.room = room
        self.link.send(m.Join(room, sessions=self.sessions.live()))

    def _leave(self) -> None:
        self.link.send(m.Leave())

    def _ice_servers(self) -> tuple[m.IceServer, ...]:
        return self.link.welcome.ice_servers if self.link.welcome else ()

    def _on_message(self, message: m.ServerMessage) -> None:
        try:
            self._receive(message)
        except Exception:
            # One of the edges: one bad message must not take the robot off the net.
            log.exception("message broke the agent", type=type(message).__name__)

    def _receive(self, message: m.ServerMessage) -> None:
        match message:
            case m.Joined():
                for person in self.people.replace_all(message.members):
                    self.authority.left(person)
                self.bulletin.changed()
            case m.Event(member=m.Member() as member):
                self._on_presence(message.kind, member)
            case m.SessionStart():
                self.sessions.start(message)
            case m.SessionEnded():
                self.sessions.end(message.session_id, is_final=message.reason in _TAKEN_AWAY)
            case m.OfferRequest() | m.Answer() | m.Candidate():
                self.sessions.negotiate(message)
            case m.Stop() | m.StopReset() | m.Control() | m.GateAnswer() | m.Signal():
                self.requests.over_server(message)
            case (
                m.LeaseRequest()
                | m.LeaseRenew()
                | m.LeaseRelease()
                | m.LeaseTransfer()
                | m.LeaseForce()
                | m.LeaseAnswer()
                | m.LeaseCancel()
            ):
                self.requests.over_server(message)
            case m.Error():
                log.warning("refused by the server", code=message.code.value, about=message.about)
            case _:
                pass

    def _on_presence(self, kind: m.EventKind, member: m.Member) -> None:
        if kind == "joined":
            self.people.add(member)
        elif kind == "left":
            person = self.people.get(member.id)
            if person is not None:
                person.is_present = False
                if self.people.forget_if_gone(person):
                    self.authority.left(person)

    # --- data channels (Desk) ---

    def on_frame(self, host: SessionHost, label: str, data: bytes | str, number: int) -> None:
        """Take what came over a data channel."""
        self.requests.over_channel(host.member, label, data, number)

    def on_renumbered(self, host: SessionHost, old: int | None) -> None:
        """Void the clock of the old connection; its lease goes on under a new epoch."""
        person = self.people.get(host.member.id)
        if person is None:
            return
        for number in (old, self.sessions.adopt(host), person.server_number):
            if number is not None:
                self.gate.send(g.Forget(number))
        person.server_number = None
        self.authority.on_renumbered(person)

    def on_changed(self, host: SessionHost) -> None:
        """Tell who watches what."""
        self._check_streaming()

    def on_failed(self, host: SessionHost) -> None:
        """End a session in which something broke."""
        self.link.send(m.SessionEnded(host.id, "it broke"))
        self.sessions.end(host.id)

    def on_cut(self, host: SessionHost, why: NotAllowed) -> None:
        """End a session whose other end did what it may not, and tell the server for its audit."""
        if not self.sessions.end(host.id, is_final=True):
            return
        log.warning("session cut", session=host.id, member=host.member.id, why=str(why))
        self.link.send(m.Error(why.code, why.text, session_id=host.id))
        event = m.Event("scope-broken", member=host.member, code=why.code, text=why.text)
        self.bulletin.announce(event)
        self.link.send(m.SessionEnded(host.id, why.code.value))

    def on_ended(self, person: Person, number: int | None, *, is_final: bool) -> None:
        """Note the end of a session: the lease goes with it unless the person is still there."""
        if is_final:
            self.authority.left(person)
        if number is not None:
            self.gate.send(g.Forget(number))
        if self.people.forget_if_gone(person):
            self.authority.left(person)
        self._check_streaming()

    def on_camera_fault(self, camera: CameraId, fault: Exception | None) -> None:
        """Tell everybody that a camera failed, or works again (``None``)."""
        if isinstance(fault, FarhandError):
            log.error("camera failed", camera=camera, error=str(fault))
            event = m.Event("fault", camera=camera, code=fault.code, text=fault.text[:200])
            self.bulletin.announce(event)
        else:
            log.info("camera works again", camera=camera)

    def _check_streaming(self) -> None:
        self.bulletin.on_streaming(self.sessions.streaming())

    # --- for its parts ---

    def _new_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _on_stopped(self, person: Person | None, stop_id: int) -> None:
        member = person.member if person else None
        log.warning("stopped", by=member.name if member else "", stop_id=stop_id)
        self.bulletin.announce(m.Event("stopped", member=member, stop_id=stop_id))
        self.bulletin.changed()
