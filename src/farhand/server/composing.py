"""Puts the parts of a server together, by its settings."""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from farhand.bus.local import LocalBus
from farhand.core.hub import Hub
from farhand.core.resume import ResumeSigner
from farhand.core.tenure import Tenures
from farhand.dialects.teleop.exchange import Exchange
from farhand.errors import Code, ConfigError
from farhand.keys.signing import SigningKey, load_key, new_key
from farhand.protocol.types import IceServer
from farhand.server import demo_network
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.revocation import Revocation
from farhand.server.accounts.routes import add_to
from farhand.server.app import make_app
from farhand.server.console_files import ConsoleFiles
from farhand.server.context import Context
from farhand.server.frames import text_frame
from farhand.server.gateway import Gateway
from farhand.server.middleware import Limited
from farhand.server.rest.operation import Operations
from farhand.server.settings import ServerSettings
from farhand.server.teleop.admitting import TeleopDoor
from farhand.server.teleop.rooms import StoredRooms
from farhand.server.teleop.shell import TeleopShell
from farhand.server.tls import Certificate
from farhand.server.upgrade import Doorkeeper
from farhand.server.upkeep import Upkeep
from farhand.store.base import Store
from farhand.store.history import History, MemoryHistory
from farhand.store.memory import MemoryStore
from farhand.store.sql import SqlStore
from farhand.store.sql_history import SqlHistory

SECRET_BYTES = 32
SECRET_FILE = "resume-secret"  # noqa: S105 - a file's name
KEY_FILE = "server-key.pem"
DATABASE_FILE = "farhand.db"

Shown = Mapping[str, Mapping[str, Any]]
"""Name of each setting -> ``value`` and ``origin``, secrets masked."""


@dataclass(frozen=True, slots=True)
class Built:
    """A server that does not listen yet."""

    app: ASGIApp
    gateway: Gateway
    accounts: Accounts
    store: Store
    key: SigningKey
    certificate: Certificate | None


def build(
    settings: ServerSettings, tell_setup: Callable[[str], None], shown: Shown | None = None
) -> Built:
    """Return a server.

    Args:
        settings: What to serve.
        tell_setup: Called with the code that makes the first admin, when there is none.
        shown: The settings as an admin may see them.

    Raises:
        ConfigError: FH-1001, FH-1006.
        StoreError: FH-8001 the database's URL is none.

    """
    secret = resume_secret(settings.state)
    key = new_key() if settings.state is None else load_key(settings.state / KEY_FILE)
    records, history = _stores(settings)
    upkeep = Upkeep(settings, records, history)
    store = upkeep.store
    accounts = Accounts(store, settings, key)
    gateway = _gateway(settings, accounts, upkeep, secret)
    upkeep.attach(gateway)
    if settings.has_accounts:
        Revocation(store, gateway.recheck)
    context = Context(
        gateway,
        store,
        accounts.guard,
        settings,
        key=key,
        throttle=accounts.throttle,
        shown_settings=shown or {},
    )
    api = Operations(context)
    add_to(api, accounts)
    upkeep.add_to(api)
    app = make_app(
        context,
        ConsoleFiles(
            settings.console,
            settings.root_path,
            is_open=not settings.has_accounts,
            has_bad_network=settings.bad_network_file is not None,
        ),
        [api, *upkeep.routers(context), *_demo(context, settings)],
        parts=[*upkeep.parts, lambda: accounts.running(tell_setup)],
        middleware=[*upkeep.middleware, Middleware(Limited, throttle=accounts.throttle)],
    )
    return Built(app, gateway, accounts, store, key, upkeep.certificate)


def _demo(context: Context, settings: ServerSettings) -> list[APIRouter]:
    file = settings.bad_network_file
    return [] if file is None else [demo_network.router(context, file)]


def _stores(settings: ServerSettings) -> tuple[Store, History]:
    status_s, event_s = settings.status_keep_s, settings.event_keep_s
    if settings.database:
        store = SqlStore(settings.database)
    elif settings.state is not None:
        store = SqlStore(settings.state / DATABASE_FILE)
    else:
        return MemoryStore(), MemoryHistory(status_keep_s=status_s, event_keep_s=event_s)
    return store, SqlHistory(store.database, status_keep_s=status_s, event_keep_s=event_s)


def _gateway(
    settings: ServerSettings, accounts: Accounts, upkeep: Upkeep, secret: bytes
) -> Gateway:
    hub = Hub(
        new_id=lambda: secrets.token_urlsafe(16),
        signer=ResumeSigner(secret),
        wall_ms=lambda: time.time_ns() // 1_000_000,
        limits=settings.limits,
        door=accounts.door,
        ice_servers=tuple(IceServer((url,)) for url in settings.ice_servers),
    )
    teleop = TeleopDoor(
        upkeep.store,
        accounts.people if settings.has_accounts else None,
        accounts.throttle,
        wall_ms=accounts.wall_ms,
    )
    door = Doorkeeper(
        upkeep.store,
        (*settings.origins, *accounts.own_origins),
        settings.strangers_per_address,
        max_sockets=settings.connections,
        failures=accounts.throttle if settings.has_accounts else None,
        proxies=upkeep.proxies,
        hosts=upkeep.hosts,
        root_path=settings.root_path,
        dialect=teleop,
    )
    gateway = Gateway(hub, LocalBus(text_frame), upkeep.store, door)
    exchange = Exchange(
        StoredRooms(upkeep.store),
        Tenures(accounts.door),
        new_id=lambda: secrets.token_urlsafe(16),
        wall_ms=accounts.wall_ms,
    )
    gateway.dialect = TeleopShell(exchange, door, teleop.is_current, gateway.clock)
    return gateway


def resume_secret(state: Path | None) -> bytes:
    """Return the resume secret: made at the first start, readable by this user alone.

    Raises:
        ConfigError: FH-1001.

    """
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
