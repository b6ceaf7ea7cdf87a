"""Accounts as a list: who has which token, and on which robots. The rest is the hub's own."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from farhand.core.access import Access, Principal, TokenRole
from farhand.core.admission import Admitted, Meeting, RoomRules, member_role
from farhand.errors import Code, NotAllowed
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, RoomId, ServiceId
from tests.core.hub_world import Client, World


def on(robot_id: str | None, role: TokenRole, service: str = DEFAULT_SERVICE) -> Access:
    """Return one line of an access list."""
    return Access(ServiceId(service), role, None if robot_id is None else RobotId(robot_id))


@dataclass
class ListedDoor:
    """A door that goes by what stands in its own lists at the moment."""

    people: dict[str, Principal] = field(default_factory=dict)
    """By token, which is their id as well."""
    robots: dict[str, ServiceId] = field(default_factory=dict)
    """Enrolled robots; the token is ``key of ID``."""
    rooms: dict[tuple[str, str], RoomRules] = field(default_factory=dict)
    asked: int = 0
    """How often for a role."""
    granted: list[Meeting] = field(default_factory=list)

    def add(self, name: str, *access: Access, expires_ms: int | None = None) -> None:
        kind = "guest" if access and access[0].role == "guest" else "user"
        role = access[0].role if access else "viewer"
        self.people[name] = Principal(kind, name, name, role, access, expires_ms)  # type: ignore[arg-type]

    def change(self, name: str, *access: Access) -> None:
        self.people[name] = msgspec.structs.replace(self.people[name], access=access)

    # --- Door ---

    def authorise(self, hello: m.Hello, service_id: ServiceId) -> Admitted:
        if hello.role == "robot":
            home = self.robots.get(hello.robot_id or "")
            if home is None or hello.token != f"key of {hello.robot_id}":
                raise NotAllowed(Code.UNAUTHENTICATED, "No such key.")
            principal = Principal("robot", hello.robot_id or "", hello.name, "viewer")
            return Admitted(principal, home, "robot", hello.name, hello.robot_id)
        who = self.people.get(hello.token or "")
        if who is None:
            raise NotAllowed(Code.UNAUTHENTICATED, "No such token.")
        if not who.sees_service(service_id):
            raise NotAllowed(Code.UNKNOWN_SERVICE, "There is no such service.")
        role = member_role(who, hello.role, who.role_in(service_id))
        return Admitted(who, service_id, role, who.name)

    def role_on(
        self, principal: Principal, service_id: ServiceId, robot_id: RobotId
    ) -> TokenRole | None:
        self.asked += 1
        now = self.people.get(principal.id)
        if now is None or self.robots.get(robot_id) != service_id:
            return None
        return now.role_on(service_id, robot_id)

    def is_current(self, principal: Principal, now_ms: int) -> bool:
        if principal.kind == "robot":
            return principal.id in self.robots
        now = self.people.get(principal.id)
        return now is not None and (now.expires_ms is None or now_ms < now.expires_ms)

    def room(self, service_id: ServiceId, room_id: RoomId) -> RoomRules | None:
        return self.rooms.get((service_id, room_id))

    def grant(self, principal: Principal, meeting: Meeting) -> str | None:
        self.granted.append(meeting)
        return f"signed {principal.id} {meeting.robot_id} {meeting.fingerprint}"


class Accounts(World):
    """A world with accounts: robots `rover` and `arm`, and whoever is added."""

    def __init__(self, **options: Any) -> None:
        self.list = ListedDoor(robots={"rover": DEFAULT_SERVICE, "arm": DEFAULT_SERVICE})
        super().__init__(door=self.list, **options)

    def enrolled(self, robot_id: str = "rover", **fields: Any) -> Client:
        """Return a robot that has said hello with its key."""
        return self.robot(robot_id, token=f"key of {robot_id}", **fields)

    def user(self, name: str, *access: Access, role: m.Role = "operator", **fields: Any) -> Client:
        """Return somebody who has said hello; with ``access`` they are added first."""
        if access:
            self.list.add(name, *access)
        return self.person(name, role, token=name, **fields)
