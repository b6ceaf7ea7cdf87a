"""Who sends a request: by cookie, or by a token in a header."""

from collections.abc import Collection

from starlette.requests import Request

from farhand.core.access import OPEN, Principal
from farhand.errors import Code, NotAllowed
from farhand.server.accounts.last_used import LastUsed
from farhand.server.accounts.origins import SAFE, check_own_page, check_page
from farhand.server.accounts.people import People
from farhand.server.accounts.secret import COOKIE, TOKEN_PREFIX
from farhand.server.accounts.throttle import Throttle, too_many
from farhand.server.problems import TOKEN_HEADERS, TOKEN_QUERY, Problem


class OpenGuard:
    """A server without accounts: everybody is an admin, but for pages of other sites.

    Args:
        origins: Whose pages may send requests, besides our own.

    """

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(origins)

    async def principal(self, request: Request) -> Principal:
        """Return who sends ``request``.

        Raises:
            Problem: 403 FH-2001.

        """
        if request.method not in SAFE:
            check_page(request, self._origins)
        return OPEN


class AccountsGuard:
    """A server with accounts.

    Args:
        people: Finds who it is.
        throttle: Counts requests and failures.
        used: Told which tokens are in use.
        own_origins: Ours, where it is not what the header ``Host`` says.

    """

    def __init__(
        self,
        people: People,
        throttle: Throttle,
        used: LastUsed,
        own_origins: Collection[str] = (),
    ) -> None:
        self._people = people
        self._throttle = throttle
        self._used = used
        self._own_origins = frozenset(own_origins)

    async def principal(self, request: Request) -> Principal:
        """Return who sends ``request``.

        Raises:
            Problem: 401 FH-2004, FH-2006; 403 FH-2001; 429 FH-3013.

        """
        cookie = request.cookies.get(COOKIE)
        if cookie is not None and request.method not in SAFE:
            check_own_page(request, self._own_origins)
        found = [self._by_token(token, request) for token in _tokens(request)]
        if cookie is not None:
            found.append(self._by_cookie(cookie))
        if not found:
            raise _unauthenticated("This server asks who you are.")
        if len({(one.kind, one.id) for one in found}) > 1:
            raise _unauthenticated("The request names two different senders.")
        self._throttle.account(found[0].id)
        return found[0]

    def _by_token(self, token: str, request: Request) -> Principal:
        try:
            principal = self._people.by_token(token)
        except NotAllowed as exc:
            address = request.client.host if request.client else ""
            wait_s = self._throttle.failure_wait_s(address)
            if wait_s > 0:
                raise too_many(wait_s) from exc
            self._throttle.failed(address)
            raise Problem(401, exc.code, exc.text, exc.fix) from exc
        self._used.note(principal.id)
        return principal

    def _by_cookie(self, secret: str) -> Principal:
        login = self._people.login(secret)
        principal = self._people.by_login(login) if login is not None else None
        if principal is None:
            raise _unauthenticated("You are not logged in any more.")
        return principal


def _tokens(request: Request) -> list[str]:
    """Return all tokens of a request; each must be good."""
    headers = request.headers
    found = [value for name in TOKEN_HEADERS for value in headers.getlist(name)]
    found += [
        value for name, value in request.query_params.multi_items() if name.lower() == TOKEN_QUERY
    ]
    for value in headers.getlist("authorization"):
        scheme, _, token = value.partition(" ")
        token = token.strip()
        # The documented console sends a bearer of its own beside X-Auth-Token: it proves nothing.
        if scheme.lower() == "bearer" and (token.startswith(TOKEN_PREFIX) or not found):
            found.append(token)
    return found


def _unauthenticated(text: str) -> Problem:
    fix = "Log in, or send a token as Authorization: Bearer."
    return Problem(401, Code.UNAUTHENTICATED, text, fix)
