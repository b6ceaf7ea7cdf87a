"""Calls between members of the teleop dialect (dialects.md 2.4, 3.5 to 3.7)."""

from typing import Any

import pytest

from farhand.dialects.teleop.calling import CALL_S
from tests.dialects.talk import CANDIDATE, SDP, Talk

OFFER = {"type": "offer", "sdp": SDP}
ANSWER = {"type": "answer", "sdp": SDP}


def called(talk: Talk, number: int) -> list[Any]:
    return talk.all(number, "make-peer-call")


def test_the_person_offers_to_the_robot_whoever_came_first() -> None:
    talk = Talk()
    robot = talk.robot()
    ana = talk.peer("ana")
    talk.say(robot, "call-all")
    talk.say(ana, "call-all")
    assert (called(talk, robot), called(talk, ana)) == ([], [[talk.id(robot)]])
    frame = next(one for one in talk.heard[ana] if one["event"] == "make-peer-call")
    assert frame["fromId"] == talk.id(robot)


def test_every_pair_of_a_room_is_called_once() -> None:
    talk = Talk()
    people = [talk.peer(f"p{n}", "top_camera") for n in range(4)]
    for one in people:
        talk.say(one, "call-all", {})
    pairs = {(talk.id(one), ids[0]) for one in people for ids in called(talk, one)}
    assert len(pairs) == sum(len(called(talk, one)) for one in people) == 6
    assert all(int(one[1:]) < int(other[1:]) for one, other in pairs)


@pytest.mark.parametrize("is_beside", [True, False])
def test_named_members_are_called(is_beside: bool) -> None:
    talk = Talk()
    ana, ben, cat = (talk.peer(name, "top_camera") for name in ("ana", "ben", "cat"))
    ids = [talk.id(ana), talk.id(ana), talk.id(ben), "nobody"]
    if is_beside:
        talk.say(ben, "call-ids", None, ids=ids)
    else:
        talk.say(ben, "call-ids", ids)
    assert [called(talk, one) for one in (ana, ben, cat)] == [[[talk.id(ben)]], [], []]


def test_a_call_that_led_to_nothing_may_be_made_again_a_connection_not() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.say(ana, "call-all")
    talk.now += CALL_S - 0.1
    talk.say(ben, "call-all")
    assert len(called(talk, ana)) == 1
    talk.now += 0.1
    talk.say(ben, "call-all")
    assert len(called(talk, ana)) == 2
    talk.call(ana, ben)
    talk.now += 2 * CALL_S
    talk.say(ben, "call-all")
    assert len(called(talk, ana)) == 2


def test_offer_answer_and_candidates_are_passed_on_as_they_are_with_the_senders_id() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    a, b = talk.id(ana), talk.id(ben)
    talk.say(ana, "call-peer", {"toId": b, "offer": {**OFFER, "own": 1}, "extra": [1, None]})
    assert talk.last(ben, "peer-call-received") == {
        "toId": b,
        "fromId": a,
        "offer": {**OFFER, "own": 1},
        "extra": [1, None],
    }
    talk.say(ben, "make-peer-call-answer", {"toId": a, "answer": ANSWER})
    assert talk.last(ana, "peer-call-answer-received") == {
        "toId": a,
        "fromId": b,
        "answer": ANSWER,
    }
    whole = {"candidate": CANDIDATE, "sdpMid": "data", "sdpMLineIndex": 0, "usernameFragment": "x"}
    talk.say(ana, "send-ice-candidate", {"toId": b, "candidate": whole})
    assert talk.last(ben, "ice-candidate-received") == {
        "toId": b,
        "fromId": a,
        "candidate": whole,
    }
    talk.say(ana, "send-ice-candidate", {"toId": b, "candidate": None})
    assert talk.last(ben, "ice-candidate-received")["candidate"] is None


@pytest.mark.parametrize(
    "given",
    [
        {"candidate": CANDIDATE},
        {"candidate": CANDIDATE, "sdpMid": "data"},
        {"candidate": CANDIDATE, "sdpMLineIndex": "0"},
        CANDIDATE,
    ],
)
def test_a_candidate_always_gets_all_three_members(given: Any) -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.call(ana, ben)
    talk.say(ana, "send-ice-candidate", {"toId": talk.id(ben), "candidate": given})
    found = talk.last(ben, "ice-candidate-received")["candidate"]
    assert found == {"candidate": CANDIDATE, "sdpMid": "data", "sdpMLineIndex": 0}


def test_candidates_wait_for_the_description_they_belong_to() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    a, b = talk.id(ana), talk.id(ben)
    talk.say(ana, "call-peer", {"toId": b, "offer": OFFER})
    talk.clear()
    talk.heard[ana].append({"event": "join-room-answer", "data": a})
    talk.say(ben, "send-ice-candidate", {"toId": a, "candidate": {"candidate": CANDIDATE}})
    assert talk.all(ana, "ice-candidate-received") == []
    talk.say(ben, "make-peer-call-answer", {"toId": a, "answer": ANSWER})
    assert [one["event"] for one in talk.heard[ana]][1:] == [
        "peer-call-answer-received",
        "ice-candidate-received",
    ]


def test_a_call_can_be_rejected_and_made_again() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.say(ana, "call-peer", {"toId": talk.id(ben), "offer": OFFER})
    talk.say(ben, "make-peer-call-answer", {"toId": talk.id(ana)})
    assert "answer" not in talk.last(ana, "peer-call-answer-received")
    talk.say(ben, "call-all")
    assert len(called(talk, ana)) == 1


def test_of_two_calls_that_cross_the_first_one_counts() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.say(ana, "call-peer", {"toId": talk.id(ben), "offer": OFFER})
    talk.say(ben, "call-peer", {"toId": talk.id(ana), "offer": OFFER})
    assert talk.all(ana, "peer-call-received") == []
    talk.say(ana, "make-peer-call-answer", {"toId": talk.id(ben), "answer": ANSWER})
    assert talk.all(ben, "peer-call-answer-received") == []
    talk.say(ben, "make-peer-call-answer", {"toId": talk.id(ana), "answer": ANSWER})
    assert len(talk.all(ana, "peer-call-answer-received")) == 1


def test_a_stranger_to_the_room_reaches_nobody_in_it() -> None:
    talk = Talk()
    ana, eve, late = talk.peer("ana", "top_camera"), talk.peer("eve", "Teleop"), talk.peer()
    before = len(talk.heard[ana])
    for sender, code in ((eve, "FH-3007"), (late, "FH-3006")):
        for event, fields in (
            ("call-peer", {"offer": OFFER}),
            ("make-peer-call-answer", {"answer": ANSWER}),
            ("send-ice-candidate", {"candidate": {"candidate": CANDIDATE}}),
            ("send-message", {"message": {"type": "stop"}}),
        ):
            talk.say(sender, event, {"toId": talk.id(ana), **fields})
            assert talk.error(sender) == code
    assert len(talk.heard[ana]) == before


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (None, "FH-3001"),
        ({"type": "answer", "sdp": SDP}, "FH-3001"),
        ({"type": "offer", "sdp": 7}, "FH-3001"),
        ("v=0", "FH-3001"),
        ({"type": "offer", "sdp": "x" * (128 * 1024 + 1)}, "FH-3002"),
        ({"type": "offer", "sdp": SDP + f"a={CANDIDATE}\r\n" * 201}, "FH-3002"),
    ],
)
def test_what_is_no_offer_is_not_passed_on(offer: Any, code: str) -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.say(ana, "call-peer", {"toId": talk.id(ben), "offer": offer})
    assert (talk.error(ana), talk.all(ben, "peer-call-received")) == (code, [])


@pytest.mark.parametrize(
    ("candidate", "code"),
    [
        ({"candidate": "x" * 1025}, "FH-3002"),
        ({"candidate": 7}, "FH-3001"),
        ({"candidate": CANDIDATE, "sdpMid": "x" * 129}, "FH-3002"),
        ([CANDIDATE], "FH-3001"),
    ],
)
def test_what_is_no_candidate_is_not_passed_on(candidate: Any, code: str) -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.call(ana, ben)
    talk.say(ana, "send-ice-candidate", {"toId": talk.id(ben), "candidate": candidate})
    assert (talk.error(ana), talk.all(ben, "ice-candidate-received")) == (code, [])


@pytest.mark.parametrize("candidate", [None, {"candidate": CANDIDATE}])
def test_what_waits_for_a_description_is_small(candidate: Any) -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.say(ana, "call-peer", {"toId": talk.id(ben), "offer": OFFER})
    data = {"toId": talk.id(ana), "candidate": candidate, "more": "x" * 5000}
    talk.say(ben, "send-ice-candidate", data)
    assert talk.error(ben) == "FH-3002"
    talk.say(ben, "make-peer-call-answer", {"toId": talk.id(ana), "answer": ANSWER})
    assert talk.all(ana, "ice-candidate-received") == []


def test_candidates_are_counted_in_each_call() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    talk.call(ana, ben)
    for _ in range(201):
        talk.now += 0.1
        data = {"toId": talk.id(ben), "candidate": {"candidate": CANDIDATE}}
        talk.say(ana, "send-ice-candidate", data)
    assert len(talk.all(ben, "ice-candidate-received")) == 200
    assert talk.error(ana) == "FH-3013"


def test_an_empty_bundle_line_is_taken_out_of_an_offer() -> None:
    talk = Talk()
    ana, ben = talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera")
    offer = {"type": "offer", "sdp": "v=0\r\na=group:BUNDLE\r\nt=0 0\r\n", "own": 1}
    talk.say(ana, "call-peer", {"toId": talk.id(ben), "offer": offer})
    assert talk.last(ben, "peer-call-received")["offer"] == {
        "type": "offer",
        "sdp": "v=0\r\nt=0 0\r\n",
        "own": 1,
    }


def test_hanging_up_reaches_the_others_of_that_room_alone() -> None:
    talk = Talk()
    ana, ben, far = (
        talk.peer("ana", "top_camera"), talk.peer("ben", "top_camera"), talk.peer("far", "Teleop")
    )  # fmt: skip
    talk.call(ana, ben)
    talk.clear()
    talk.say(ana, "close-all-room-peer-connections")
    assert [one["event"] for one in talk.heard[ben]] == [
        "close-room-peer-connections",
        "close-all-peer-connections-request-received",
    ]
    assert (talk.heard[ana], talk.heard[far]) == ([], [])
    talk.say(ben, "call-all")
    assert len(talk.all(ana, "make-peer-call")) == 1


# --- who commands --------------------------------------------------------------------------------


def test_only_the_first_person_gets_a_connection_that_carries_commands() -> None:
    talk = Talk()
    ana, robot, ben = talk.peer("ana"), talk.robot(), talk.peer("ben")
    for one in (ana, robot, ben):
        talk.say(one, "call-all")
    assert [ids for ids in called(talk, ben) if ids == [talk.id(robot)]] == []
    talk.say(ben, "call-peer", {"toId": talk.id(robot), "offer": OFFER})
    assert (talk.error(ben), talk.all(robot, "peer-call-received")) == ("FH-2005", [])
    talk.say(robot, "call-peer", {"toId": talk.id(ben), "offer": OFFER})
    assert (talk.error(robot), talk.all(ben, "peer-call-received")) == ("FH-2005", [])
    talk.say(ana, "leave-room")
    assert [one["type"] for one in talk.all(ben, "room-event")[-2:]] == [
        "control-released",
        "control-taken",
    ]
    assert called(talk, ben)[-1] == [talk.id(robot)]
    talk.say(ben, "call-peer", {"toId": talk.id(robot), "offer": OFFER})
    assert len(talk.all(robot, "peer-call-received")) == 1


def test_who_only_says_that_it_is_a_robot_commands_none() -> None:
    talk = Talk()
    robot, ana = talk.robot(), talk.peer("ana")
    eve = talk.robot("eve")
    for one in (robot, ana, eve):
        talk.say(one, "call-all")
    assert [talk.id(robot)] not in called(talk, eve)
    assert [talk.id(eve)] not in called(talk, robot)
    talk.say(eve, "call-peer", {"toId": talk.id(robot), "offer": OFFER})
    assert (talk.error(eve), talk.all(robot, "peer-call-received")) == ("FH-2005", [])


def test_pictures_are_for_everybody() -> None:
    talk = Talk()
    robot = talk.robot("rover", "top_camera")
    people = [talk.peer(f"p{n}", "top_camera") for n in range(3)]
    talk.say(robot, "call-all")
    assert [[talk.id(robot)] in called(talk, one) for one in people] == [True] * 3


def test_stop_passes_through_the_server_and_what_moves_does_not() -> None:
    talk = Talk()
    robot, ana, ben = talk.robot(), talk.peer("ana"), talk.peer("ben")
    talk.say(ben, "send-message", {"message": {"type": "stop"}})
    told = {"fromId": talk.id(ben), "message": {"type": "stop"}}
    assert talk.last(robot, "message-received") == talk.last(ana, "message-received") == told
    talk.say(ben, "send-message", {"toId": talk.id(robot), "message": {"type": "stop", "a": [1]}})
    assert talk.last(robot, "message-received")["message"] == {"type": "stop", "a": [1]}
    assert len(talk.all(ana, "message-received")) == 1
    before = len(talk.heard[robot])
    for kind in ("velCmd", "action", "control", "start", "waypointArray", "start_teleop"):
        message = {"type": kind, "x": 1.0}
        talk.say(ana, "send-message", {"toId": talk.id(robot), "message": message})
        assert talk.error(ana) == "FH-2005"
    nothing: list[Any] = [None, [], {"x": 1}, "stop"]
    for wrong in nothing:
        talk.say(ana, "send-message", {"message": wrong})
        assert talk.error(ana) == "FH-3001"
    assert len(talk.heard[robot]) == before


def test_one_who_only_watches_ends_nothing_for_others() -> None:
    talk = Talk()
    eve = talk.peer("eve", "top_camera", role="observer")
    ana = talk.peer("ana", "top_camera")
    talk.clear()
    talk.say(eve, "close-all-room-peer-connections")
    assert talk.error(eve) == "FH-2005"
    assert talk.heard[ana] == []
