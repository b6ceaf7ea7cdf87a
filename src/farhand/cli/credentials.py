"""Who we are at which server: a file of this user's, and where else a token may come from."""

import contextlib
import os
import secrets
import stat
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Struct

from farhand.cli.api_client import Server
from farhand.errors import Code, ConfigError

TOKEN_VARIABLE = "FARHAND_TOKEN"  # noqa: S105 - a name
SERVER_VARIABLE = "FARHAND_SERVER_URL"
DEFAULT_SERVER = "http://localhost:8080"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Known(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who we are at one server."""

    name: str = ""
    token: str = ""
    token_id: str = ""
    cookie: str = ""
    """Where the account may make no token of its own."""


class Credentials(Struct, rename="camel"):
    """The file."""

    current: str = ""
    """URL of the server that is meant when none is named."""
    servers: dict[str, Known] = {}


def default_file() -> Path:
    """Return where credentials are kept."""
    return Path(platformdirs.user_config_dir("farhand"), "credentials.json")


def load(file: Path) -> Credentials:
    """Return what is known; nothing where there is no file.

    Raises:
        ConfigError: FH-1001 it cannot be read, or others can read it too.

    """
    try:
        if os.name == "posix" and file.stat().st_mode & _OTHERS:
            text = f"{file} can be read by others."
            raise ConfigError(Code.CONFIG_INVALID, text, f"Run: chmod 600 {file}")
        return msgspec.json.decode(file.read_bytes(), type=Credentials)
    except FileNotFoundError:
        return Credentials()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        text = f"{file} cannot be used: {exc}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Remove it and log in again.") from exc


def save(file: Path, credentials: Credentials) -> None:
    """Write the file anew, readable by this user alone from its first byte.

    Raises:
        ConfigError: FH-1001 it cannot be written.

    """
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(credentials), indent=2) + b"\n")
        new.replace(file)
    except OSError as exc:
        with contextlib.suppress(OSError):
            new.unlink()
        text = f"{file} cannot be written: {exc.strerror}."
        raise ConfigError(Code.CONFIG_INVALID, text) from exc


def server_url(given: str) -> str:
    """Return a server's address as credentials are kept for it.

    Raises:
        ConfigError: FH-1001 it is none.

    """
    parts = urlsplit(given)
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        fix = "Write https://HOST or http://HOST:PORT, with the path prefix if there is one."
        raise ConfigError(Code.CONFIG_INVALID, f"{given!r} is no server's address.", fix)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def chosen(server: str | None, token_file: Path | None, file: Path | None = None) -> Server:
    """Return the server that is meant and who we are there.

    A stored token goes to the server that gave it, and to no other.

    Args:
        server: Named on the command line.
        token_file: The same; its token beats all others.
        file: Of the credentials.

    Raises:
        ConfigError: FH-1001 an address, a token or a file that cannot be.

    """
    known = load(file or default_file())
    named = server or os.environ.get(SERVER_VARIABLE) or known.current or DEFAULT_SERVER
    url = server_url(named)
    if token_file is not None:
        return Server(url, token=_read(token_file))
    if token := os.environ.get(TOKEN_VARIABLE, "").strip():
        return Server(url, token=_sendable(token, TOKEN_VARIABLE))
    mine = known.servers.get(url, Known())
    return Server(url, token=mine.token, cookie=mine.cookie)


def _read(file: Path) -> str:
    try:
        return _sendable(file.read_text("utf-8").strip(), str(file))
    except (OSError, UnicodeDecodeError) as exc:
        text = f"--token-file: {file} cannot be read: {exc}."
        raise ConfigError(Code.CONFIG_INVALID, text) from exc


def _sendable(token: str, place: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(Code.CONFIG_INVALID, f"{place} holds no token.")
    return token
