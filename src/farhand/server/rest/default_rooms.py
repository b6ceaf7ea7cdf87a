"""The rooms that a service has from the start (dialects.md, 3.3)."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec.structs import replace

from farhand.protocol.ids import DEFAULT_SERVICE, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.base import Put, Store
from farhand.store.records import Room, Service

RoomType = Literal["video", "audio", "text", "binary", "local_rtc", "cloud_rtc"]

FIRST_ROOM = 1000
TOKEN_BYTES = 16
"""Of a service's token: 128 random bits."""
DEFAULT_ROOMS: tuple[tuple[str, str, RoomType], ...] = (
    ("live_stream", "Camera", "cloud_rtc"),
    ("top_camera", "Front UP", "video"),
    ("bottom_camera", "Front Down", "video"),
    ("map", "Map", "video"),
    ("conference", "VideoConf", "local_rtc"),
    ("point_cloud", "PointCloud", "binary"),
    ("Teleop", "Teleop", "text"),
    ("other", "Other", "text"),
)
"""Name, alias and type; their ids count from `FIRST_ROOM`."""


def default_rooms(service_id: ServiceId) -> list[Room]:
    """Return the rooms of a new service."""
    return [
        Room(service_id=service_id, id=FIRST_ROOM + n, name=name, alias=alias, type=kind)
        for n, (name, alias, kind) in enumerate(DEFAULT_ROOMS)
    ]


def camera_rooms(
    service_id: ServiceId, manifest: Manifest | None, rooms: Sequence[Room]
) -> list[Room]:
    """Return a ``video`` room for each declared camera whose name no room has yet."""
    taken = {room.name for room in rooms}
    cameras = list(manifest.cameras if manifest else ())
    new = [camera for camera in cameras if camera.id not in taken]
    first = next_id(rooms)
    return [
        Room(service_id=service_id, id=first + n, name=camera.id, alias=camera.label, type="video")
        for n, camera in enumerate(new)
    ]


def next_id(rooms: Iterable[Room]) -> int:
    """Return an id that no room of the service has."""
    return max((room.id for room in rooms), default=FIRST_ROOM - 1) + 1


def rooms_of(store: Store, service_id: str) -> list[Room]:
    """Return the stored rooms of a service, by their ids."""
    rooms = [room for room in store.all(Room) if room.service_id == service_id]
    return sorted(rooms, key=lambda room: room.id)


async def furnish_default(store: Store) -> None:
    """Give the service that always exists its rooms and its token, if it has none."""
    service = store.get(Service, DEFAULT_SERVICE)
    if service is None:
        return
    if not rooms_of(store, DEFAULT_SERVICE):
        await store.write(*(Put(room) for room in default_rooms(DEFAULT_SERVICE)))
    if not service.token:
        await store.write(Put(replace(service, token=secrets.token_urlsafe(TOKEN_BYTES))))
