"""Coming and going, negotiating a session, keepalive: between a member and the server."""

from msgspec import Struct

from farhand.errors import Code
from farhand.protocol.ids import CameraId, MemberId, RobotId, RoomId, ServiceId, SessionId
from farhand.protocol.manifest import Manifest
from farhand.protocol.types import (
    U32,
    U53,
    IceCandidate,
    IceServer,
    Member,
    Name,
    Role,
    Scope,
    Track,
)


class Hello(Struct, frozen=True, tag="hello", rename="camel", omit_defaults=True):
    """First message of every connection. Robots send their manifest, others a role and a name."""

    role: Role
    name: Name
    protocol: str = "1.0"
    min: str = "1.0"
    """Oldest version that the sender accepts."""
    robot_id: RobotId | None = None
    manifest: Manifest | None = None
    resume: str | None = None
    """Token of an earlier ``welcome``: keeps the member id, also over a restart of the server."""
    software: Name = ""
    token: str | None = None
    """Credential: an API token, a ticket of ``POST /v1/ticket``, or a JWT of a robot's own key."""


class Welcome(Struct, frozen=True, tag="welcome", rename="camel", omit_defaults=True):
    """Answer to ``hello``."""

    member_id: MemberId
    service_id: ServiceId
    protocol: str
    """The version that both will speak."""
    resume: str
    server_time_ms: U53
    """Wall clock of the server."""
    ice_servers: tuple[IceServer, ...] = ()


class Join(Struct, frozen=True, tag="join", rename="camel", omit_defaults=True):
    """Enter a room. A robot's default room has the robot's id; the robot itself joins it so."""

    room: RoomId
    media: bool = True
    """Whether a peer connection with each robot (or person) of the room is wanted."""
    cameras: tuple[CameraId, ...] | None = None
    """Cameras wanted from the start; ``None``: all."""
    sessions: dict[SessionId, MemberId] = {}
    """Sessions that outlived the signaling connection, each with its other end."""
    password: str | None = None
    """Of the room, where it has one."""
    fingerprint: str | None = None
    """SHA-256 of the certificate of our peer connections, as in SDP: ``sha-256 AB:CD:…``. A robot
    that demands grants lets nobody in without it."""


class Leave(Struct, frozen=True, tag="leave", rename="camel"):
    """Leave the room. Sessions in it end."""


class Joined(Struct, frozen=True, tag="joined", rename="camel"):
    """The sender of ``join`` is in the room; ``members`` includes itself."""

    member_id: MemberId
    room: RoomId
    members: tuple[Member, ...]


class Left(Struct, frozen=True, tag="left", rename="camel", omit_defaults=True):
    """The receiver is no longer in the room."""

    room: RoomId
    reason: str = ""


class SessionStart(Struct, frozen=True, tag="session-start", rename="camel", omit_defaults=True):
    """The server pairs the receiver with ``member``.

    The robot makes the offer, the other side waits for it.
    """

    session_id: SessionId
    member: Member
    scopes: tuple[Scope, ...]
    """What the person may do; the robot creates only the data channels that these allow."""
    cameras: tuple[CameraId, ...] | None = None
    resumed: bool = False
    """Both ends said that this session still lives: nothing to negotiate."""
    grant: str | None = None
    """To the robot: the server's signed word (a JWS) of who ``member`` is and what it may do."""


class SessionEnded(Struct, frozen=True, tag="session-ended", rename="camel", omit_defaults=True):
    """The session is over. Sent by either end, and by the server to both."""

    session_id: SessionId
    reason: str = ""


class Offer(Struct, frozen=True, tag="offer", rename="camel", omit_defaults=True):
    """Session description of the robot, the only offerer (FH-3008 otherwise)."""

    session_id: SessionId
    sdp: str
    tracks: tuple[Track, ...] = ()


class Answer(Struct, frozen=True, tag="answer", rename="camel"):
    """Session description of the other side."""

    session_id: SessionId
    sdp: str


class OfferRequest(Struct, frozen=True, tag="offer-request", rename="camel", omit_defaults=True):
    """Ask the robot for a new peer connection in this session."""

    session_id: SessionId
    cameras: tuple[CameraId, ...] | None = None
    reason: str = ""


class Candidate(Struct, frozen=True, tag="candidate", rename="camel", omit_defaults=True):
    """A trickled ICE candidate. ``candidate: null`` is the end of candidates."""

    session_id: SessionId
    candidate: IceCandidate | None = None


class Ping(Struct, frozen=True, tag="ping", rename="camel"):
    """Keepalive. The server says how long silence may last from now on; either side may ask."""

    n: U32
    timeout_ms: U32
    """Whoever hears nothing for this long takes the connection for dead."""


class Pong(Struct, frozen=True, tag="pong", rename="camel"):
    """Answer to ``ping``."""

    n: U32


class Error(Struct, frozen=True, tag="error", rename="camel", omit_defaults=True):
    """A message was refused."""

    code: Code
    text: str
    about: str = ""
    """``type`` of the refused message, where known."""
    session_id: SessionId | None = None
    retry_after_ms: int | None = None
