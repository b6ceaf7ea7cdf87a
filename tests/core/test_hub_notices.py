"""What the hub hands to the audit trail and the journal; stolen resume tokens."""

import pytest

from farhand.core.hub_notices import BREACH_EVERY_S, NOTICES
from farhand.core.member import Noticed
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch, MemberId
from tests.core.hub_world import World
from tests.core.listed_door import Accounts, on


def who(notice: Noticed) -> str:
    return notice.principal.id if notice.principal is not None else ""


def test_a_session_is_noted_when_it_begins_and_ends() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "operator")).join()
    session = rover.got(m.SessionStart)[0].session_id
    ana.drop(is_clean=True)
    begin, end = world.noticed
    assert (begin.action, end.action) == ("session.begin", "session.end")
    assert (who(begin), begin.robot_id, begin.target) == ("ana", "rover", f"session:{session}")
    assert (who(end), end.detail) == ("ana", {"reason": "left"})


def test_a_session_that_lives_on_after_a_lost_socket_is_noted_once() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "operator")).join()
    session = rover.got(m.SessionStart)[0].session_id
    ana.drop()
    world.user("ana", resume=ana.welcome.resume).join(sessions={session: rover.id})
    assert [start.resumed for start in rover.got(m.SessionStart)] == [False, True]
    assert [notice.action for notice in world.noticed] == ["session.begin"]


def test_a_session_that_waits_in_vain_is_noted_with_the_person() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    world.user("ana", on("rover", "operator")).join().drop()
    world.keep_up(world.limits.resume_grace_s + 1, rover)
    assert [(n.action, who(n)) for n in world.noticed] == [
        ("session.begin", "ana"),
        ("session.end", "ana"),
    ]


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("control-taken", "control.taken"),
        ("control-released", "control.released"),
        ("control-asked", "control.asked"),
        ("control-refused", "control.refused"),
        ("stopped", "stop"),
        ("reset", "reset"),
    ],
)
def test_what_a_robot_tells_of_control_is_noted_with_who_did_it(
    kind: m.EventKind, action: str
) -> None:
    world = Accounts()
    rover = world.enrolled().join()
    ana = world.user("ana", on("rover", "operator")).join()
    world.noticed.clear()
    member = rover.got(m.SessionStart)[0].member
    rover.say(m.Event(kind, id="x-1", member=member, epoch=Epoch(3), stop_id=9, text="why"))
    (notice,) = world.noticed
    assert (notice.action, who(notice), notice.robot_id) == (action, "ana", "rover")
    assert notice.detail == {"text": "why", "epoch": "3", "stopId": "9"}
    assert notice.member is not None
    assert notice.member.id == ana.id


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("forced: " + "x" * 500, "control.forced"),
        ("transferred by Ben", "control.transferred"),
        ("transferred: Ben said nothing", "control.transferred"),
        ("", "control.taken"),
        ("forcedly", "control.taken"),
    ],
)
def test_how_control_was_taken_is_noted_with_the_whole_reason(text: str, action: str) -> None:
    world = Accounts()
    rover = world.enrolled().join()
    world.user("ana", on("rover", "operator")).join()
    world.noticed.clear()
    member = rover.got(m.SessionStart)[0].member
    rover.say(m.Event("control-taken", id="x-1", member=member, text=text))
    (notice,) = world.noticed
    assert (notice.action, who(notice)) == (action, "ana")
    assert notice.detail.get("text", "") == text


def test_a_robot_cannot_lay_something_on_somebody_unknown() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    rover.say(m.Event("stopped", member=m.Member(MemberId("x"), "operator", "Eve")))
    assert [(n.action, n.principal) for n in world.noticed] == [("stop", None)]


def test_other_events_are_for_the_journal_alone() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    status = m.Status(1, "idle", m.LeaseState(Epoch(0)))
    rover.say(m.Event("fault", id="x-1")).say(status)
    assert world.noticed == []
    assert [type(heard.message) for heard in world.heard] == [m.Event, m.Status]
    assert {(heard.service_id, heard.robot_id) for heard in world.heard} == {("default", "rover")}


def test_a_broken_robot_does_not_fill_the_trail() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    for _ in range(NOTICES + 50):
        rover.say(m.Event("stopped"))
    assert len(world.noticed) == NOTICES


def test_who_breaks_rules_is_noted_now_and_then() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    eve = world.user("eve", on("rover", "viewer")).join()
    world.noticed.clear()
    for _ in range(3):
        eve.say(m.LeaseRequest(to=rover.id))
    assert [(n.action, who(n), n.result) for n in world.noticed] == [
        ("rule.broken", "eve", Code.MAY_NOT_DRIVE)
    ]
    assert world.noticed[0].target == "message:lease-request"
    world.keep_up(BREACH_EVERY_S + 1, rover, eve)
    eve.say(m.LeaseRequest(to=rover.id))
    assert len(world.noticed) == 2


def test_a_robots_word_on_who_broke_rules_is_noted_and_passed_on() -> None:
    world = Accounts()
    rover = world.enrolled().join()
    eve = world.user("eve", on("rover", "viewer")).join()
    session = rover.got(m.SessionStart)[0].session_id
    world.noticed.clear()
    rover.say(m.Error(Code.SCOPE_MISSING, "opened `control`", session_id=session))
    assert [(n.action, who(n), n.result) for n in world.noticed] == [
        ("rule.broken", "eve", Code.SCOPE_MISSING)
    ]
    assert eve.codes == [Code.SCOPE_MISSING]


def test_a_robot_that_comes_back_at_once_was_never_away_for_the_journal() -> None:
    world = Accounts()
    rover = world.enrolled()
    world.enrolled(resume=rover.welcome.resume).drop()
    assert [(seen.is_news, seen.reason) for seen in world.seen] == [
        (True, ""),
        (False, ""),
        (True, "lost"),
    ]


# --- stolen resume tokens ------------------------------------------------------------------------


@pytest.mark.parametrize("has_accounts", [True, False])
def test_a_token_used_twice_closes_both_ends_and_is_noted(has_accounts: bool) -> None:
    world = Accounts() if has_accounts else World()
    if isinstance(world, Accounts):
        rover = world.enrolled().join()
        ana = world.user("ana", on("rover", "operator"))
    else:
        rover, ana = world.robot().join(), world.person()
    again = world.person(resume=ana.welcome.resume, token="ana").join()
    session = rover.got(m.SessionStart)[0].session_id
    assert again.id == ana.id
    world.noticed.clear()
    thief = world.person(resume=ana.welcome.resume, token="ana")
    assert (thief.codes, thief.closed) == ([Code.RESUME_REFUSED], 4005)
    assert (again.codes, again.closed) == ([Code.RESUME_REFUSED], 4005)
    assert [end.session_id for end in rover.got(m.SessionEnded)] == [session]
    replay = world.noticed[0]
    assert (replay.action, replay.target) == ("resume.replay", f"member:{ana.id}")
    assert replay.result == Code.RESUME_REFUSED
    world.now += 1
    assert world.person(resume=again.welcome.resume, token="ana").codes == [Code.RESUME_REFUSED]
    assert world.person(token="ana").codes == []


def test_a_token_used_twice_is_the_end_of_a_member_whose_socket_is_lost_as_well() -> None:
    world = Accounts()
    ana = world.user("ana", on("rover", "operator"))
    again = world.user("ana", resume=ana.welcome.resume)
    again.drop()
    assert world.user("ana", resume=ana.welcome.resume).codes == [Code.RESUME_REFUSED]
    (replay,) = world.noticed
    assert (replay.action, replay.target) == ("resume.replay", f"member:{ana.id}")
    assert world.user("ana", resume=again.welcome.resume).codes == [Code.RESUME_REFUSED]


def test_a_token_works_only_for_the_same_account() -> None:
    world = Accounts()
    ana = world.user("ana", on("rover", "operator"))
    bob = world.user("bob", on("rover", "operator"))
    assert world.user("bob", resume=ana.welcome.resume).codes == [Code.RESUME_REFUSED]
    assert world.hello(m.Hello("operator", "ana", resume=ana.welcome.resume)).codes == [
        Code.UNAUTHENTICATED
    ]
    assert (ana.closed, bob.closed) == (None, None)
    assert world.user("ana", resume=ana.welcome.resume).id == ana.id
