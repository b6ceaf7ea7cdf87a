"""Runs a gateway: listens, serves, drains."""

import contextlib
import errno
import ipaddress
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import structlog
import uvicorn

from farhand.errors import Code, ConfigError
from farhand.server.composing import SECRET_FILE, Built, Shown, build
from farhand.server.gateway import socket_class
from farhand.server.listener import BoundedHttp
from farhand.server.middleware import Startup
from farhand.server.settings import ServerSettings

__all__ = ["SECRET_FILE", "Server", "build_server", "listen", "run_server"]

log = structlog.get_logger(__name__)

DRAIN_S = 1
"""So long requests under way may take when the server ends; uvicorn wants an integer."""
BACKLOG = 4096
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


def say(line: str) -> None:
    """Show a line to the one who started the server; it is in no log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Server(uvicorn.Server):
    """uvicorn, but a signal ends in exit code 0 when the drain is done.

    Args:
        config: uvicorn's.
        built: What it serves.
        startup: Knows why it could not start.
        sockets: Listening already.

    """

    def __init__(
        self, config: uvicorn.Config, built: Built, startup: Startup, sockets: list[socket.socket]
    ) -> None:
        super().__init__(config)
        self.built = built
        self.gateway = built.gateway
        self.sockets = sockets
        self.port: int = sockets[0].getsockname()[1]
        self.on_started: Callable[[], None] = _nothing
        """Called when requests are answered."""
        self.on_drain: Callable[[], None] = _nothing
        """Called when the end begins."""
        self._startup = startup

    def start(self) -> None:
        """Serve until a signal comes, or :attr:`should_exit` is set. Blocks.

        Raises:
            FarhandError: It could not start.

        """
        try:
            self.run(sockets=self.sockets)
        except SystemExit as exc:  # uvicorn's way to say that the application did not start
            for sock in self.sockets:
                sock.close()
            raise (self._startup.failure or exc) from None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that the end begins, and drain."""
        self.on_drain()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain on SIGTERM and Ctrl-C. uvicorn's own would raise the signal again at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def build_server(
    settings: ServerSettings, tell: Callable[[str], None] = say, shown: Shown | None = None
) -> Server:
    """Return a server that listens already.

    Args:
        settings: What to serve.
        tell: Called with a line for the one who started the server, and nobody else.
        shown: The settings as an admin may see them.

    Raises:
        ConfigError: FH-1002 the port is taken, FH-1001 the host or the state folder cannot be
            used, FH-1005 others could drive without a login, FH-1006 the certificate.

    """
    check_authentication(settings)
    sockets = listen(settings.host, settings.port)
    try:
        port = sockets[0].getsockname()[1]
        built = build(settings, lambda code: tell(setup_line(settings, port, code)), shown)
        app = Startup(built.app)
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            ws=socket_class(built.gateway),
            loop="auto",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_S,
            root_path=settings.root_path,
            backlog=BACKLOG,
            ssl_context_factory=_tls(built),
        )
        return Server(config, built, app, sockets)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise


def check_authentication(settings: ServerSettings) -> None:
    """Refuse to let a whole network drive without having been told so.

    Raises:
        ConfigError: FH-1005.

    """
    if settings.has_accounts or settings.insecure or is_loopback(settings.host):
        return
    raise ConfigError(
        Code.NO_AUTHENTICATION,
        f"host: whoever reaches {settings.host} could drive: there are no accounts.",
        "Give --auth accounts, or --insecure if everybody there may drive.",
    )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(settings: ServerSettings, port: int) -> str:
    """Return where the one who started the server reaches it, without a slash at its end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    # Where we listen on it, localhost is the name that browsers give all their features to.
    is_here = is_loopback(settings.host) or settings.host in _ANY
    host = "localhost" if is_here else settings.host
    place = f"[{host}]" if ":" in host else host
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://{place}:{port}{settings.root_path}"


def setup_line(settings: ServerSettings, port: int, code: str) -> str:
    """Return how the first admin gets in. The code stands in the fragment: no server is sent it."""
    link = f"{base_url(settings, port)}/login#setup={code}"
    return f"Make the first admin within 10 minutes: {link}"


def _tls(built: Built) -> Callable[[Any, Any], ssl.SSLContext] | None:
    certificate = built.certificate
    return None if certificate is None else lambda _config, _default: certificate.context


def run_server(
    settings: ServerSettings,
    on_ready: Callable[[Server], None] | None = None,
    shown: Shown | None = None,
) -> None:
    """Serve until a signal comes.

    Args:
        settings: What to serve.
        on_ready: Called before the first connection is accepted, with the server that listens.
        shown: The settings as an admin may see them.

    Raises:
        FarhandError: It could not start, such as FH-8002 or FH-1004.

    """
    server = build_server(settings, shown=shown)
    log.info("listening", host=settings.host, port=server.port)
    if on_ready is not None:
        on_ready(server)
    server.start()


def listen(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets; for ``localhost`` one on each loopback that there is.

    Raises:
        ConfigError: FH-1002 or FH-1001.

    """
    hosts = ["127.0.0.1", "::1"] if host == "localhost" else [host]
    sockets = [_bind(hosts[0], port)]
    port = sockets[0].getsockname()[1]
    for other in hosts[1:]:
        # A machine without IPv6 is served on IPv4 alone.
        with contextlib.suppress(ConfigError):
            sockets.append(_bind(other, port))
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as exc:
        sock.close()
        if exc.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise ConfigError(
                Code.PORT_TAKEN,
                f"Port {port} on {host} cannot be used: {os.strerror(exc.errno)}.",
                "Give another with --port.",
            ) from exc
        text = f"host: cannot listen on {host!r}: {exc.strerror or exc}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Give an address of this machine.") from exc
    return sock


def _nothing() -> None:
    """Nobody wants to know."""
