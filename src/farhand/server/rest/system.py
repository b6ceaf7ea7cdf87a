"""How the server itself stands."""

import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from farhand import __version__
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.context import Context
from farhand.server.rest import rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import View
from farhand.server.rest.operation import Call, Operations
from farhand.server.settings import ServerSettings
from farhand.store.records import Robot, Service, Token, User

_SECRET_WORDS = ("secret", "password", "database", "token")
MASK = "********"


class Counts(View, frozen=True):
    """How much there is."""

    services: int
    robots: int
    robots_online: int
    people: int
    """Connected, that are no robots."""
    sessions: int
    users: int
    tokens: int


class Setting(View, frozen=True):
    """One setting."""

    value: Any
    """Secrets are masked."""
    origin: str
    """``default``, or where it was set."""


class System(View, frozen=True):
    """How the server stands."""

    version: str
    protocol: str
    uptime_s: float
    auth: str
    store: str
    """What keeps the records: ``memory``, ``sqlite``, ``postgresql``."""
    server_key: str
    counts: Counts
    config: dict[str, Setting]


def settings_of(settings: ServerSettings) -> dict[str, Setting]:
    """Return the settings of the program, where nobody says what the file and flags said."""
    usual = ServerSettings()
    shown: dict[str, Setting] = {}
    for one in fields(settings):
        value, default = getattr(settings, one.name), getattr(usual, one.name)
        origin = "default" if value == default else "set"
        shown[one.name] = Setting(value=_shown(one.name, value), origin=origin)
    return shown


def _shown(name: str, value: Any) -> Any:
    if value and any(word in name for word in _SECRET_WORDS):
        return MASK
    if is_dataclass(value):
        return {one.name: _shown(one.name, getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, list | tuple):
        return [_shown("", one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _store(settings: ServerSettings) -> str:
    if settings.database:
        return "postgresql"
    return "memory" if settings.state is None else "sqlite"


def _config(shown: Mapping[str, Mapping[str, Any]], settings: ServerSettings) -> dict[str, Setting]:
    if not shown:
        return settings_of(settings)
    return {
        name: Setting(value=one.get("value"), origin=str(one.get("origin", "")))
        for name, one in shown.items()
    }


def system_reader(context: Context) -> Any:
    """Return the handler; the time it is made at counts as the server's start."""
    started = time.monotonic()

    async def read_system(call: Call[Any, Any]) -> Answer:
        """Return version, counts and configuration of the server."""
        rights.require_admin(call.principal)
        store, live = context.store, context.gateway.hub.counts
        counts = Counts(
            services=len(store.all(Service)),
            robots=len(store.all(Robot)),
            robots_online=live.robots,
            people=live.clients,
            sessions=live.sessions,
            users=len(store.all(User)),
            tokens=len(store.all(Token)),
        )
        return Answer(
            System(
                version=__version__,
                protocol=SUBPROTOCOL,
                uptime_s=round(time.monotonic() - started, 3),
                auth=context.settings.auth,
                store=_store(context.settings),
                server_key=context.key.public,
                counts=counts,
                config=_config(context.shown_settings, context.settings),
            )
        )

    return read_system


def add_to(api: Operations, context: Context) -> None:
    """Register the operation."""
    counts = Counts(services=2, robots=5, robots_online=3, people=2, sessions=2, users=4, tokens=3)
    example = System(
        version=__version__,
        protocol=SUBPROTOCOL,
        uptime_s=86_400.5,
        auth="accounts",
        store="sqlite",
        server_key="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        counts=counts,
        config={"port": Setting(value=8080, origin="default")},
    )
    api.add(
        "GET", "/v1/system", system_reader(context), tag="System", answer=System, example=example
    )  # fmt: skip
