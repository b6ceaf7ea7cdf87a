"""What is going on now, and how to end it: the hub's side of services, rooms and robots."""

from farhand.core.hub import MemberView, SessionView
from farhand.core.member import Effect, Noticed
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol.ids import MemberId, RoomId, ServiceId, SessionId
from farhand.server.context import Context
from farhand.server.problems import not_found
from farhand.store.records import Robot


def members(context: Context, service_id: str) -> list[MemberView]:
    """Return who is connected to a service."""
    gateway = context.gateway
    found = gateway.hub.members()
    if gateway.dialect is not None:
        found += gateway.dialect.members()
    return [one for one in found if one.service_id == service_id]


def sessions(context: Context, service_id: str) -> list[SessionView]:
    """Return the sessions of a service."""
    return [one for one in context.gateway.hub.sessions() if one.service_id == service_id]


def kick(context: Context, member_id: MemberId, reason: str) -> None:
    """Throw out a member.

    Raises:
        Problem: 404, they are gone.

    """
    dialect = context.gateway.dialect
    if dialect is not None and dialect.kick(member_id, reason):
        return
    hub, now = context.gateway.hub, context.gateway.clock()
    try:
        effects = hub.kick(member_id, reason, now)
    except RemoteProtocolError as exc:
        raise not_found("member", Code.UNKNOWN_MEMBER) from exc
    # Who did it has a line in the trail already; the hub's own would be a second one of nobody.
    context.gateway.apply([one for one in effects if not isinstance(one, Noticed)])


def close_session(context: Context, session_id: SessionId, reason: str) -> None:
    """End a session.

    Raises:
        Problem: 404, it has ended.

    """
    hub, now = context.gateway.hub, context.gateway.clock()
    try:
        effects = hub.close_session(session_id, reason, now)
    except RemoteProtocolError as exc:
        raise not_found("session", Code.UNKNOWN_SESSION) from exc
    context.gateway.apply(effects)


def close_room(context: Context, service_id: ServiceId, room_id: RoomId) -> None:
    """Send everybody out of a room that is no more."""
    gateway = context.gateway
    gateway.apply(gateway.hub.close_room(service_id, room_id, "room removed", gateway.clock()))


def close_service(context: Context, service_id: ServiceId) -> None:
    """Throw out everybody who is connected to a service that is no more."""
    gateway = context.gateway
    effects: list[Effect] = []
    why = "The service was removed."
    for one in members(context, service_id):
        if gateway.dialect is None or not gateway.dialect.kick(one.member.id, why):
            effects += gateway.hub.kick(one.member.id, why, gateway.clock())
    gateway.apply(effects)


def move_robot(context: Context, was: Robot) -> None:
    """Send a robot away from where it was: it comes back where its record says."""
    gateway = context.gateway
    gateway.apply(gateway.hub.move(was.service_id, was.id, gateway.clock()))


def kick_robot(context: Context, robot: Robot, reason: str) -> None:
    """Throw out a robot, if it is connected."""
    gateway = context.gateway
    online = gateway.hub.robot(robot.service_id, robot.id)
    if online is not None:
        gateway.apply(gateway.hub.kick(online.member.id, reason, gateway.clock()))
