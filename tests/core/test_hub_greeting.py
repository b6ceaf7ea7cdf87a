import pytest

from farhand.core.access import OPEN
from farhand.core.admission import Admitted, OpenDoor
from farhand.core.hub_greeting import Greeter, Greeting
from farhand.core.resume import Claims, ResumeSigner
from farhand.core.resume_book import ResumeBook
from farhand.errors import Code, FarhandError
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId, RobotId, ServiceId
from farhand.protocol.manifest import Manifest

BOOK = ResumeBook(ResumeSigner(b"s" * 32), lambda: 42)
GREETER = Greeter(lambda: "new", BOOK, OpenDoor())
ROVER = RobotId("rover")
MANIFEST = Manifest(ROVER, "Rover")


def greet(hello: m.ClientMessage, service: str = DEFAULT_SERVICE) -> Greeting:
    return GREETER.greet(hello, ServiceId(service), 1000.0)


def refusal(hello: m.ClientMessage, service: str = DEFAULT_SERVICE) -> FarhandError:
    with pytest.raises(FarhandError) as caught:
        greet(hello, service)
    return caught.value


def test_a_person_gets_a_new_member_id() -> None:
    hello = m.Hello("operator", "ana", robot_id=ROVER)
    assert greet(hello) == Greeting(
        hello,
        "1.0",
        Admitted(OPEN, DEFAULT_SERVICE, "operator", "ana"),
        Claims(MemberId("new"), DEFAULT_SERVICE, "operator", None, "open:open"),
    )


def test_a_robot_is_who_it_says() -> None:
    greeting = greet(m.Hello("robot", "r", robot_id=ROVER, manifest=MANIFEST))
    assert greeting.claims.robot_id == greeting.admitted.robot_id == ROVER


def test_the_first_message_must_be_hello() -> None:
    assert refusal(m.Pong(1)).code is Code.HELLO_FIRST


def test_a_wrong_version_is_refused_and_both_are_named() -> None:
    exc = refusal(m.Hello("operator", "ana", protocol="9.7", min="9.3"))
    assert exc.code is Code.VERSION
    assert "9.7" in exc.text
    assert "1.0" in exc.text


def test_a_newer_minor_version_is_spoken_down_to() -> None:
    assert greet(m.Hello("operator", "ana", protocol="1.9")).version == "1.0"


def test_rubbish_for_a_version_is_malformed() -> None:
    assert refusal(m.Hello("operator", "ana", protocol="new")).code is Code.MALFORMED


def test_nobody_is_a_supervisor_without_an_account() -> None:
    assert refusal(m.Hello("supervisor", "ana")).code is Code.ROLE_REFUSED


@pytest.mark.parametrize("robot_id", [None, "", "a b", "../x", "x" * 65, "health", "-x"])
def test_a_robot_needs_a_valid_id(robot_id: str | None) -> None:
    hello = m.Hello("robot", "r", robot_id=None if robot_id is None else RobotId(robot_id))
    assert refusal(hello).code is Code.INVALID_ID


def test_a_robot_cannot_bring_another_robots_manifest() -> None:
    hello = m.Hello("robot", "r", robot_id=RobotId("other"), manifest=MANIFEST)
    assert refusal(hello).code is Code.MALFORMED


def test_a_resume_token_gives_the_same_member_id() -> None:
    token = GREETER.token(greet(m.Hello("operator", "ana")).claims)
    other = Greeter(lambda: "another", BOOK, OpenDoor())
    hello = m.Hello("operator", "ana", resume=token)
    assert other.greet(hello, DEFAULT_SERVICE, 1000.0).claims.member_id == "new"


def test_a_resume_token_is_good_only_for_the_same_role_robot_service_and_person() -> None:
    claims = Claims(MemberId("m"), DEFAULT_SERVICE, "operator", None, "open:open")
    token = GREETER.token(claims)
    assert refusal(m.Hello("viewer", "ana", resume=token)).code is Code.RESUME_REFUSED
    assert refusal(m.Hello("operator", "a", resume=token), "lab").code is Code.RESUME_REFUSED
    robot = m.Hello("robot", "r", robot_id=ROVER, resume=token)
    assert refusal(robot).code is Code.RESUME_REFUSED
    assert refusal(m.Hello("operator", "ana", resume="forged")).code is Code.RESUME_REFUSED
    assert greet(m.Hello("operator", "ana", resume=token)).claims.member_id == "m"
    theirs = GREETER.token(Claims(MemberId("m2"), DEFAULT_SERVICE, "operator", None, "user:ben"))
    assert refusal(m.Hello("operator", "ana", resume=theirs)).code is Code.RESUME_REFUSED
