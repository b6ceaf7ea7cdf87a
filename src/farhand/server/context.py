"""What the REST handlers are given, and what they ask of those who know people."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from farhand.core.access import Principal
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


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a server that its REST handlers use."""

    gateway: Gateway
    store: Store
    guard: Guard
    settings: ServerSettings
