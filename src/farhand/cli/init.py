"""`farhand init`: a folder with all that a server of one's own begins with."""

import getpass
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from farhand.cli.credentials import server_url
from farhand.cli.deploy_files import HOST_NAME, Unit, caddyfile
from farhand.cli.toml_text import commented
from farhand.config import check_file
from farhand.errors import Code, ConfigError
from farhand.keys.signing import load_key

CONFIG, UNIT, CADDY, README = "farhand.toml", "farhand-server.service", "Caddyfile", "README.md"
STATE = "state"
SERVER_KEY, RESUME_SECRET = "server-key.pem", "resume-secret"
_SECRET_BYTES = 32


def init(
    folder: Annotated[Path, typer.Argument(help="The folder; it is made.")],
    *,
    public_url: Annotated[
        str | None, typer.Option(help="Where people will reach it: https://robots.example")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port behind the proxy.")] = 8080,
) -> None:
    """Write a folder with configuration, secrets, a systemd unit and a proxy's configuration.

    What is there already is not touched: then nothing is written.

    Example: farhand init prod --public-url https://robots.example
    """
    root = folder.resolve()
    url = server_url(public_url) if public_url else ""
    texts = _texts(root, url, port)
    for name in (*texts, STATE):
        if (root / name).exists() or (root / name).is_symlink():
            text = f"{root / name} is there already."
            raise ConfigError(Code.CONFIG_INVALID, text, "Name a folder that is empty.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        _write_secrets(root / STATE)
        for name, content in texts.items():
            _write(root / name, content.encode(), 0o644)
    except OSError as exc:
        text = f"{root} cannot be written: {exc.strerror}."
        raise ConfigError(Code.CONFIG_INVALID, text) from exc
    check_file(root / CONFIG)
    for name in (*texts, f"{STATE}/{SERVER_KEY}", f"{STATE}/{RESUME_SECRET}"):
        print(root / name)
    print(f"Start it: farhand serve --config {root / CONFIG}")


def _texts(root: Path, url: str, port: int) -> Mapping[str, str]:
    parts = urlsplit(url)
    given = {
        "server.auth": "accounts",
        "server.port": port,
        "server.state": str(root / STATE),
        "server.public_url": url,
        "server.root_path": parts.path,
        "server.trusted_proxies": ["127.0.0.1", "::1"],
    }
    given = {name: value for name, value in given.items() if value != ""}
    host = url.removesuffix(parts.path) if parts.scheme == "http" else parts.netloc
    unit = Unit(_command(), str(root / CONFIG), root / STATE, getpass.getuser())
    return {
        CONFIG: "\n".join(commented(given)) + "\n",
        UNIT: unit.text(),
        CADDY: caddyfile(host or HOST_NAME, port),
        README: _readme(root),
    }


def _readme(root: Path) -> str:
    return (
        f"1. `farhand serve --config {root / CONFIG}` says at its first start by which address "
        "and code the first admin gets in.\n"
        f"2. `sudo cp {root / UNIT} /etc/systemd/system/ && sudo systemctl enable --now "
        f"farhand-server` keeps it running; put the name of your host into `{CADDY}` for https.\n"
        f"3. `farhand db backup --config {root / CONFIG} FILE` copies all records while it runs; "
        f"keep `{STATE}/{SERVER_KEY}` too: it is what enrolled robots know the server by.\n"
    )


def _command() -> str:
    """Return where the program is that runs now."""
    beside = Path(sys.executable).with_name("farhand")
    found = str(beside) if beside.is_file() else shutil.which("farhand")
    return found or "/usr/local/bin/farhand"


def _write_secrets(state: Path) -> None:
    state.mkdir(mode=0o700)
    load_key(state / SERVER_KEY)
    _write(state / RESUME_SECRET, secrets.token_bytes(_SECRET_BYTES), 0o600)


def _write(file: Path, content: bytes, mode: int) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
