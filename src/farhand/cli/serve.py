"""`farhand serve`: the gateway server with the console."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import structlog
import typer

from farhand.cli.log import logging_to
from farhand.config import load
from farhand.errors import Code, ConfigError
from farhand.server.console_files import PACKAGED
from farhand.server.serve import run_server
from farhand.server.settings import ServerSettings

log = structlog.get_logger(__name__)

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\sA-Z]+")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


def serve(  # noqa: PLR0917 - typer's parameters are options
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0: any free one.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the server's own state.")] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Origin of pages besides our own that may connect; repeatable."),
    ] = None,
    console_dir: Annotated[
        Path | None, typer.Option(help="Serve another build of the console.")
    ] = None,
    root_path: Annotated[
        str | None, typer.Option(help="Path prefix behind a proxy: /robots")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Read this, not ./farhand.toml.")] = None,
) -> None:
    """Run the gateway server: console, REST and signaling on one port.

    Example: farhand serve --port 8080 --state /var/lib/farhand
    """
    flags = {
        "host": host,
        "port": port,
        "state": state,
        "origins": tuple(origin) if origin else None,
        "console_dir": console_dir,
        "root_path": root_path,
    }
    section = load({"server": flags}, config).server
    check_origins(section.origins)
    folder = section.console_dir
    if folder is not None and not (folder / "index.html").is_file():
        text = f"console-dir: there is no index.html in {folder}."
        raise ConfigError(Code.CONSOLE_MISSING, text, "Give the folder of a built console.")
    settings = ServerSettings(
        host=section.host,
        port=section.port,
        state=section.state,
        origins=section.origins,
        console=folder,
        root_path=root_path_of(section.root_path),
    )
    with logging_to():
        run_server(settings, lambda server: announce(settings, server.port))


def check_origins(origins: Sequence[str]) -> None:
    """Refuse what no browser would ever send as its origin.

    Raises:
        ConfigError: FH-1001.

    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            text = f"origins: {origin!r} is no origin."
            fix = "Write https://HOST or https://HOST:PORT, in lower case and without a path."
            raise ConfigError(Code.CONFIG_INVALID, text, fix)


def root_path_of(prefix: str) -> str:
    """Return ``prefix`` with a slash before it and none behind; empty: none."""
    bare = prefix.strip("/")
    return f"/{bare}" if bare else ""


def announce(settings: ServerSettings, port: int) -> None:
    """Say where the server is, and what the one who started it should know."""
    # Where we listen on it, localhost is the name that browsers give all their features to.
    host = "localhost" if settings.host in _LOCAL | _ANY else settings.host
    place = f"[{host}]" if ":" in host else host
    print(f"farhand serves http://{place}:{port}", flush=True)
    if settings.host not in _LOCAL:
        text = "Whoever reaches this address may watch and drive every robot: there are no accounts"
        log.warning(text, host=settings.host)
    if settings.console is None and not (PACKAGED / "index.html").is_file():
        log.warning("the console is not built", code=Code.CONSOLE_MISSING.value, fix="make console")
