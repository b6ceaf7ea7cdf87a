"""Everybody the records know, found at once: by token, cookie, key or name."""

from collections.abc import Callable

from farhand.core.access import Access, Principal, PrincipalKind
from farhand.errors import Code, NotAllowed
from farhand.keys.signing import key_id
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.accounts.secret import digest
from farhand.store.base import Store
from farhand.store.records import Login, Record, Robot, Room, Token, User

MAX_MAKERS = 8
"""A token may be made with one that was made with one, and so on, so often at most."""


class People:
    """Indexes over the records in memory, kept up to date by the store.

    Args:
        store: The records; opened before :meth:`load`.
        wall_ms: Wall clock.

    """

    def __init__(self, store: Store, wall_ms: Callable[[], int]) -> None:
        self._store = store
        self._wall_ms = wall_ms
        self._tokens: dict[str, str] = {}
        self._logins: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._subjects: dict[str, str] = {}
        self._robots: dict[str, tuple[ServiceId, RobotId]] = {}
        self._rooms: dict[tuple[ServiceId, str], int] = {}
        store.watch(self._changed)

    def load(self) -> None:
        """Read all records there are."""
        for kind in (Token, Login, User, Robot, Room):
            for record in self._store.all(kind):
                self._changed(None, record)

    # --- who is it -------------------------------------------------------------------------------

    def token(self, secret: str) -> Token | None:
        """Return the record of a token's secret."""
        return self._store.get(Token, self._tokens.get(digest(secret), ""))

    def login(self, secret: str) -> Login | None:
        """Return the record of a cookie's secret."""
        return self._store.get(Login, self._logins.get(digest(secret), ""))

    def user(self, name: str) -> User | None:
        """Return who logs in by a name; case does not matter."""
        return self._store.get(User, self._users.get(name.casefold(), ""))

    def user_of(self, subject: str) -> User | None:
        """Return who an OpenID provider means by ``iss|sub``."""
        return self._store.get(User, self._subjects.get(subject, ""))

    def robot(self, kid: str) -> Robot | None:
        """Return the robot that has a key."""
        key = self._robots.get(kid)
        return self._store.get(Robot, *key) if key is not None else None

    def room(self, service_id: ServiceId, name: str) -> Room | None:
        """Return the stored room of a name."""
        number = self._rooms.get((service_id, name))
        return self._store.get(Room, service_id, number) if number is not None else None

    @property
    def has_admin(self) -> bool:
        """Say whether anybody can manage this installation."""
        return any(user.role == "admin" and not user.is_disabled for user in self.users)

    @property
    def users(self) -> list[User]:
        """Return all accounts."""
        return self._store.all(User)

    def makers(self, token_id: str) -> int:
        """Return how many tokens stand one behind the other from this one to who began."""
        count, token = 0, self._store.get(Token, token_id)
        while token is not None and count < MAX_MAKERS:
            count += 1
            kind, _, maker_id = token.created_by.partition(":")
            token = self._store.get(Token, maker_id) if kind == "token" else None
        return count

    # --- who are they now ------------------------------------------------------------------------

    def by_token(self, secret: str) -> Principal:
        """Return whose API token or guest link it is.

        Raises:
            NotAllowed: FH-2004 nobody's, FH-2006 revoked or expired.

        """
        token = self.token(secret)
        if token is None:
            raise NotAllowed(Code.UNAUTHENTICATED, "This token is not known here.")
        if not self._is_live(token):
            raise NotAllowed(Code.REVOKED, "This token has been revoked or has expired.")
        return of_token(token)

    def by_login(self, login: Login) -> Principal | None:
        """Return who has logged in; ``None``: the login is over."""
        if login.expires_ms <= self._wall_ms():
            return None
        if not login.user_id:
            return of_code(login)
        user = self._store.get(User, login.user_id)
        if user is None or user.is_disabled or user.epoch != login.epoch:
            return None
        return of_user(user, login)

    def current(self, principal: Principal, now_ms: int) -> Principal | None:
        """Return somebody as the records have them now; ``None``: they are nobody any more."""
        if principal.kind == "open":
            return principal
        if principal.kind == "robot":
            robot = self.robot(principal.id)
            return of_robot(robot, principal.id) if robot and not robot.is_revoked else None
        if principal.kind in ("token", "guest"):
            token = self._store.get(Token, principal.id)
            return of_token(token) if token and self._is_live(token, now_ms) else None
        login = self._store.get(Login, principal.session)
        if login is None or login.expires_ms <= now_ms:
            return None
        return self.by_login(login)

    def _is_live(self, token: Token, now_ms: int | None = None) -> bool:
        now = self._wall_ms() if now_ms is None else now_ms
        if token.is_revoked or (token.expires_ms is not None and token.expires_ms <= now):
            return False
        # What is being made while its maker is revoked comes too late to be revoked with it.
        for _ in range(MAX_MAKERS):
            kind, _, maker_id = token.created_by.partition(":")
            if kind == "user":
                user = self._store.get(User, maker_id)
                return user is not None and not user.is_disabled
            if kind != "token":
                return True
            maker = self._store.get(Token, maker_id)
            if maker is None or maker.is_revoked:
                return False
            token = maker
        return False

    # --- inside ----------------------------------------------------------------------------------

    def _changed(self, before: Record | None, after: Record | None) -> None:
        if before is not None:
            self._remove(before)
        if after is not None:
            self._add(after)

    def _remove(self, record: Record) -> None:
        match record:
            case Token():
                self._tokens.pop(record.digest, None)
            case Login():
                self._logins.pop(record.digest, None)
            case User():
                self._users.pop(record.name.casefold(), None)
                self._subjects.pop(record.oidc, None)
            case Robot() if record.public_key:
                kid = key_id(record.public_key)
                # A robot that moves is put in its new place before it leaves the old one.
                if self._robots.get(kid) == (record.service_id, record.id):
                    del self._robots[kid]
            case Room():
                self._rooms.pop((record.service_id, record.name), None)

    def _add(self, record: Record) -> None:
        match record:
            case Token():
                self._tokens[record.digest] = record.id
            case Login():
                self._logins[record.digest] = record.id
            case User():
                self._users[record.name.casefold()] = record.id
                if record.oidc:
                    self._subjects[record.oidc] = record.id
            case Robot() if record.public_key:
                self._robots[key_id(record.public_key)] = (record.service_id, record.id)
            case Room():
                self._rooms[record.service_id, record.name] = record.id


def of_user(user: User, login: Login | None = None) -> Principal:
    """Return an account as somebody."""
    return Principal(
        "user",
        user.id,
        user.name,
        user.role,
        user.access,
        expires_ms=login.expires_ms if login else None,
        session=login.id if login else "",
    )


def of_token(token: Token) -> Principal:
    """Return a token or guest link as somebody."""
    kind: PrincipalKind = "guest" if token.role == "guest" else "token"
    return Principal(
        kind, token.id, token.name, token.role, token.access, expires_ms=token.expires_ms
    )


def of_code(login: Login) -> Principal:
    """Return one who came by a one-time code as somebody."""
    return Principal(
        "code",
        login.id,
        login.name,
        login.role,
        login.access,
        expires_ms=login.expires_ms,
        session=login.id,
    )


def of_robot(robot: Robot, kid: str) -> Principal:
    """Return a robot as somebody: it is on itself whatever robots are."""
    access = (Access(robot.service_id, "viewer", robot.id),)
    return Principal("robot", kid, robot.name or robot.id, "viewer", access)
