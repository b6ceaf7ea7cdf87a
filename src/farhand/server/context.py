"""What the REST handlers are given, and what they ask of those who know people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request

from farhand.core.access import OPEN, Principal
from farhand.keys.signing import SigningKey, new_key
from farhand.server.gateway import Gateway
from farhand.server.settings import ServerSettings
from farhand.store.base import Store


class Guard(Protocol):
    """Says who sends a request."""

    async def principal(self, request: Request) -> Principal:
        """Return who sends ``request``: by cookie, ``Authorization: Bearer`` or ``X-Auth-Token``.

        Raises:
            Problem: 401 FH-2004; 403 FH-2001 where a cookie came with a foreign or missing
                ``Origin``; 429 FH-3013.

        """


class OpenGuard:
    """A server without accounts: everybody may do everything."""

    async def principal(self, request: Request) -> Principal:
        """Ask nothing."""
        del request
        return OPEN


class Throttle(Protocol):
    """Bounds how often strangers may try something."""

    def enrol(self, address: str) -> None:
        """Count an enrolment request of an address.

        Raises:
            Problem: 429 FH-3013, with the time to wait.

        """


class Unthrottled:
    """No bounds."""

    def enrol(self, address: str) -> None:
        """Let it pass."""
        del address


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a server that its REST handlers use."""

    gateway: Gateway
    store: Store
    guard: Guard
    settings: ServerSettings
    key: SigningKey = field(default_factory=new_key)
    """The server's own: robots know it by its public part."""
    throttle: Throttle = field(default_factory=Unthrottled)
    shown_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name of each setting -> ``{"value", "origin"}``, secrets masked; for `/v1/system`."""
