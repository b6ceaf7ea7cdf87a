"""Who somebody is and what they may do, on which robot. No sockets, no store, no clocks."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.messages import Role

AccountRole = Literal["viewer", "operator", "supervisor", "admin"]
TokenRole = Literal["viewer", "operator", "supervisor", "admin", "program", "enroller", "guest"]
PrincipalKind = Literal["open", "user", "token", "guest", "robot", "code"]

MEMBER_ROLE: dict[TokenRole, Role | None] = {
    "guest": "guest",
    "viewer": "viewer",
    "program": "program",
    "operator": "operator",
    "supervisor": "supervisor",
    "admin": "supervisor",
    "enroller": None,
}
"""What each is called in a room; ``None``: enters none."""
RANK: dict[TokenRole, int] = {
    "enroller": 0,
    "guest": 1,
    "viewer": 2,
    "program": 3,
    "operator": 4,
    "supervisor": 5,
    "admin": 6,
}


class Access(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One line of an access list: a role on some robots of one service."""

    service_id: ServiceId
    role: TokenRole
    robot_id: RobotId | None = None
    """``None``: all robots (or all with ``tag``)."""
    tag: str = ""
    """Only robots with this tag or in this group."""


class Principal(Struct, frozen=True):
    """Somebody who has proved who they are."""

    kind: PrincipalKind
    id: str
    """Of the user, token or robot: what a revocation names."""
    name: str
    role: TokenRole
    """The most that they are anywhere; ``admin``: everything everywhere."""
    access: tuple[Access, ...] = ()
    expires_ms: int | None = None
    """Wall clock; ``None``: until revoked."""
    session: str = ""
    """Id of the login session, if they came by one."""

    @property
    def is_admin(self) -> bool:
        """Whether they may do everything everywhere."""
        return self.role == "admin"

    def sees_service(self, service_id: ServiceId) -> bool:
        """Say whether the service exists as far as they can know."""
        return self.is_admin or any(line.service_id == service_id for line in self.access)

    def role_on(
        self, service_id: ServiceId, robot_id: RobotId, tags: Iterable[str] = ()
    ) -> TokenRole | None:
        """Return the role on a robot; ``None``: for them there is no such robot."""
        if self.is_admin:
            return "admin"
        labels = set(tags)
        roles = [
            line.role
            for line in self.access
            if line.service_id == service_id
            and line.robot_id in (None, robot_id)
            and (not line.tag or line.tag in labels)
        ]
        return max(roles, key=RANK.__getitem__, default=None)

    def role_in(self, service_id: ServiceId) -> TokenRole | None:
        """Return the highest role on anything of a service; ``None``: it is none of theirs."""
        if self.is_admin:
            return "admin"
        roles = [line.role for line in self.access if line.service_id == service_id]
        return max(roles, key=RANK.__getitem__, default=None)

    def manages(self, service_id: ServiceId) -> bool:
        """Say whether they may change the service itself, its rooms and all its robots."""
        return self.is_admin or any(
            line.service_id == service_id
            and line.role == "supervisor"
            and line.robot_id is None
            and not line.tag
            for line in self.access
        )


OPEN = Principal("open", "open", "", "admin")
"""Whoever reaches a server that runs without accounts."""
