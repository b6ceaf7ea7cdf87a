"""Coming, going and managing in the teleop dialect (dialects.md 3.5, 3.6, 3.9)."""

from typing import Any

import pytest

from farhand.dialects.teleop.base import DEFAULT_USERS, Pass
from farhand.dialects.teleop.exchange import JOIN_S, PING_S, POLICY, SILENT_S
from tests.dialects.talk import LAB, Talk, room


def test_who_joins_gets_an_id_and_all_get_the_full_list() -> None:
    talk = Talk()
    robot = talk.robot("rover.Teleop")
    ana = talk.peer("ana.Teleop", type="console")
    entries = [
        {"id": "m1", "name": "rover.Teleop", "type": "robot"},
        {"id": "m2", "name": "ana.Teleop", "type": "console"},
    ]
    assert [one["event"] for one in talk.heard[ana]][:2] == ["join-room-answer", "room-clients"]
    assert talk.id(ana) == "m2"
    assert talk.last(ana, "room-clients") == talk.last(robot, "room-clients") == entries
    assert talk.last(robot, "room-event")["type"] == "control-taken"
    assert talk.all(robot, "room-event")[0]["type"] == "joined"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": "ana"}, 1006),
        ({"name": "ana.top_camera"}, 1001),
        ({"name": "ana.nowhere"}, 1006),
        ({"name": "ana", "room": "top_camera"}, 1001),
        ({"name": "ana", "room": "top_camera", "roomId": 1006}, 1006),
        ({"name": "ana", "room": "top_camera", "roomId": "77"}, 1001),
        ({"name": 7, "room": "", "roomId": None, "type": None, "role": None}, 1006),
    ],
)
def test_which_room_is_meant(fields: dict[str, Any], where: int) -> None:
    talk = Talk()
    peer = talk.peer()
    talk.say(peer, "join-room", fields)
    (seated,) = talk.exchange.seated()
    assert seated.room == {1006: "Teleop", 1001: "top_camera"}[where]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "FH-3001"),
        ({"name": ""}, "FH-3001"),
        ({"name": "a\u202eb"}, "FH-3001"),
        ({"name": ["a"]}, "FH-3001"),
        ("ana", "FH-3001"),
        ({"name": "x" * 129}, "FH-3002"),
        ({"name": "ana", "room": "attic"}, "FH-3020"),
    ],
)
def test_a_join_that_fails_is_acknowledged_and_explained(fields: Any, code: str) -> None:
    talk = Talk()
    peer = talk.peer()
    talk.say(peer, "join-room", fields)
    assert talk.error(peer) == code
    assert "room-clients" not in [one["event"] for one in talk.heard[peer]]
    assert talk.exchange.seated() == []


def test_a_room_with_a_password_lets_in_who_knows_it_and_robots() -> None:
    talk = Talk(room(token="open sesame"))
    ana = talk.peer("ana", "top_camera")
    assert (talk.last(ana, "join-room-answer"), talk.error(ana)) == ("", "FH-2301")
    for word in ("password", "token"):
        talk.say(ana, "join-room", {"name": "ana", "room": "top_camera", word: "open sesame"})
        assert talk.id(ana) != ""
    assert talk.id(talk.robot("rover", "top_camera")) != ""


def test_passwords_are_not_to_be_guessed() -> None:
    talk = Talk(room(token="open sesame"))
    ana = talk.peer()
    for n in range(11):
        fields = {"name": "ana", "room": "top_camera", "password": str(n)}
        talk.say(ana, "join-room", fields)
    assert talk.error(ana) == "FH-3013"
    fields["password"] = "open sesame"
    talk.say(ana, "join-room", fields)
    assert talk.error(ana) == "FH-3013"


@pytest.mark.parametrize(("max_users", "bound"), [(2, 2), (0, DEFAULT_USERS)])
def test_a_room_takes_so_many_people(max_users: int, bound: int) -> None:
    talk = Talk(room(max_users=max_users))
    talk.robot("rover", "top_camera")
    people = [talk.peer(f"p{n}", "top_camera") for n in range(bound + 1)]
    assert [talk.last(one, "join-room-answer") != "" for one in people] == [True] * bound + [False]
    assert talk.error(people[-1]) == "FH-2302"
    talk.say(people[0], "leave-room")
    talk.say(people[-1], "join-room", {"name": "late", "room": "top_camera"})
    assert talk.id(people[-1]) != ""


def test_a_rooms_time_runs_from_the_first_member_and_does_not_begin_anew() -> None:
    talk = Talk(room(max_duration_s=60))
    ana = talk.peer("ana", "top_camera")
    talk.exchange.alive(ana, talk.now + 59)
    talk.tick(59)
    assert talk.all(ana, "left") == []
    talk.tick(1)
    assert talk.last(ana, "left") == {"room": "top_camera"}
    talk.say(ana, "join-room", {"name": "ana", "room": "top_camera"})
    assert (talk.last(ana, "join-room-answer"), talk.error(ana)) == ("", "FH-2303")


def test_a_removed_room_sends_everybody_out() -> None:
    talk = Talk()
    ana = talk.peer("ana", "top_camera")
    talk.book.rooms.pop()
    talk.tick(1)
    assert talk.last(ana, "left") == {"room": "top_camera"}
    assert talk.exchange.seated() == []


def test_who_leaves_or_is_lost_is_gone_for_all() -> None:
    talk = Talk()
    robot, ana, ben = talk.robot(), talk.peer("ana"), talk.peer("ben")
    talk.say(ana, "leave-room", {"name": "ana", "type": "console"})
    talk.apply(talk.exchange.gone(ben, talk.now))
    assert [one["name"] for one in talk.last(robot, "room-clients")] == ["rover"]
    talk.say(ana, "leave-room")
    assert talk.error(ana) == "FH-3006"


def test_short_names_are_the_same_deeds_with_answers_of_their_own() -> None:
    talk = Talk()
    ana = talk.peer()
    talk.say(ana, "join", {"name": "ana"})
    entry = {"id": "m1", "name": "ana", "type": "console"}
    assert talk.last(ana, "joined") == {"id": "m1", "room": "Teleop", "clients": [entry]}
    talk.say(ana, "leave")
    assert talk.last(ana, "left") == {"room": "Teleop"}


def test_the_same_name_and_credential_replaces_the_older_entry() -> None:
    talk = Talk()
    old = talk.robot()
    new = talk.robot()
    assert talk.last(new, "room-clients") == [{"id": "m2", "name": "rover", "type": "robot"}]
    assert talk.error(old) == "FH-3015"
    # The late close of the one that was replaced removes nobody.
    talk.apply(talk.exchange.gone(old, talk.now))
    assert len(talk.exchange.seated()) == 1


def test_another_credential_or_kind_takes_nobodys_place() -> None:
    talk = Talk()
    robot = talk.robot("rover")
    console = talk.peer("rover")
    other = talk.peer("rover", by=Pass("token:t-1", LAB))
    names = [one["name"] for one in talk.last(robot, "room-clients")]
    assert names == ["rover", "rover-2", "rover-3"]
    assert len({talk.id(one) for one in (robot, console, other)}) == 3


def test_services_do_not_see_each_other() -> None:
    talk = Talk()
    talk.peer("ana")
    foreign = talk.peer("eve", by=Pass("service", "elsewhere"))  # type: ignore[arg-type]
    assert (talk.last(foreign, "join-room-answer"), talk.error(foreign)) == ("", "FH-3020")


def test_a_token_that_is_no_robots_makes_none_and_a_watcher_enters_no_room_of_commands() -> None:
    talk = Talk()
    viewer = Pass("token:t-1", LAB, may_be_robot=False, is_observer=True)
    peer = talk.peer("eve", "top_camera", by=viewer, type="robot")
    assert talk.error(peer) == "FH-2002"
    talk.say(peer, "join-room", {"name": "eve", "room": "Teleop"})
    assert talk.error(peer) == "FH-2002"
    talk.say(peer, "join-room", {"name": "eve", "room": "top_camera"})
    assert talk.id(peer) != ""
    assert talk.exchange.seated()[0].is_observer
    observer = talk.peer("oda", "Teleop", role="observer")
    assert talk.error(observer) == "FH-2002"


# --- life ----------------------------------------------------------------------------------------


def test_who_joins_nothing_is_closed() -> None:
    talk = Talk()
    idle, ana = talk.peer(), talk.peer("ana")
    talk.tick(JOIN_S - 0.1)
    assert talk.shut == {}
    talk.tick(0.1)
    assert (talk.shut, talk.error(idle)) == ({idle: POLICY}, "FH-3005")
    assert talk.exchange.has_joined(ana)


def test_who_answers_no_ping_is_dead_and_those_who_do_stay() -> None:
    talk = Talk()
    mute, ana = talk.peer("mute"), talk.peer("ana")
    for _ in range(3):
        talk.tick(PING_S)
        talk.exchange.alive(ana, talk.now)
    assert talk.pinged == [mute, ana, mute, ana, ana]
    assert list(talk.shut) == [mute]
    assert SILENT_S <= 3 * PING_S
    assert [one["name"] for one in talk.last(ana, "room-clients")] == ["ana"]


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"event":7}', b"[" * 5000])
def test_what_is_no_frame_is_answered_and_twenty_are_the_end(bad: bytes) -> None:
    talk = Talk()
    ana = talk.peer("ana")
    for _ in range(20):
        talk.now += 0.01
        talk.raw(ana, bad)
    assert (talk.error(ana), talk.shut) == ("FH-3001", {})
    talk.raw(ana, bad)
    assert talk.shut == {ana: POLICY}
    talk.raw(ana, b"{}")  # too late: nobody is there


def test_bad_frames_of_one_do_not_touch_the_others() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana"), talk.peer("ben")
    for _ in range(40):
        talk.raw(ana, b"{")
    assert list(talk.shut) == [ana]
    assert [one["name"] for one in talk.last(ben, "room-clients")] == ["ben"]


def test_a_flood_is_refused_then_ended() -> None:
    talk = Talk()
    ana = talk.peer("ana")
    for _ in range(200):
        talk.say(ana, "call-all")
    assert talk.error(ana) == "FH-3013"
    assert talk.shut == {}
    for _ in range(200):
        talk.say(ana, "call-all")
    assert talk.shut == {ana: POLICY}


def test_unknown_events_are_ignored_with_one_line() -> None:
    talk = Talk()
    ana = talk.peer("ana")
    talk.clear()
    for event in ("robot-dance", "robot-config", "x"):
        talk.say(ana, event, {"a": 1})
    assert (talk.heard[ana], talk.unknown) == ([], ["robot-dance"])


def test_a_member_can_be_thrown_out_and_a_credential_end() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana"), talk.peer("ben", by=Pass("token:t-1", LAB))
    assert talk.exchange.kick("nobody", "", talk.now) is None
    talk.apply(talk.exchange.kick(talk.id(ana), "enough", talk.now) or [])
    talk.apply(talk.exchange.recheck(lambda one: one.key != "token:t-1", talk.now))
    assert talk.shut == {ana: 4011, ben: 4010}
    assert talk.exchange.seated() == []


def test_everybody_is_told_when_the_server_goes() -> None:
    talk = Talk()
    ana = talk.peer("ana")
    talk.apply(talk.exchange.go_away())
    assert (talk.shut, talk.exchange.seated()) == ({ana: 1001}, [])
