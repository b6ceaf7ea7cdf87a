"""One session on the robot's side: it offers, keeps one peer connection and its channels.

While a new connection replaces the old one there are two.  It knows who the person is and what
they may do, but nothing of leases: frames go up to the desk.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from farhand.agent.grants import check_fingerprint
from farhand.agent.side_message import SideMessages
from farhand.core.limits import TokenBucket
from farhand.errors import Code, FarhandError, MediaError, NotAllowed
from farhand.media.base import CameraFeed, MediaBackend, PeerConnection, SentFrame, ViewerStats
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId

log = structlog.get_logger(__name__)

MAX_WAITING = 64
"""Signaling messages of one session that wait: a negotiation has 2 and at most 40 candidates."""
OFFERS_HZ, OFFERS_BURST = 0.5, 6.0
"""New peer connections that one person may ask for."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every session of the robot shares."""

    backend: MediaBackend
    feeds: Mapping[CameraId, CameraFeed]
    ice_servers: Callable[[], tuple[m.IceServer, ...]]
    new_number: Callable[[], int]
    """Makes the number of a member on the gate's socket: a new one for each peer connection."""
    clock: Callable[[], float]


class Desk(Protocol):
    """Who a session reports to. All of it is called on the event loop and does not wait."""

    def send(self, message: m.ClientMessage) -> bool:
        """Send to the server."""

    def on_frame(self, host: "SessionHost", label: str, data: bytes | str, number: int) -> None:
        """Take a message of a data channel."""

    def on_renumbered(self, host: "SessionHost", old: int | None) -> None:
        """Note that the person speaks by this session; what the gate knew of ``old`` is void."""

    def on_changed(self, host: "SessionHost") -> None:
        """Note that a channel opened or the connection's state changed."""

    def on_failed(self, host: "SessionHost") -> None:
        """End this session: something in it broke."""

    def on_cut(self, host: "SessionHost", why: NotAllowed) -> None:
        """End this session: its other end did what it may not."""


@dataclass(slots=True)
class Wire:
    """One peer connection; ``number`` is the person's on the gate's socket meanwhile."""

    number: int
    cameras: tuple[CameraId, ...]
    connection: PeerConnection | None = None
    state: str = "new"
    open: set[str] = field(default_factory=set)
    side: SideMessages = field(default_factory=SideMessages)
    candidates: int = 0

    @property
    def is_connected(self) -> bool:
        """Whether media and channels flow."""
        return self.state == "connected"


class SessionHost:
    """The robot's end of one session.

    Args:
        start: The server's order to begin.
        muted: Cameras that nobody gets at the moment.
        means: What the sessions share.
        desk: Who takes what comes in.
        fingerprint: The certificate that the other end must have; ``None``: any.

    """

    def __init__(
        self,
        start: m.SessionStart,
        muted: Iterable[CameraId],
        means: Means,
        desk: Desk,
        *,
        fingerprint: str | None = None,
    ) -> None:
        self.id = start.session_id
        self.member = start.member
        self.scopes = frozenset(start.scopes)
        self.fingerprint = fingerprint
        self.wire: Wire | None = None
        self._next: Wire | None = None
        self._means = means
        self._desk = desk
        self._wanted: tuple[CameraId, ...] = self._choose(start.cameras)
        self._muted = set(muted)
        self._offers = TokenBucket(OFFERS_HZ, OFFERS_BURST, means.clock())
        self._inbox: asyncio.Queue[m.OfferRequest | m.Answer | m.Candidate] = asyncio.Queue(
            MAX_WAITING
        )
        self._worker = asyncio.create_task(self._work())
        self._is_closed = False

    @property
    def number(self) -> int | None:
        """The person's number on the gate's socket."""
        return self.wire.number if self.wire else None

    @property
    def is_connected(self) -> bool:
        """Whether media and channels flow."""
        return self.wire is not None and self.wire.is_connected

    @property
    def cameras(self) -> tuple[CameraId, ...]:
        """Cameras that flow to the person now."""
        return self.wire.cameras if self.wire is not None and self.wire.is_connected else ()

    def stats(self) -> ViewerStats | None:
        """Return the newest figures of the connection; ``None``: there is none."""
        wire = self.wire
        return wire.connection.stats() if wire is not None and wire.connection is not None else None

    def has_open(self, channel: control.Channel) -> bool:
        """Say whether ``channel`` is open."""
        return self.wire is not None and channel.label in self.wire.open

    def send(self, channel: control.Channel, data: bytes | str) -> bool:
        """Send on a data channel; ``False``: not open or full."""
        wire = self.wire
        if wire is None or wire.connection is None or channel.label not in wire.open:
            return False
        return wire.connection.send(channel.label, data)

    def offer(self) -> None:
        """Make a new peer connection and offer it; the old one lives until the new one is up."""
        self.take(m.OfferRequest(self.id))

    def take(self, message: m.OfferRequest | m.Answer | m.Candidate) -> None:
        """Queue a signaling message of the other side."""
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            self._refuse(Code.RATE_LIMITED, "Too many signaling messages at once.", message)

    def stop_camera(self, camera: CameraId) -> None:
        """End ``camera`` here until :meth:`start_camera`."""
        self._muted.add(camera)
        for wire in (self.wire, self._next):
            if wire is not None and wire.connection is not None and camera in wire.cameras:
                wire.connection.stop_camera(camera)
                wire.cameras = tuple(c for c in wire.cameras if c != camera)
        self._desk.on_changed(self)

    def start_camera(self, camera: CameraId) -> None:
        """Let ``camera`` flow again, if the person wanted it; this takes a new connection."""
        self._muted.discard(camera)
        if camera in self._wanted and self.wire is not None and camera not in self.wire.cameras:
            self.offer()

    async def close(self) -> None:
        """Close everything. Idempotent."""
        self._is_closed = True
        self._worker.cancel()
        wires = [wire for wire in (self.wire, self._next) if wire is not None]
        self.wire = self._next = None
        for wire in wires:
            await self._close_wire(wire)

    # --- negotiation ---

    def _choose(self, cameras: tuple[CameraId, ...] | None) -> tuple[CameraId, ...]:
        if "view" not in self.scopes:
            return ()
        return tuple(c for c in self._means.feeds if cameras is None or c in cameras)

    async def _work(self) -> None:
        try:
            while True:
                message = await self._inbox.get()
                try:
                    await self._handle(message)
                except NotAllowed as exc:
                    self._desk.on_cut(self, exc)
                    return
                except FarhandError as exc:
                    log.warning("negotiation failed", session=self.id, error=str(exc))
                    self._refuse(exc.code, exc.text, message)
                    await self._drop_next()
        except Exception:
            # One of the edges: what breaks in a session ends this session and no other.
            log.exception("session broke", session=self.id)
            self._refuse(Code.INTERNAL, "The robot's session broke.", None)
            self._desk.on_failed(self)

    async def _handle(self, message: m.OfferRequest | m.Answer | m.Candidate) -> None:
        if isinstance(message, m.OfferRequest):
            await self._make_offer(message)
            return
        wire = self._next or self.wire
        if wire is None or wire.connection is None:
            raise MediaError(Code.WRONG_STATE, "There is no offer to answer.")
        if isinstance(message, m.Answer):
            if wire is not self._next:
                raise MediaError(Code.WRONG_STATE, "The offer is already answered.")
            if self.fingerprint is not None:
                check_fingerprint(message.sdp, self.fingerprint)
            await wire.connection.accept(message.sdp)
            return
        wire.candidates += 1
        if wire.candidates > codec.MAX_CANDIDATES + 1:
            raise MediaError(
                Code.TOO_MANY_CANDIDATES, f"More than {codec.MAX_CANDIDATES} candidates."
            )
        await wire.connection.add_candidate(message.candidate)

    async def _make_offer(self, message: m.OfferRequest) -> None:
        if not self._offers.take(self._means.clock()):
            raise MediaError(Code.TOO_MANY_NEGOTIATIONS, "Too many new offers; wait two seconds.")
        await self._drop_next()
        if message.cameras is not None:
            self._wanted = self._choose(message.cameras)
        cameras = tuple(c for c in self._wanted if c not in self._muted)
        wire = self._next = Wire(self._means.new_number(), cameras)
        wire.connection = self._means.backend.connect(
            member=self.member.id,
            feeds=[self._means.feeds[camera] for camera in cameras],
            channels=self._labels(),
            ice_servers=self._means.ice_servers(),
            on_message=lambda label, data: self._on_message(wire, label, data),
            on_state=lambda state: self._on_state(wire, state),
            on_channel_open=lambda label: self._on_open(wire, label),
            on_sent=lambda sent: self._on_sent(wire, sent),
            on_breach=lambda label: self._on_breach(wire, label),
        )
        sdp, tracks = await wire.connection.offer()
        self._desk.send(m.Offer(self.id, sdp, tracks))

    def _labels(self) -> list[str]:
        channels = [control.SAFETY, control.MESSAGES]
        if "control" in self.scopes:
            channels.append(control.CONTROL)
        if "view" in self.scopes:
            channels += [control.FRAMES, control.TELEMETRY]
        return [channel.label for channel in channels]

    def _refuse(
        self, code: Code, text: str, message: m.OfferRequest | m.Answer | m.Candidate | None
    ) -> None:
        about = str(message.__struct_config__.tag) if message is not None else ""
        self._desk.send(m.Error(code, text, about=about, session_id=self.id))

    # --- the peer connection's callbacks ---

    def _is_ours(self, wire: Wire) -> bool:
        return not self._is_closed and (wire is self.wire or wire is self._next)

    def _on_state(self, wire: Wire, state: str) -> None:
        if not self._is_ours(wire):
            return
        wire.state = state
        if state == "connected":
            self._promote(wire)
        elif state in ("failed", "closed"):
            self._spawn_close(wire)
        self._desk.on_changed(self)

    def _on_open(self, wire: Wire, label: str) -> None:
        if self._is_ours(wire):
            wire.open.add(label)
            self._promote(wire)
            self._desk.on_changed(self)

    def _on_message(self, wire: Wire, label: str, data: bytes | str) -> None:
        if not self._is_ours(wire):
            return
        if label in self._labels():
            self._desk.on_frame(self, label, data, wire.number)
        else:
            self._on_breach(wire, label)

    def _on_breach(self, wire: Wire, label: str) -> None:
        if self._is_ours(wire):
            text = f"This session has no channel {label[:40]!r}."
            self._desk.on_cut(self, NotAllowed(Code.SCOPE_MISSING, text))

    def _on_sent(self, wire: Wire, sent: SentFrame) -> None:
        if wire is self.wire and control.FRAMES.label in wire.open and wire.connection is not None:
            wire.connection.send(control.FRAMES.label, codec.encode(wire.side.add(sent)).decode())

    def _promote(self, wire: Wire) -> None:
        if wire is not self._next:
            return
        old, self.wire, self._next = self.wire, wire, None
        wire.state = "connected"
        self._desk.on_renumbered(self, old.number if old is not None else None)
        if old is not None:
            self._spawn_close(old)

    def _spawn_close(self, wire: Wire) -> None:
        wire.open.clear()
        if wire is self._next:
            self._next = None
        _background(self._close_wire(wire))

    async def _drop_next(self) -> None:
        wire, self._next = self._next, None
        if wire is not None:
            await self._close_wire(wire)

    @staticmethod
    async def _close_wire(wire: Wire) -> None:
        wire.state = "closed"
        wire.open.clear()
        if wire.connection is not None:
            await wire.connection.close()


_tasks: set[asyncio.Task[None]] = set()


def _background(work: Coroutine[None, None, None]) -> None:
    # The loop keeps only weak references to tasks.
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
