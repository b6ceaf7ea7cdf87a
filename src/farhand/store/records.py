"""What an installation remembers: one struct for each table. `store/tables.py` mirrors them.

Times are wall clock in milliseconds since 1970. Secrets are kept as SHA-256 digests, but for the
token of a service and the secret of a webhook, which must be shown or used again.
"""

from typing import ClassVar, Literal

from msgspec import Struct

from farhand.core.access import Access, AccountRole, TokenRole
from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest


class Record(Struct, frozen=True, kw_only=True):
    """Base of all records."""

    KEY: ClassVar[tuple[str, ...]] = ("id",)
    """Names of the members that tell records of this kind apart."""
    UNIQUE: ClassVar[tuple[str, ...]] = ()
    """Names of members that no two records of this kind share; who tries is told of a conflict."""

    version: int = 0
    """Rises by one with each write; 0: not stored yet. It is the ETag. Being seen is no write."""
    created_ms: int = 0
    updated_ms: int = 0


class Service(Record, frozen=True, kw_only=True):
    """A teleoperation space."""

    id: ServiceId
    name: str = ""
    token: str = ""
    """Credential of the documented WebSocket; empty: there is none, and none passes."""
    robot_id: RobotId | None = None
    """The robot that was started into it by the documented call."""
    control_name: str = ""
    """Who started it."""
    status: Literal["new", "active", "inactive"] = "new"


class Robot(Record, frozen=True, kw_only=True):
    """A robot, as it was last seen."""

    KEY: ClassVar[tuple[str, ...]] = ("service_id", "id")

    service_id: ServiceId
    """Where it is now."""
    id: RobotId
    home_id: ServiceId
    """Where it was enrolled, and returns to when it is stopped."""
    name: str = ""
    public_key: str = ""
    """Its Ed25519 key, raw, base64url without padding; empty: none (a server without accounts)."""
    is_revoked: bool = False
    model: str = ""
    architecture: str = ""
    software: str = ""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    manifest: Manifest | None = None
    """``None``: it has never been online."""
    last_seen_ms: int = 0
    offline_reason: str = ""


class Room(Record, frozen=True, kw_only=True):
    """A room that exists without anybody in it."""

    KEY: ClassVar[tuple[str, ...]] = ("service_id", "id")

    service_id: ServiceId
    id: int
    """Counted from 1000 in each service."""
    name: str
    """What `join` names."""
    alias: str = ""
    type: Literal["video", "audio", "text", "binary", "local_rtc", "cloud_rtc"] = "video"
    token: str = ""
    """If set, joining needs it."""
    max_users: int = 0
    """0: no bound of its own."""
    max_duration_s: int = 0
    """0: for ever. Counted from the first member's joining."""


class User(Record, frozen=True, kw_only=True):
    """A person's account."""

    UNIQUE: ClassVar[tuple[str, ...]] = ("name",)

    id: str
    name: str
    """What they log in with; unique."""
    password_hash: str = ""
    """argon2id; empty: no login by password."""
    role: AccountRole = "viewer"
    access: tuple[Access, ...] = ()
    oidc: str = ""
    """Issuer and subject, ``iss|sub``."""
    is_disabled: bool = False
    epoch: int = 0
    """Rises when all logins must end: new password, new role, disabled."""


class Token(Record, frozen=True, kw_only=True):
    """An API token or a guest link. The secret itself was shown once."""

    id: str
    name: str
    digest: str
    role: TokenRole
    access: tuple[Access, ...] = ()
    expires_ms: int | None = None
    last_used_ms: int = 0
    is_revoked: bool = False
    created_by: str = ""


class Login(Record, frozen=True, kw_only=True):
    """A browser's login; its cookie's secret is known by digest only."""

    id: str
    digest: str
    user_id: str
    """Empty: came by a one-time code, without an account."""
    name: str = ""
    role: AccountRole = "viewer"
    access: tuple[Access, ...] = ()
    epoch: int = 0
    """Of the user, at login."""
    expires_ms: int
    address: str = ""


class Enrolment(Record, frozen=True, kw_only=True):
    """How a robot gets in: a code made by an admin, a key for many robots, or a robot's request."""

    id: str
    kind: Literal["code", "key", "request"]
    digest: str
    """Of the code that is shown."""
    hint: str = ""
    """Its last characters."""
    service_id: ServiceId
    robot_id: RobotId | None = None
    """``None``: the robot names itself."""
    name: str = ""
    public_key: str = ""
    """Of the robot that asks (``request``)."""
    model: str = ""
    architecture: str = ""
    tags: tuple[str, ...] = ()
    poll_digest: str = ""
    """Of the secret by which the robot asks whether it has been approved (``request``)."""
    uses_left: int = 1
    status: Literal["open", "approved", "denied", "used", "revoked"] = "open"
    expires_ms: int
    created_by: str = ""
    address: str = ""


class Webhook(Record, frozen=True, kw_only=True):
    """Where events are posted to."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...] = ()
    """Empty: all."""
    service_id: ServiceId | None = None
    is_enabled: bool = True
    last_status: int = 0
    last_ms: int = 0
    last_error: str = ""


class AuditEntry(Struct, frozen=True, rename="camel"):
    """Who did what to which robot, with what result: one link of a chain of SHA-256 digests."""

    seq: int
    at_ms: int
    actor: str
    """Kind and id: ``user:u-1``."""
    actor_name: str
    action: str
    """``robot.enrol``, ``login``, ``lease.granted``, ``stop`` …"""
    result: str
    """``ok`` or an error code."""
    service_id: str = ""
    robot_id: str = ""
    target: str = ""
    """Kind and id of what it was done to: ``token:t-7``."""
    address: str = ""
    detail: dict[str, str] = {}
    """Never a secret."""
    previous: str = ""
    digest: str = ""


ALL: tuple[type[Record], ...] = (
    Service,
    Robot,
    Room,
    User,
    Token,
    Login,
    Enrolment,
    Webhook,
)
