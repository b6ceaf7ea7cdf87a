"""Coming into a room and going out of it."""

import hmac
from collections.abc import Callable

from farhand.core.tenure import Tenures
from farhand.dialects.teleop import telling
from farhand.dialects.teleop.base import (
    DEFAULT_USERS,
    MAX_ROBOTS,
    Book,
    Effect,
    Kind,
    Peer,
    Room,
    RoomInfo,
)
from farhand.dialects.teleop.calling import Calls
from farhand.dialects.teleop.messages import JoinRoom, name
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.protocol.ids import RoomId, ServiceId

DEFAULT_ROOM = "Teleop"
_ROBOT, _OBSERVER = "robot", "observer"


class Meeting:
    """The rooms in which somebody is.

    Args:
        book: Knows the stored rooms.
        tenures: Knows how long they have been in use.
        calls: Told who is to be called.
        new_id: Makes an id that was never used and cannot be guessed.
        wall_ms: Wall clock, only told to members.

    """

    def __init__(
        self,
        book: Book,
        tenures: Tenures,
        calls: Calls,
        new_id: Callable[[], str],
        wall_ms: Callable[[], int],
    ) -> None:
        self._book = book
        self._tenures = tenures
        self._calls = calls
        self._new_id = new_id
        self._wall_ms = wall_ms
        self.rooms: dict[tuple[ServiceId, int], Room] = {}

    def join(self, peer: Peer, wanted: JoinRoom, now: float) -> list[Effect]:
        """Enter a room; its id in the answer is a new one, also for one who was there.

        Raises:
            RemoteProtocolError: FH-3001 no name, FH-3020 no such room, FH-3013.
            NotAllowed: FH-2002, FH-2301, FH-2302, FH-2303.

        """
        called = name(wanted.name)
        if not called:
            raise RemoteProtocolError(Code.MALFORMED, "join-room needs a name.")
        kind, is_observer = self._role(peer, wanted)
        info = self._room(peer, wanted, called)
        key = (peer.passed.service_id, info.id)
        room = self.rooms.get(key) or Room(peer.passed.service_id, info, now)
        old = self._twin(room, peer, called, kind)
        self._check(room, info, peer, wanted, now, kind, is_observer, leaving=old)
        effects: list[Effect] = []
        if old is not None and old is not peer:
            effects += telling.system(
                old, "warning", "A newer connection took this one's place.", self._wall_ms(),
                Code.REPLACED,
            )  # fmt: skip
            effects += self.leave(old, now, "left")
        if peer.room is not None:
            effects += self.leave(peer, now, "left")
        room = self.rooms.setdefault(key, room)
        room.info = info
        peer.id, peer.name = self._new_id(), _unlike_others(room, called)
        peer.kind, peer.is_observer = kind, is_observer
        peer.room, peer.has_joined, peer.has_called = room, True, False
        peer.joined_ms = self._wall_ms()
        room.members[peer.id] = peer
        return effects + self._welcome(room, peer)

    def leave(self, peer: Peer, now: float, why: str) -> list[Effect]:
        """Go out of the room; those who stay are told.

        Args:
            peer: Who goes; in a room.
            now: Monotonic seconds.
            why: ``left``, or what to tell the one who goes.

        """
        room, peer.room = peer.room, None
        if room is None:
            return []
        holder = room.holder
        del room.members[peer.id]
        for key in [key for key in room.pairs if peer.id in key]:
            del room.pairs[key]
        effects: list[Effect] = []
        if why != "left":
            effects += telling.system(peer, "warning", why, self._wall_ms())
        if why != "left" or peer.is_brief:
            effects += telling.say(peer, "left", data={"room": room.info.name})
        if not room.members:
            del self.rooms[room.service_id, room.info.id]
            return effects
        effects += telling.room_clients(room)
        effects += telling.room_event(room, "left", peer, self._wall_ms())
        if holder is peer:
            effects += self._pass_on(room, peer, now)
        return effects

    def close(self, room: Room, why: str, now: float) -> list[Effect]:
        """Send everybody out."""
        effects: list[Effect] = []
        for peer in list(room.members.values()):
            effects += self.leave(peer, now, why)
        return effects

    def tick(self, now: float) -> list[Effect]:
        """Close rooms that are over, or are there no more."""
        effects: list[Effect] = []
        for service_id, room_name in self._tenures.over(now):
            for room in list(self.rooms.values()):
                if (room.service_id, room.info.name) == (service_id, room_name):
                    effects += self.close(room, "The room's time is over.", now)
        for room in list(self.rooms.values()):
            info = self._book.room(room.service_id, str(room.info.id), is_id=True)
            if info is None or info.name != room.info.name:
                effects += self.close(room, "The room was removed.", now)
        return effects

    # --- inside ----------------------------------------------------------------------------------

    def _welcome(self, room: Room, peer: Peer) -> list[Effect]:
        effects = telling.say(peer, "join-room-answer", data=peer.id)
        if peer.is_brief:
            data = {"id": peer.id, "room": room.info.name, "clients": telling.clients(room)}
            effects += telling.say(peer, "joined", data=data)
        effects += telling.room_clients(room)
        others = [one for one in room.members.values() if one is not peer]
        effects += telling.room_event(room, "joined", peer, self._wall_ms(), to=others)
        holder = room.holder
        if room.info.is_command and holder is not None:
            if holder is peer:
                return effects + telling.room_event(room, "control-taken", peer, self._wall_ms())
            text = f"{holder.name} has control."
            effects += telling.system(peer, "info", text, self._wall_ms())
        return effects

    def _pass_on(self, room: Room, before: Peer, now: float) -> list[Effect]:
        """The one whose commands robots got is gone: the next one is called with them."""
        if not room.info.is_command:
            return []
        wall_ms = self._wall_ms()
        effects = telling.room_event(room, "control-released", before, wall_ms)
        after = room.holder
        if after is None:
            return effects
        effects += telling.room_event(room, "control-taken", after, wall_ms)
        return effects + (self._calls.call_all(after, now) if after.has_called else [])

    def _role(self, peer: Peer, wanted: JoinRoom) -> tuple[Kind, bool]:
        kind: Kind = "robot" if name(wanted.type).casefold() == _ROBOT else "console"
        if kind == _ROBOT and not peer.passed.may_be_robot:
            raise NotAllowed(
                Code.ROLE_REFUSED, "Your token is no robot's.", "Use the token of the service."
            )
        return kind, peer.passed.is_observer or name(wanted.role).casefold() == _OBSERVER

    def _room(self, peer: Peer, wanted: JoinRoom, called: str) -> RoomInfo:
        book, service_id = self._book, peer.passed.service_id
        info = book.room(service_id, name(wanted.room_id), is_id=True)
        if info is None:
            given = name(wanted.room)
            if not given:
                last = called.rpartition(".")[2]
                given = last if last and book.room(service_id, last) else DEFAULT_ROOM
            info = book.room(service_id, given)
        if info is None:
            raise RemoteProtocolError(Code.UNKNOWN_ROBOT, "There is no such room.")
        return info

    def _check(  # noqa: PLR0917 - all that is known of one who wants in
        self,
        room: Room,
        info: RoomInfo,
        peer: Peer,
        wanted: JoinRoom,
        now: float,
        kind: Kind,
        is_observer: bool,
        *,
        leaving: Peer | None,
    ) -> None:
        if is_observer and info.is_command:
            raise NotAllowed(Code.ROLE_REFUSED, "Who only watches enters no room of commands.")
        if kind != _ROBOT:
            _check_password(info, peer, wanted, now)
        there = [one for one in room.members.values() if one is not leaving and one is not peer]
        robots = sum(one.kind == _ROBOT for one in there)
        bound = MAX_ROBOTS if kind == _ROBOT else info.rules.max_users or DEFAULT_USERS
        if (robots if kind == _ROBOT else len(there) - robots) >= bound:
            who = "robots" if kind == _ROBOT else "people"
            raise NotAllowed(Code.ROOM_FULL, f"The room takes {bound} {who}.")
        self._tenures.enter((room.service_id, RoomId(info.name)), info.rules, now)

    @staticmethod
    def _twin(room: Room, peer: Peer, called: str, kind: Kind) -> Peer | None:
        """Return who is there by the same name, and came by the same credential."""
        for one in room.members.values():
            is_same = (one.name, one.kind) == (called, kind)
            if one is peer or (is_same and one.passed.key == peer.passed.key):
                return one
        return None


def _check_password(info: RoomInfo, peer: Peer, wanted: JoinRoom, now: float) -> None:
    if not info.rules.token:
        return
    if not peer.tries.take(now):
        raise RemoteProtocolError(Code.RATE_LIMITED, "Too many passwords tried; wait a minute.")
    given = [name(one).encode() for one in (wanted.password, wanted.token)]
    if not any(hmac.compare_digest(one, info.rules.token.encode()) for one in given):
        raise NotAllowed(Code.ROOM_PASSWORD, "This is not the room's password.")


def _unlike_others(room: Room, called: str) -> str:
    """Return a name that nobody else in the room has: robots know themselves by name alone."""
    taken = {one.name for one in room.members.values()}
    names = (called, *(f"{called}-{n}" for n in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)
