"""Whether the server runs: for whoever reaches it, without a word about anybody."""

from datetime import UTC, datetime
from typing import Any

from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import View
from farhand.server.rest.operation import Call, Operations


class Health(View, frozen=True):
    """The server runs."""

    status: str
    timestamp: str
    """Wall clock, ISO 8601, UTC."""
    robots: int
    clients: int
    sessions: int


async def health(call: Call[Any, Any]) -> Answer:
    """Say that the server runs, and how much is going on."""
    counts = call.context.gateway.hub.counts
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Answer(
        Health(
            status="ok",
            timestamp=now,
            robots=counts.robots,
            clients=counts.clients,
            sessions=counts.sessions,
        )
    )


def add_to(api: Operations) -> None:
    """Register the operation."""
    example = Health(
        status="ok", timestamp="2026-01-31T12:00:00.000Z", robots=1, clients=2, sessions=2
    )
    api.add(
        "GET", "/health", health, tag="System", is_public=True, answer=Health, example=example
    )  # fmt: skip
