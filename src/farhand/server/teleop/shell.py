"""Sockets that speak the documented dialect on one side, its exchange on the other."""

import asyncio
from collections.abc import Callable

import structlog

from farhand.core.access import Principal
from farhand.core.hub import MemberView
from farhand.core.member import CloseCode
from farhand.dialects.teleop.base import Effect, Pass, Ping, Say, Shut, Unknown
from farhand.dialects.teleop.exchange import POLICY, Exchange, Seated
from farhand.dialects.teleop.messages import MAX_FRAME
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, RobotId, RoomId
from farhand.server.socket import NativeSocket
from farhand.server.upgrade import Doorkeeper

log = structlog.get_logger(__name__)

TICK_S = 0.5
"""Between two looks at who is silent, and whose credential has ended."""
_FAULT = 1011


class TeleopShell:
    """:class:`farhand.server.gateway.Dialect`. Never awaits, so peers cannot interleave.

    Args:
        exchange: Decides.
        door: Counts sockets.
        is_current: Says whether a credential is still good.
        clock: Monotonic seconds.

    """

    def __init__(
        self,
        exchange: Exchange,
        door: Doorkeeper,
        is_current: Callable[[Pass], bool],
        clock: Callable[[], float],
    ) -> None:
        self.waiting: set[NativeSocket] = set()
        self.max_message_bytes = MAX_FRAME
        self.on_cut: Callable[[], None] = _ignore
        """Called when a peer is cut since it did not read."""
        self._exchange = exchange
        self._door = door
        self._is_current = is_current
        self._clock = clock
        self._sockets: dict[int, NativeSocket] = {}
        self._numbers: dict[NativeSocket, int] = {}
        self._next = 0
        self._tick_at = float("-inf")
        self._is_draining = False

    @property
    def sockets(self) -> int:
        """How many are open."""
        return len(self._sockets)

    def clock(self) -> float:
        """Return monotonic seconds."""
        return self._clock()

    # --- told by sockets -------------------------------------------------------------------------

    def opened(self, socket: NativeSocket, passed: object) -> None:
        """Register a socket whose handshake is done."""
        assert isinstance(passed, Pass)  # noqa: S101 - what our door has given
        if self._is_draining:
            socket.close(CloseCode.GOING_AWAY, "going away")
            return
        self._next += 1
        self._sockets[self._next], self._numbers[socket] = socket, self._next
        self._door.came(socket.address)
        socket.is_stranger = True
        self._exchange.connected(self._next, passed, self._clock())

    def received(self, socket: NativeSocket, data: bytes) -> None:
        """Handle one frame."""
        number = self._numbers.get(socket)
        if number is None:
            return
        try:
            effects = self._exchange.receive(number, data, self._clock())
        except Exception:
            # The one edge where a fault of ours must not take the others with it.
            log.exception("the dialect failed", peer=number)
            fault = FarhandError(Code.INTERNAL, "The server failed at this message.")
            self.cut(socket, fault, _FAULT)
            return
        self._apply(effects)
        if socket.is_stranger and self._exchange.has_joined(number):
            self._settle(socket)

    def malformed(self, socket: NativeSocket, exc: RemoteProtocolError) -> None:
        """A frame was no text."""
        number = self._numbers.get(socket)
        if number is not None:
            self._apply(self._exchange.malformed(number, exc, self._clock()))

    def alive(self, socket: NativeSocket) -> None:
        """A pong has come."""
        number = self._numbers.get(socket)
        if number is not None:
            self._exchange.alive(number, self._clock())

    def cut(self, socket: NativeSocket, exc: FarhandError, code: int) -> None:
        """Close a socket for a cause."""
        number = self._numbers.get(socket)
        if number is not None:
            self._apply(self._exchange.cut(number, exc, code, self._clock()))

    def too_slow(self, socket: NativeSocket) -> None:
        """A peer let its queue fill; not at once, this is called while effects are carried out."""
        asyncio.get_running_loop().call_soon(self._cut_slow, socket)

    def closed(self, socket: NativeSocket, *, is_clean: bool) -> None:
        """Forget a socket that is gone."""
        del is_clean
        self.waiting.discard(socket)
        self._settle(socket)
        number = self._numbers.pop(socket, None)
        if number is not None:
            del self._sockets[number]
            self._door.left()
            self._apply(self._exchange.gone(number, self._clock()))

    def on_dropped(self, states: int, logs: int, /) -> None:
        """Count nothing: of these frames none is dropped."""

    # --- told by the gateway ---------------------------------------------------------------------

    def drain(self) -> None:
        """Say goodbye to everybody."""
        self._is_draining = True
        self._apply(self._exchange.go_away())

    def tick(self, now: float) -> None:
        """Do what is due."""
        if now - self._tick_at < TICK_S:
            return
        self._tick_at = now
        try:
            self._apply(self._exchange.recheck(self._is_current, now))
            self._apply(self._exchange.tick(now))
        except Exception:
            log.exception("the dialect's sweep failed")

    def members(self) -> list[MemberView]:
        """Return who is in its rooms."""
        return [_view(one) for one in self._exchange.seated()]

    def kick(self, member_id: MemberId, reason: str) -> bool:
        """Throw out one member; ``False``: it is none of its own."""
        effects = self._exchange.kick(member_id, reason, self._clock())
        self._apply(effects or [])
        return effects is not None

    # --- inside ----------------------------------------------------------------------------------

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(peers, data):
                    for number in peers:
                        if number in self._sockets:
                            self._sockets[number].send_text(data)
                case Ping(number):
                    if number in self._sockets:
                        self._sockets[number].ping()
                case Shut(number, code, reason):
                    if number in self._sockets:
                        self._sockets[number].close(code, reason)
                case Unknown(number, event):
                    log.info("unknown event of the dialect", peer=number, name=event[:64])

    def _cut_slow(self, socket: NativeSocket) -> None:
        if socket in self._numbers:
            self.on_cut()
        slow = NotAllowed(Code.SLOW_CONSUMER, "You did not read what was sent to you.")
        self.cut(socket, slow, POLICY)

    def _settle(self, socket: NativeSocket) -> None:
        if socket.is_stranger:
            socket.is_stranger = False
            self._door.settled(socket.address)


def _view(one: Seated) -> MemberView:
    is_robot = one.kind == "robot"
    role: m.Role = "robot" if is_robot else "viewer" if one.is_observer else "operator"
    member = m.Member(MemberId(one.id), role, one.name, RobotId(one.name) if is_robot else None)
    kind, _, key = one.key.partition(":")
    # By the service's token they are nobody in particular.
    who = Principal("token", key if kind == "token" else "service", one.name, "operator")
    return MemberView(one.service_id, member, RoomId(one.room), who, one.since_ms)


def _ignore() -> None:
    """Nobody wants to know."""
