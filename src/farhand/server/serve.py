"""Builds a gateway from its settings and runs it; puts the parts together."""

import contextlib
import errno
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
import uvicorn

from farhand.bus.local import LocalBus
from farhand.core.hub import Hub
from farhand.core.resume import ResumeSigner
from farhand.errors import Code, ConfigError
from farhand.server.app import make_app
from farhand.server.console_files import ConsoleFiles
from farhand.server.context import Context, OpenGuard
from farhand.server.frames import text_frame
from farhand.server.gateway import Gateway, socket_class
from farhand.server.settings import ServerSettings
from farhand.server.upgrade import Doorkeeper
from farhand.store.memory import MemoryStore

log = structlog.get_logger(__name__)

SECRET_BYTES = 32
SECRET_FILE = "resume-secret"  # noqa: S105 - a file's name
DRAIN_S = 1
"""So long requests under way may take when the server ends; uvicorn wants an integer."""
BACKLOG = 4096
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """uvicorn, but a signal ends in exit code 0 when the drain is done.

    Args:
        config: uvicorn's.
        gateway: What it serves.
        sockets: Listening already.

    """

    def __init__(
        self, config: uvicorn.Config, gateway: Gateway, sockets: list[socket.socket]
    ) -> None:
        super().__init__(config)
        self.gateway = gateway
        self.sockets = sockets
        self.port: int = sockets[0].getsockname()[1]

    def start(self) -> None:
        """Serve until a signal comes, or :attr:`should_exit` is set. Blocks."""
        self.run(sockets=self.sockets)

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


def build_server(settings: ServerSettings) -> Server:
    """Return a server that listens already.

    Raises:
        ConfigError: FH-1002 the port is taken, FH-1001 the host or the state folder cannot be used.

    """
    store = MemoryStore()
    hub = Hub(
        new_id=lambda: secrets.token_urlsafe(16),
        signer=ResumeSigner(_secret(settings.state)),
        wall_ms=lambda: time.time_ns() // 1_000_000,
        limits=settings.limits,
    )
    door = Doorkeeper(store, settings.origins, settings.strangers_per_address)
    gateway = Gateway(hub, LocalBus(text_frame), store, door)
    console = ConsoleFiles(settings.console, settings.root_path)
    config = uvicorn.Config(
        make_app(Context(gateway, store, OpenGuard(), settings), console),
        http="httptools",
        ws=socket_class(gateway),
        loop="auto",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        root_path=settings.root_path,
        backlog=BACKLOG,
    )
    return Server(config, gateway, listen(settings.host, settings.port))


def run_server(settings: ServerSettings, on_ready: Callable[[Server], None] | None = None) -> None:
    """Serve until a signal comes.

    Args:
        settings: What to serve.
        on_ready: Called before the first connection is accepted, with the server that listens.

    """
    server = build_server(settings)
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


def _secret(state: Path | None) -> bytes:
    """Return the resume secret: made at the first start, readable by this user alone."""
    if state is None:
        return secrets.token_bytes(SECRET_BYTES)
    file = state / SECRET_FILE
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as new:
                new.write(secrets.token_bytes(SECRET_BYTES))
        secret = file.read_bytes()
    except OSError as exc:
        text = f"state: {file} cannot be used: {exc.strerror}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Give another folder with --state.") from exc
    if len(secret) < SECRET_BYTES:
        text = f"state: {file} holds {len(secret)} bytes, not {SECRET_BYTES}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Remove it; everybody gets a new member id.")
    return secret
