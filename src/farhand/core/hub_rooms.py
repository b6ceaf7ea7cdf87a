"""Rooms of a hub: who comes in, who goes, and what the others are told."""

from farhand.core.hub_sessions import Sessions
from farhand.core.keepalive import Keepalive
from farhand.core.member import Effect, Peer, Send
from farhand.core.room import Room, Service
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import ServiceId, is_valid_id


class Rooms:
    """Joining and leaving, in all services of one hub.

    Args:
        services: The hub's own table.
        sessions: Told who meets whom.
        keepalive: Told who has lost its last session.

    """

    def __init__(
        self, services: dict[ServiceId, Service], sessions: Sessions, keepalive: Keepalive
    ) -> None:
        self._services = services
        self._sessions = sessions
        self._keepalive = keepalive

    def join(self, peer: Peer, join: m.Join, now: float) -> list[Effect]:
        """Enter a room, or say anew what is wanted of the one the member is in.

        Raises:
            RemoteProtocolError: FH-3019.

        """
        if not is_valid_id(join.room):
            raise RemoteProtocolError(
                Code.INVALID_ID, "A room's name has 1 to 64 of A-Z a-z 0-9 . _ -"
            )
        service = self._services[peer.service]
        effects: list[Effect] = []
        is_new = peer.room != join.room
        if is_new and peer.room is not None:
            effects += self._leave_room(service, peer, now, reason="joined another room")
        peer.media, peer.cameras = join.media, join.cameras
        room = service.enter(peer, join.room)
        self._sessions.claim(peer, join.sessions)
        effects.append(Send(peer.tuple, m.Joined(peer.member_id, room.id, room.listing())))
        if is_new:
            effects += self._tell_joined(room, peer)
        for other in room.partners(peer):
            effects += self._sessions.pair(peer, other, now)
        return effects

    def _tell_joined(self, room: Room, peer: Peer) -> list[Effect]:
        effects: list[Effect] = []
        others = room.peers(without=peer)
        if others:
            effects.append(
                Send(others, m.Event("joined", member=peer.member, robot_id=peer.robot_id))
            )
            effects += [Send(others, news) for news in _news(peer)]
        for other in room.members.values():
            if other is not peer:
                effects += [Send(peer.tuple, news) for news in _news(other)]
        return effects

    def leave(self, peer: Peer, _: m.Leave, now: float) -> list[Effect]:
        """Go out of the room.

        Raises:
            RemoteProtocolError: FH-3006.

        """
        if peer.room is None:
            raise RemoteProtocolError(Code.NOT_IN_ROOM, "You are in no room.")
        return self._leave_room(self._services[peer.service], peer, now, reason="left")

    def _leave_room(self, service: Service, peer: Peer, now: float, *, reason: str) -> list[Effect]:
        room = service.leave(peer)
        assert room is not None  # noqa: S101 - callers have looked
        effects = self._sessions.part(peer, now, reason="left", grace=False)
        effects.append(Send(peer.tuple, m.Left(room.id, reason)))
        effects += self._keepalive.refresh(peer, now)
        return effects + left(room, peer)


def _news(peer: Peer) -> list[m.ServerMessage]:
    """Return what one who meets ``peer`` must know: a robot's manifest and last status."""
    news: list[m.ServerMessage] = []
    if peer.manifest is not None:
        news.append(m.Config(peer.manifest, peer.member_id))
    if peer.status is not None:
        news.append(peer.status)
    return news


def left(room: Room, peer: Peer) -> list[Effect]:
    """Return what those who stay are told."""
    others = room.peers()
    return (
        [Send(others, m.Event("left", member=peer.member, robot_id=peer.robot_id))]
        if others
        else []
    )
