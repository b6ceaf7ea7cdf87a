"""`farhand member`: who is connected to a service."""

from typing import Annotated

import typer

from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, Service, noun, verb
from farhand.cli.terminal import at

app = noun("Members: who is connected to a service, robots too.")

COLUMNS = (
    ("MEMBER", "memberId"),
    ("NAME", "name"),
    ("ROLE", "role"),
    ("ROBOT", "robotId"),
    ("ROOM", "room"),
    ("ACCOUNT", "principal"),
    ("SINCE", at("sinceMs")),
)


@verb(app, "ls")
def ls(remote: Remote, *, service: Service = "default", limit: Limit = 500) -> None:
    """List who is connected to a service.

    Example: farhand member ls --service site-a
    """
    remote.listing(path("service", service, "member"), "members", COLUMNS, limit)


@verb(app, "kick")
def kick(
    remote: Remote,
    member: Annotated[str, typer.Argument(help="Id of the member.")],
    *,
    service: Service = "default",
    reason: Annotated[str | None, typer.Option(help="What they are told.")] = None,
) -> None:
    """Put somebody out; an account that is still allowed may come back.

    Example: farhand member kick m-17 --reason "end of shift"
    """
    body = {"reason": reason} if reason else None
    answer = remote.api.delete(path("service", service, "member", member), body)
    remote.done(answer, f"kicked {member}")
