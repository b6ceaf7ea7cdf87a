"""Accounts as REST shows them, and what requests bring."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from farhand.core.access import Access, AccountRole, Principal, PrincipalKind, TokenRole
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.rest.fields import Body, Id, Label, Name, PageQuery, View
from farhand.store.records import Token, User

MAX_TTL_S = 10 * 365 * 24 * 3600
SHOWN_MS = 1_767_225_600_000
"""A time in examples."""

Password = Annotated[str, Meta(max_length=1024)]
Code = Annotated[str, Meta(min_length=1, max_length=128)]
Ttl = Annotated[int, Meta(ge=60, le=MAX_TTL_S, description="Seconds.")]


class Line(Body, frozen=True):
    """A role on some robots of one service."""

    service_id: Id
    role: TokenRole
    robot_id: Id | None = None
    tag: Label | str = ""

    def access(self) -> Access:
        """Return it as it is stored."""
        robot_id = RobotId(self.robot_id) if self.robot_id is not None else None
        return Access(ServiceId(self.service_id), self.role, robot_id, self.tag)


Lines = Annotated[tuple[Line, ...], Meta(max_length=256)]


class Credentials(Body, frozen=True):
    """Name and password."""

    name: Annotated[str, Meta(max_length=64)]
    password: Password


class CodeEntry(Body, frozen=True):
    """A one-time code; that for the first admin comes with their name and password."""

    code: Code
    name: Name | None = None
    password: Password | None = None


class NewPassword(Body, frozen=True):
    """A change of the own password."""

    old: Password
    new: Password


class AuthView(View, frozen=True):
    """What a login page must know."""

    mode: str
    needs_setup: bool
    """There is no admin yet: the server's terminal shows a link."""
    providers: list["ProviderView"]
    demo: bool
    """One-time codes of `farhand demo --lan` are taken."""
    limited: bool
    """Too many logins have failed from this address: it must wait."""


class ProviderView(View, frozen=True):
    """Somebody else who knows people."""

    id: str
    name: str


class MeView(View, frozen=True):
    """Who you are."""

    kind: PrincipalKind
    id: str
    name: str
    role: TokenRole
    access: tuple[Access, ...]
    expires_ms: int | None


class LoginView(View, frozen=True):
    """A login that has begun."""

    me: MeView


class TicketView(View, frozen=True):
    """Opens one socket."""

    ticket: str
    expires_ms: int


class UserView(View, frozen=True):
    """A person's account."""

    id: str
    user_id: str
    name: str
    role: AccountRole
    access: tuple[Access, ...]
    has_password: bool
    oidc: str
    is_disabled: bool
    created_ms: int
    updated_ms: int
    version: int


class NewUser(Body, frozen=True):
    """A new account; without a password only a provider lets it in."""

    name: Name
    role: AccountRole = "viewer"
    password: Password | None = None
    access: Lines = ()


class UserPatch(Body, frozen=True):
    """What may be changed."""

    role: AccountRole | UnsetType = UNSET
    access: Lines | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET
    password: Password | UnsetType = UNSET


class TokenView(View, frozen=True):
    """An API token or guest link."""

    id: str
    token_id: str
    name: str
    role: TokenRole
    access: tuple[Access, ...]
    expires_ms: int | None
    last_used_ms: int
    is_revoked: bool
    created_by: str
    created_ms: int
    updated_ms: int
    version: int


class IssuedToken(TokenView, frozen=True):
    """A token with its secret, shown this once."""

    secret: str


class NewToken(Body, frozen=True):
    """What a token may."""

    name: Name
    role: TokenRole
    access: Lines | None = None
    """Absent: the role on the whole default service."""
    ttl_s: Ttl | None = None
    """Absent: until it is revoked."""


class TokenQuery(PageQuery, frozen=True):
    """Which tokens."""

    role: TokenRole | None = None


class NewGuestLink(Body, frozen=True):
    """A link to watch one robot."""

    robot_id: Id
    service_id: Id = "default"
    ttl_s: Ttl = 3600


class GuestLink(View, frozen=True):
    """Whoever has the URL may watch the robot until then."""

    token_id: str
    url: str
    expires_ms: int


def me_of(principal: Principal) -> MeView:
    """Return somebody as they see themselves."""
    return MeView(
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        role=principal.role,
        access=principal.access,
        expires_ms=principal.expires_ms,
    )


def user_view(user: User) -> UserView:
    """Return an account without its secrets."""
    return UserView(
        id=user.id,
        user_id=user.id,
        name=user.name,
        role=user.role,
        access=user.access,
        has_password=bool(user.password_hash),
        oidc=user.oidc,
        is_disabled=user.is_disabled,
        created_ms=user.created_ms,
        updated_ms=user.updated_ms,
        version=user.version,
    )


def token_view(token: Token) -> TokenView:
    """Return a token without its secret."""
    return TokenView(
        id=token.id,
        token_id=token.id,
        name=token.name,
        role=token.role,
        access=token.access,
        expires_ms=token.expires_ms,
        last_used_ms=token.last_used_ms,
        is_revoked=token.is_revoked,
        created_by=token.created_by,
        created_ms=token.created_ms,
        updated_ms=token.updated_ms,
        version=token.version,
    )
