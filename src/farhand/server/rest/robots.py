"""Robots: which there are, what they are called, and that they are no longer wanted."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from farhand.errors import Code, FarhandError
from farhand.protocol.ids import DEFAULT_SERVICE, CameraId, RobotId, RoomId
from farhand.protocol.manifest import Camera, Manifest
from farhand.protocol.messages import SignalAction
from farhand.server.problems import Problem
from farhand.server.rest import live, rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import change, insist, without_access
from farhand.server.rest.fields import (
    Body,
    Id,
    Labels,
    Name,
    NoQuery,
    PageQuery,
    Text,
    View,
    is_like,
)
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import check_match, merged
from farhand.server.rest.robot_views import Robot, view_of
from farhand.store.base import Change, Delete, Put
from farhand.store.records import Robot as RobotRecord
from farhand.store.records import Service

ALL_SERVICES = "*"


class WhereQuery(NoQuery, frozen=True, kw_only=True):
    """Which of the robots of this id."""

    service: Annotated[str, Meta(max_length=64, description="The service it is in.")] = (
        DEFAULT_SERVICE
    )


class RobotQuery(PageQuery, frozen=True, kw_only=True):
    """Which robots."""

    service: Annotated[
        str, Meta(max_length=64, description="A service; `*`: all that you see.")
    ] = DEFAULT_SERVICE
    tag: Text = ""
    group: Text = ""
    q: Annotated[str, Meta(max_length=256, description="In id, name or model.")] = ""
    online: bool | None = None


class RobotPatch(Body, frozen=True):
    """What may be changed; ``null``: back to what it is by default."""

    name: Name | UnsetType | None = UNSET
    """``null``: as the robot calls itself."""
    tags: Labels | UnsetType | None = UNSET
    groups: Labels | UnsetType | None = UNSET


class Instruction(Body, frozen=True):
    """What a robot is told to do, in the server's name."""

    action: SignalAction
    camera: Id | None = None
    room: Id | None = None


class Instructed(View, frozen=True):
    """The robot was told."""

    id: int
    """Of the instruction."""


def found(call: Call[Any, Any], **needs: Any) -> RobotRecord:
    """Return the robot that the path and ``?service=`` name.

    Raises:
        Problem: 404, 403, 409.

    """
    service = getattr(call.query, "service", DEFAULT_SERVICE)
    where = "" if service == ALL_SERVICES else service
    return rights.robot(call.context, call.principal, call.path("robot_id"), where, **needs)


async def list_robots(call: Call[Any, RobotQuery]) -> Listing[RobotRecord]:
    """List robots, whether they are online or not."""
    context, query = call.context, call.query
    if query.service != ALL_SERVICES:
        rights.service(context, call.principal, query.service)
    service_id = "" if query.service == ALL_SERVICES else query.service
    robots = [
        robot
        for robot in rights.robots(context, call.principal, service_id)
        if query.tag in ("", *robot.tags)
        and query.group in ("", *robot.groups)
        and is_like(query.q, robot.id, robot.name, robot.model)
        and (query.online is None or query.online is _is_online(call, robot))
    ]
    return Listing(robots, lambda one: (one.service_id, one.id), lambda one: view_of(context, one))


async def refresh_robots(call: Call[Any, RobotQuery]) -> Listing[RobotRecord]:
    """List robots, for programs of the documented dialect that ask so; as GET does."""
    return await list_robots(call)


def _is_online(call: Call[Any, Any], robot: RobotRecord) -> bool:
    return call.context.gateway.hub.robot(robot.service_id, robot.id) is not None


async def read_robot(call: Call[Any, WhereQuery]) -> Answer:
    """Return one robot."""
    robot = found(call)
    return Answer(view_of(call.context, robot), version=robot.version)


async def update_robot(call: Call[RobotPatch, WhereQuery]) -> Answer:
    """Change a robot's name, tags and groups; access lists may go by those."""
    changes = merged(call.body, RobotRecord)
    robot = found(call, manage=True)
    stored = await change(
        call,
        lambda: found(call, manage=True),
        lambda now: replace(now, **changes),
        _deed(call, "robot.update", robot, changed=",".join(sorted(changes))),
    )
    return Answer(view_of(call.context, stored), version=stored.version)


async def revoke_robot(call: Call[Any, WhereQuery]) -> Answer:
    """Withdraw a robot's key: it is thrown out, and comes in only when it is enrolled again."""
    robot = found(call, manage=True)
    stored = await change(
        call,
        lambda: found(call, manage=True),
        lambda now: replace(now, is_revoked=True),
        _deed(call, "robot.revoke", robot),
    )
    live.kick_robot(call.context, stored, "revoked")
    return Answer(view_of(call.context, stored), version=stored.version)


async def delete_robot(call: Call[Any, WhereQuery]) -> Answer:
    """Forget a robot, its key, and what access lists say about it."""
    robot = await insist(lambda: _delete(call))
    live.kick_robot(call.context, robot, "removed")
    return Answer()


async def _delete(call: Call[Any, WhereQuery]) -> RobotRecord:
    context, robot = call.context, found(call, manage=True)
    check_match(call.request, robot.version)
    changes: list[Change] = [Delete(RobotRecord, (robot.service_id, robot.id))]
    service = context.store.get(Service, robot.service_id)
    if service is not None and service.robot_id == robot.id:
        free = replace(service, robot_id=None, control_name="", status="inactive")
        changes.append(Put(free))
    changes += without_access(
        context.store,
        lambda line: (line.service_id, line.robot_id) == (robot.service_id, robot.id),
    )
    await context.store.write(*changes, deed=_deed(call, "robot.delete", robot))
    return robot


async def signal_robot(call: Call[Instruction, WhereQuery]) -> Answer:
    """Tell a robot to join or leave a room, or to start or stop its media."""
    context, robot, body = call.context, found(call, least="operator"), call.body
    online = context.gateway.hub.robot(robot.service_id, robot.id)
    if online is None:
        raise Problem(409, Code.WRONG_STATUS, "The robot is not online.")
    deed = _deed(call, "robot.signal", robot, signal=body.action)
    await context.store.audit(deed)
    try:
        number = context.gateway.signal(
            online.member.id,
            body.action,
            room=RoomId(body.room) if body.room else None,
            camera=CameraId(body.camera) if body.camera else None,
        )
    except FarhandError as exc:
        status = 429 if exc.code is Code.RATE_LIMITED else 409
        raise Problem(status, exc.code, exc.text, retry_after_s=1 if status == 429 else 0) from exc
    return Answer(Instructed(id=number))


def _deed(call: Call[Any, Any], action: str, robot: RobotRecord, **detail: str) -> Any:
    return call.deed(
        action,
        service_id=robot.service_id,
        robot_id=robot.id,
        target=f"robot:{robot.id}",
        detail=detail,
    )


EXAMPLE = Robot(
    robot_id="rover-1",
    service_id="default",
    name="Rover",
    online=True,
    member_id="m7f3a9",
    room="rover-1",
    people=1,
    manifest=Manifest(
        RobotId("rover-1"),
        "Rover",
        "farhand-sim",
        cameras=(Camera(CameraId("front"), "Front", 640, 480, 30.0, main=True),),
    ),
    status=None,
    last_seen_ms=1_767_225_600_000,
    home_id="default",
    tags=("warehouse",),
    groups=(),
    model="farhand-sim",
    architecture="arm64",
    software="farhand 0.1.0",
    enrolled=True,
    revoked=False,
    offline_reason="",
    created_ms=1_767_225_600_000,
    updated_ms=1_767_225_600_000,
    version=3,
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    one, tag = "/v1/robot/{robot_id}", "Robots"
    api.add(
        "GET", "/v1/robot", list_robots, tag=tag, query=RobotQuery, answer=Robot, plural="robots",
        example=EXAMPLE,
    )  # fmt: skip
    api.add(
        "POST", "/v1/robot", refresh_robots, tag=tag, query=RobotQuery, answer=Robot,
        plural="robots", example=EXAMPLE,
    )  # fmt: skip
    api.add("GET", one, read_robot, tag=tag, query=WhereQuery, answer=Robot, example=EXAMPLE)
    api.add(
        "PATCH", one, update_robot, tag=tag, query=WhereQuery, body=RobotPatch,
        body_example=RobotPatch(name="Rover 1", tags=("warehouse",)), answer=Robot, example=EXAMPLE,
    )  # fmt: skip
    api.add("DELETE", one, delete_robot, tag=tag, status=204, query=WhereQuery)
    api.add(
        "POST", f"{one}/revoke", revoke_robot, tag=tag, query=WhereQuery, answer=Robot,
        example=EXAMPLE,
    )  # fmt: skip
    api.add(
        "POST", f"{one}/signal", signal_robot, tag=tag, query=WhereQuery, status=202,
        body=Instruction, body_example=Instruction(action="join-room", room="lobby"),
        answer=Instructed, example=Instructed(id=7),
    )  # fmt: skip
