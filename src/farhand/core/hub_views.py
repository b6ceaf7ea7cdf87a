"""What is going on in a hub, for the REST side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farhand.core.access import Principal
from farhand.core.member import Peer
from farhand.core.room import Service
from farhand.core.session import Session
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, RoomId, ServiceId, SessionId
from farhand.protocol.manifest import Manifest


@dataclass(frozen=True, slots=True)
class RobotView:
    """A robot that is connected now."""

    service_id: ServiceId
    robot_id: RobotId
    member: m.Member
    manifest: Manifest
    status: m.Status | None
    room: RoomId | None
    people: int
    """Members of its room that know of it and are no robots."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """A person or robot that is connected now."""

    service_id: ServiceId
    member: m.Member
    room: RoomId | None
    principal: Principal
    since_ms: int
    """Wall clock."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session that lives now."""

    service_id: ServiceId
    session_id: SessionId
    robot_id: RobotId
    member: m.Member
    """The person, as the robot knows them."""
    principal: Principal
    state: str
    since_ms: int
    """Wall clock."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is going on."""

    robots: int
    clients: int
    sessions: int


def robot_view(service: Service, robot_id: RobotId, peer: Peer) -> RobotView:
    """Return a robot as the REST side sees it."""
    room = service.room_of(peer)
    people = sum(peer.member_id in other.reach for other in room.people()) if room else 0
    assert peer.member is not None  # noqa: S101 - robots of a service have said hello
    assert peer.manifest is not None  # noqa: S101 - the same
    return RobotView(
        service.id, robot_id, peer.member, peer.manifest, peer.status, peer.room, people
    )


def member_views(services: Iterable[Service]) -> Iterator[MemberView]:
    """Yield everybody who is connected."""
    for service in services:
        for peer in service.members.values():
            assert peer.member is not None  # noqa: S101 - members have said hello
            yield MemberView(service.id, peer.member, peer.room, peer.principal, peer.since_ms)


def session_views(sessions: Iterable[Session]) -> Iterator[SessionView]:
    """Yield the sessions."""
    for session in sessions:
        robot, person = session.robot, session.person
        assert robot.robot_id is not None  # noqa: S101 - robots have one
        yield SessionView(
            robot.service,
            session.id,
            robot.robot_id,
            session.start(robot, resumed=False).member,
            person.principal,
            session.state.value,
            session.since_ms,
        )
