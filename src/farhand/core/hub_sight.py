"""Who of a room knows of whom, and as what: asked of the door once, when two meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from farhand.core.access import MEMBER_ROLE, RANK, TokenRole
from farhand.protocol import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farhand.core.admission import Door
    from farhand.core.member import Peer, PeerId
    from farhand.core.room import Room
    from farhand.protocol.ids import MemberId


def lesser_role(on_robot: TokenRole | None, own: m.Role) -> m.Role | None:
    """Return what somebody is to one robot: never more than there, never more than at hello."""
    there = MEMBER_ROLE[on_robot] if on_robot is not None else None
    if there is None or own == "robot":
        return None
    return min(there, own, key=_rank)


def _rank(role: m.Role) -> int:
    return 0 if role == "robot" else RANK[role]


class Sight:
    """Keeps each person's :attr:`~farhand.core.member.Peer.reach`.

    Args:
        door: Knows everybody's roles.

    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def role(self, person: Peer, robot: Peer) -> m.Role | None:
        """Return what ``person`` is to ``robot``; ``None``: for them it is not there."""
        assert robot.robot_id is not None  # noqa: S101 - robots of a service have said hello
        on_robot = self._door.role_on(person.principal, robot.service, robot.robot_id)
        return lesser_role(on_robot, person.own_role)

    def entered(self, room: Room, peer: Peer) -> None:
        """``peer`` is in ``room``: find out whom it meets there."""
        if not peer.is_robot:
            peer.reach = self.reach(room, peer)
            return
        for person in room.people():
            role = self.role(person, peer)
            if role is not None:
                person.reach[peer.member_id] = role

    def reach(self, room: Room, person: Peer) -> dict[MemberId, m.Role]:
        """Return what ``person`` is to each robot of ``room`` that is theirs."""
        roles = ((robot.member_id, self.role(person, robot)) for robot in room.robots())
        return {member_id: role for member_id, role in roles if role is not None}


def sees(peer: Peer, other: Peer) -> bool:
    """Say whether ``peer``, in the same room, knows of ``other``."""
    if peer is other:
        return True
    if other.is_robot:
        if peer.is_robot:
            return peer.principal.kind == "open"  # robots with keys have no use for each other
        return other.member_id in peer.reach
    return not peer.is_robot or peer.member_id in other.reach


def audience(room: Room, peer: Peer) -> tuple[PeerId, ...]:
    """Return the sockets of all others of ``room`` who know of ``peer``."""
    return tuple(
        other.id for other in room.members.values() if other is not peer and sees(other, peer)
    )


def shown(peer: Peer, to: Peer) -> m.Member:
    """Return ``peer`` as ``to`` sees it: to a robot everybody is what they are to that robot."""
    member = peer.member
    assert member is not None  # noqa: S101 - only members are in rooms
    if not to.is_robot or peer.is_robot:
        return member
    role = peer.reach.get(to.member_id, member.role)
    return member if role == member.role else msgspec.structs.replace(member, role=role)


def partners(room: Room, peer: Peer) -> Iterator[Peer]:
    """Yield those who get a session with ``peer``: robots for people, people for robots."""
    if not peer.media:
        return
    for other in room.members.values():
        if other.media and other.is_robot is not peer.is_robot and sees(peer, other):
            yield other


def listing(room: Room, to: Peer) -> tuple[m.Member, ...]:
    """Return the members of ``room`` that ``to`` knows of."""
    return tuple(shown(peer, to) for peer in _seen_by(room, to))


def _seen_by(room: Room, to: Peer) -> Iterator[Peer]:
    return (peer for peer in room.members.values() if sees(to, peer))
