"""REST: health and robots. State comes from the hub; what is offline from the store."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from farhand.core.hub import Hub, RobotView
from farhand.errors import Code
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.protocol.messages import Status
from farhand.server.gateway import Gateway
from farhand.server.problems import problem
from farhand.store.base import Store
from farhand.store.records import Robot as RobotRecord


class Robot(msgspec.Struct, frozen=True, rename="camel"):
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


def api(gateway: Gateway, store: Store) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    hub = gateway.hub

    @router.get("/health")
    async def health() -> Response:
        """Say that the server runs, and how much is going on."""
        counts = hub.counts
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return _json(
            {
                "status": "ok",
                "timestamp": now,
                "robots": counts.robots,
                "clients": counts.clients,
                "sessions": counts.sessions,
            }
        )

    @router.get("/v1/robot")
    async def robots(service: str = DEFAULT_SERVICE) -> Response:
        """List the robots of a service: live ones, and those that were here."""
        if not store.has_service(ServiceId(service)):
            return problem(404, Code.UNKNOWN_SERVICE, "There is no such service.")
        return _json({"robots": _list(hub, store, ServiceId(service), gateway.wall_ms())})

    @router.get("/v1/robot/{robot_id}")
    async def robot(robot_id: str, service: str = DEFAULT_SERVICE) -> Response:
        """Return one robot."""
        view = hub.robot(ServiceId(service), RobotId(robot_id))
        if view is not None:
            return _json(_online(view, gateway.wall_ms()))
        record = store.get(RobotRecord, service, robot_id)
        if record is not None:
            return _json(_offline(record))
        return problem(404, Code.UNKNOWN_ROBOT, "There is no such robot.")

    return router


def _json(value: Any) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), headers=headers, media_type="application/json")


def _list(hub: Hub, store: Store, service_id: ServiceId, now_ms: int) -> list[Robot]:
    online = [_online(v, now_ms) for v in hub.robots() if v.service_id == service_id]
    live = {robot.robot_id for robot in online}
    return online + [
        _offline(record)
        for record in store.all(RobotRecord)
        if record.service_id == service_id and record.id not in live
    ]


def _online(view: RobotView, now_ms: int) -> Robot:
    return Robot(
        robot_id=view.robot_id,
        service_id=view.service_id,
        name=view.manifest.name,
        online=True,
        member_id=view.member.id,
        room=view.room,
        people=view.people,
        manifest=view.manifest,
        status=view.status,
        last_seen_ms=now_ms,
    )


def _offline(record: RobotRecord) -> Robot:
    return Robot(
        robot_id=record.id,
        service_id=record.service_id,
        name=record.name or record.id,
        online=False,
        member_id=None,
        room=None,
        people=0,
        manifest=record.manifest or Manifest(record.id, record.name),
        status=None,
        last_seen_ms=record.last_seen_ms,
    )
