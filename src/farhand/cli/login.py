"""`farhand login` and `farhand logout`: a token of this machine's own, kept in a file."""

import socket
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from farhand.cli import credentials, remote
from farhand.cli.api_client import Api, Refused, Server, path
from farhand.cli.credentials import Known
from farhand.cli.remote import command_of, duration, secret
from farhand.cli.terminal import say
from farhand.errors import Code, ConfigError, FarhandError

TTL_S = 90 * 86400
"""A forgotten machine stays logged in no longer than this."""
_MAX_NAME = 64
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def login(
    url: Annotated[str, typer.Argument(help="Address of the server.")],
    *,
    name: Annotated[str | None, typer.Option(help="Your name there; else it is asked for.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password; else it is asked for.")
    ] = None,
    code: Annotated[
        bool, typer.Option("--code", help="Ask for a one-time code that the server has shown.")
    ] = False,
    ttl: Annotated[
        int | None,
        typer.Option(parser=duration, metavar="TIME", help="How long to stay logged in; else 90d."),
    ] = None,
) -> None:
    """Log in to a server: makes an API token for this machine and keeps it for the other verbs.

    Example: farhand login https://robots.example
    """
    address = credentials.server_url(url)
    with Api(Server(address), remote.transport) as api:
        auth = api.get(path("auth"))
        if auth.get("mode") == "open":
            _remember(address, Known())
            say(f"{address} asks for no login")
            return
        if urlsplit(address).scheme == "http" and urlsplit(address).hostname not in _LOCAL:
            print("farhand: this is http: who listens on the way reads along", file=sys.stderr)
        needs_setup = bool(auth.get("needsSetup"))
        where, body = _proof(name, password_file, by_code=code or needs_setup, is_new=needs_setup)
        cookie = api.login(where, body)
        me = api.get(path("me"))
        known = _token(api, me, cookie, ttl or TTL_S)
    _remember(address, known)
    say(f"{known.name} is logged in to {address} as {me.get('role')}")


def _proof(
    name: str | None, password_file: Path | None, *, by_code: bool, is_new: bool
) -> tuple[str, dict[str, object]]:
    """Return where to prove who we are, and how."""
    body: dict[str, object] = {}
    if by_code:
        body["code"] = secret(None, "Code", confirm=False)
    if is_new or not by_code:
        body["name"] = name or str(typer.prompt("Name"))
        body["password"] = secret(password_file, "Password", confirm=is_new)
    return path("login", "code") if by_code else path("login"), body


def _token(api: Api, me: dict[str, Any], cookie: str, ttl_s: int) -> Known:
    """Exchange the login for a token; where the account may make none, keep the login."""
    name, role = str(me.get("name") or me.get("id", "")), me.get("role")
    # The trail shows it as the one who did something.
    label = f"{name}, farhand on {socket.gethostname()}"[:_MAX_NAME]
    body = {"name": label, "role": role, "access": me.get("access") or [], "ttlS": ttl_s}
    try:
        made = api.create(path("token"), body)
    except Refused as exc:
        if exc.status != 403:
            raise
        return Known(name=name, cookie=cookie)
    api.post(path("logout"))
    token = made.get("secret")
    if not isinstance(token, str) or not token:
        raise FarhandError(Code.INTERNAL, "The server gave no token.")
    return Known(name=name, token=token, token_id=str(made.get("tokenId", "")))


def _remember(url: str, known: Known) -> None:
    file = credentials.default_file()
    found = credentials.load(file)
    found.servers[url] = known
    found.current = url
    credentials.save(file, found)


def logout(
    url: Annotated[
        str | None, typer.Argument(help="Address of the server; else that of the last login.")
    ] = None,
) -> None:
    """Log out: revokes this machine's token and forgets it.

    Example: farhand logout
    """
    file = credentials.default_file()
    found = credentials.load(file)
    address = credentials.server_url(url) if url else found.current
    known = found.servers.pop(address, None)
    if known is None:
        raise ConfigError(Code.CONFIG_INVALID, f"Not logged in to {address or 'any server'}.")
    if found.current == address:
        found.current = next(iter(found.servers), "")
    try:
        _revoke(address, known)
    finally:  # a server that is gone for ever must not keep us logged in
        credentials.save(file, found)
    say(f"logged out of {address}")


def _revoke(address: str, known: Known) -> None:
    with Api(Server(address, known.token, known.cookie), remote.transport) as api:
        try:
            if known.token_id:
                api.delete(path("token", known.token_id))
            elif known.cookie:
                api.post(path("logout"))
        except Refused as exc:
            if exc.status not in {401, 404}:  # expired or revoked already
                raise


def whoami(remote_: remote.Remote) -> None:
    """Show who you are at the server.

    Example: farhand whoami
    """
    remote_.record(remote_.api.get(path("me")))


whoami_command = command_of(whoami)
