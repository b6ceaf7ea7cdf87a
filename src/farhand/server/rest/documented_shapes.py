"""SERVICE, ROBOT and ROOM as the documented dialect shows them (dialects.md, 3.3)."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from farhand.core.access import Principal
from farhand.core.hub import MemberView
from farhand.server.context import Context
from farhand.server.rest import rights
from farhand.server.rest.default_rooms import FIRST_ROOM, next_id
from farhand.server.rest.fields import Json
from farhand.server.rest.robot_views import Robot
from farhand.server.rest.views import IceServer, RoomView, ServiceView, ice_servers_of
from farhand.store.records import Room, Service

DEFAULT_USERS = 6
"""What deployed peers take a room to hold if it says nothing."""
_ARCHITECTURES = {"arm64": "arm64", "aarch64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


class Shapes:
    """Makes them for one request.

    Args:
        context: Where what the native views do not hold is looked up.
        principal: Who asks: tokens are not for everybody.

    """

    def __init__(self, context: Context, principal: Principal) -> None:
        self._context = context
        self._principal = principal

    def service(self, view: ServiceView, *, is_deleted: bool = False) -> Json:
        """Return SERVICE."""
        servers = ice_servers_of(self._context)
        created, updated = time_of(view.created_ms), time_of(view.updated_ms)
        return {
            "service_id": view.service_id,
            "token": view.token,
            "user_id": view.robot_id or "",
            "status": "deleted" if is_deleted else view.status,
            "ice_server": _ice_object(servers),
            "ice_servers": [_ice_entry(server, url) for server in servers for url in server.urls],
            "rooms": self.rooms(view.service_id),
            "create_time": created,
            "update_time": updated,
            "service_create_time": created,
            "service_update_time": updated,
        }

    def rooms(self, service_id: str) -> Json:
        """Return the rooms object of SERVICE: each room is a JSON *string*, as deployed."""
        rooms = self._rooms[service_id]
        return {
            "service_id": service_id,
            "rooms": {room.name: json.dumps(self.deployed_room(room)) for room in rooms},
            "base_num": next_id(rooms) if rooms else FIRST_ROOM,
        }

    def deployed_room(self, room: Room) -> Json:
        """Return ROOM as `/rooms` has it."""
        there = [
            {
                "client_id": one.member.id,
                "client_name": one.member.name,
                "client_type": "robot" if one.member.robot_id else "console",
                "client_role": one.member.role,
            }
            for one in self._members[room.service_id, room.name]
            if rights.sees_member(
                self._context, self._principal, room.service_id, one.member.robot_id, one.room
            )
        ]
        return {
            "room_id": room.id,
            "room_alias": room.alias or room.name,
            "room_name": room.name,
            "room_type": room.type,
            "service_id": room.service_id,
            "max_users": room.max_users or DEFAULT_USERS,
            "participants": len(there),
            "participants_list": there,
        }

    def documented_room(self, room: Room) -> Json:
        """Return ROOM as `/room` has it."""
        may = rights.manages(self._principal, room.service_id)
        return {
            "id": str(room.id),
            "name": room.name,
            "type": room.type,
            "token": room.token if may else "",
            "max_users": room.max_users,
            "max_duration": room.max_duration_s,
            "room_create_time": time_of(room.created_ms),
            "room_update_time": time_of(room.updated_ms),
        }

    def room(self, service_id: str, view: RoomView, *, is_deployed: bool) -> Json:
        """Return ROOM in one of its two forms."""
        room = self._context.store.get(Room, service_id, view.room_id)
        assert room is not None  # noqa: S101 - it was just read, and nothing was awaited since
        return self.deployed_room(room) if is_deployed else self.documented_room(room)

    def robot(self, view: Robot) -> Json:
        """Return ROBOT; what binds it to a service is there only while it is started."""
        service = self._context.store.get(Service, view.service_id)
        is_bound = (
            service is not None and service.status == "active" and service.robot_id == view.robot_id
        )
        holder = view.status.lease.holder_name if view.status else None
        control = (holder or service.control_name) if service and is_bound else ""
        return {
            "robot_id": view.robot_id,
            "service_id": view.service_id if is_bound else "",
            "robot_name": view.name,
            "robot_type": view.model or "unknown",
            "camera": [_camera(one.id, view.online) for one in view.manifest.cameras],
            "skills": [],
            "pcl_status": "disconnect",
            "audio_status": _connect(view.online and view.manifest.microphone),
            "control_id": control,
            "architecture": _ARCHITECTURES.get(view.architecture.lower(), "unknown"),
            "application": {},
            "status": "running" if view.online else "stopped",
            "robot_create_time": time_of(view.created_ms),
            "robot_update_time": time_of(view.updated_ms),
        }

    @cached_property
    def _rooms(self) -> defaultdict[str, list[Room]]:
        found: defaultdict[str, list[Room]] = defaultdict(list)
        for room in sorted(self._context.store.all(Room), key=lambda room: room.id):
            found[room.service_id].append(room)
        return found

    @cached_property
    def _members(self) -> defaultdict[tuple[str, str | None], list[MemberView]]:
        found: defaultdict[tuple[str, str | None], list[MemberView]] = defaultdict(list)
        gateway = self._context.gateway
        members = gateway.hub.members()
        if gateway.dialect is not None:
            members += gateway.dialect.members()
        for one in members:
            found[one.service_id, one.room].append(one)
        return found


def time_of(ms: int) -> str:
    """Return a time as the dialect writes it, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _camera(name: str, is_online: bool) -> Json:
    return {
        "camera_id": name,
        "camera_name": name,
        "camera_type": "rgb",
        "camera_status": _connect(is_online),
        "camera_url": "",
    }


def _connect(is_there: bool) -> str:
    return "connect" if is_there else "disconnect"


def _ice_object(servers: list[IceServer]) -> Json:
    """Return the one object that deployed peers read."""
    if not servers:
        return {}
    first = servers[0]
    same = [s for s in servers if (s.username, s.credential) == (first.username, first.credential)]
    urls = [url for server in same for url in server.urls]
    shown: Any = urls[0] if len(urls) == 1 else urls
    return {"urls": shown, "url": shown} | _credential(first)


def _ice_entry(server: IceServer, url: str) -> Json:
    return {"url": url} | _credential(server)


def _credential(server: IceServer) -> Json:
    values = {
        "username": server.username,
        "password": server.credential,
        "credential": server.credential,
    }
    return {name: value for name, value in values.items() if value}
