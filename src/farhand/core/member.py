"""What the hub knows about one connected socket and the member behind it."""

from typing import NewType

import msgspec

from farhand.core.access import OPEN, Principal
from farhand.core.limits import Limits, TokenBucket, Window
from farhand.core.session import Claim, Session
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, RobotId, RoomId, ServiceId, SessionId
from farhand.protocol.manifest import Manifest

PeerId = NewType("PeerId", int)
"""One connected socket; numbered by the shell, never used again."""


# Effects are msgspec structs, not dataclasses: one is made per message, and this is 5 x as fast.
class Send(msgspec.Struct, frozen=True, gc=False):
    """Send ``message`` to each of ``peers``; encode it once."""

    peers: tuple[PeerId, ...]
    message: m.ServerMessage


class Close(msgspec.Struct, frozen=True, gc=False):
    """Close the socket after what was sent before. The hub has forgotten the peer already."""

    peer: PeerId
    code: int
    reason: str


class Answered(msgspec.Struct, frozen=True, gc=False):
    """``member`` answered signal ``id`` of the server's own; ``code`` ``None``: done."""

    member: MemberId
    id: int
    code: Code | None
    text: str


class RobotSeen(msgspec.Struct, frozen=True, gc=False):
    """A robot came or went; for those who remember robots."""

    service_id: ServiceId
    robot_id: RobotId
    manifest: Manifest
    reason: str = ""
    """Why it went; empty: it did not."""
    is_news: bool = True
    """Whether it was not already there."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A robot told its news; for those who keep a journal."""

    service_id: ServiceId
    robot_id: RobotId
    message: m.Event | m.Status


class Noticed(msgspec.Struct, frozen=True, gc=False):
    """Something that belongs into the audit trail."""

    action: str
    """``session.begin``, ``session.end``, ``member.kick``, ``resume.replay``, ``rule.broken``,
    ``control.asked``, ``control.refused``, ``control.taken``, ``control.forced``,
    ``control.transferred``, ``control.released``, ``stop``, ``reset``."""
    service_id: ServiceId
    principal: Principal | None
    """Who did it, or to whom it happened; ``None``: nobody here knows."""
    robot_id: RobotId | None = None
    member: m.Member | None = None
    """As what they are known in the service."""
    target: str = ""
    """Kind and id: ``session:...``, ``member:...``."""
    result: str = "ok"
    """``ok`` or an error code."""
    detail: dict[str, str] = {}


Effect = Send | Close | Answered | RobotSeen | Heard | Noticed


class CloseCode:
    """WebSocket close codes that we give."""

    TOO_LARGE = 1009
    GOING_AWAY = 1012
    REPLACED = 4001
    PROTOCOL = 4002
    SLOW = 4003
    REFUSED = 4004
    RESUME = 4005
    """The resume token is refused; a hello without one is not."""
    KEEPALIVE = 4008
    REVOKED = 4010
    KICKED = 4011
    MOVED = 4012


SCOPES: dict[m.Role, tuple[m.Scope, ...]] = {
    "operator": ("view", "control", "reset"),
    "program": ("view", "control", "reset"),
    "supervisor": ("view", "control", "reset"),
    "viewer": ("view",),
    "guest": ("view",),
    "robot": (),
}
"""What a person's role allows."""


class Peer:
    """One socket. Until its hello :attr:`member` is ``None``."""

    __slots__ = (
        "bad",
        "breach_at",
        "bucket",
        "cameras",
        "claims",
        "control_bucket",
        "error_at",
        "fingerprint",
        "heard_at",
        "id",
        "is_live",
        "is_robot",
        "manifest",
        "media",
        "member",
        "notices",
        "own_role",
        "pairs",
        "ping_at",
        "principal",
        "reach",
        "refused",
        "room",
        "service",
        "sessions",
        "signals",
        "since_ms",
        "slot",
        "status",
        "tries",
        "tuple",
    )

    def __init__(self, peer_id: PeerId, service: ServiceId, limits: Limits, now: float) -> None:
        self.id = peer_id
        self.tuple = (peer_id,)
        """Ready for :class:`Send`."""
        self.service = service
        self.member: m.Member | None = None
        self.principal: Principal = OPEN
        """Who is behind it; from hello on."""
        self.own_role: m.Role = "viewer"
        """The role granted at hello; in a robot's own room :attr:`role` may be less."""
        self.reach: dict[MemberId, m.Role] = {}
        """A person's robots in the room, and what they are to each; others are not there for
        them. Asked of the door when the two meet, so that no message has to."""
        self.fingerprint: str | None = None
        self.since_ms = 0
        """Wall clock of the hello."""
        self.is_robot = False
        self.manifest: Manifest | None = None
        self.status: m.Status | None = None
        self.room: RoomId | None = None
        self.media = True
        self.cameras: tuple[CameraId, ...] | None = None
        self.sessions: dict[SessionId, Session] = {}
        self.claims: dict[SessionId, Claim] | None = None
        self.signals: dict[tuple[MemberId | None, int], float] | None = None
        self.pairs: dict[MemberId, Window] | None = None
        self.bucket = TokenBucket(limits.rate, limits.burst, now)
        self.control_bucket: TokenBucket | None = None
        self.bad: Window | None = None
        self.refused: Window | None = None
        self.tries: Window | None = None
        """Room passwords tried."""
        self.notices: Window | None = None
        """What it brought into the audit trail."""
        self.breach_at = float("-inf")
        self.error_at = float("-inf")
        self.heard_at = now
        self.ping_at = now
        self.is_live = False
        self.slot = 0

    @property
    def member_id(self) -> MemberId:
        """Id of the member; only after hello."""
        assert self.member is not None  # noqa: S101 - our own caller's mistake, never the peer's
        return self.member.id

    @property
    def robot_id(self) -> RobotId | None:
        """Set for a robot that has said hello."""
        return self.member.robot_id if self.member is not None else None

    @property
    def role(self) -> m.Role:
        """Role of the member; only after hello."""
        assert self.member is not None  # noqa: S101 - our own caller's mistake, never the peer's
        return self.member.role
