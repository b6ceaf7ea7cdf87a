"""Who is connected with which robot."""

from typing import Any

from farhand.core.hub import SessionView as Live
from farhand.errors import Code
from farhand.protocol.ids import SessionId
from farhand.server.problems import not_found
from farhand.server.rest import live, rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import PageQuery, Text, View
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing


class SessionMember(View, frozen=True):
    """The person of a session."""

    id: str
    name: str
    role: str


class SessionView(View, frozen=True):
    """One peer connection of a person and a robot."""

    session_id: str
    robot_id: str
    member: SessionMember
    state: str
    """``offering``, ``negotiating`` or ``connected``."""
    since_ms: int


class SessionQuery(PageQuery, frozen=True, kw_only=True):
    """Which sessions."""

    robot: Text = ""


def _view(one: Live) -> SessionView:
    member = SessionMember(id=one.member.id, name=one.member.name, role=one.member.role)
    return SessionView(
        session_id=one.session_id,
        robot_id=one.robot_id,
        member=member,
        state=one.state,
        since_ms=one.since_ms,
    )


def _seen(call: Call[Any, Any]) -> list[Live]:
    context, who = call.context, call.principal
    service = rights.service(context, who, call.path("service_id"))
    return [
        one
        for one in live.sessions(context, service.id)
        if rights.sees_member(context, who, service.id, one.robot_id, None)
    ]


async def list_sessions(call: Call[Any, SessionQuery]) -> Listing[Live]:
    """List the sessions with robots that you see."""
    robot = call.query.robot
    seen = [one for one in _seen(call) if robot in ("", one.robot_id)]
    return Listing(seen, lambda one: (one.session_id,), _view)


async def read_session(call: Call[Any, Any]) -> Answer:
    """Return one session."""
    return Answer(_view(_find(call)))


async def close_session(call: Call[Any, Any]) -> Answer:
    """Close a session: whoever drove by it has the robot no more."""
    one = _find(call)
    rights.service(call.context, call.principal, one.service_id, manage=True)
    deed = call.deed(
        "session.close",
        service_id=one.service_id,
        robot_id=one.robot_id,
        target=f"session:{one.session_id}",
        detail={"name": one.member.name},
    )
    await call.context.store.audit(deed)
    live.close_session(call.context, one.session_id, "closed by an administrator")
    return Answer()


def _find(call: Call[Any, Any]) -> Live:
    session_id = SessionId(call.path("session_id"))
    for one in _seen(call):
        if one.session_id == session_id:
            return one
    raise not_found("session", Code.UNKNOWN_SESSION)


EXAMPLE = SessionView(
    session_id="s9d3a2b1c",
    robot_id="rover-1",
    member=SessionMember(id="m7f3a9", name="ana", role="operator"),
    state="connected",
    since_ms=1_767_225_600_000,
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    path, tag = "/v1/service/{service_id}/session", "Sessions"
    one = f"{path}/{{session_id}}"
    api.add(
        "GET", path, list_sessions, tag=tag, query=SessionQuery, answer=SessionView,
        plural="sessions", example=EXAMPLE,
    )  # fmt: skip
    api.add("GET", one, read_session, tag=tag, answer=SessionView, example=EXAMPLE)
    api.add("DELETE", one, close_session, tag=tag, status=204)
