"""What the hub asks of those who know people, robots and rooms: who may come in, and to what.

The hub itself knows no accounts. A server without them uses :class:`OpenDoor`.
"""

from dataclasses import dataclass
from typing import Protocol

from farhand.core.access import MEMBER_ROLE, OPEN, Principal, TokenRole
from farhand.core.member import SCOPES
from farhand.errors import Code, NotAllowed
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, RoomId, ServiceId, SessionId


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who said hello, as the server knows them."""

    principal: Principal
    service_id: ServiceId
    """Where they are from now on: a robot's own, whatever path it dialled."""
    role: m.Role
    name: str
    robot_id: RobotId | None = None


@dataclass(frozen=True, slots=True)
class RoomRules:
    """What a stored room demands."""

    token: str = ""
    """Its password; empty: none."""
    max_users: int = 0
    """People in it at once; 0: no bound."""
    max_duration_s: int = 0
    """From the first member's joining; 0: for ever."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A session about to begin: what a grant says."""

    session_id: SessionId
    robot_id: RobotId
    member: m.Member
    scopes: tuple[m.Scope, ...]
    fingerprint: str | None


class Door(Protocol):
    """Answers at once, from memory."""

    def authorise(self, hello: m.Hello, service_id: ServiceId) -> Admitted:
        """Say who this is.

        Raises:
            NotAllowed: FH-2004 no or no valid credential, FH-2006 revoked, FH-2002 a role that
                they do not have, FH-3021 (as for one that is not there) a service not theirs.

        """

    def role_on(
        self, principal: Principal, service_id: ServiceId, robot_id: RobotId
    ) -> TokenRole | None:
        """Return their role on a robot; ``None``: for them there is no such robot."""

    def is_current(self, principal: Principal, now_ms: int) -> bool:
        """Say whether this is still somebody: not revoked, disabled, expired."""

    def room(self, service_id: ServiceId, room_id: RoomId) -> RoomRules | None:
        """Return the rules of a stored room; ``None``: it is none."""

    def grant(self, principal: Principal, meeting: Meeting) -> str | None:
        """Return the signed grant for the robot; ``None``: this server signs none."""


def scopes_for(role: TokenRole | None, member_role: m.Role) -> tuple[m.Scope, ...]:
    """Return what a role on one robot allows, never more than the role in the room does."""
    on_robot = MEMBER_ROLE[role] if role is not None else None
    if on_robot is None:
        return ()
    allowed = SCOPES[member_role]
    return tuple(scope for scope in SCOPES[on_robot] if scope in allowed)


def member_role(principal: Principal, wanted: m.Role, role: TokenRole | None) -> m.Role:
    """Return the role in a room: what was asked for, if the account allows it.

    One who may drive may also only watch (``viewer``); nobody is more than the account says.

    Raises:
        NotAllowed: FH-2002.

    """
    own = MEMBER_ROLE[role] if role is not None else None
    if own is None or wanted == "robot":
        raise NotAllowed(Code.ROLE_REFUSED, "Your account has no such role here.")
    if wanted in (own, "viewer") and own != "guest":
        return wanted
    if wanted == "operator" and own in ("supervisor", "viewer", "guest", "program"):
        return own  # the console asks as operator; it is told what it is
    if wanted == own:
        return own
    raise NotAllowed(Code.ROLE_REFUSED, f"Your account is {own} here, not {wanted}.")


class OpenDoor:
    """A server without accounts: everybody is who they say, but nobody is a supervisor."""

    def authorise(self, hello: m.Hello, service_id: ServiceId) -> Admitted:
        """Believe it."""
        if hello.role in ("supervisor", "guest"):
            raise NotAllowed(Code.ROLE_REFUSED, f"A {hello.role} needs an account.")
        robot_id = hello.robot_id if hello.role == "robot" else None
        return Admitted(OPEN, service_id, hello.role, hello.name, robot_id)

    def role_on(
        self, principal: Principal, service_id: ServiceId, robot_id: RobotId
    ) -> TokenRole | None:
        """Everything is everybody's."""
        del service_id, robot_id
        return principal.role

    def is_current(self, principal: Principal, now_ms: int) -> bool:
        """Nobody is ever revoked."""
        del principal, now_ms
        return True

    def room(self, service_id: ServiceId, room_id: RoomId) -> RoomRules | None:
        """No rules."""
        del service_id, room_id
        return None

    def grant(self, principal: Principal, meeting: Meeting) -> str | None:
        """No signature."""
        del principal, meeting
        return None
