"""`farhand room`: the rooms of a service."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, Service, changes, duration, noun, secret, verb

app = noun("Rooms of a service.")

Id = Annotated[int, typer.Argument(metavar="ROOM", help="Number of the room.")]
Alias = Annotated[str | None, typer.Option(help="Name on screens.")]
Type = Annotated[
    Literal["video", "audio", "text", "binary", "local_rtc", "cloud_rtc"] | None,
    typer.Option("--type", help="What the room is for."),
]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File with the password that joining needs; empty: none.")
]
MaxUsers = Annotated[int | None, typer.Option(min=0, help="The most members; 0: no bound.")]
MaxDuration = Annotated[
    int | None,
    typer.Option(
        parser=lambda text: 0 if text == "0" else duration(text),
        metavar="TIME",
        help="How long it lasts from the first member's joining; 0: for ever.",
    ),
]
COLUMNS = (
    ("ROOM", "roomId"),
    ("NAME", "name"),
    ("ALIAS", "alias"),
    ("TYPE", "type"),
    ("PASSWORD", "hasToken"),
    ("MAX USERS", lambda row: row.get("maxUsers") or None),
    ("MAX S", lambda row: row.get("maxDurationS") or None),
    ("MEMBERS", lambda row: len(row.get("members") or ())),
)


@verb(app, "ls")
def ls(remote: Remote, *, service: Service = "default", limit: Limit = 500) -> None:
    """List the rooms of a service.

    Example: farhand room ls --service site-a
    """
    remote.listing(path("service", service, "room"), "rooms", COLUMNS, limit)


@verb(app, "show")
def show(remote: Remote, room: Id, *, service: Service = "default") -> None:
    """Show one room and who is in it.

    Example: farhand room show 1000
    """
    remote.record(remote.api.get(path("service", service, "room", room)))


@verb(app, "add")
def add(
    remote: Remote,
    name: Annotated[str, typer.Argument(help="What is joined by.")],
    *,
    service: Service = "default",
    alias: Alias = None,
    type_: Type = None,
    password_file: PasswordFile = None,
    max_users: MaxUsers = None,
    max_duration: MaxDuration = None,
) -> None:
    """Add a room.

    Example: farhand room add lobby --max-users 8 --max-duration 2h
    """
    body = _members(alias, type_, password_file, max_users, max_duration)
    answer = remote.api.create(path("service", service, "room"), {"name": name, **body})
    remote.done(answer, f"added room {answer.get('roomId', name)}")


@verb(app, "set")
def set_(
    remote: Remote,
    room: Id,
    *,
    service: Service = "default",
    alias: Alias = None,
    password_file: PasswordFile = None,
    max_users: MaxUsers = None,
    max_duration: MaxDuration = None,
) -> None:
    """Change a room.

    Example: farhand room set 1000 --max-users 4
    """
    body = changes(**_members(alias, None, password_file, max_users, max_duration))
    answer = remote.api.patch(path("service", service, "room", room), body)
    remote.done(answer, f"changed room {room}")


@verb(app, "rm")
def rm(remote: Remote, room: Id, *, service: Service = "default") -> None:
    """Remove a room; who is in it is put out.

    Example: farhand room rm 1000
    """
    answer = remote.api.delete(path("service", service, "room", room))
    remote.done(answer, f"removed room {room}")


def _members(
    alias: str | None,
    type_: str | None,
    password_file: Path | None,
    max_users: int | None,
    max_duration: int | None,
) -> dict[str, object]:
    token = None if password_file is None else secret(password_file, "Password")
    given = {
        "alias": alias,
        "type": type_,
        "token": token,
        "maxUsers": max_users,
        "maxDurationS": max_duration,
    }
    return {key: value for key, value in given.items() if value is not None}
