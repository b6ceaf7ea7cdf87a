"""What webhooks tell."""

import secrets
from typing import Any, Literal, get_args

from msgspec import Struct

WebhookEvent = Literal[
    "robot.online",
    "robot.offline",
    "robot.stopped",
    "control.taken",
    "battery.low",
    "robot.enrolled",
    "test",
]
EVENTS = tuple(kind for kind in get_args(WebhookEvent) if kind != "test")
"""What a webhook can ask for. ``test`` comes only by the call of that name."""


class News(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One event as it is posted."""

    id: str
    """Stays the same over all tries: by it a receiver knows what it has had already."""
    event: WebhookEvent
    at_ms: int
    """Wall clock."""
    service_id: str = ""
    robot_id: str = ""
    data: dict[str, Any] = {}


def news(
    event: WebhookEvent, at_ms: int, service_id: str = "", robot_id: str = "", **data: Any
) -> News:
    """Return an event with an id of its own."""
    return News(f"evt_{secrets.token_urlsafe(16)}", event, at_ms, service_id, robot_id, data)
