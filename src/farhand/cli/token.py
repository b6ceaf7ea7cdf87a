"""`farhand token` and `farhand guest`: secrets for programs, and links to watch one robot."""

from typing import Annotated, Literal

import typer

from farhand.cli import terminal
from farhand.cli.api_client import path
from farhand.cli.remote import AccessList, Limit, Qr, Remote, Service, Ttl, access_lines, noun, verb
from farhand.cli.terminal import Row, at
from farhand.cli.user import access_words

app = noun("API tokens.")
guest = noun("Links by which anybody may watch one robot for a while.")

TokenRole = Literal["viewer", "operator", "supervisor", "admin", "program", "enroller"]
Id = Annotated[str, typer.Argument(help="Id of the token.")]


def _expires(row: Row) -> str:
    if row.get("isRevoked"):
        return "revoked"
    return terminal.moment(row["expiresMs"]) if row.get("expiresMs") else "never"


COLUMNS = (
    ("ID", "tokenId"),
    ("NAME", "name"),
    ("ROLE", "role"),
    ("ACCESS", access_words),
    ("EXPIRES", _expires),
    ("LAST USED", at("lastUsedMs")),
)


@verb(app, "ls")
def ls(remote: Remote, *, limit: Limit = 500) -> None:
    """List tokens; their secrets were shown once.

    Example: farhand token ls
    """
    remote.listing(path("token"), "tokens", COLUMNS, limit)


@verb(app, "create")
def create(
    remote: Remote,
    *,
    role: Annotated[TokenRole, typer.Option(help="What it may be.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    robot: Annotated[str | None, typer.Option(help="On this robot only.")] = None,
    service: Service = "default",
    access: AccessList = None,
    ttl: Ttl = None,
    qr: Qr = False,
) -> None:
    """Make a token; its secret is shown this once.

    Example: farhand token create --role operator --robot jetson-07 --ttl 8h
    """
    lines = access_lines(access) or []
    if robot is not None or (not lines and role != "admin"):
        line = {"serviceId": service, "role": role}
        lines.append(line | ({"robotId": robot} if robot is not None else {}))
    body: dict[str, object] = {"name": name or role, "role": role, "access": lines}
    body |= {"ttlS": ttl} if ttl else {}
    answer = remote.api.create(path("token"), body)
    if remote.is_json:
        terminal.as_json(answer)
        return
    secret = str(answer.get("secret", ""))
    terminal.say(secret)
    if qr:
        print(terminal.qr(secret))


@verb(app, "revoke")
def revoke(remote: Remote, token: Id) -> None:
    """Revoke a token; what was opened with it closes at once.

    Example: farhand token revoke t-7
    """
    remote.done(remote.api.delete(path("token", token)), f"revoked {token}")


@verb(guest, "create")
def create_guest(
    remote: Remote,
    robot: Annotated[str, typer.Argument(help="Id of the robot.")],
    *,
    ttl: Ttl,
    service: Service = "default",
    qr: Qr = False,
) -> None:
    """Make a link by which anybody may watch one robot, and nothing else.

    Example: farhand guest create jetson-07 --ttl 2h --qr
    """
    body = {"robotId": robot, "serviceId": service, "ttlS": ttl}
    answer = remote.api.create(path("guest-link"), body)
    if remote.is_json:
        terminal.as_json(answer)
        return
    url = str(answer.get("url", ""))
    terminal.say(url)
    terminal.say(f"until {terminal.moment(answer.get('expiresMs'))}, id {answer.get('tokenId')}")
    if qr:
        print(terminal.qr(url))


@verb(guest, "ls")
def ls_guests(remote: Remote, *, limit: Limit = 500) -> None:
    """List guest links.

    Example: farhand guest ls
    """
    remote.listing(path("token"), "tokens", COLUMNS, limit, role="guest")


@verb(guest, "revoke")
def revoke_guest(remote: Remote, token: Id) -> None:
    """Revoke a guest link; who watches by it is put out.

    Example: farhand guest revoke t-9
    """
    remote.done(remote.api.delete(path("token", token)), f"revoked {token}")
