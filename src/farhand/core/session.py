"""One negotiated peer connection between a robot and a person, as the hub sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farhand.core.access import Principal
from farhand.core.hub_sight import shown
from farhand.core.negotiation import Negotiation, SessionEvent, SessionState
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, SessionId

if TYPE_CHECKING:
    from farhand.core.member import Peer


@dataclass(frozen=True, slots=True)
class Claim:
    """A member says that its session with ``other`` still lives, and waits for the other to."""

    other: MemberId
    until: float | None
    """When it is given up; ``None`` (the server was restarted): when the claimant leaves."""
    principal: Principal | None = None
    """Who the other is; ``None``: not known, the server was restarted."""
    own_role: m.Role | None = None
    """Of the other, a person, at hello; ``None``: as with `principal`, or it is a robot."""
    role: m.Role | None = None
    """What they were to this robot when their socket was lost."""


class Session:
    """A robot, a person, and where their negotiation stands."""

    __slots__ = ("id", "negotiation", "person", "robot", "scopes", "since_ms")

    def __init__(  # noqa: PLR0917 - the parts of a session
        self,
        session_id: SessionId,
        robot: Peer,
        person: Peer,
        scopes: tuple[m.Scope, ...],
        max_candidates: int,
        since_ms: int = 0,
    ) -> None:
        self.id = session_id
        self.robot = robot
        self.person = person
        self.scopes = scopes
        self.since_ms = since_ms
        """Wall clock."""
        self.negotiation = Negotiation(max_candidates)

    @property
    def state(self) -> SessionState:
        """Where it stands."""
        return self.negotiation.state

    def other(self, peer: Peer) -> Peer:
        """Return the end that is not ``peer``."""
        return self.person if peer is self.robot else self.robot

    def start(self, receiver: Peer, *, resumed: bool, grant: str | None = None) -> m.SessionStart:
        """Return what ``receiver``, one of the ends, is to be told."""
        member = shown(self.other(receiver), to=receiver)
        return m.SessionStart(self.id, member, self.scopes, self.person.cameras, resumed, grant)

    def resume(self) -> None:
        """Both ends say that it lives."""
        self.negotiation.advance(SessionEvent.RESUME)

    def end(self) -> None:
        """Close it."""
        self.negotiation.advance(SessionEvent.END)
