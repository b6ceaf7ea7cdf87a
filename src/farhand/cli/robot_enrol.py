"""How a robot gets in: a code for one, a key for many, or the approval of one that asks."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from farhand.cli import terminal
from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Qr, Remote, Service, Ttl, verb
from farhand.cli.terminal import at

_ENROLMENT = "enrolment"
_RobotId = Annotated[str | None, typer.Option(help="Id that the robot gets; else it names itself.")]
_Name = Annotated[str | None, typer.Option(help="Name on screens.")]
_Tag = Annotated[list[str] | None, typer.Option(help="Tag that the robot gets; repeatable.")]
_Code = Annotated[str, typer.Argument(help="The code that the robot shows: ABCD-EFGH.")]
COLUMNS = (
    ("ID", "enrolmentId"),
    ("KIND", "kind"),
    ("ENDS IN", "hint"),
    ("SERVICE", "serviceId"),
    ("ROBOT", "robotId"),
    ("STATUS", "status"),
    ("USES LEFT", "usesLeft"),
    ("EXPIRES", at("expiresMs")),
)


def add_to(app: typer.Typer) -> None:
    """Register the verbs with the noun `robot`."""
    for name, work in (
        ("enroll", _enroll),
        ("deny", _deny),
        ("code", _code),
        ("key", _key),
        ("codes", _codes),
        ("rm-code", _rm_code),
        ("rotate", _rotate),
    ):
        verb(app, name)(work)


def _enroll(
    remote: Remote,
    code: _Code,
    *,
    service: Service = "default",
    robot_id: _RobotId = None,
    name: _Name = None,
    tag: _Tag = None,
) -> None:
    """Let in the robot that shows this code.

    Example: farhand robot enroll ABCD-EFGH --service site-a --name "Arm 7"
    """
    body = {"code": code, **_wanted(service, robot_id, name, tag)}
    answer = remote.api.post(path(_ENROLMENT, "approve"), body)
    remote.done(answer, f"enrolled {answer.get('robotId') or robot_id or code}")


def _deny(remote: Remote, code: _Code) -> None:
    """Turn away the robot that shows this code.

    Example: farhand robot deny ABCD-EFGH
    """
    answer = remote.api.post(path(_ENROLMENT, "deny"), {"code": code})
    remote.done(answer, f"denied {code}")


def _code(
    remote: Remote,
    *,
    service: Service = "default",
    robot_id: _RobotId = None,
    name: _Name = None,
    tag: _Tag = None,
    ttl: Ttl = None,
    qr: Qr = False,
) -> None:
    """Make a code by which one robot gets in.

    Example: farhand robot code --service site-a --robot-id jetson-07
    """
    body = {"kind": "code", **_wanted(service, robot_id, name, tag, ttlS=ttl)}
    _made(remote, remote.api.create(path(_ENROLMENT), body), qr=qr)


def _key(
    remote: Remote,
    *,
    uses: Annotated[int, typer.Option(min=1, help="How many robots it lets in.")],
    ttl: Ttl,
    service: Service = "default",
    tag: _Tag = None,
    qr: Qr = False,
) -> None:
    """Make a key for a robot image, by which many robots get in.

    Example: farhand robot key --uses 200 --ttl 30d --tag warehouse
    """
    body = {"kind": "key", **_wanted(service, None, None, tag, ttlS=ttl, uses=uses)}
    _made(remote, remote.api.create(path(_ENROLMENT), body), qr=qr)


def _codes(remote: Remote, *, limit: Limit = 500) -> None:
    """List codes, keys and robots that wait for approval.

    Example: farhand robot codes
    """
    remote.listing(path(_ENROLMENT), "enrolments", COLUMNS, limit)


def _rm_code(
    remote: Remote, enrolment: Annotated[str, typer.Argument(help="Id of `robot codes`.")]
) -> None:
    """Revoke a code or a key; robots that are in stay in.

    Example: farhand robot rm-code e-5
    """
    remote.done(remote.api.delete(path(_ENROLMENT, enrolment)), f"revoked {enrolment}")


def _rotate(
    remote: Remote,
    robot: Annotated[str, typer.Argument(help="Id of the robot.")],
    *,
    service: Service = "default",
    qr: Qr = False,
) -> None:
    """Make a code by which a robot that you have gets a new key.

    Example: farhand robot rotate jetson-07
    """
    _made(
        remote, remote.api.create(f"{path('robot', robot, 'rotate')}?service={service}", {}), qr=qr
    )


def _wanted(
    service: str, robot_id: str | None, name: str | None, tags: list[str] | None, **more: object
) -> dict[str, object]:
    wanted = {"serviceId": service, "robotId": robot_id, "name": name, "tags": tags, **more}
    return {key: value for key, value in wanted.items() if value is not None}


def _made(remote: Remote, answer: Mapping[str, Any], *, qr: bool) -> None:
    if remote.is_json:
        terminal.as_json(answer)
        return
    code = str(answer.get("code", ""))
    terminal.say(f"{code}   until {terminal.moment(answer.get('expiresMs'))}; not shown again")
    if line := answer.get("line"):
        terminal.say(f"on the robot: {line}")
    if qr:
        print(terminal.qr(code))
