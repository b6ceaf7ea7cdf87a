import pytest

from farhand.core.limits import Limits
from farhand.core.member import Peer, PeerId
from farhand.core.negotiation import SessionState
from farhand.core.session import Session
from farhand.errors import RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, RobotId, ServiceId, SessionId


def peer(number: int, role: m.Role) -> Peer:
    made = Peer(PeerId(number), ServiceId("default"), Limits(), 0.0)
    robot_id = RobotId("rover") if role == "robot" else None
    made.member = m.Member(MemberId(f"m{number}"), role, role, robot_id)
    made.is_robot = role == "robot"
    return made


def session() -> tuple[Session, Peer, Peer]:
    robot, person = peer(1, "robot"), peer(2, "operator")
    person.cameras = (CameraId("front"),)
    return Session(SessionId("s"), robot, person, ("view",), 40), robot, person


def test_each_end_is_told_of_the_other_with_the_persons_scopes_and_cameras() -> None:
    made, robot, person = session()
    told_robot = made.start(robot, resumed=False, grant="signed")
    assert told_robot.member == person.member
    assert made.start(person, resumed=True).member == robot.member
    assert (told_robot.scopes, told_robot.cameras) == (("view",), person.cameras)
    assert (told_robot.grant, made.start(person, resumed=False).grant) == ("signed", None)


def test_a_robot_is_told_what_the_person_is_to_it() -> None:
    made, robot, person = session()
    person.reach = {robot.member_id: "viewer"}
    assert made.start(robot, resumed=False).member.role == "viewer"


def test_the_other_end_is_the_other_end() -> None:
    made, robot, person = session()
    assert made.other(robot) is person
    assert made.other(person) is robot


def test_a_resumed_session_is_connected_and_an_ended_one_cannot_be_resumed() -> None:
    made, _, _ = session()
    states = [made.state]
    made.resume()
    states.append(made.state)
    made.end()
    states.append(made.state)
    assert states == [SessionState.OFFERING, SessionState.CONNECTED, SessionState.CLOSED]
    with pytest.raises(RemoteProtocolError):
        made.resume()
