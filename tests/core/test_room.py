from farhand.core.limits import Limits
from farhand.core.member import Peer, PeerId
from farhand.core.room import Service
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId, RobotId, RoomId

ROOM, OTHER = RoomId("room"), RoomId("other")


def member(service: Service, number: int, role: m.Role = "operator") -> Peer:
    peer = Peer(PeerId(number), DEFAULT_SERVICE, Limits(), 0.0)
    assert peer.robot_id is None
    robot_id = RobotId("rover") if role == "robot" else None
    peer.member = m.Member(MemberId(f"m{number}"), role, f"n{number}", robot_id)
    peer.is_robot = role == "robot"
    service.add(peer)
    return peer


def test_a_room_exists_while_somebody_is_in_it() -> None:
    service = Service(DEFAULT_SERVICE)
    ana, bob = member(service, 1), member(service, 2)
    room = service.enter(ana, ROOM)
    assert service.enter(bob, ROOM) is room
    assert service.leave(ana) is room
    assert service.rooms == {ROOM: room}
    assert service.leave(bob) is room
    assert service.rooms == {}
    assert service.leave(bob) is None


def test_a_room_tells_robots_from_people() -> None:
    service = Service(DEFAULT_SERVICE)
    rover, ana = member(service, 1, "robot"), member(service, 2)
    service.enter(rover, ROOM)
    room = service.enter(ana, ROOM)
    assert (list(room.robots()), list(room.people())) == ([rover], [ana])


def test_members_are_found_only_in_the_same_room() -> None:
    service = Service(DEFAULT_SERVICE)
    ana, bob = member(service, 1), member(service, 2)
    assert service.shared_room(ana, bob.member_id) is None
    service.enter(ana, ROOM)
    service.enter(bob, OTHER)
    assert service.shared_room(ana, bob.member_id) is None
    service.leave(bob)
    service.enter(bob, ROOM)
    assert service.shared_room(ana, bob.member_id) is bob


def test_a_member_that_was_replaced_does_not_take_its_successor_with_it() -> None:
    service = Service(DEFAULT_SERVICE)
    old, new = member(service, 1, "robot"), member(service, 1, "robot")
    service.remove(old)
    assert service.members == {new.member_id: new}
    assert service.robots == {RobotId("rover"): new}
    service.remove(new)
    assert (service.members, service.robots) == ({}, {})
    person = member(service, 5)
    service.remove(person)
    assert service.members == {}
