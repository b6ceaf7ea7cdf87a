"""Ending what is no longer allowed: accounts, access lists, members, sessions, robots."""

import pytest

from farhand.core.access import Access
from farhand.core.admission import RoomRules
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId, RoomId, ServiceId, SessionId
from tests.core.hub_world import ROVER_ID, Client
from tests.core.listed_door import Accounts, on

HALL = RoomId("hall")


def driving(world: Accounts) -> tuple[Client, Client, SessionId]:
    """Return a robot and `ana`, in a session, inboxes empty."""
    rover, ana = world.enrolled().join(), world.user("ana", on("rover", "operator")).join()
    session = rover.got(m.SessionStart)[0].session_id
    rover.take()
    ana.take()
    return rover, ana, session


def ended(client: Client) -> list[tuple[SessionId, str]]:
    return [(end.session_id, end.reason) for end in client.got(m.SessionEnded)]


def revoke(world: Accounts, name: str) -> None:
    del world.list.people[name]
    world.apply(world.hub.revoke(lambda who: who.id == name, world.now))


def recheck(world: Accounts) -> None:
    world.apply(world.hub.recheck(world.now))


# --- revoked -------------------------------------------------------------------------------------


def test_who_is_revoked_is_cut_and_the_robot_lets_go_at_once() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    bob = world.user("bob", on("rover", "operator")).join()
    revoke(world, "ana")
    assert (ana.codes, ana.closed) == ([Code.REVOKED], 4010)
    assert ended(rover) == [(session, "revoked")]
    assert (bob.closed, len(world.hub.sessions())) == (None, 1)
    assert world.user("ana", resume=ana.welcome.resume).codes == [Code.UNAUTHENTICATED]


def test_who_is_revoked_while_its_socket_is_lost_loses_the_session_too() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    ana.drop()
    assert ended(rover) == []
    revoke(world, "ana")
    assert ended(rover) == [(session, "revoked")]
    ends = [notice for notice in world.noticed if notice.action == "session.end"]
    assert [(n.principal.id, n.detail["reason"]) for n in ends if n.principal] == [
        ("ana", "revoked")
    ]


def test_a_revoked_robot_is_let_go_by_those_who_watch_it() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    del world.list.robots["rover"]
    recheck(world)
    assert (rover.closed, ended(ana)) == (4010, [(session, "revoked")])
    assert world.seen[-1].reason == "revoked"


def test_those_who_drove_it_are_told_that_a_robot_was_revoked_and_not_lost() -> None:
    world = Accounts()
    rover, ana, _ = driving(world)
    world.apply(world.hub.revoke(lambda who: who.kind == "robot", world.now))
    offline = [one for one in ana.got(m.Event) if one.kind == "robot-offline"]
    assert (rover.closed, [one.code for one in offline]) == (4010, [Code.REVOKED])


def test_a_robot_that_only_goes_is_offline_without_a_code() -> None:
    world = Accounts()
    rover, ana, _ = driving(world)
    rover.drop()
    offline = [one for one in ana.got(m.Event) if one.kind == "robot-offline"]
    assert [one.code for one in offline] == [None]


def test_nothing_outlives_a_restart_for_longer_than_the_grace_unless_the_other_end_comes() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.restart()
    again = world.enrolled(resume=rover.welcome.resume).join(sessions={session: ana.id})
    world.wait(world.limits.resume_grace_s - 1)
    assert ended(again) == []
    again.say(m.Pong(1))
    world.wait(2)
    assert ended(again) == [(session, "gone")]


def test_after_a_restart_both_come_back_into_their_session_with_a_new_grant() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.restart()
    robot = world.enrolled(resume=rover.welcome.resume).join(sessions={session: ana.id})
    person = world.user("ana", resume=ana.welcome.resume).join(sessions={session: rover.id})
    starts = robot.got(m.SessionStart)
    assert [(start.session_id, start.resumed) for start in starts] == [(session, True)]
    assert starts[0].grant is not None
    assert person.id == ana.id


def test_who_expires_is_cut_within_a_second_or_so() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    world.list.add("ana", on("rover", "operator"), expires_ms=5000)
    ana = world.user("ana").join()
    world.wall_ms = 4999
    world.keep_up(2, rover, ana)
    assert ana.codes == []
    world.wall_ms = 5000
    world.wait(1)
    assert (ana.codes, ana.closed) == ([Code.REVOKED], 4010)
    assert [reason for _, reason in ended(rover)] == ["expired"]


@pytest.mark.parametrize("now", [on("rover", "viewer"), on("arm", "operator")])
def test_who_may_less_while_the_socket_is_lost_loses_the_robot_at_once(now: Access) -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    ana.drop()
    world.list.change("ana", now)
    recheck(world)
    assert ended(rover) == [(session, "revoked")]


def test_other_changes_leave_a_session_alone_that_waits_for_its_person() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    ana.drop()
    world.list.change("ana", on(None, "operator"))
    recheck(world)
    assert ended(rover) == []
    back = world.user("ana", resume=ana.welcome.resume).join(sessions={session: rover.id})
    assert [start.resumed for start in back.got(m.SessionStart)] == [True]


def test_who_expires_while_the_socket_is_lost_loses_the_robot_then() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    world.list.add("ana", on("rover", "operator"), expires_ms=5000)
    ana = world.user("ana").join()
    rover.take()
    ana.drop()
    world.wall_ms = 5000
    world.keep_up(2, rover)
    assert [reason for _, reason in ended(rover)] == ["expired"]


# --- access lists --------------------------------------------------------------------------------


def test_a_robot_taken_off_the_list_is_out_of_the_room_of_its_own() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.list.change("ana", on("arm", "operator"))
    recheck(world)
    assert [left.reason for left in ana.got(m.Left)] == ["revoked"]
    assert ended(rover) == [(session, "revoked")]
    ana.say(m.Stop(1, to=rover.id))
    assert ana.codes == [Code.NOT_IN_ROOM]
    assert ana.closed is None


def test_in_a_stored_room_the_two_forget_each_other_and_the_rest_stays() -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    rover, arm = world.enrolled().join(HALL), world.enrolled("arm").join(HALL)
    ana = world.user("ana", on(None, "operator")).join(HALL)
    for client in (rover, arm, ana):
        client.take()
    world.list.change("ana", on("arm", "operator"))
    recheck(world)
    assert [view.robot_id for view in world.hub.sessions()] == ["arm"]
    assert [(event.kind, event.robot_id) for event in ana.got(m.Event)] == [("left", "rover")]
    assert [event.kind for event in rover.got(m.Event)] == ["left"]
    assert arm.take() == []
    rover.say(m.Event("fault"))
    ana.say(m.Stop(1, to=rover.id))
    assert len(ana.got(m.Event)) == 1
    assert ana.codes == [Code.UNKNOWN_MEMBER]


def test_a_lower_role_is_a_new_session_with_fewer_scopes() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.list.change("ana", on("rover", "viewer"))
    recheck(world)
    assert ended(rover) == ended(ana) == [(session, "revoked")]
    assert [start.scopes for start in rover.got(m.SessionStart)] == [("view",)]
    assert rover.got(m.SessionStart)[0].member.role == "viewer"
    ana.say(m.LeaseRequest(to=rover.id))
    assert ana.codes == [Code.MAY_NOT_DRIVE]
    bob = world.user("bob", on("rover", "viewer")).join()
    roles = [member.role for member in bob.got(m.Joined)[0].members if member.id == ana.id]
    assert roles == ["viewer"]


def test_a_robot_put_on_the_list_appears_in_the_room() -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    rover = world.enrolled().join(HALL)
    ana = world.user("ana", on("arm", "operator")).join(HALL)
    ana.take()
    rover.take()
    world.list.change("ana", on(None, "operator"))
    recheck(world)
    kinds = [type(message) for message in ana.take()]
    assert kinds == [m.Event, m.Config, m.SessionStart]
    assert [type(message) for message in rover.take()] == [m.Event, m.SessionStart]


def test_nothing_happens_to_those_whose_access_has_not_changed() -> None:
    world = Accounts()
    rover, ana, _ = driving(world)
    recheck(world)
    assert (rover.take(), ana.take(), world.seen[-1].reason) == ([], [], "")


def test_a_deleted_room_is_left() -> None:
    world = Accounts()
    world.list.rooms["default", HALL] = RoomRules()
    ana = world.user("ana", on(None, "operator")).join(HALL)
    del world.list.rooms["default", HALL]
    recheck(world)
    assert [left.reason for left in ana.got(m.Left)] == ["revoked"]


# --- by hand -------------------------------------------------------------------------------------


def test_a_kicked_member_is_told_why_and_gone_without_grace() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.apply(world.hub.kick(ana.id, "shift is over", world.now))
    assert (ana.codes, ana.closed) == ([Code.FORBIDDEN], 4011)
    assert "shift is over" in ana.got(m.Error)[0].text
    assert ended(rover) == [(session, "kicked")]
    with pytest.raises(RemoteProtocolError) as caught:
        world.hub.kick(MemberId("nobody"), "", world.now)
    assert caught.value.code is Code.UNKNOWN_MEMBER


def test_a_session_closed_by_hand_ends_at_both_ends() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.apply(world.hub.close_session(session, "enough", world.now))
    assert ended(rover) == ended(ana) == [(session, "enough")]
    assert (rover.closed, ana.closed, world.hub.sessions()) == (None, None, [])
    with pytest.raises(RemoteProtocolError) as caught:
        world.hub.close_session(session, "enough", world.now)
    assert caught.value.code is Code.UNKNOWN_SESSION


def test_a_robot_that_was_moved_comes_back_in_the_other_service_as_somebody_new() -> None:
    world = Accounts()
    rover, ana, session = driving(world)
    world.list.robots["rover"] = ServiceId("lab")
    world.apply(world.hub.move(DEFAULT_SERVICE, ROVER_ID, world.now))
    assert (rover.closed, ended(ana)) == (4012, [(session, "moved")])
    again = world.enrolled(resume=rover.welcome.resume)
    assert again.codes == [Code.RESUME_REFUSED]
    again = world.enrolled()
    assert (again.welcome.service_id, again.id == rover.id) == ("lab", False)
    assert world.hub.move(DEFAULT_SERVICE, ROVER_ID, world.now) == []


def test_a_robot_that_moved_while_it_was_away_may_bring_its_old_token() -> None:
    world = Accounts()
    rover, _, _ = driving(world)
    rover.drop()
    world.list.robots["rover"] = ServiceId("lab")
    again = world.enrolled(resume=rover.welcome.resume)
    assert (again.codes, again.welcome.service_id) == ([], "lab")
    assert again.id != rover.id


def test_who_manages_sees_members_and_sessions() -> None:
    world = Accounts()
    world.wall_ms = 7
    rover, ana, session = driving(world)
    views = {view.member.id: view for view in world.hub.members()}
    assert views[ana.id].principal == world.list.people["ana"]
    assert (views[rover.id].room, views[rover.id].since_ms) == ("rover", 7)
    (meeting,) = world.hub.sessions()
    assert (meeting.session_id, meeting.robot_id, meeting.member.name) == (session, "rover", "ana")
    assert (meeting.service_id, meeting.state, meeting.since_ms) == ("default", "offering", 7)
