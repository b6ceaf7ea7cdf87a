"""Stored rooms: password, space, time."""

from farhand.core.admission import RoomRules
from farhand.core.tenure import TRIES, TRIES_SPAN_S
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import RoomId
from tests.core.hub_world import Client
from tests.core.listed_door import Accounts, on

HALL = RoomId("hall")


def hall(**rules: object) -> Accounts:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules(**rules)  # type: ignore[arg-type]
    world.list.add("ana", on(None, "operator"))
    world.list.add("bob", on(None, "operator"))
    return world


def rooms(world: Accounts) -> list[str | None]:
    return [view.room for view in world.hub.members()]


def reasons(client: Client) -> list[str]:
    return [left.reason for left in client.got(m.Left)]


def test_only_the_password_opens_the_room() -> None:
    world = hall(token="open sesame")
    ana = world.user("ana")
    for password in (None, "", "open", "open sesame ", "öffne dich", "\ud800"):
        ana.join(HALL, password=password)
    assert ana.codes == [Code.ROOM_PASSWORD] * 6
    assert rooms(world) == [None]
    ana.join(HALL, password="open sesame")
    assert rooms(world) == [HALL]


def test_a_room_without_a_password_asks_for_none() -> None:
    world = hall()
    world.user("ana").join(HALL, password="whatever")
    assert rooms(world) == [HALL]


def test_passwords_cannot_be_tried_for_long() -> None:
    world = hall(token="1234")
    ana = world.user("ana")
    for number in range(TRIES):
        ana.join(HALL, password=str(number))
    ana.take()
    ana.join(HALL, password="1234")
    assert (ana.codes, rooms(world)) == ([Code.RATE_LIMITED], [None])
    world.now += TRIES_SPAN_S
    ana.join(HALL, password="1234")
    assert rooms(world) == [HALL]


def test_a_robot_is_brought_into_a_room_whose_password_it_does_not_know() -> None:
    world = hall(token="secret", max_users=1)
    rover, ana = world.enrolled().join(HALL), world.user("ana").join(HALL, password="secret")
    assert (rover.codes, ana.codes) == ([], [])
    assert len(world.hub.sessions()) == 1


def test_a_full_room_takes_nobody_until_somebody_goes() -> None:
    world = hall(max_users=1)
    ana, bob = world.user("ana").join(HALL), world.user("bob").join(HALL)
    assert (ana.codes, bob.codes) == ([], [Code.ROOM_FULL])
    ana.join(HALL, media=False)  # who is in it may say anew what it wants
    assert ana.codes == []
    ana.say(m.Leave())
    bob.join(HALL)
    assert rooms(world) == [None, HALL]


def test_who_comes_back_after_a_lost_socket_finds_its_place() -> None:
    world = hall(max_users=1)
    ana = world.user("ana").join(HALL)
    again = world.user("ana", resume=ana.welcome.resume).join(HALL)
    assert (again.codes, rooms(world)) == ([], [HALL])


def test_a_room_closes_when_its_time_is_over_and_all_are_told() -> None:
    world = hall(max_duration_s=60)
    rover = world.enrolled().join(HALL)
    ana = world.user("ana")
    world.keep_up(30, rover, ana)
    ana.join(HALL)
    world.keep_up(28, rover, ana)
    assert rooms(world) == [HALL, HALL]
    world.keep_up(4, rover, ana)
    assert (reasons(rover), reasons(ana)) == (["over"], ["over"])
    assert [end.reason for end in ana.got(m.SessionEnded)] == ["over"]
    assert (rooms(world), world.hub.sessions()) == ([None, None], [])
    ana.join(HALL)
    assert ana.codes == [Code.ROOM_OVER]


def test_a_room_that_is_over_begins_anew_when_its_rules_change() -> None:
    world = hall(max_duration_s=5)
    ana = world.user("ana").join(HALL)
    world.wait(7)
    world.list.rooms["default", HALL] = RoomRules(max_duration_s=8)
    world.wait(1)
    ana.join(HALL)
    assert rooms(world) == [HALL]
    world.wait(7)
    assert rooms(world) == [HALL]
    world.wait(3)
    assert reasons(ana) == ["over", "over"]


def test_more_time_given_while_a_room_is_used_counts_from_its_beginning() -> None:
    world = hall(max_duration_s=5)
    ana = world.user("ana").join(HALL)
    world.wait(3)
    world.list.rooms["default", HALL] = RoomRules(max_duration_s=10)
    world.wait(5)
    assert rooms(world) == [HALL]
    world.wait(4)
    assert reasons(ana) == ["over"]


def test_leaving_and_coming_back_gives_no_more_time() -> None:
    world = hall(max_duration_s=5)
    ana = world.user("ana").join(HALL)
    world.wait(4)
    ana.say(m.Leave()).join(HALL)
    world.wait(3)
    assert reasons(ana) == ["left", "over"]


def test_a_room_without_a_bound_stays_open() -> None:
    world = hall(max_duration_s=5)
    ana = world.user("ana").join(HALL)
    world.wait(2)
    world.list.rooms["default", HALL] = RoomRules()
    world.wait(10)
    assert reasons(ana) == []


def test_a_room_that_is_closed_by_hand_sends_everybody_out() -> None:
    world = hall()
    rover, ana = world.enrolled().join(HALL), world.user("ana").join(HALL)
    world.apply(world.hub.close_room(ana.welcome.service_id, HALL, "cleaning", world.now))
    assert (reasons(rover), reasons(ana)) == (["cleaning"], ["cleaning"])
    assert world.hub.close_room(ana.welcome.service_id, HALL, "cleaning", world.now) == []
