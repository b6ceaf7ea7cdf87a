"""Services: made, named, removed."""

import secrets
from collections import Counter
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from farhand.core.access import Principal
from farhand.errors import Code, VersionConflict
from farhand.protocol.ids import DEFAULT_SERVICE, ServiceId
from farhand.server.context import Context
from farhand.server.problems import Problem
from farhand.server.rest import live, rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import change, insist, without_access
from farhand.server.rest.default_rooms import TOKEN_BYTES, default_rooms, rooms_of
from farhand.server.rest.fields import Body, Id, Name, NoQuery, PageQuery, checked_id
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import check_match, merged
from farhand.server.rest.views import ServiceView
from farhand.store.base import Change, Delete, Put
from farhand.store.records import Enrolment, Robot, Service

_TAKEN = frozenset({"agent"})
"""Words of paths where an id of a service may stand."""


class NewService(Body, frozen=True):
    """What a service is made of; nothing is needed."""

    id: Annotated[Id, Meta(description="Empty: 32 hexadecimal digits.")] | None = None
    name: Name | Literal[""] | None = None


class ServicePatch(Body, frozen=True):
    """What may be changed."""

    name: Name | Literal[""] | UnsetType | None = UNSET


class RemoveQuery(NoQuery, frozen=True):
    """How a service is removed."""

    force: bool = False
    """Also with robots that are online."""


class ServiceQuery(PageQuery, frozen=True):
    """Which services."""

    q: Annotated[str, Meta(max_length=256)] = ""
    """In id or name, whatever the case."""


def view_of(context: Context, principal: Principal, service: Service) -> ServiceView:
    """Return a service as ``principal`` sees it."""
    seen = rights.robots(context, principal, service.id)
    return _view(context, principal, service, len(seen))


def _started(context: Context, who: Principal, service: Service) -> tuple[str | None, str]:
    """Return the robot that was started into a service, and by whom, as far as ``who`` may know."""
    if service.robot_id is None or who.manages(service.id):
        return service.robot_id, service.control_name
    robot = context.store.get(Robot, service.id, service.robot_id)
    role = rights.role_on(who, robot) if robot is not None else None
    if role is None:
        return None, ""
    return service.robot_id, service.control_name if role != "guest" else ""


def _view(context: Context, principal: Principal, service: Service, robots: int) -> ServiceView:
    may = principal.manages(service.id)
    robot_id, control_name = _started(context, principal, service)
    return ServiceView(
        service_id=service.id,
        name=service.name,
        status=service.status,
        robot_id=robot_id,
        control_name=control_name,
        token=service.token if may else "",
        robots=robots,
        created_ms=service.created_ms,
        updated_ms=service.updated_ms,
        version=service.version,
    )


async def list_services(call: Call[object, ServiceQuery]) -> Listing[Service]:
    """List the services that you see."""
    who, needle = call.principal, call.query.q.casefold()
    counts = Counter(robot.service_id for robot in rights.robots(call.context, who))
    found = [
        service
        for service in call.context.store.all(Service)
        if rights.sees_service(who, service.id)
        and (needle in service.id.casefold() or needle in service.name.casefold())
    ]
    return Listing(
        found, lambda one: (one.id,), lambda one: _view(call.context, who, one, counts[one.id])
    )


async def create_service(call: Call[NewService, object]) -> Answer:
    """Create a service, with the rooms that each has from the start."""
    rights.require_admin(call.principal)
    service_id = ServiceId(checked_id(call.body.id) if call.body.id else secrets.token_hex(16))
    if service_id in _TAKEN:
        raise Problem(422, Code.INVALID_ID, f"{service_id!r} cannot be an id here.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    new = Service(id=service_id, name=call.body.name or "", token=token)
    rooms = [Put(room) for room in default_rooms(service_id)]
    deed = call.deed("service.create", service_id=service_id, target=f"service:{service_id}")
    try:
        stored, *_ = await call.context.store.write(Put(new), *rooms, deed=deed)
    except VersionConflict as exc:
        raise Problem(409, Code.CONFLICT, "There is a service of this id already.") from exc
    assert isinstance(stored, Service)  # noqa: S101 - the first that was put
    return Answer(
        view_of(call.context, call.principal, stored),
        version=stored.version,
        headers={"Location": f"service/{service_id}"},
    )


async def read_service(call: Call[object, object]) -> Answer:
    """Return one service."""
    service = rights.service(call.context, call.principal, call.path("service_id"))
    return Answer(view_of(call.context, call.principal, service), version=service.version)


async def update_service(call: Call[ServicePatch, object]) -> Answer:
    """Change a service's name."""
    context, who, service_id = call.context, call.principal, call.path("service_id")
    changes = merged(call.body, Service)
    stored = await change(
        call,
        lambda: rights.service(context, who, service_id, manage=True),
        lambda service: replace(service, **changes),
        call.deed("service.update", service_id=service_id, target=f"service:{service_id}"),
    )
    return Answer(view_of(context, who, stored), version=stored.version)


async def delete_service(call: Call[Any, RemoveQuery]) -> Answer:
    """Remove a service with its rooms, its enrolment codes and the robots that belong to it.

    Robots that were only started into it return to where they belong. ``default`` stays.
    """
    answer = await insist(lambda: _delete(call))
    live.close_service(call.context, answer.value.service_id)
    return answer


async def _delete(call: Call[Any, RemoveQuery]) -> Answer:
    context, who = call.context, call.principal
    service = rights.service(context, who, call.path("service_id"))
    rights.require_admin(who)
    check_match(call.request, service.version)
    if service.id == DEFAULT_SERVICE:
        raise Problem(409, Code.CONFLICT, "The service default cannot be removed.")
    is_online = any(view.service_id == service.id for view in context.gateway.hub.robots())
    if is_online and not call.query.force:
        text = "Robots of this service are online."
        raise Problem(409, Code.CONFLICT, text, "Stop them first, or repeat it with ?force=true.")
    answer = view_of(context, who, service)
    deed = call.deed("service.delete", service_id=service.id, target=f"service:{service.id}")
    await context.store.write(*removal(context, service), deed=deed)
    return Answer(answer)


def removal(context: Context, service: Service) -> list[Change]:
    """Return all that goes with a service."""
    store = context.store
    gone = service.id
    changes: list[Change] = [Delete(Service, (gone,))]
    changes += [Delete(type(room), (gone, room.id)) for room in rooms_of(store, gone)]
    changes += [
        Delete(Enrolment, (one.id,)) for one in store.all(Enrolment) if one.service_id == gone
    ]
    for robot in store.all(Robot):
        if robot.service_id == gone:
            changes += leaving(context, robot)
        elif robot.home_id == gone:
            changes.append(Put(replace(robot, home_id=robot.service_id)))
    return changes + without_access(store, lambda line: line.service_id == gone)


def leaving(context: Context, robot: Robot) -> list[Change]:
    """Return what takes a robot out of the service where it is: home, or away for good."""
    store, home = context.store, robot.home_id
    changes: list[Change] = [Delete(Robot, (robot.service_id, robot.id))]
    is_away = home != robot.service_id and store.has_service(home)
    if is_away and store.get(Robot, home, robot.id) is None:
        changes.append(Put(replace(robot, service_id=home, version=0)))
    return changes


EXAMPLE = ServiceView(
    service_id="5b0c5f5d0e1c4f7e9d3a2b1c0f6e8a77",
    name="Site A",
    status="new",
    robot_id=None,
    control_name="",
    token="q2Zr0a7u5nXcT9b1kLwDhA",  # noqa: S106 - an example
    robots=2,
    created_ms=1_767_225_600_000,
    updated_ms=1_767_225_600_000,
    version=1,
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    one, tag = "/v1/service/{service_id}", "Services"
    api.add(
        "GET", "/v1/service", list_services, tag=tag, query=ServiceQuery,
        answer=ServiceView, plural="services", example=EXAMPLE,
    )  # fmt: skip
    api.add(
        "POST", "/v1/service", create_service, tag=tag, status=201, body=NewService,
        body_example=NewService(id="site-a", name="Site A"), answer=ServiceView, example=EXAMPLE,
    )  # fmt: skip
    api.add("GET", one, read_service, tag=tag, answer=ServiceView, example=EXAMPLE)
    api.add(
        "PATCH", one, update_service, tag=tag, body=ServicePatch,
        body_example=ServicePatch(name="Site A, north"), answer=ServiceView, example=EXAMPLE,
    )  # fmt: skip
    api.add("DELETE", one, delete_service, tag=tag, status=204, query=RemoveQuery)
