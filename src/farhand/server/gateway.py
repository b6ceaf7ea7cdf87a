"""Sockets on one side, the hub on the other. Dull on purpose: core/hub.py decides."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import structlog

from farhand.bus.base import Bus
from farhand.core.hub import Hub
from farhand.core.keepalive import TICK_S
from farhand.core.member import Answered, Close, CloseCode, Effect, PeerId, RobotSeen, Send
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, RoomId, ServiceId
from farhand.server.frames import text_frame
from farhand.server.socket import NativeSocket
from farhand.server.upgrade import Doorkeeper
from farhand.store.base import Store

log = structlog.get_logger(__name__)

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
        self.clock = clock
        self.waiting: set[NativeSocket] = set()
        """Sockets whose peers do not read fast enough."""
        self.ws_log = logging.getLogger("farhand.server.ws")
        self.ws_log.setLevel(logging.WARNING)
        self.on_answer: Callable[[Answered], None] = _log_answer
        """Called when a member answers an instruction of the server's own."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """Where everything here must be called, once it has been started."""
        self._bus = bus
        self._store = store
        self.wall_ms = wall_ms
        self._sockets: dict[PeerId, NativeSocket] = {}
        self._next_peer = 0
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

    def drain(self) -> None:
        """Tell everybody that we go, and close. Idempotent."""
        if not self._is_draining:
            self._is_draining = True
            log.info("draining", sockets=len(self._sockets))
            self.apply(self.hub.go_away(RETRY_AFTER_MS))

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
        try:
            message = codec.decode_client(data)
        except RemoteProtocolError as exc:
            self.malformed(socket, exc)
            return
        try:
            effects = self.hub.receive(peer, message, self.clock())
        except Exception:
            # The one edge where a fault of ours must not take the others with it.
            log.exception("the hub failed", peer=peer, type=type(message).__name__)
            fault = FarhandError(Code.INTERNAL, "The server failed at this message.")
            self.cut(socket, fault, 1011)
            return
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

    # --- effects ---------------------------------------------------------------------------------

    def apply(self, effects: list[Effect]) -> None:
        """Carry out ``effects`` in order."""
        deliver = self._bus.deliver
        for effect in effects:
            if type(effect) is Send:
                deliver(effect.peers, effect.message)
            else:
                self._apply_rare(effect, effects)

    # --- inside ----------------------------------------------------------------------------------

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

    def _cut_slow(self, socket: NativeSocket) -> None:
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
        elif isinstance(effect, Answered):
            self.on_answer(effect)

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


def _log_answer(answer: Answered) -> None:
    log.info("signal answered", member=answer.member, id=answer.id, code=answer.code)
