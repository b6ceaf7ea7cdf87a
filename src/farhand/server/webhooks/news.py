"""What webhooks tell."""

import secrets
from typing import Any, Literal

from msgspec import Struct

Subscription = Literal[
    "robot.online",
    "robot.offline",
    "robot.stopped",
    "robot.enrolled",
    "control.taken",
    "battery.low",
]
"""What a webhook can ask for."""
WebhookEvent = Subscription | Literal["test"]
"""``test`` comes only by the call of that name."""


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
