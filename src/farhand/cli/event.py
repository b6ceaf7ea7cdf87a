"""`farhand event`: what happened to the robots."""

from typing import Annotated

import typer

from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, noun, verb
from farhand.cli.since import From, To
from farhand.cli.terminal import at

app = noun("Events: what happened to the robots.")

COLUMNS = (
    ("TIME", at("atMs")),
    ("TYPE", "type"),
    ("SERVICE", "serviceId"),
    ("ROBOT", "robotId"),
    ("DETAIL", "detail"),
)


@verb(app, "ls")
def ls(
    remote: Remote,
    *,
    robot: Annotated[str | None, typer.Option(help="Only of this robot.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 100,
) -> None:
    """List events.

    Example: farhand event ls --robot jetson-07 --from 2h
    """
    query = {"robot": robot, "type": type_, "from": from_, "to": to}
    remote.listing(path("event"), "events", COLUMNS, limit, **query)
