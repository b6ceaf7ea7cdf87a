"""`farhand event`: what happened to the robots."""

from typing import Annotated

import typer

from farhand.cli.api_client import PAGE, path
from farhand.cli.remote import Remote, noun, verb
from farhand.cli.since import From, To
from farhand.cli.terminal import Row, at

app = noun("Events: what happened to the robots.")


def _who(row: Row) -> object:
    member = row.get("member")
    return member.get("name") if isinstance(member, dict) else None


COLUMNS = (
    ("TIME", at("atMs")),
    ("TYPE", "type"),
    ("SERVICE", "serviceId"),
    ("ROBOT", "robotId"),
    ("WHO", _who),
    ("CODE", "code"),
    ("TEXT", "text"),
)


@verb(app, "ls")
def ls(
    remote: Remote,
    *,
    service: Annotated[
        str | None, typer.Option("--service", "-s", help="Only of this service.")
    ] = None,
    robot: Annotated[str | None, typer.Option(help="Only of this robot.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    from_: From = None,
    to: To = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="The most records to list.")] = 100,
) -> None:
    """List the last events, oldest first.

    Example: farhand event ls --robot jetson-07 --from 2h
    """
    query = {"service": service, "robot": robot, "type": type_, "from": from_, "to": to}
    remote.listing(path("event"), "events", COLUMNS, limit, **query)
