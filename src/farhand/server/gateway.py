"""Sockets on one side, the hub on the other. Dull on purpose: core/hub.py decides."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from farhand.bus.base import Bus
from farhand.core.access import Principal
from farhand.core.admission import OpenDoor
from farhand.core.hub import Hub, MemberView
from farhand.core.keepalive import TICK_S
from farhand.core.member import (
    Answered,
    Close,
    CloseCode,
    Effect,
    Heard,
    Noticed,
    PeerId,
    RobotSeen,
    Send,
)
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, RobotId, RoomId, ServiceId, SessionId
from farhand.server.frames import text_frame
from farhand.server.socket import NativeSocket, Owner
from farhand.server.upgrade import Doorkeeper
from farhand.store.base import Store

log = structlog.get_logger(__name__)

OnPresence = Callable[[ServiceId, RobotId, bool, str], None]
"""Called with service, robot, whether it is online now, and why it is not."""
_NO_CREDENTIAL = frozenset({Code.UNAUTHENTICATED, Code.REVOKED})


class Dialect(Owner, Protocol):
    """The shell of a dialect, as the gateway knows it."""

    @property
    def sockets(self) -> int:
        """How many are open."""

    def opened(self, socket: NativeSocket, passed: object) -> None:
        """Register a socket whose handshake is done."""

    def tick(self, now: float) -> None:
        """Do what is due."""

    def members(self) -> list[MemberView]:
        """Return who is in its rooms."""

    def kick(self, member_id: MemberId, reason: str) -> bool:
        """Throw out one member; ``False``: it is none of its own."""


SAMPLE = 16
"""Of so many messages on sockets one is timed: the clock would cost each of them its share."""
RETRY_AFTER_MS = 200
"""Told to everybody on a restart; the clients' jitter spreads them over the second after that."""


class Gateway:
    """Carries messages in and effects out. :meth:`apply` never awaits.

    Args:
        hub: The state of this gateway.
        bus: Takes messages to sockets.
        store: Told which robots come and go.
        door: Decides about handshakes.
        clock: Monotonic seconds.
        wall_ms: Wall clock in milliseconds.

    """

    def __init__(
        self,
        hub: Hub,
        bus: Bus,
        store: Store,
        door: Doorkeeper,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.hub = hub
        self.door = door
        door.has_accounts = not isinstance(hub.door, OpenDoor)
        self.clock = clock
        self.max_message_bytes = codec.MAX_MESSAGE_BYTES
        self.dialect: Dialect | None = None
        """Has the sockets that speak the documented dialect."""
        self.waiting: set[NativeSocket] = set()
        """Sockets whose peers do not read fast enough."""
        self.ws_log = logging.getLogger("farhand.server.ws")
        self.ws_log.setLevel(logging.WARNING)
        self.on_answer: Callable[[Answered], None] = _log_answer
        """Called when a member answers an instruction of the server's own."""
        self.on_notice: Callable[[Noticed], None] = _ignore
        """Called with what belongs into the audit trail."""
        self.on_status: Callable[[ServiceId, RobotId, m.Status], None] = _ignore
        """Called with each status that a robot tells."""
        self.on_event: Callable[[ServiceId, RobotId, m.Event], None] = _ignore
        """Called with each event that a robot tells."""
        self.on_presence: OnPresence = _ignore
        self.on_timed: Callable[[float], None] = _ignore
        """Called with the seconds that handling a message took, once in `SAMPLE` messages."""
        self.on_cut: Callable[[], None] = _ignore
        """Called when a member is cut since it did not read."""
        self.on_dropped: Callable[[int, int], None] = _ignore
        """Called with the messages of the classes state and log that a member was never sent."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """Where everything here must be called, once it has been started."""
        self._bus = bus
        self._store = store
        self.wall_ms = wall_ms
        self._sockets: dict[PeerId, NativeSocket] = {}
        self._next_peer = 0
        self._until_timed = SAMPLE
        self._timer: asyncio.TimerHandle | None = None
        self._is_draining = False

    # --- the loop --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin the sweep. Call on the event loop."""
        self.loop = asyncio.get_running_loop()
        self._timer = self.loop.call_later(TICK_S, self._tick)

    def stop(self) -> None:
        """End the sweep. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def is_draining(self) -> bool:
        """Whether everybody has been told that we go."""
        return self._is_draining

    @property
    def sockets(self) -> int:
        """How many are open."""
        return len(self._sockets) + (self.dialect.sockets if self.dialect is not None else 0)

    def drain(self) -> None:
        """Tell everybody that we go, and close. Idempotent."""
        if not self._is_draining:
            self._is_draining = True
            log.info("draining", sockets=len(self._sockets))
            self.apply(self.hub.go_away(RETRY_AFTER_MS))
            if self.dialect is not None:
                self.dialect.drain()

    # --- told by sockets -------------------------------------------------------------------------

    def opened(self, socket: NativeSocket, service_id: ServiceId) -> None:
        """Register a socket whose handshake is done."""
        if self._is_draining:
            socket.close(CloseCode.GOING_AWAY, "going away")
            return
        self._next_peer += 1
        peer = socket.peer = PeerId(self._next_peer)
        self._sockets[peer] = socket
        self._bus.attach(peer, socket.send)
        self.door.came(socket.address)
        socket.is_stranger = True
        self.apply(self.hub.connected(peer, service_id, self.clock()))

    def received(self, socket: NativeSocket, data: bytes) -> None:
        """Decode one message and let the hub act on it."""
        peer = socket.peer
        if peer is None:
            return
        self._until_timed -= 1
        if not self._until_timed:
            self._time(socket, data)
            return
        try:
            message = codec.decode_client(data)
        except RemoteProtocolError as exc:
            self.malformed(socket, exc)
            return
        if socket.credential is not None:
            message = _with_credential(socket, message)
        try:
            effects = self.hub.receive(peer, message, self.clock())
        except Exception:
            # The one edge where a fault of ours must not take the others with it.
            log.exception("the hub failed", peer=peer, type=type(message).__name__)
            fault = FarhandError(Code.INTERNAL, "The server failed at this message.")
            self.cut(socket, fault, 1011)
            return
        if socket.is_stranger:
            self._count_failure(socket, peer, effects)
        self.apply(effects)
        if socket.is_stranger:
            self._settle_if_known(socket)

    def malformed(self, socket: NativeSocket, exc: RemoteProtocolError) -> None:
        """A frame was no message."""
        if socket.peer is not None:
            self.apply(self.hub.malformed(socket.peer, exc, self.clock()))

    def cut(self, socket: NativeSocket, exc: FarhandError, code: int) -> None:
        """Close a socket for a cause."""
        if socket.peer is not None:
            self.apply(self.hub.cut(socket.peer, exc, code, self.clock()))

    def alive(self, socket: NativeSocket) -> None:
        """A pong of the framing: natively, pings are messages."""

    def too_slow(self, socket: NativeSocket) -> None:
        """A peer let its safety or signaling class fill.

        Not at once: this is called while effects are carried out, and cutting makes new ones.
        """
        asyncio.get_running_loop().call_soon(self._cut_slow, socket)

    def closed(self, socket: NativeSocket, *, is_clean: bool) -> None:
        """Forget a socket that is gone."""
        self.waiting.discard(socket)
        self._settle(socket)
        peer, socket.peer = socket.peer, None
        if peer is None:
            return
        self.door.left()
        self._sockets.pop(peer, None)
        self._bus.detach(peer)
        self.apply(self.hub.disconnected(peer, self.clock(), is_clean=is_clean))

    def signal(
        self,
        member: MemberId,
        action: m.SignalAction,
        *,
        room: RoomId | None = None,
        camera: CameraId | None = None,
        microphone: bool = False,
    ) -> int:
        """Instruct a member in the server's own name; :attr:`on_answer` gets the answer.

        Returns:
            Number of the instruction.

        Raises:
            RemoteProtocolError: FH-3007, FH-3013.

        """
        number, effects = self.hub.signal(
            member, action, self.clock(), room=room, camera=camera, microphone=microphone
        )
        self.apply(effects)
        return number

    # --- told by those who manage; all on the loop's thread --------------------------------------

    def revoke(self, is_gone: Callable[[Principal], bool]) -> None:
        """Throw out everybody who is no longer who they were, at once."""
        self.apply(self.hub.revoke(is_gone, self.clock()))

    def recheck(self) -> None:
        """Undo what is no longer allowed: accounts, access lists or rooms have changed."""
        self.apply(self.hub.recheck(self.clock()))

    def kick(self, member_id: MemberId, reason: str = "") -> None:
        """Throw out one member.

        Raises:
            RemoteProtocolError: FH-3007.

        """
        self.apply(self.hub.kick(member_id, reason, self.clock()))

    def move(self, service_id: ServiceId, robot_id: RobotId) -> None:
        """Send a robot away from a service; it comes back where its record says."""
        self.apply(self.hub.move(service_id, robot_id, self.clock()))

    def close_session(self, session_id: SessionId, reason: str = "closed") -> None:
        """End one session.

        Raises:
            RemoteProtocolError: FH-3022.

        """
        self.apply(self.hub.close_session(session_id, reason, self.clock()))

    def close_room(self, service_id: ServiceId, room_id: RoomId, reason: str = "closed") -> None:
        """Send everybody out of a room."""
        self.apply(self.hub.close_room(service_id, room_id, reason, self.clock()))

    # --- effects ---------------------------------------------------------------------------------

    def apply(self, effects: list[Effect]) -> None:
        """Carry out ``effects`` in order."""
        deliver = self._bus.deliver
        for effect in effects:
            if type(effect) is Send:
                deliver(effect.peers, effect.message)
            elif type(effect) is Heard:
                self._tell(effect)
            else:
                self._apply_rare(effect, effects)

    # --- inside ----------------------------------------------------------------------------------

    def _time(self, socket: NativeSocket, data: bytes) -> None:
        self._until_timed = SAMPLE + 1  # this message is counted once more
        started = self.clock()
        self.received(socket, data)
        self.on_timed(self.clock() - started)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_S, self._tick)
        now = self.clock()
        try:
            self.apply(self.hub.tick(now))
        except Exception:
            log.exception("the sweep failed")
        for socket in [socket for socket in self.waiting if socket.is_overdue(now)]:
            self._cut_slow(socket)
        if self.dialect is not None:
            self.dialect.tick(now)

    def _cut_slow(self, socket: NativeSocket) -> None:
        if socket.peer is not None:
            self.on_cut()
        slow = NotAllowed(Code.SLOW_CONSUMER, "You did not read what was sent to you.")
        self.cut(socket, slow, CloseCode.SLOW)

    def _apply_rare(self, effect: Effect, effects: list[Effect]) -> None:
        if isinstance(effect, Close):
            socket = self._sockets.get(effect.peer)
            if socket is not None:
                socket.close(effect.code, effect.reason, _last_words(effect.peer, effects))
        elif isinstance(effect, RobotSeen):
            self._store.robot_seen(
                effect.service_id, effect.robot_id, effect.manifest, self.wall_ms(), effect.reason
            )
            if effect.is_news:
                self.on_presence(
                    effect.service_id, effect.robot_id, not effect.reason, effect.reason
                )
        elif isinstance(effect, Noticed):
            self.on_notice(effect)
        elif isinstance(effect, Answered):
            self.on_answer(effect)

    def _tell(self, heard: Heard) -> None:
        if isinstance(heard.message, m.Status):
            self.on_status(heard.service_id, heard.robot_id, heard.message)
        else:
            self.on_event(heard.service_id, heard.robot_id, heard.message)

    def _count_failure(self, socket: NativeSocket, peer: PeerId, effects: list[Effect]) -> None:
        error = next((e.message for e in effects if type(e) is Send and e.peers == (peer,)), None)
        if isinstance(error, m.Error) and error.code in _NO_CREDENTIAL:
            self.door.failed(socket.address)

    def _settle_if_known(self, socket: NativeSocket) -> None:
        if socket.peer is not None and self.hub.is_member(socket.peer):
            self._settle(socket)

    def _settle(self, socket: NativeSocket) -> None:
        if socket.is_stranger:
            socket.is_stranger = False
            self.door.settled(socket.address)


def _last_words(peer: PeerId, effects: list[Effect]) -> bytes:
    """Return the framed error that a peer who is cut is told, for when its queue is full."""
    for effect in effects:
        if (
            isinstance(effect, Send)
            and effect.peers == (peer,)
            and isinstance(effect.message, m.Error)
        ):
            return text_frame(effect.message)
    return b""


def socket_class(gateway: Gateway) -> type[asyncio.Protocol]:
    """Return the class for uvicorn's ``ws=``, bound to ``gateway``."""

    class BoundSocket(NativeSocket):
        """Made by uvicorn for each upgrade request."""

        def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
            del config, app_state
            super().__init__(gateway, server_state)

    return BoundSocket


def _with_credential(socket: NativeSocket, message: m.ClientMessage) -> m.ClientMessage:
    """Put the credential of the handshake into the hello that brings none."""
    credential, socket.credential = socket.credential, None
    if isinstance(message, m.Hello) and message.token is None:
        return msgspec.structs.replace(message, token=credential)
    return message


def _ignore(*_: object) -> None:
    """Nobody wants to know."""


def _log_answer(answer: Answered) -> None:
    log.info("signal answered", member=answer.member, id=answer.id, code=answer.code)
