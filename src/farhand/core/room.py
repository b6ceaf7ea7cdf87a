"""Who is where: services, their rooms, and the members in them."""

from __future__ import annotations

from collections.abc import Iterator

from farhand.core.member import Peer
from farhand.protocol.ids import MemberId, RobotId, RoomId, ServiceId


class Room:
    """Robots and people who see each other. Exists while somebody is in it."""

    __slots__ = ("id", "members")

    def __init__(self, room_id: RoomId) -> None:
        self.id = room_id
        self.members: dict[MemberId, Peer] = {}

    def people(self) -> Iterator[Peer]:
        """Yield the members that are no robots."""
        return (peer for peer in self.members.values() if not peer.is_robot)

    def robots(self) -> Iterator[Peer]:
        """Yield the robots."""
        return (peer for peer in self.members.values() if peer.is_robot)


class Service:
    """A teleoperation space: its members, robots and rooms."""

    __slots__ = ("id", "members", "people", "robots", "rooms")

    def __init__(self, service_id: ServiceId) -> None:
        self.id = service_id
        self.members: dict[MemberId, Peer] = {}
        self.people: dict[MemberId, Peer] = {}
        """Those members that are no robots."""
        self.robots: dict[RobotId, Peer] = {}
        self.rooms: dict[RoomId, Room] = {}

    def enter(self, peer: Peer, room_id: RoomId) -> Room:
        """Put ``peer`` into a room, which is made if it is not there."""
        room = self.rooms.get(room_id)
        if room is None:
            room = self.rooms[room_id] = Room(room_id)
        room.members[peer.member_id] = peer
        peer.room = room_id
        return room

    def leave(self, peer: Peer) -> Room | None:
        """Take ``peer`` out of its room and return the room, or ``None`` if it was in none."""
        room = self.room_of(peer)
        if room is not None:
            del room.members[peer.member_id]
            peer.room = None
            if not room.members:
                del self.rooms[room.id]
        return room

    def room_of(self, peer: Peer) -> Room | None:
        """Return the room that ``peer`` is in."""
        return self.rooms[peer.room] if peer.room is not None else None

    def add(self, peer: Peer) -> None:
        """Register a member that has said hello."""
        self.members[peer.member_id] = peer
        robot_id = peer.robot_id
        if robot_id is not None:
            self.robots[robot_id] = peer
        else:
            self.people[peer.member_id] = peer

    def remove(self, peer: Peer) -> None:
        """Forget a member."""
        if self.members.get(peer.member_id) is peer:
            del self.members[peer.member_id]
            self.people.pop(peer.member_id, None)
        robot_id = peer.robot_id
        if robot_id is not None and self.robots.get(robot_id) is peer:
            del self.robots[robot_id]

    def shared_room(self, peer: Peer, member_id: MemberId) -> Peer | None:
        """Return the member if it is in the same room as ``peer``."""
        room = self.room_of(peer)
        return None if room is None else room.members.get(member_id)
