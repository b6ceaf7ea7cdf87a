"""`farhand session`: who is connected with which robot."""

from typing import Annotated

import typer

from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, Service, noun, verb
from farhand.cli.terminal import Cell, Row, at

app = noun("Sessions: who is connected with which robot.")


def _who(name: str) -> Cell:
    def make(row: Row) -> object:
        member = row.get("member")
        return member.get(name) if isinstance(member, dict) else None

    return make


COLUMNS = (
    ("SESSION", "sessionId"),
    ("ROBOT", "robotId"),
    ("PERSON", _who("name")),
    ("ROLE", _who("role")),
    ("STATE", "state"),
    ("SINCE", at("sinceMs")),
)


@verb(app, "ls")
def ls(remote: Remote, *, service: Service = "default", limit: Limit = 500) -> None:
    """List the sessions of a service.

    Example: farhand session ls
    """
    remote.listing(path("service", service, "session"), "sessions", COLUMNS, limit)


@verb(app, "close")
def close(
    remote: Remote,
    session: Annotated[str, typer.Argument(help="Id of the session.")],
    *,
    service: Service = "default",
) -> None:
    """Close a session; whoever drove by it has the robot no more.

    Example: farhand session close f3Wb0 --service site-a
    """
    answer = remote.api.delete(path("service", service, "session", session))
    remote.done(answer, f"closed {session}")
