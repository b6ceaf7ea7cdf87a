"""All peers of the dialect on one server: frames in, effects out.

Sans-I/O: ``now`` is monotonic seconds, peers are numbers that the shell gives them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from farhand.core.member import CloseCode
from farhand.core.tenure import Tenures
from farhand.dialects.teleop import messages, telling
from farhand.dialects.teleop.base import (
    Book,
    Effect,
    Kind,
    Pass,
    Peer,
    Ping,
    Room,
    Shut,
    Unknown,
)
from farhand.dialects.teleop.calling import Calls, in_room
from farhand.dialects.teleop.meeting import Meeting
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol.ids import ServiceId

PING_S = 10.0
SILENT_S = 25.0
"""Two pings missed, and some air."""
JOIN_S = 10.0
"""From the handshake to the first room."""
POLICY = 1008
"""Close code of one who does not keep to the rules, as deployed peers know it."""
GOODBYE = 1001
SLOW_TICK_S = 1.0

Handler = Callable[[Peer, messages.Frame, float], list[Effect]]


@dataclass(frozen=True, slots=True)
class Seated:
    """A member of a room, for those who manage."""

    service_id: ServiceId
    id: str
    name: str
    kind: Kind
    is_observer: bool
    room: str
    key: str
    """Of what they came by."""
    since_ms: int


class Exchange:
    """Takes frames, and what happens to sockets.

    Args:
        book: Knows the stored rooms.
        tenures: Knows how long they have been in use.
        new_id: Makes an id that was never used and cannot be guessed.
        wall_ms: Wall clock, only told to members.

    """

    def __init__(
        self,
        book: Book,
        tenures: Tenures,
        *,
        new_id: Callable[[], str],
        wall_ms: Callable[[], int],
    ) -> None:
        self._wall_ms = wall_ms
        self._peers: dict[int, Peer] = {}
        self._puzzled: set[int] = set()
        """Peers that have sent an event that is none."""
        self._calls = Calls(wall_ms)
        self._meeting = Meeting(book, tenures, self._calls, new_id, wall_ms)
        self._slow_tick_at = float("-inf")
        self._handlers: dict[str, Handler] = {
            "join-room": self._join,
            "leave-room": self._leave,
            "call-all": lambda p, _, now: self._calls.call_all(p, now),
            "call-ids": lambda p, f, now: self._calls.call_ids(p, messages.ids(f), now),
            "call-peer": lambda p, f, now: self._calls.offer(p, messages.members(f), now),
            "make-peer-call-answer": lambda p, f, now: self._calls.answer(
                p, messages.members(f), now
            ),
            "send-ice-candidate": lambda p, f, _: self._calls.candidate(p, messages.members(f)),
            "close-all-room-peer-connections": lambda p, _, __: self._calls.hang_up(p),
            "send-message": lambda p, f, _: self._calls.message(p, messages.members(f)),
        }

    # --- what the shell calls --------------------------------------------------------------------

    def connected(self, number: int, passed: Pass, now: float) -> None:
        """Expect a join from a new socket."""
        self._peers[number] = Peer(number, passed, now, self._wall_ms())

    def receive(self, number: int, data: bytes, now: float) -> list[Effect]:
        """Take one frame. Frames of a peer that was cut are ignored."""
        peer = self._peers.get(number)
        if peer is None:
            return []
        peer.heard_at = now
        if not peer.bucket.take(now):
            return self._refused(peer, _LIMITED, now)
        try:
            event, given, frame = messages.frame(data)
        except RemoteProtocolError as exc:
            return self.malformed(number, exc, now)
        handler = self._handlers.get(event)
        if handler is None:
            return self._unknown(peer, event)
        peer.is_brief |= given != event
        try:
            return handler(peer, frame, now)
        except (RemoteProtocolError, NotAllowed) as exc:
            return self._refused(peer, exc, now)

    def malformed(self, number: int, exc: FarhandError, now: float) -> list[Effect]:
        """Answer what was no frame; too many of them are the end."""
        peer = self._peers.get(number)
        if peer is None:
            return []
        told = telling.refusal(peer, exc, self._wall_ms())
        if peer.bad_frames.take(now):
            return told
        return told + self._shut(peer, POLICY, str(exc.code), now)

    def cut(self, number: int, exc: FarhandError, code: int, now: float) -> list[Effect]:
        """Throw somebody out, and say why."""
        peer = self._peers.get(number)
        if peer is None:
            return []
        told = telling.refusal(peer, exc, self._wall_ms())
        return told + self._shut(peer, code, str(exc.code), now)

    def alive(self, number: int, now: float) -> None:
        """A pong has come."""
        peer = self._peers.get(number)
        if peer is not None:
            peer.heard_at = now

    def gone(self, number: int, now: float) -> list[Effect]:
        """Forget a socket."""
        peer = self._peers.pop(number, None)
        self._puzzled.discard(number)
        return [] if peer is None else self._meeting.leave(peer, now, "left")

    def tick(self, now: float) -> list[Effect]:
        """Do what is due: pings, time-outs, rooms that are over. Call it every second or so."""
        effects: list[Effect] = []
        for peer in list(self._peers.values()):
            if now - peer.heard_at >= SILENT_S:
                effects += self._shut(peer, CloseCode.KEEPALIVE, "silent", now)
            elif not peer.has_joined and now - peer.opened_at >= JOIN_S:
                late = RemoteProtocolError(Code.HELLO_FIRST, f"No join-room within {JOIN_S:g} s.")
                effects += self.cut(peer.number, late, POLICY, now)
            elif now - peer.pinged_at >= PING_S:
                peer.pinged_at = now
                effects.append(Ping(peer.number))
        if now - self._slow_tick_at >= SLOW_TICK_S:
            self._slow_tick_at = now
            effects += self._meeting.tick(now)
        return effects

    def go_away(self) -> list[Effect]:
        """Say goodbye to everybody."""
        effects: list[Effect] = [Shut(number, GOODBYE, "going away") for number in self._peers]
        self._peers.clear()
        self._meeting.rooms.clear()
        return effects

    # --- for those who manage --------------------------------------------------------------------

    def has_joined(self, number: int) -> bool:
        """Say whether a peer has ever been in a room."""
        peer = self._peers.get(number)
        return peer is not None and peer.has_joined

    def seated(self) -> list[Seated]:
        """Return everybody who is in a room."""
        return [_seated(room, peer) for room, peer in self._everybody()]

    def kick(self, member_id: str, reason: str, now: float) -> list[Effect] | None:
        """Throw a member out; ``None``: there is none."""
        for _, peer in self._everybody():
            if peer.id == member_id:
                kicked = NotAllowed(Code.FORBIDDEN, f"You were sent out. {reason[:200]}".rstrip())
                return self.cut(peer.number, kicked, CloseCode.KICKED, now)
        return None

    def recheck(self, is_current: Callable[[Pass], bool], now: float) -> list[Effect]:
        """Throw out those whose credential is good no more."""
        gone = [peer for peer in self._peers.values() if not is_current(peer.passed)]
        ended = NotAllowed(Code.REVOKED, "Your access has ended.")
        effects: list[Effect] = []
        for peer in gone:
            effects += self.cut(peer.number, ended, CloseCode.REVOKED, now)
        return effects

    # --- inside ----------------------------------------------------------------------------------

    def _join(self, peer: Peer, frame: messages.Frame, now: float) -> list[Effect]:
        wanted = messages.decoded(frame.data, messages.JoinRoom, "join-room needs a name.")
        try:
            return self._meeting.join(peer, wanted, now)
        except (RemoteProtocolError, NotAllowed) as exc:
            answer = telling.say(peer, "join-room-answer", data="")
            return answer + self._refused(peer, exc, now)

    def _leave(self, peer: Peer, _: messages.Frame, now: float) -> list[Effect]:
        in_room(peer)
        return self._meeting.leave(peer, now, "left")

    def _refused(self, peer: Peer, exc: FarhandError, now: float) -> list[Effect]:
        told = telling.refusal(peer, exc, self._wall_ms())
        if peer.refusals.take(now):
            return told
        return told + self._shut(peer, POLICY, str(exc.code), now)

    def _unknown(self, peer: Peer, event: str) -> list[Effect]:
        if peer.number in self._puzzled:
            return []
        self._puzzled.add(peer.number)
        return [Unknown(peer.number, event)]

    def _shut(self, peer: Peer, code: int, reason: str, now: float) -> list[Effect]:
        return [*self.gone(peer.number, now), Shut(peer.number, code, reason)]

    def _everybody(self) -> list[tuple[Room, Peer]]:
        rooms = self._meeting.rooms.values()
        return [(room, peer) for room in rooms for peer in room.members.values()]


_LIMITED = RemoteProtocolError(Code.RATE_LIMITED, "Too many messages; slow down.")


def _seated(room: Room, peer: Peer) -> Seated:
    return Seated(
        room.service_id,
        peer.id,
        peer.name,
        peer.kind,
        peer.is_observer,
        room.info.name,
        peer.passed.key,
        peer.joined_ms,
    )
