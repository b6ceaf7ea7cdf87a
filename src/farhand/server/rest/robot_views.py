"""A robot as REST shows it: what the hub knows of it now, and what is remembered."""

from typing import Any

import msgspec

from farhand.core.hub import RobotView
from farhand.protocol.manifest import Manifest
from farhand.protocol.messages import Status
from farhand.server.context import Context
from farhand.store.records import Robot as RobotRecord


class Robot(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A robot as REST shows it."""

    robot_id: str
    service_id: str
    name: str
    online: bool
    member_id: str | None
    room: str | None
    people: int
    """Members of its room that are no robots."""
    manifest: Manifest
    status: Status | None
    """Last status; ``None`` when offline: nobody knows how it stands."""
    last_seen_ms: int
    """Wall clock."""
    home_id: str
    """The service where it was enrolled; it returns there when it is stopped."""
    tags: tuple[str, ...]
    groups: tuple[str, ...]
    model: str
    architecture: str
    software: str
    enrolled: bool
    """Whether it has proved a key of its own."""
    revoked: bool
    offline_reason: str
    """Why it went; empty when online, or when nobody knows."""
    created_ms: int
    updated_ms: int
    version: int


def view_of(context: Context, record: RobotRecord) -> Robot:
    """Return a robot as everybody who sees it does."""
    live = context.gateway.hub.robot(record.service_id, record.id)
    manifest = live.manifest if live else record.manifest
    manifest = manifest or Manifest(record.id, record.name or record.id)
    return Robot(
        **_presence(live, record, context.gateway.wall_ms()),
        robot_id=record.id,
        service_id=record.service_id,
        name=record.name or manifest.name or record.id,
        manifest=manifest,
        home_id=record.home_id,
        tags=record.tags,
        groups=record.groups,
        model=manifest.model or record.model,
        architecture=record.architecture,
        software=manifest.software or record.software,
        enrolled=bool(record.public_key),
        revoked=record.is_revoked,
        created_ms=record.created_ms,
        updated_ms=record.updated_ms,
        version=record.version,
    )


def _presence(live: RobotView | None, record: RobotRecord, now_ms: int) -> dict[str, Any]:
    return {
        "online": live is not None,
        "member_id": live.member.id if live else None,
        "room": live.room if live else None,
        "people": live.people if live else 0,
        "status": live.status if live else None,
        "last_seen_ms": now_ms if live else record.last_seen_ms,
        "offline_reason": "" if live else record.offline_reason,
    }
