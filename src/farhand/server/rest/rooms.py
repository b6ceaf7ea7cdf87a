"""Rooms that exist without anybody in them, and who is in them."""

import hmac
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from farhand.errors import Code
from farhand.protocol.ids import RoomId, ServiceId, is_valid_id
from farhand.server.context import Context
from farhand.server.problems import Problem, not_found
from farhand.server.rest import live, rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import change, insist
from farhand.server.rest.default_rooms import RoomType, next_id, rooms_of
from farhand.server.rest.fields import Body, Id, Name, PageQuery, Text
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import check_match, merged
from farhand.server.rest.views import Exists, RoomMember, RoomView
from farhand.store.base import Delete, Put
from farhand.store.records import Room, Service

MAX_ROOMS = 1000
"""Of one service."""

Password = Annotated[str, Meta(max_length=128)]
Users = Annotated[int, Meta(ge=0, le=10_000)]
Seconds = Annotated[int, Meta(ge=0, le=10**9)]


class NewRoom(Body, frozen=True):
    """What a room is made of."""

    name: Id
    alias: Name | Literal[""] | None = None
    type: RoomType | None = None
    token: Password | None = None
    """Password; joining needs it."""
    max_users: Users | None = None
    max_duration_s: Seconds | None = None
    room_id: Annotated[int, Meta(ge=1000, le=2**31 - 1)] | None = None
    """``null``: the next one."""


class RoomPatch(Body, frozen=True):
    """What may be changed; ``null``: back to what it is by default."""

    alias: Name | Literal[""] | UnsetType | None = UNSET
    token: Password | UnsetType | None = UNSET
    max_users: Users | UnsetType | None = UNSET
    max_duration_s: Seconds | UnsetType | None = UNSET


class RoomQuery(PageQuery, frozen=True):
    """Which rooms."""

    q: Text = ""
    """In name or alias, whatever the case."""


def view_of(call: Call[Any, Any], room: Room) -> RoomView:
    """Return a room as the caller sees it."""
    context, who = call.context, call.principal
    members = [
        RoomMember(member_id=one.member.id, name=one.member.name, role=one.member.role)
        for one in live.members(context, room.service_id)
        if one.room == room.name
        and rights.sees_member(context, who, room.service_id, one.member.robot_id, one.room)
    ]
    return RoomView(
        room_id=room.id,
        name=room.name,
        alias=room.alias,
        type=room.type,
        has_token=bool(room.token),
        max_users=room.max_users,
        max_duration_s=room.max_duration_s,
        members=members,
        created_ms=room.created_ms,
        updated_ms=room.updated_ms,
        version=room.version,
    )


def find(context: Context, service: Service, name: str) -> Room:
    """Return a room by its number, name or alias.

    Raises:
        Problem: 404.

    """
    rooms = rooms_of(context.store, service.id)
    for names in (
        {str(room.id): room for room in rooms},
        {room.name: room for room in rooms},
        {room.alias: room for room in rooms if room.alias},
    ):
        if name in names:
            return names[name]
    raise not_found("room")


def _service(call: Call[Any, Any], *, manage: bool = False) -> Service:
    return rights.service(call.context, call.principal, call.path("service_id"), manage=manage)


async def list_rooms(call: Call[Any, RoomQuery]) -> Listing[Room]:
    """List the rooms of a service."""
    service, needle = _service(call), call.query.q.casefold()
    rooms = [
        room
        for room in rooms_of(call.context.store, service.id)
        if needle in room.name.casefold() or needle in room.alias.casefold()
    ]
    return Listing(rooms, lambda one: (f"{one.id:010}",), lambda one: view_of(call, one))


async def create_room(call: Call[NewRoom, Any]) -> Answer:
    """Create a room."""
    if not is_valid_id(call.body.name):
        raise Problem(422, Code.INVALID_ID, f"{call.body.name!r} cannot be the name of a room.")
    return await insist(lambda: _create(call))


async def _create(call: Call[NewRoom, Any]) -> Answer:
    service, body = _service(call, manage=True), call.body
    rooms = rooms_of(call.context.store, service.id)
    for room in rooms:
        if room.name == body.name or room.id == body.room_id:
            raise Exists(view_of(call, room))
    if len(rooms) >= MAX_ROOMS:
        raise Problem(409, Code.CONFLICT, f"A service has at most {MAX_ROOMS} rooms.")
    room = _new_room(service.id, body, body.room_id or next_id(rooms))
    deed = call.deed("room.create", service_id=service.id, target=f"room:{room.name}")
    stored, *_rest = await call.context.store.write(Put(room), deed=deed)
    assert isinstance(stored, Room)  # noqa: S101 - what was put
    return Answer(view_of(call, stored), version=stored.version)


def _new_room(service_id: ServiceId, body: NewRoom, room_id: int) -> Room:
    return Room(
        service_id=service_id,
        id=room_id,
        name=body.name,
        alias=body.alias or "",
        type=body.type or "video",
        token=body.token or "",
        max_users=body.max_users or 0,
        max_duration_s=body.max_duration_s or 0,
    )


async def read_room(call: Call[Any, Any]) -> Answer:
    """Return one room, by number, name or alias."""
    room = find(call.context, _service(call), call.path("room_id"))
    return Answer(view_of(call, room), version=room.version)


async def update_room(call: Call[RoomPatch, Any]) -> Answer:
    """Change what a room demands of those who join."""
    room = find(call.context, _service(call, manage=True), call.path("room_id"))
    changes = merged(call.body, Room)
    is_new_secret = "token" in changes and not hmac.compare_digest(
        changes["token"].encode(), room.token.encode()
    )
    deed = call.deed(
        "room.update",
        service_id=room.service_id,
        target=f"room:{room.name}",
        detail={"password": "changed"} if is_new_secret else {},
    )
    stored = await change(
        call,
        lambda: find(call.context, _service(call, manage=True), str(room.id)),
        lambda now: replace(now, **changes),
        deed,
    )
    return Answer(view_of(call, stored), version=stored.version)


async def delete_room(call: Call[Any, Any]) -> Answer:
    """Remove a room; who is in it is put out."""
    room = find(call.context, _service(call, manage=True), call.path("room_id"))
    check_match(call.request, room.version)
    deed = call.deed("room.delete", service_id=room.service_id, target=f"room:{room.name}")
    await call.context.store.write(Delete(Room, (room.service_id, room.id)), deed=deed)
    live.close_room(call.context, room.service_id, RoomId(room.name))
    return Answer()


EXAMPLE = RoomView(
    room_id=1008,
    name="lobby",
    alias="Lobby",
    type="video",
    has_token=True,
    max_users=4,
    max_duration_s=3600,
    members=[RoomMember(member_id="m7f3a9", name="ana", role="operator")],
    created_ms=1_767_225_600_000,
    updated_ms=1_767_225_600_000,
    version=1,
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    many = [f"/v1/service/{{service_id}}/{word}" for word in ("room", "rooms")]
    one = [f"{path}/{{room_id}}" for path in many]
    tag = "Rooms"
    api.add(
        "GET", many, list_rooms, tag=tag, query=RoomQuery, answer=RoomView, plural="rooms",
        example=EXAMPLE,
    )  # fmt: skip
    body = NewRoom(name="lobby", alias="Lobby", token="open sesame", max_users=4)  # noqa: S106
    api.add(
        "POST", many, create_room, tag=tag, status=201, body=NewRoom, body_example=body,
        answer=RoomView, example=EXAMPLE,
    )  # fmt: skip
    api.add("GET", one, read_room, tag=tag, answer=RoomView, example=EXAMPLE)
    api.add(
        "PATCH", one, update_room, tag=tag, body=RoomPatch, body_example=RoomPatch(max_users=8),
        answer=RoomView, example=EXAMPLE,
    )  # fmt: skip
    api.add("DELETE", one, delete_room, tag=tag, status=204)
