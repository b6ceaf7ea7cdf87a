from farhand.core.hub_rooms import left
from farhand.core.room import Room
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch, RobotId, RoomId
from farhand.protocol.manifest import Manifest
from tests.core.hub_world import ROVER, World

STATUS = m.Status(5, "idle", m.LeaseState(Epoch(0)))


def test_joined_carries_the_id_the_room_and_all_members() -> None:
    world = World()
    rover, ana = world.robot().join(), world.person().join()
    [joined] = ana.got(m.Joined)
    assert (joined.member_id, joined.room) == (ana.id, ROVER)
    assert [member.id for member in joined.members] == [rover.id, ana.id]
    assert joined.members[0] == m.Member(rover.id, "robot", "rover", RobotId(ROVER))


def test_the_others_hear_of_a_joined_member_and_what_they_need_to_know_of_a_robot() -> None:
    world = World()
    ana = world.person().join()
    rover = world.robot()
    rover.say(STATUS)
    ana.take()
    rover.join()
    event, config, status, start = ana.take()
    assert isinstance(event, m.Event)
    assert (event.kind, event.member and event.member.id) == ("joined", rover.id)
    assert config == m.Config(Manifest(RobotId(ROVER), ROVER), rover.id)
    assert isinstance(status, m.Status)
    assert status.from_ == rover.id
    assert isinstance(start, m.SessionStart)


def test_whoever_joins_gets_manifest_and_last_status_of_the_robots_there() -> None:
    world = World()
    rover = world.robot().join()
    rover.say(STATUS)
    ana = world.person()
    ana.take()
    ana.join()
    kinds = [type(message) for message in ana.take()]
    assert kinds == [m.Joined, m.Config, m.Status, m.SessionStart]


def test_a_room_name_must_be_valid() -> None:
    ana = World().person().join("../etc")
    assert ana.codes == [Code.INVALID_ID]
    assert ana.got(m.Joined) == []


def test_leaving_ends_sessions_and_is_told_to_both_sides() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.say(m.Leave())
    assert ana.take() == [m.Left(ROVER, "left")]
    ended, event = rover.take()
    assert ended == m.SessionEnded(session, "left")
    assert isinstance(event, m.Event)
    assert event.kind == "left"


def test_who_is_in_no_room_cannot_leave_one() -> None:
    ana = World().person().say(m.Leave())
    assert ana.codes == [Code.NOT_IN_ROOM]


def test_joining_another_room_leaves_the_first() -> None:
    world = World()
    rover, ana, session = world.pair()
    ana.join("yard")
    left_message, joined = ana.take()
    assert left_message == m.Left(ROVER, "joined another room")
    assert isinstance(joined, m.Joined)
    assert joined.room == "yard"
    assert rover.got(m.SessionEnded) == [m.SessionEnded(session, "left")]


def test_joining_the_same_room_again_answers_again_and_disturbs_nobody() -> None:
    world = World()
    rover, ana, _ = world.connected_pair()
    ana.join(cameras=(CameraId("front"),))
    [joined] = ana.take()
    assert isinstance(joined, m.Joined)
    assert rover.take() == []


def test_without_media_there_is_no_session_until_it_is_wanted() -> None:
    world = World()
    rover, ana = world.robot().join(), world.person().join(media=False)
    assert rover.got(m.SessionStart) == []
    ana.join(cameras=(CameraId("front"),))
    [start] = rover.got(m.SessionStart)
    assert start.cameras == ("front",)


def test_people_get_no_sessions_with_each_other_nor_robots() -> None:
    world = World()
    ana, bob = world.person("ana").join("yard"), world.person("bob").join("yard")
    one, two = world.robot("one").join("plain"), world.robot("two").join("plain")
    for client in (ana, bob, one, two):
        assert client.got(m.SessionStart) == []


def test_an_operator_joins_two_robots_of_one_room_with_two_sessions() -> None:
    world = World()
    world.robot("one").join("plain")
    world.robot("two").join("plain")
    ana = world.person().join("plain")
    starts = ana.got(m.SessionStart)
    assert {start.member.robot_id for start in starts} == {"one", "two"}
    assert len({start.session_id for start in starts}) == 2


def test_nobody_is_told_when_the_last_one_leaves() -> None:
    world = World()
    ana = world.person().join("yard")
    ana.take()
    ana.say(m.Leave())
    assert ana.take() == [m.Left(RoomId("yard"), "left")]
    member = world.hub._peers[world.person().peer]
    assert left(Room(RoomId("empty")), member) == []
