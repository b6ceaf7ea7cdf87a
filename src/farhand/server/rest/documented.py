"""The documented dialect: other words for the same handlers (dialects.md, 3.3).

Who sends its token as ``X-Auth-Token`` or ``x-auth-token=`` is understood, and answered, in these.
Success is always status 200, an unknown service is ``null``, an error ``{code, message, detail}``.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from farhand.errors import Code, FarhandError
from farhand.server.problems import Problem, problem_of, refusal
from farhand.server.rest.answers import Result, as_json
from farhand.server.rest.documented_shapes import Shapes
from farhand.server.rest.fields import Json
from farhand.server.rest.pages import Listing
from farhand.server.rest.robot_views import Robot
from farhand.server.rest.views import Exists, RoomView, ServiceView

TURN_S = 0.005
"""So long a list is made in one go; then others have their turn."""
_NO_BODY = frozenset({"create_service", "delete_service", "stop_robot", "delete_room"})
_ROOM_MEMBERS = {
    "id": "roomId",
    "room_id": "roomId",
    "name": "name",
    "room_name": "name",
    "room_alias": "alias",
    "type": "type",
    "room_type": "type",
    "token": "token",
    "max_users": "maxUsers",
    "max_duration": "maxDurationS",
}
_START_MEMBERS = {"username": "username"}
_NUMBERS = frozenset({"roomId", "maxUsers", "maxDurationS"})
_ROBOTS = frozenset({"list_robots", "refresh_robots", "read_robot", "update_robot", "delete_robot"})
_PAGING = frozenset({"limit", "offset", "cursor"})
_TEXTS: dict[tuple[str, Code], tuple[int, str]] = {
    ("start_robot", Code.WRONG_STATUS): (400, "robot status invalid"),
    ("start_robot", Code.CONFLICT): (400, "service bound to another robot"),
    ("stop_robot", Code.WRONG_STATUS): (400, "Service already stopped"),
}
_NOT_FOUND = {
    Code.UNKNOWN_SERVICE: "service not found",
    Code.UNKNOWN_ROBOT: "robot not found",
    Code.NOT_FOUND: "room not found",
}


def understood(operation: str, raw: bytes, query: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return body and query of a documented request in our own words.

    Raises:
        Problem: 422 FH-3001.

    """
    if operation in _NO_BODY:
        raw = b""
    elif operation == "create_room":
        raw = _renamed(raw, _ROOM_MEMBERS)
    elif operation == "start_robot":
        raw = _renamed(raw, _START_MEMBERS)
    if operation in _ROBOTS:
        # The documented calls know a robot by its id alone, wherever it is.
        query = {"service": "*", **query}
        if query.get("name"):
            query["q"] = query["name"]
    return raw, {name: value for name, value in query.items() if name not in _PAGING}


def _renamed(raw: bytes, names: dict[str, str]) -> bytes:
    if not raw.strip():
        return b""
    try:
        given = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Problem(422, Code.MALFORMED, "The body is no JSON.") from exc
    if given is None:
        return b""
    if not isinstance(given, dict):
        raise Problem(422, Code.MALFORMED, "The body is no JSON object.")
    # TA-2: null, "" and missing mean the same; numbers may be strings. C-3: the rest is ignored.
    members = {
        names[name]: _number(value) if names[name] in _NUMBERS else value
        for name, value in given.items()
        if name in names and value not in (None, "")
    }
    return msgspec.json.encode(members)


def _number(value: Any) -> Any:
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    return int(value[:18]) if is_digits else value


async def render(operation: str, shapes: Shapes, request: Request, result: Result) -> Response:
    """Return ``result`` in the documented shape; what the dialect does not know, as it is."""
    if isinstance(result, Response):
        return result
    if isinstance(result, Listing):
        return as_json(await _list(operation, shapes, request, result))
    if operation == "delete_room":
        return as_json(None)
    shape = _shaper(shapes, request, is_deleted=operation == "delete_service")
    return as_json(shape(result.value))


def _shaper(shapes: Shapes, request: Request, *, is_deleted: bool) -> Callable[[Any], Any]:
    def shape(value: Any) -> Any:
        if isinstance(value, ServiceView):
            return shapes.service(value, is_deleted=is_deleted)
        if isinstance(value, Robot):
            return shapes.robot(value)
        if isinstance(value, RoomView):
            service_id = request.path_params["service_id"]
            return shapes.room(service_id, value, is_deployed=_is_deployed(request))
        return value

    return shape


async def _list(operation: str, shapes: Shapes, request: Request, listing: Listing[Any]) -> Any:
    if operation == "list_rooms" and _is_deployed(request):
        return shapes.rooms(request.path_params["service_id"])
    items = _window(request, sorted(listing.items, key=listing.key))
    shape = _shaper(shapes, request, is_deleted=False)
    shown = []
    resumed = time.perf_counter()
    for item in items:
        shown.append(shape(listing.view(item)))
        # The dialect has no pages unless the sender asks: thousands of robots in one answer. Of
        # rooms there are fewer, and each is read anew: it must still be there.
        if operation != "list_rooms" and time.perf_counter() - resumed > TURN_S:
            await asyncio.sleep(0)
            resumed = time.perf_counter()
    if operation == "refresh_robots":
        return shown
    plural = operation.removeprefix("list_")
    body: Json = {plural: shown, "total": len(listing.items)}
    return body


def _window(request: Request, items: list[Any]) -> list[Any]:
    offset, limit = (_count(request, name) for name in ("offset", "limit"))
    items = items[offset or 0 :]
    return items[:limit] if limit is not None else items


def _count(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text[:18]) if text.isascii() and text.isdigit() else None


def _is_deployed(request: Request) -> bool:
    """Say whether the path is the deployed one, `/rooms`, and not the documented `/room`."""
    route = request.scope.get("route")
    return "/rooms" in getattr(route, "path", "")


def refused(operation: str, shapes: Shapes, request: Request, exc: FarhandError) -> Response:
    """Return a refusal in the words of the dialect."""
    if isinstance(exc, Exists) and _is_deployed(request):
        service_id = request.path_params["service_id"]
        return as_json(shapes.room(service_id, exc.value, is_deployed=True))
    told = problem_of(exc)
    if told.code is Code.UNKNOWN_SERVICE and operation == "read_service":
        return as_json(None)
    status, text = _TEXTS.get((operation, told.code), (told.status, told.text))
    if told.status == 404 and (operation.endswith("_room") or told.code is not Code.NOT_FOUND):
        text = _NOT_FOUND.get(told.code, text)
    return refusal(request, Problem(status, told.code, text, retry_after_s=told.retry_after_s))
