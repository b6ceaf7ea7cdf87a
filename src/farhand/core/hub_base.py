"""What a hub holds, how members go, and what those who manage may do to them."""

from collections.abc import Callable

from farhand.core.access import Principal
from farhand.core.admission import Door, OpenDoor
from farhand.core.hub_flood import error
from farhand.core.hub_rooms import Rooms, left
from farhand.core.hub_sessions import Sessions
from farhand.core.hub_sight import Sight
from farhand.core.hub_views import (
    Counts,
    MemberView,
    RobotView,
    SessionView,
    member_views,
    robot_view,
    session_views,
)
from farhand.core.keepalive import Keepalive
from farhand.core.limits import Limits
from farhand.core.member import (
    Close,
    CloseCode,
    Effect,
    Noticed,
    Peer,
    PeerId,
    RobotSeen,
    Send,
)
from farhand.core.resume import ResumeSigner
from farhand.core.resume_book import ResumeBook
from farhand.core.room import Service
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, RobotId, RoomId, ServiceId, SessionId

REVOKED = NotAllowed(Code.REVOKED, "Your access has ended.")


class HubBase:
    """State of one gateway.

    Args:
        new_id: Makes an id that was never used and cannot be guessed (at least 96 random bits).
        signer: Makes and checks resume tokens.
        wall_ms: Wall clock in milliseconds, only told to members.
        limits: Rates and bounds.
        door: Knows people, robots and rooms; default: a server without accounts.
        ice_servers: Told to every member in its welcome.

    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        signer: ResumeSigner,
        wall_ms: Callable[[], int],
        limits: Limits | None = None,
        door: Door | None = None,
        ice_servers: tuple[m.IceServer, ...] = (),
    ) -> None:
        self.ice_servers = ice_servers
        self.limits = limits or Limits()
        self.door = door or OpenDoor()
        self._wall_ms = wall_ms
        self._book = ResumeBook(signer, wall_ms)
        self._sight = Sight(self.door)
        self._peers: dict[PeerId, Peer] = {}
        self._strangers: dict[PeerId, Peer] = {}
        self._expiring: dict[PeerId, Peer] = {}
        """Members whose right ends by itself."""
        self._services: dict[ServiceId, Service] = {}
        self._keepalive = Keepalive()
        self._sessions = Sessions(new_id, self.limits, self._keepalive, self.door, wall_ms)
        self._rooms = Rooms(self._services, self._sessions, self._keepalive, self.door)

    # --- what those who manage call --------------------------------------------------------------

    def revoke(self, is_gone: Callable[[Principal], bool], now: float) -> list[Effect]:
        """Throw out everybody who is no longer who they were; robots let go of them at once."""
        gone = [peer for peer in self._peers.values() if peer.member and is_gone(peer.principal)]
        effects: list[Effect] = []
        for peer in gone:
            effects += self._expel(peer, REVOKED, CloseCode.REVOKED, "revoked", now)
        # Their sockets may be lost, and their robots waiting for them.
        for service in self._services.values():
            effects += self._sessions.end_claims(service.members.values(), is_gone)
        return effects

    def recheck(self, now: float) -> list[Effect]:
        """Access lists or rooms have changed: undo what the door no longer allows."""
        wall_ms = self._wall_ms()
        effects = self.revoke(lambda who: not self.door.is_current(who, wall_ms), now)
        for service in self._services.values():
            effects += self._sessions.end_changed(service.robots.values())
        return effects + self._rooms.recheck(now)

    def kick(self, member_id: MemberId, reason: str, now: float) -> list[Effect]:
        """Throw out one member.

        Raises:
            RemoteProtocolError: FH-3007 no such member.

        """
        peer = self._member(member_id)
        noticed = Noticed(
            "member.kick",
            peer.service,
            None,
            peer.robot_id,
            target=f"member:{member_id}",
            detail={"reason": reason[:200]},
        )
        kicked = NotAllowed(Code.FORBIDDEN, f"You were sent out. {reason[:200]}".rstrip())
        return [noticed, *self._expel(peer, kicked, CloseCode.KICKED, "kicked", now)]

    def move(self, service_id: ServiceId, robot_id: RobotId, now: float) -> list[Effect]:
        """Send a robot away from a service: it comes back where it belongs. None: no effects."""
        service = self._services.get(service_id)
        peer = service.robots.get(robot_id) if service is not None else None
        if peer is None:
            return []
        moved = NotAllowed(Code.GOING_AWAY, "You belong to another service now; come back.")
        return self._expel(peer, moved, CloseCode.MOVED, "moved", now)

    def close_session(self, session_id: SessionId, reason: str, now: float) -> list[Effect]:
        """End one session; both ends are told.

        Raises:
            RemoteProtocolError: FH-3022 no such session.

        """
        session = self._sessions.live.get(session_id)
        if session is None:
            raise RemoteProtocolError(Code.UNKNOWN_SESSION, "There is no such session.")
        return self._sessions.end(session, reason[:200], now)

    def close_room(
        self, service_id: ServiceId, room_id: RoomId, reason: str, now: float
    ) -> list[Effect]:
        """Send everybody out of a room."""
        return self._rooms.close(service_id, room_id, reason[:200], now)

    # --- what is going on ------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """How much is going on."""
        robots = sum(len(service.robots) for service in self._services.values())
        members = sum(len(service.members) for service in self._services.values())
        return Counts(robots, members - robots, len(self._sessions.live))

    def robots(self) -> list[RobotView]:
        """Return all robots that are connected."""
        return [
            robot_view(service, robot_id, peer)
            for service in self._services.values()
            for robot_id, peer in service.robots.items()
        ]

    def robot(self, service_id: ServiceId, robot_id: RobotId) -> RobotView | None:
        """Return one robot, if it is connected."""
        service = self._services.get(service_id)
        peer = service.robots.get(robot_id) if service else None
        return robot_view(service, robot_id, peer) if service and peer else None

    def members(self) -> list[MemberView]:
        """Return everybody who is connected, robots and people."""
        return list(member_views(self._services.values()))

    def sessions(self) -> list[SessionView]:
        """Return the sessions that live."""
        return list(session_views(self._sessions.live.values()))

    def is_member(self, peer_id: PeerId) -> bool:
        """Say whether the peer has said hello."""
        return peer_id in self._peers and peer_id not in self._strangers

    # --- going -----------------------------------------------------------------------------------

    def _presence(
        self, service: Service, peer: Peer, kind: m.EventKind, code: Code | None = None
    ) -> list[Effect]:
        if not peer.is_robot:
            return []
        # People only: a thousand robots that come back must not tell each other a million times.
        people = tuple(
            person.id
            for person in service.people.values()
            if self._sight.role(person, peer) is not None
        )
        event = m.Event(kind, member=peer.member, robot_id=peer.robot_id, code=code)
        return [Send(people, event)] if people else []

    def _forget(
        self, peer: Peer, now: float, reason: str, *, is_clean: bool, is_replaced: bool = False
    ) -> list[Effect]:
        del self._peers[peer.id]
        self._strangers.pop(peer.id, None)
        self._expiring.pop(peer.id, None)
        self._keepalive.remove(peer)
        if peer.member is None:
            return []
        service = self._services[peer.service]
        if is_clean:
            self._book.forget(peer.member_id)
        else:
            self._book.lost(peer.member_id, now)
        ended = "left" if reason == "replaced" else reason
        effects = self._sessions.part(peer, now, reason=ended, grace=not is_clean)
        room = service.leave(peer)
        if room is not None:
            effects += left(room, peer)
        service.remove(peer)
        if not is_replaced:
            effects += seen(peer, reason)
            # Those who drove it lose more than a link: it does not come back.
            code = Code.REVOKED if reason == "revoked" else None
            effects += self._presence(service, peer, "robot-offline", code)
        if not service.members:
            del self._services[service.id]
        return effects

    def _cut(self, peer: Peer, exc: FarhandError, code: int, now: float) -> list[Effect]:
        effects: list[Effect] = [Send(peer.tuple, error(exc)), Close(peer.id, code, exc.code)]
        return effects + self._forget(peer, now, exc.code, is_clean=False)

    def _expel(
        self, peer: Peer, exc: FarhandError, code: int, reason: str, now: float
    ) -> list[Effect]:
        """Throw out a member without grace: its sessions end now."""
        effects: list[Effect] = [Send(peer.tuple, error(exc)), Close(peer.id, code, exc.code)]
        return effects + self._forget(peer, now, reason, is_clean=True)

    def _slow_tick(self, now: float) -> list[Effect]:
        self._book.tick(now)
        wall_ms = self._wall_ms()
        effects: list[Effect] = []
        for peer in list(self._expiring.values()):
            expires_ms = peer.principal.expires_ms
            if expires_ms is not None and expires_ms <= wall_ms:
                effects += self._expel(peer, REVOKED, CloseCode.REVOKED, "expired", now)
        effects += self._sessions.end_expired(wall_ms)
        return effects + self._rooms.tick(now)

    def _member(self, member_id: MemberId) -> Peer:
        for service in self._services.values():
            peer = service.members.get(member_id)
            if peer is not None:
                return peer
        raise RemoteProtocolError(Code.UNKNOWN_MEMBER, "No such member.")


def seen(peer: Peer, reason: str = "", *, is_news: bool = True) -> list[Effect]:
    """Return what those are told who remember robots; nothing for people."""
    if peer.manifest is None or peer.robot_id is None:
        return []
    return [RobotSeen(peer.service, peer.robot_id, peer.manifest, reason, is_news)]
