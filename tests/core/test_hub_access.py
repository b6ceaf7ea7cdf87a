"""Who sees, meets and addresses whom, on a server with accounts."""

from typing import Any

import msgspec
import pytest

from farhand.core.admission import RoomRules
from farhand.core.hub_sight import lesser_role
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch, RobotId, RoomId
from farhand.protocol.manifest import Manifest
from tests.core.hub_world import ROVER_ID, Client
from tests.core.listed_door import Accounts, on

FINGERPRINT = "sha-256 " + ":".join(["A1", "0F"] * 16)
STATUS = m.Status(1, "idle", m.LeaseState(Epoch(0)))
HALL = RoomId("hall")


def members(client: Client) -> list[tuple[str, str]]:
    """Return name and role of everybody in the last `joined`."""
    return [(member.name, member.role) for member in client.got(m.Joined)[-1].members]


def starts(client: Client) -> list[m.SessionStart]:
    return client.got(m.SessionStart)


# --- hello ---------------------------------------------------------------------------------------


def test_without_a_credential_nobody_comes_in() -> None:
    world = Accounts()
    for hello in (m.Hello("operator", "ana"), m.Hello("robot", "r", robot_id=ROVER_ID)):
        stranger = world.hello(hello)
        assert (stranger.codes, stranger.closed) == ([Code.UNAUTHENTICATED], 4004)


def test_a_service_of_others_is_refused_in_the_same_words_as_none() -> None:
    world = Accounts()
    world.list.add("ana", on(None, "operator"))
    foreign, none = (world.user("ana", service=name) for name in ("lab", "nowhere"))
    assert (foreign.inbox, foreign.closed) == (none.inbox, none.closed)
    assert foreign.codes == [Code.UNKNOWN_SERVICE]


def test_a_robot_is_in_the_service_of_its_record_whatever_it_dialled() -> None:
    world = Accounts()
    rover = world.enrolled(service="lab")
    assert rover.welcome.service_id == "default"
    assert [view.service_id for view in world.hub.robots()] == ["default"]


def test_a_member_is_called_by_the_name_of_the_account() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    world.list.add("ana", on(None, "operator"))
    world.person("the boss", token="ana").join()
    assert [event.member.name for event in rover.got(m.Event) if event.member] == ["ana"]


def test_an_admin_is_a_supervisor_in_the_room() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    boss = world.user("boss", on(None, "admin")).join()
    assert members(boss) == [("rover", "robot"), ("boss", "supervisor")]
    assert starts(rover)[0].member.role == "supervisor"


# --- rooms ---------------------------------------------------------------------------------------


def test_a_room_of_a_foreign_robot_is_refused_like_that_of_none() -> None:
    world = Accounts()
    world.enrolled("arm").join("arm")
    ana = world.user("ana", on("rover", "operator"))
    answers = []
    for room in ("arm", "nothing", "hall"):
        ana.join(room)
        answers.append(ana.take()[-1])
    assert answers[0] == answers[1] == answers[2]
    assert isinstance(answers[0], m.Error)
    assert answers[0].code is Code.UNKNOWN_ROBOT
    assert [view.room for view in world.hub.members()] == ["arm", None]


def test_who_is_refused_stays_in_the_room_it_was_in() -> None:
    world = Accounts()
    world.enrolled().join()
    ana = world.user("ana", on("rover", "operator")).join()
    ana.join("arm")
    assert [view.room for view in world.hub.members()] == ["rover", "rover"]
    assert [view.robot_id for view in world.hub.sessions()] == ["rover"]


def test_in_a_stored_room_everybody_meets_only_their_robots() -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    rover, arm = world.enrolled().join(HALL), world.enrolled("arm").join(HALL)
    ana = world.user("ana", on("rover", "operator")).join(HALL)
    assert members(ana) == [("rover", "robot"), ("ana", "operator")]
    assert [start.member.name for start in starts(ana)] == ["rover"]
    assert (len(starts(rover)), starts(arm)) == (1, [])
    assert [type(message) for message in arm.take()] == [m.Welcome, m.Joined]
    for message in (STATUS, m.Event("fault"), m.Config(Manifest(RobotId("arm"), "arm"))):
        arm.say(message)
    assert [message for message in ana.inbox if getattr(message, "from_", "") == arm.id] == []
    ana.take()
    arm.drop()
    assert ana.take() == []
    ana.say(m.Stop(7, to=arm.id))
    assert ana.codes == [Code.UNKNOWN_MEMBER]


def test_a_robot_that_comes_later_meets_only_those_whose_it_is() -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    ana = world.user("ana", on("rover", "operator")).join(HALL)
    bob = world.user("bob", on("arm", "operator")).join(HALL)
    ana.take()
    bob.take()
    rover = world.enrolled().join(HALL)
    assert members(rover) == [("ana", "operator"), ("rover", "robot")]
    assert bob.take() == []
    assert [event.kind for event in ana.got(m.Event)] == ["robot-online", "joined"]


def test_a_robot_enters_only_its_own_room_or_a_stored_one() -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    rover = world.enrolled().join("arm")
    assert rover.codes == [Code.UNKNOWN_ROBOT]
    rover.join().join(HALL)
    assert [joined.room for joined in rover.got(m.Joined)] == ["rover", HALL]


def test_only_those_whose_it_is_hear_that_a_robot_comes_and_goes() -> None:
    world = Accounts()
    ana = world.user("ana", on("rover", "viewer"))
    bob = world.user("bob", on("arm", "supervisor"))
    ana.take()
    bob.take()
    world.enrolled().drop(is_clean=True)
    assert [event.kind for event in ana.got(m.Event)] == ["robot-online", "robot-offline"]
    assert bob.take() == []


# --- roles, scopes, grants -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "own", "role"),
    [
        (None, "operator", None),
        ("enroller", "operator", None),
        ("viewer", "operator", "viewer"),
        ("operator", "viewer", "viewer"),
        ("operator", "supervisor", "operator"),
        ("admin", "supervisor", "supervisor"),
        ("guest", "operator", "guest"),
        ("admin", "guest", "guest"),
        ("operator", "program", "program"),
        ("admin", "robot", None),
    ],
)
def test_on_a_robot_nobody_is_more_than_there_or_at_hello(there: Any, own: Any, role: Any) -> None:
    assert lesser_role(there, own) == role


def test_a_supervisor_of_one_robot_is_an_operator_to_another() -> None:
    world = Accounts()
    rover, arm = world.enrolled().join(), world.enrolled("arm").join("arm")
    access = on("rover", "operator"), on("arm", "supervisor")
    ana = world.user("ana", *access, role="supervisor").join()
    assert starts(rover)[0].member.role == "operator"
    assert members(ana)[-1] == ("ana", "operator")
    ana.join("arm")
    assert starts(arm)[0].member.role == "supervisor"
    assert members(ana)[-1] == ("ana", "supervisor")


def test_a_viewer_of_the_robot_does_not_drive_it_whatever_it_is_elsewhere() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "viewer"), on("arm", "operator")).join()
    assert starts(rover)[0].scopes == starts(ana)[0].scopes == ("view",)
    ana.say(m.LeaseRequest(to=rover.id)).say(m.StopReset(1, to=rover.id))
    assert ana.codes == [Code.MAY_NOT_DRIVE, Code.MAY_NOT_RESET]
    ana.say(m.Signal(1, "leave-room", to=rover.id))
    assert ana.codes[-1] is Code.ROLE_REFUSED
    rover.take()
    ana.say(m.Stop(1, to=rover.id))
    assert len(rover.got(m.Stop)) == 1


def test_the_robot_alone_gets_the_grant_made_out_for_this_meeting() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "operator"), role="viewer")
    ana.join(fingerprint=FINGERPRINT, cameras=(CameraId("front"),))
    assert starts(rover)[0].grant == f"signed ana rover {FINGERPRINT}"
    assert starts(ana)[0].grant is None
    meeting = world.list.granted[0]
    assert (meeting.session_id, meeting.scopes) == (starts(ana)[0].session_id, ("view",))
    assert meeting.member == starts(rover)[0].member


def test_a_new_certificate_is_a_new_session() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "operator")).join(fingerprint=FINGERPRINT)
    ana.join(fingerprint=FINGERPRINT.replace("A1", "B2"))
    first, second = starts(rover)
    assert first.session_id != second.session_id
    assert [end.session_id for end in rover.got(m.SessionEnded)] == [first.session_id]
    assert second.grant is not None
    assert "B2" in second.grant


@pytest.mark.parametrize("text", ["", "sha-256", "sha-1 AA", FINGERPRINT + ":00", "x" * 300])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    world = Accounts()
    ana = world.user("ana", on("rover", "operator")).join(fingerprint=text)
    assert ana.codes == [Code.MALFORMED]


def test_the_door_is_not_asked_while_messages_pass() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "operator")).join()
    asked = world.list.asked
    control = m.Control(Epoch(1), 1, 1, 1, 1, 1, (0.0,), to=rover.id)
    for _ in range(50):
        ana.say(control)
        rover.say(m.GateBeat(1, 1, to=ana.id)).say(STATUS)
    assert (len(rover.got(m.Control)), world.list.asked) == (50, asked)


# --- guests --------------------------------------------------------------------------------------


def guest(world: Accounts) -> Client:
    return world.user("gil", on("rover", "guest"), role="guest")


def test_a_guest_watches_one_robot() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    gil = guest(world).join()
    assert starts(gil)[0].scopes == starts(rover)[0].scopes == ("view",)
    assert starts(rover)[0].member.role == "guest"


@pytest.mark.parametrize("room", ["arm", "hall"])
def test_a_guest_enters_no_other_room(room: str) -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    assert guest(world).join(room).codes == [Code.UNKNOWN_ROBOT]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (m.Stop(1), Code.FORBIDDEN),
        (m.StopReset(1), Code.SCOPE_MISSING),
        (m.LeaseRequest(), Code.SCOPE_MISSING),
        (m.LeaseForce("mine"), Code.SCOPE_MISSING),
        (m.LeaseAnswer(1, True), Code.SCOPE_MISSING),
        (m.LeaseCancel(), Code.SCOPE_MISSING),
        (m.LeaseRelease(Epoch(1)), Code.SCOPE_MISSING),
        (m.Control(Epoch(1), 1, 1, 1, 1, 1, (0.0,)), Code.SCOPE_MISSING),
        (m.Signal(1, "leave-room"), Code.ROLE_REFUSED),
    ],
)
def test_a_guest_neither_drives_nor_stops(message: Any, code: Code) -> None:
    world = Accounts()
    rover = world.enrolled().join()
    gil = guest(world).join()
    rover.take()
    gil.say(msgspec.structs.replace(message, to=rover.id))
    assert gil.codes == [code]
    assert rover.take() == []


def test_a_guest_that_does_not_give_up_is_cut() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    gil = guest(world).join()
    for _ in range(world.limits.flood):
        gil.say(m.Stop(1, to=rover.id))
    assert gil.closed == 4002
    assert [notice.action for notice in world.noticed].count("rule.broken") == 1


def test_a_guests_answers_to_beats_are_dropped_without_a_word() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    gil = guest(world).join()
    rover.take()
    gil.take()
    gil.say(m.GateAnswer(1, 1, to=rover.id))
    assert (gil.take(), rover.take()) == ([], [])


def test_a_guest_does_not_become_more_by_asking() -> None:
    world = Accounts()
    assert world.user("gil", on("rover", "guest"), role="supervisor").codes == [Code.ROLE_REFUSED]
