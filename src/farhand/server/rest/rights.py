"""Who may see and do what. What somebody may not see is not there for them: the same 404.

403 is for what they may see but not do. Enrollers see nothing; guests see their robot alone.
"""

from farhand.core.access import RANK, Principal, TokenRole
from farhand.errors import Code
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.context import Context
from farhand.server.problems import Problem, not_found
from farhand.store.records import Robot, Service

_BLIND: frozenset[TokenRole | None] = frozenset({None, "enroller"})


def labels(robot: Robot) -> tuple[str, ...]:
    """Return what access lists may call a robot by: tags and groups."""
    return robot.tags + robot.groups


def role_on(principal: Principal, robot: Robot) -> TokenRole | None:
    """Return the role on a robot; ``None``: there is none for them."""
    if principal.is_admin:
        return "admin"
    role = principal.role_on(robot.service_id, robot.id, labels(robot))
    return None if role in _BLIND else role


def sees_service(principal: Principal, service_id: str) -> bool:
    """Say whether a service is there for ``principal``."""
    return principal.role_in(ServiceId(service_id)) not in _BLIND


def manages(principal: Principal, service_id: str) -> bool:
    """Say whether they may change a service, its rooms and all its robots."""
    return principal.manages(ServiceId(service_id))


def sees_member(
    context: Context, principal: Principal, service_id: str, robot_id: str | None, room: str | None
) -> bool:
    """Say whether they may know who is connected: with robots that they see, not as a guest."""
    if principal.manages(ServiceId(service_id)):
        return True
    robot = context.store.get(Robot, service_id, robot_id or room or "")
    return robot is not None and role_on(principal, robot) not in {None, "guest"}


def require_admin(principal: Principal) -> None:
    """See to it that they are an admin.

    Raises:
        Problem: 403.

    """
    if not principal.is_admin:
        raise forbidden("Only an admin may do this.")


def service(
    context: Context, principal: Principal, service_id: str, *, manage: bool = False
) -> Service:
    """Return a service that they may see, or ``manage``.

    Raises:
        Problem: 404, 403.

    """
    found = context.store.get(Service, service_id)
    if found is None or not sees_service(principal, service_id):
        raise not_found("service", Code.UNKNOWN_SERVICE)
    if manage and not principal.manages(found.id):
        raise forbidden("Only those who manage the service may do this.")
    return found


def enrols(context: Context, principal: Principal, service_id: str) -> Service:
    """Return a service that they may bring robots into.

    Raises:
        Problem: 404, 403.

    """
    found = context.store.get(Service, service_id)
    if found is not None and may_enrol(principal, service_id):
        return found
    return service(context, principal, service_id, manage=True)


def may_enrol(principal: Principal, service_id: str) -> bool:
    """Say whether they may bring robots into a service."""
    return principal.manages(ServiceId(service_id)) or any(
        line.service_id == service_id and line.role == "enroller" and line.robot_id is None
        for line in principal.access
    )


def robots(context: Context, principal: Principal, service_id: str = "") -> list[Robot]:
    """Return the robots that they see, of one service or of all."""
    wanted = context.store.all(Robot)
    if service_id:
        wanted = [robot for robot in wanted if robot.service_id == service_id]
    if principal.is_admin:
        return list(wanted)
    # Not role_on of each: a long access list times ten thousand robots holds up everybody's STOP.
    lines = {
        (line.service_id, line.robot_id, line.tag)
        for line in principal.access
        if line.role not in _BLIND
    }
    return [robot for robot in wanted if _is_on(lines, robot)]


def _is_on(lines: set[tuple[ServiceId, RobotId | None, str]], robot: Robot) -> bool:
    return any(
        (robot.service_id, robot_id, label) in lines
        for robot_id in (None, robot.id)
        for label in ("", *labels(robot))
    )


def robot(
    context: Context,
    principal: Principal,
    robot_id: str,
    service_id: str = "",
    *,
    least: TokenRole = "guest",
    manage: bool = False,
) -> Robot:
    """Return a robot that they see, have at least the role ``least`` on, or may ``manage``.

    Args:
        context: Where the records are.
        principal: Who asks.
        robot_id: Which.
        service_id: Where it is; empty: wherever it is, if that is not ambiguous.
        least: The role on it that is needed.
        manage: Its service must be theirs to manage.

    Raises:
        Problem: 404, 403; 409 where robots of several services have this id.

    """
    if service_id:
        one = context.store.get(Robot, service_id, robot_id)
        found = [one] if one is not None and role_on(principal, one) else []
    else:
        named = [one for one in context.store.all(Robot) if one.id == robot_id]
        found = [one for one in named if role_on(principal, one)]
    if not found:
        raise not_found("robot", Code.UNKNOWN_ROBOT)
    if len(found) > 1:
        raise Problem(
            409,
            Code.CONFLICT,
            "Several services have a robot of this id.",
            "Say which with ?service=.",
        )
    role = role_on(principal, found[0])
    if role is None or RANK[role] < RANK[least]:
        raise forbidden(f"For this you must be {least} on the robot.")
    if manage and not principal.manages(found[0].service_id):
        raise forbidden("Only those who manage the robot's service may do this.")
    return found[0]


def forbidden(text: str) -> Problem:
    """Return the refusal of what they may see but not do."""
    return Problem(403, Code.FORBIDDEN, text, "Ask somebody whose role allows it.")
