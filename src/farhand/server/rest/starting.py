"""Starting a robot into a service, and stopping it (dialects.md, 3.3)."""

from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from farhand.errors import Code
from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.context import Context
from farhand.server.problems import Problem, not_found
from farhand.server.rest import live, rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import insist
from farhand.server.rest.default_rooms import camera_rooms, rooms_of
from farhand.server.rest.fields import Body, Name, NoQuery
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.services import EXAMPLE, leaving, removal, view_of
from farhand.server.rest.views import ServiceView
from farhand.store.base import Change, Delete, Put
from farhand.store.records import Robot, Service

NOBODY = "console"
"""Who starts a robot if nobody says who; as the documented console does."""


class Start(Body, frozen=True):
    """Who starts it."""

    username: Name | None = None


class StartQuery(NoQuery, frozen=True, kw_only=True):
    """Where the robot is now."""

    service: Annotated[
        str, Meta(max_length=64, description="The service the robot is in now; empty: any.")
    ] = ""


async def start_robot(call: Call[Start, StartQuery]) -> Answer:
    """Start a robot into a service: it joins there, and the service is active."""
    return await insist(lambda: _start(call))


async def _start(call: Call[Start, StartQuery]) -> Answer:
    context, who = call.context, call.principal
    service = rights.service(context, who, call.path("service_id"))
    robot = _robot(call, service)
    if service.status == "active" and service.robot_id == robot.id:
        return Answer(view_of(context, who, service), version=service.version)
    _may_start(call, robot, service)
    name = call.body.username or who.name or NOBODY
    active = replace(service, status="active", robot_id=robot.id, control_name=name)
    others = _others(context, robot, service)
    rooms = camera_rooms(service.id, robot.manifest, rooms_of(context.store, service.id))
    changes: list[Change] = [Put(active), *(Put(room) for room in rooms), *others]
    moved = replace(robot, service_id=service.id, version=0)
    if robot.service_id != service.id:
        # What goes away with the service that it leaves must not take the robot with it.
        here = (robot.service_id, robot.id)
        changes = [one for one in changes if not _is_about(one, robot)]
        changes += [Delete(Robot, here), Put(moved)]
    deed = call.deed("robot.start", service_id=service.id, robot_id=robot.id, detail={"name": name})
    stored, *_rest = await context.store.write(*changes, deed=deed)
    assert isinstance(stored, Service)  # noqa: S101 - the first that was put
    if robot.service_id != service.id:
        live.move_robot(context, robot)
    return Answer(view_of(context, who, stored), version=stored.version)


def _robot(call: Call[Any, StartQuery], service: Service) -> Robot:
    """Return the robot that is meant: one that is there already, or the one of this id."""
    context, who, robot_id = call.context, call.principal, call.path("robot_id")
    here = context.store.get(Robot, service.id, robot_id)
    if not call.query.service and here is not None and rights.role_on(who, here):
        return rights.robot(context, who, robot_id, service.id, least="program")
    return rights.robot(context, who, robot_id, call.query.service, least="program")


def _may_start(call: Call[Any, Any], robot: Robot, service: Service) -> None:
    context, who = call.context, call.principal
    if robot.service_id != service.id:
        if not (who.manages(robot.service_id) and who.manages(service.id)):
            raise rights.forbidden("Only those who manage both services may move a robot.")
        if context.store.get(Robot, service.id, robot.id) is not None:
            raise Problem(409, Code.CONFLICT, "The service has another robot of this id.")
    if context.gateway.hub.robot(robot.service_id, robot.id) is None:
        raise Problem(409, Code.WRONG_STATUS, "The robot is not online.")
    if service.robot_id not in (None, robot.id):
        raise Problem(409, Code.CONFLICT, "Another robot was started into this service.")


def _others(context: Context, robot: Robot, service: Service) -> list[Change]:
    """Return what becomes of the service that the robot was bound to: it is removed, if empty."""
    other = context.store.get(Service, robot.service_id)
    if other is None or other.id == service.id or other.robot_id != robot.id:
        return []
    is_needed = other.id == DEFAULT_SERVICE or any(
        other.id in {one.service_id, one.home_id} and one.id != robot.id
        for one in context.store.all(Robot)
    )
    if is_needed or robot.home_id == other.id:
        return [Put(replace(other, status="inactive", robot_id=None, control_name=""))]
    return removal(context, other)


def _is_about(change: Change, robot: Robot) -> bool:
    if isinstance(change, Put):
        return isinstance(change.record, Robot) and change.record.id == robot.id
    return change.kind is Robot and change.key == (robot.service_id, robot.id)


async def stop_robot(call: Call[Any, StartQuery]) -> Answer:
    """Stop a robot that was started: it returns to where it belongs, the service is inactive."""
    return await insist(lambda: _stop(call))


async def _stop(call: Call[Any, StartQuery]) -> Answer:
    context, who = call.context, call.principal
    service = rights.service(context, who, call.path("service_id"))
    robot_id = call.path("robot_id")
    robot = rights.robot(context, who, robot_id, service.id, least="program")
    if service.status != "active":
        raise Problem(409, Code.WRONG_STATUS, "The service is not active.")
    if service.robot_id != robot.id:
        raise not_found("robot", Code.UNKNOWN_ROBOT)
    idle = replace(service, status="inactive", robot_id=None, control_name="")
    changes: list[Change] = [Put(idle)]
    back = leaving(context, robot)
    goes_home = len(back) > 1
    if goes_home:
        changes += back
    deed = call.deed("robot.stop", service_id=service.id, robot_id=robot.id)
    stored, *_rest = await context.store.write(*changes, deed=deed)
    assert isinstance(stored, Service)  # noqa: S101 - the first that was put
    if goes_home:
        live.move_robot(context, robot)
    return Answer(view_of(context, who, stored), version=stored.version)


def add_to(api: Operations) -> None:
    """Register the operations."""
    path, tag = "/v1/robot/{robot_id}/{service_id}", "Robots"
    active = replace(EXAMPLE, status="active", robot_id="rover-1", control_name="ana")
    api.add(
        "POST", f"{path}/start", start_robot, tag=tag, query=StartQuery, body=Start,
        body_example=Start(username="ana"), answer=ServiceView, example=active,
    )  # fmt: skip
    api.add(
        "POST", f"{path}/stop", stop_robot, tag=tag, query=StartQuery, body=Start,
        body_example=Start(), answer=ServiceView, example=replace(EXAMPLE, status="inactive"),
    )  # fmt: skip
