"""Rooms of a hub: who comes in, who goes, and what the others are told."""

import re

import msgspec

from farhand.core.admission import Door, RoomRules
from farhand.core.hub_sessions import Sessions
from farhand.core.hub_sight import Sight, audience, lesser_role, listing, partners, sees, shown
from farhand.core.keepalive import Keepalive
from farhand.core.member import Effect, Peer, PeerId, Send
from farhand.core.room import Room, Service
from farhand.core.tenure import Tenures, check_password, check_space
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, RoomId, ServiceId, is_valid_id

_FINGERPRINT = re.compile(r"sha-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}", re.IGNORECASE)


class Rooms:
    """Joining and leaving, in all services of one hub.

    Args:
        services: The hub's own table.
        sessions: Told who meets whom.
        keepalive: Told who has lost its last session.
        door: Knows who may enter what.

    """

    def __init__(
        self,
        services: dict[ServiceId, Service],
        sessions: Sessions,
        keepalive: Keepalive,
        door: Door,
    ) -> None:
        self._services = services
        self._sessions = sessions
        self._keepalive = keepalive
        self._door = door
        self._sight = Sight(door)
        self._tenures = Tenures(door)

    def join(self, peer: Peer, join: m.Join, now: float) -> list[Effect]:
        """Enter a room, or say anew what is wanted of the one the member is in.

        Raises:
            RemoteProtocolError: FH-3001 no fingerprint, FH-3019 no name, FH-3020 no such room,
                FH-3013 too many passwords.
            NotAllowed: FH-2301, FH-2302, FH-2303.

        """
        _check(join)
        service = self._services[peer.service]
        effects: list[Effect] = []
        is_new = peer.room != join.room
        if is_new:
            self._admit(service, peer, join, now)
        if is_new and peer.room is not None:
            effects += self._leave_room(service, peer, now, reason="joined another room")
        if join.fingerprint != peer.fingerprint:
            # The robot was promised another certificate: what was agreed on is void.
            for session in list(peer.sessions.values()):
                effects += self._sessions.end(session, "new-fingerprint", now)
        peer.media, peer.cameras, peer.fingerprint = join.media, join.cameras, join.fingerprint
        self._dress(peer, join.room)
        room = service.enter(peer, join.room)
        self._sight.entered(room, peer)
        self._sessions.claim(peer, join.sessions, now)
        effects.append(Send(peer.tuple, m.Joined(peer.member_id, room.id, listing(room, peer))))
        if is_new:
            effects += _tell_joined(room, peer)
        for other in partners(room, peer):
            effects += self._sessions.pair(peer, other, now)
        return effects

    def _admit(self, service: Service, peer: Peer, join: m.Join, now: float) -> None:
        rules = self._door.room(service.id, join.room)
        if not self._is_there(peer, join.room, rules):
            # The same words whether it is somebody else's or nobody's.
            raise RemoteProtocolError(Code.UNKNOWN_ROBOT, "There is no such robot or room.")
        if rules is not None:
            check_password(rules, join.password, peer, now)
            check_space(rules, service.rooms.get(join.room), peer)
        self._tenures.enter((service.id, join.room), rules, now)

    def _is_there(self, peer: Peer, room_id: RoomId, rules: RoomRules | None) -> bool:
        """Say whether the room exists as far as ``peer`` can know."""
        if peer.principal.kind == "open":
            return True
        if peer.is_robot:
            return rules is not None or str(room_id) == peer.robot_id
        if rules is not None and peer.own_role != "guest":
            return True
        return self._role_in(peer, room_id) is not None

    def _role_in(self, peer: Peer, room_id: RoomId) -> m.Role | None:
        """Return what a person is to the robot whose own room this is."""
        on_robot = self._door.role_on(peer.principal, peer.service, RobotId(room_id))
        return lesser_role(on_robot, peer.own_role)

    def _dress(self, peer: Peer, room_id: RoomId) -> None:
        """Give a person the role that all of a robot's own room see."""
        if peer.is_robot:
            return
        role = self._role_in(peer, room_id) or peer.own_role
        if role != peer.role:
            assert peer.member is not None  # noqa: S101 - only members join
            peer.member = msgspec.structs.replace(peer.member, role=role)

    def leave(self, peer: Peer, _: m.Leave, now: float) -> list[Effect]:
        """Go out of the room.

        Raises:
            RemoteProtocolError: FH-3006.

        """
        if peer.room is None:
            raise RemoteProtocolError(Code.NOT_IN_ROOM, "You are in no room.")
        return self._leave_room(self._services[peer.service], peer, now, reason="left")

    def tick(self, now: float) -> list[Effect]:
        """Close the rooms whose time is over. To be called every second or so."""
        effects: list[Effect] = []
        for service_id, room_id in self._tenures.over(now):
            effects += self.close(service_id, room_id, "over", now)
        return effects

    def close(
        self, service_id: ServiceId, room_id: RoomId, reason: str, now: float
    ) -> list[Effect]:
        """Send everybody out of a room."""
        service = self._services.get(service_id)
        room = service.rooms.get(room_id) if service is not None else None
        if service is None or room is None:
            return []
        effects: list[Effect] = []
        for peer in list(room.members.values()):
            effects += self._leave_room(service, peer, now, reason=reason, ended=reason)
        return effects

    # --- access lists have changed ---------------------------------------------------------------

    def recheck(self, now: float) -> list[Effect]:
        """Ask the door about everybody who is in a room, and undo what it no longer allows."""
        effects: list[Effect] = []
        for service in list(self._services.values()):
            for room in list(service.rooms.values()):
                effects += self._recheck_room(service, room, now)
        return effects

    def _recheck_room(self, service: Service, room: Room, now: float) -> list[Effect]:
        rules = self._door.room(service.id, room.id)
        effects: list[Effect] = []
        for peer in list(room.members.values()):
            if not self._is_there(peer, room.id, rules):
                effects += self._leave_room(service, peer, now, reason="revoked", ended="revoked")
        for person in list(room.people()):
            effects += self._review(room, person, now)
        return effects

    def _review(self, room: Room, person: Peer, now: float) -> list[Effect]:
        before, after = person.reach, self._sight.reach(room, person)
        changed = [
            robot
            for robot in room.robots()
            if before.get(robot.member_id) != after.get(robot.member_id)
        ]
        effects: list[Effect] = []
        for robot in changed:
            effects += self._sessions.end_between(person, robot, "revoked", now)
            if robot.member_id not in after:
                effects += _parted(person, robot)
        person.reach = after
        self._dress(person, room.id)
        for robot in changed:
            if robot.member_id in after and robot.member_id not in before:
                effects += _met(person.tuple, robot.member, robot)
                effects += _met(robot.tuple, shown(person, to=robot), person)
        for robot in partners(room, person):
            if robot in changed:
                effects += self._sessions.pair(person, robot, now)
        return effects

    # --- inside ----------------------------------------------------------------------------------

    def _leave_room(
        self, service: Service, peer: Peer, now: float, *, reason: str, ended: str = "left"
    ) -> list[Effect]:
        room = service.leave(peer)
        assert room is not None  # noqa: S101 - callers have looked
        effects = self._sessions.part(peer, now, reason=ended, grace=False)
        effects.append(Send(peer.tuple, m.Left(room.id, reason)))
        effects += self._keepalive.refresh(peer, now)
        return effects + left(room, peer)


def _check(join: m.Join) -> None:
    if not is_valid_id(join.room):
        raise RemoteProtocolError(Code.INVALID_ID, "A room's name has 1 to 64 of A-Z a-z 0-9 . _ -")
    if join.fingerprint is not None and not _FINGERPRINT.fullmatch(join.fingerprint):
        raise RemoteProtocolError(
            Code.MALFORMED, "A fingerprint is sha-256 and 32 pairs of digits."
        )


def _tell_joined(room: Room, peer: Peer) -> list[Effect]:
    effects: list[Effect] = []
    others = [other for other in room.members.values() if other is not peer]
    witnesses = [other for other in others if sees(other, peer)]
    # Encoded once for all to whom the newcomer looks the same.
    alike = tuple(other.id for other in witnesses if shown(peer, to=other) is peer.member)
    if alike:
        effects += _met(alike, peer.member, peer)
    for other in witnesses:
        if other.id not in alike:
            effects += _met(other.tuple, shown(peer, to=other), peer)
    for other in others:
        if sees(peer, other):
            effects += [Send(peer.tuple, news) for news in _news(other)]
    return effects


def _met(peers: tuple[PeerId, ...], member: m.Member | None, new: Peer) -> list[Effect]:
    joined = m.Event("joined", member=member, robot_id=new.robot_id)
    return [Send(peers, message) for message in (joined, *_news(new))]


def _news(peer: Peer) -> list[m.ServerMessage]:
    """Return what one who meets ``peer`` must know: a robot's manifest and last status."""
    news: list[m.ServerMessage] = []
    if peer.manifest is not None:
        news.append(m.Config(peer.manifest, peer.member_id))
    if peer.status is not None:
        news.append(peer.status)
    return news


def left(room: Room, peer: Peer) -> list[Effect]:
    """Return what those who stay are told; from now on they know nothing of ``peer``."""
    others = audience(room, peer)
    if peer.is_robot:
        for person in room.people():
            person.reach.pop(peer.member_id, None)
    peer.reach = {}
    gone = m.Event("left", member=peer.member, robot_id=peer.robot_id)
    return [Send(others, gone)] if others else []


def _parted(person: Peer, robot: Peer) -> list[Effect]:
    """Return what the two are told who may no longer know of each other."""
    gone_robot = m.Event("left", member=robot.member, robot_id=robot.robot_id)
    gone_person = m.Event("left", member=person.member)
    return [Send(person.tuple, gone_robot), Send(robot.tuple, gone_person)]
