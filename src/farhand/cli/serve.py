"""`farhand serve`: the gateway server with the console."""

from pathlib import Path
from typing import Annotated, Literal

import structlog
import typer

from farhand.cli.config_verbs import print_config
from farhand.cli.log import LogLevel, levels_of, logging_to
from farhand.cli.notify import notify
from farhand.cli.server_settings import (
    check_arguments,
    check_origins,
    root_path_of,
    server_settings,
    shown,
)
from farhand.cli.settings_in_force import settings_in_force
from farhand.config import load
from farhand.errors import Code
from farhand.server.console_files import PACKAGED
from farhand.server.serve import Server, base_url, is_loopback, run_server
from farhand.server.settings import ServerSettings

__all__ = ["announce", "check_origins", "root_path_of", "serve"]

log = structlog.get_logger(__name__)


def serve(  # noqa: PLR0917 - typer's parameters are options
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0: any free one.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the server's own state.")] = None,
    auth: Annotated[
        Literal["open", "accounts"] | None,
        typer.Option(help="open: whoever reaches the port may drive; accounts: with a login."),
    ] = None,
    insecure: Annotated[
        bool | None,
        typer.Option("--insecure", help="Listen beyond this machine although auth is open."),
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="URL of a PostgreSQL database, without a password.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM) of it.")] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address or network of a proxy whose headers count; repeatable."),
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where people reach the server, for links and QR codes.")
    ] = None,
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
    show_config: Annotated[
        bool, typer.Option("--print-config", help="Print the settings in force, and end.")
    ] = False,
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="With --print-config: where each came from.")
    ] = False,
    log_level: LogLevel = None,
) -> None:
    """Run the gateway server: console, REST and signaling on one port.

    Example: farhand serve --port 8080 --state /var/lib/farhand
    """
    check_arguments(database)
    flags = {
        "server": {
            "host": host,
            "port": port,
            "state": state,
            "auth": auth,
            "insecure": insecure,
            "database": database,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
            "trusted_proxies": tuple(trusted_proxy) if trusted_proxy else None,
            "public_url": public_url,
            "origins": tuple(origin) if origin else None,
            "console_dir": console_dir,
            "root_path": root_path,
        }
    }
    if show_config:
        print_config("server", flags, config, origins=show_origin)
        return
    settings = server_settings(load(flags, config).server)
    in_force = shown(settings_in_force(flags, config))

    def ready(server: Server) -> None:
        announce(settings, server.port)
        server.on_started = lambda: notify("READY=1")
        server.on_drain = lambda: notify("STOPPING=1")

    with logging_to(levels=levels_of(log_level)):
        run_server(settings, ready, in_force)


def announce(settings: ServerSettings, port: int) -> None:
    """Say where the server is, and what the one who started it should know."""
    print(f"farhand serves {base_url(settings, port)}", flush=True)
    if not settings.has_accounts:
        print("Open: whoever reaches this port can drive", flush=True)
        if not is_loopback(settings.host):
            text = "Whoever reaches this address may watch and drive every robot: "
            log.warning(f"{text}there are no accounts", host=settings.host)
    if settings.console is None and not (PACKAGED / "index.html").is_file():
        log.warning("the console is not built", code=Code.CONSOLE_MISSING.value, fix="make console")
