"""Logins of browsers: a record for each, and the cookie that names it."""

from collections.abc import Callable

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from farhand.server.accounts.people import People
from farhand.server.accounts.secret import COOKIE, digest, new_id, new_secret
from farhand.server.accounts.throttle import key_of
from farhand.server.settings import ServerSettings
from farhand.store.base import Change, Deed, Delete, Put, Store
from farhand.store.records import Login, User

MAX_PER_USER = 50
MAX_BY_CODE = 200


class Logins:
    """Begins and ends logins.

    Args:
        store: The records.
        people: Finds them.
        settings: How long they last, and where the cookie counts.
        wall_ms: Wall clock.

    """

    def __init__(
        self, store: Store, people: People, settings: ServerSettings, wall_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._people = people
        self._settings = settings
        self._wall_ms = wall_ms

    async def begin(
        self, who: User | Login, request: Request, deed: Deed, *, also: tuple[Change, ...] = ()
    ) -> tuple[Login, str]:
        """Log a user in, or one who came by a code (a login without account).

        Args:
            who: The user as it is stored after ``also``.
            request: Whose sender logs in.
            deed: For the audit trail.
            also: What is written in the same transaction.

        Returns:
            The login and its cookie's secret.

        """
        secret = new_secret()
        blank = Login(id="", digest="", user_id="", expires_ms=0)
        known = replace(blank, user_id=who.id, epoch=who.epoch) if isinstance(who, User) else who
        login = replace(
            known,
            id=new_id("l"),
            digest=digest(secret),
            name=who.name,
            role=who.role,
            access=who.access,
            expires_ms=self._wall_ms() + self._settings.login_ttl_s * 1000,
            address=request.client.host if request.client else "",
        )
        await self._store.write(*also, Put(login), *self._leftover(login.user_id), deed=deed)
        return login, secret

    async def end(self, session: str, deed: Deed) -> None:
        """Log out."""
        await self._store.write(Delete(Login, (session,)), deed=deed)

    def all_of(self, user_id: str) -> list[Change]:
        """Return what ends all logins of a user."""
        return [
            Delete(Login, (one.id,)) for one in self._store.all(Login) if one.user_id == user_id
        ]

    def is_at(self, user: User | None, address: str) -> bool:
        """Say whether a user is logged in at an address now."""
        return user is not None and any(
            one.user_id == user.id
            and key_of(one.address) == key_of(address)
            and self._people.by_login(one) is not None
            for one in self._store.all(Login)
        )

    def set_cookie(self, request: Request, response: Response, secret: str) -> None:
        """Hand the secret to the browser; no script can read it."""
        self._cookie(request, response, secret, self._settings.login_ttl_s)

    def clear_cookie(self, request: Request, response: Response) -> None:
        """Take it away again."""
        self._cookie(request, response, "", 0)

    def _cookie(self, request: Request, response: Response, value: str, max_age: int) -> None:
        response.set_cookie(
            COOKIE,
            value,
            max_age=max_age,
            path=self._settings.root_path or "/",
            secure=is_secure(request, self._settings),
            httponly=True,
            samesite="strict",
        )

    def _leftover(self, user_id: str) -> list[Change]:
        """Return what removes logins that are over, and the oldest of one who has too many."""
        logins = self._store.all(Login)
        gone = [one for one in logins if self._people.by_login(one) is None]
        dead = {one.id for one in gone}
        own = [one for one in logins if one.user_id == user_id and one.id not in dead]
        own.sort(key=lambda one: one.created_ms)
        bound = MAX_PER_USER if user_id else MAX_BY_CODE
        gone += own[: max(0, len(own) + 1 - bound)]
        return [Delete(Login, (one.id,)) for one in gone]


def is_secure(request: Request, settings: ServerSettings) -> bool:
    """Say whether the browser came by https."""
    return request.url.scheme == "https" or settings.public_url.startswith("https:")
