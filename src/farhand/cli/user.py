"""`farhand user`: people's accounts."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from farhand.cli.api_client import path, rows_of
from farhand.cli.remote import AccessList, Limit, Remote, access_lines, changes, noun, secret, verb
from farhand.cli.terminal import Row, at
from farhand.errors import Code, FarhandError

app = noun("Accounts of people.")

Who = Annotated[str, typer.Argument(metavar="USER", help="Name or id of the account.")]
Role = Literal["viewer", "operator", "supervisor", "admin"]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File with the password; else it is asked for.")
]
FIND = 10_000
"""So many accounts are looked through for a name."""


def access_words(row: Row) -> str:
    """Return an access list as it is written on the command line."""
    lines = row.get("access")
    found = []
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict):
            robot = f"/{line['robotId']}" if line.get("robotId") else ""
            tag = f"#{line['tag']}" if line.get("tag") else ""
            found.append(f"{line.get('role')}@{line.get('serviceId')}{robot}{tag}")
    return " ".join(found)


COLUMNS = (
    ("ID", "userId"),
    ("NAME", "name"),
    ("ROLE", "role"),
    ("ACCESS", access_words),
    ("DISABLED", "isDisabled"),
    ("CREATED", at("createdMs")),
)


@verb(app, "ls")
def ls(remote: Remote, *, limit: Limit = 500) -> None:
    """List all accounts.

    Example: farhand user ls
    """
    remote.listing(path("user"), "users", COLUMNS, limit)


@verb(app, "create")
def create(
    remote: Remote,
    name: Annotated[str, typer.Argument(help="What they log in with.")],
    *,
    role: Annotated[Role, typer.Option(help="The most that they are anywhere.")] = "operator",
    access: AccessList = None,
    password_file: PasswordFile = None,
    password: Annotated[
        bool, typer.Option(help="Without one they log in by an OpenID provider alone.")
    ] = True,
) -> None:
    """Create an account.

    Example: farhand user create ana --role operator --access operator@default/jetson-07
    """
    body: dict[str, object] = {"name": name, "role": role, "access": access_lines(access) or []}
    if password:
        body["password"] = secret(password_file, f"Password of {name}")
    answer = remote.api.create(path("user"), body)
    remote.done(answer, f"created {name} ({answer.get('userId', '')})")


@verb(app, "set")
def set_(
    remote: Remote,
    user: Who,
    *,
    role: Annotated[Role | None, typer.Option(help="The most that they are anywhere.")] = None,
    access: AccessList = None,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Log in no more, or again.")
    ] = None,
) -> None:
    """Change an account; open sessions that it no longer allows end at once.

    Example: farhand user set ana --access operator@default#warehouse
    """
    body = changes(role=role, access=access_lines(access), isDisabled=disabled)
    answer = remote.api.patch(path("user", _id_of(remote, user)), body)
    remote.done(answer, f"changed {user}")


@verb(app, "passwd")
def passwd(
    remote: Remote,
    user: Annotated[
        str | None, typer.Argument(metavar="USER", help="Whose (admins only); else your own.")
    ] = None,
    *,
    password_file: PasswordFile = None,
) -> None:
    """Set a password: your own, or as an admin anybody's. Their logins end.

    Example: farhand user passwd ana
    """
    if user is None:
        old = secret(None, "Your password until now", confirm=False)
        body = {"old": old, "new": secret(password_file, "Your new password")}
        remote.done(remote.api.post(path("me", "password"), body), "changed your password")
        return
    where = path("user", _id_of(remote, user))
    answer = remote.api.patch(where, {"password": secret(password_file, f"Password of {user}")})
    remote.done(answer, f"changed the password of {user}")


@verb(app, "rm")
def rm(remote: Remote, user: Who) -> None:
    """Remove an account; its logins and sessions end.

    Example: farhand user rm ana
    """
    remote.done(remote.api.delete(path("user", _id_of(remote, user))), f"removed {user}")


def _id_of(remote: Remote, who: str) -> str:
    """Return the id of the account with this id or name."""
    if remote.is_dry:
        return who
    rows = rows_of(remote.api.listing(path("user"), "users", FIND), "users")
    for member in ("userId", "name"):
        for row in rows:
            if row.get(member) == who and row.get("userId"):
                return str(row["userId"])
    raise FarhandError(Code.NOT_FOUND, f"There is no account {who!r}.", "See: farhand user ls")
