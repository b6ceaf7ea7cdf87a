"""What all ways in have in common: the login, its cookie, and what the audit trail says."""

from typing import Any

from starlette.responses import Response

from farhand.core.access import Principal
from farhand.errors import Code
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.people import of_code, of_user
from farhand.server.accounts.views import LoginView, me_of
from farhand.server.problems import Problem
from farhand.server.rest.answers import as_json
from farhand.server.rest.operation import Call
from farhand.server.rest.reading import address_of
from farhand.store.base import Change, Deed
from farhand.store.records import Login, User


def require_accounts(accounts: Accounts) -> None:
    """Refuse a login to a server that has none.

    Raises:
        Problem: 409 FH-3026.

    """
    if not accounts.settings.has_accounts:
        text = "This server runs without accounts: there is nothing to log in to."
        raise Problem(409, Code.CONFLICT, text, "Start it with --auth accounts.")


async def begin(
    accounts: Accounts,
    call: Call[Any, Any],
    who: User | Login,
    action: str,
    also: tuple[Change, ...] = (),
) -> tuple[Principal, str]:
    """Begin a login; return who it is from now on, and the cookie's secret."""
    is_user = isinstance(who, User)
    deed = Deed(
        actor=f"user:{who.id}" if is_user else "code:",
        actor_name=who.name,
        action=action,
        target=f"user:{who.id}" if is_user else "",
        address=address_of(call.request),
    )
    login, secret = await accounts.logins.begin(who, call.request, deed, also=also)
    return (of_user(who, login) if isinstance(who, User) else of_code(login)), secret


async def enter(
    accounts: Accounts,
    call: Call[Any, Any],
    who: User | Login,
    action: str,
    also: tuple[Change, ...] = (),
) -> Response:
    """Log somebody in; the answer sets the cookie."""
    principal, secret = await begin(accounts, call, who, action, also)
    answer = as_json(LoginView(me=me_of(principal)))
    accounts.logins.set_cookie(call.request, answer, secret)
    return answer


async def refuse(  # noqa: PLR0917 - what happened, to whom
    accounts: Accounts,
    call: Call[Any, Any],
    action: str,
    code: Code,
    text: str,
    meant: User | None = None,
) -> Problem:
    """Note a login that failed, and return the refusal.

    The name that was given is not noted unless it is somebody's: it may be a password that slipped
    into the wrong field.
    """
    deed = Deed(
        actor="nobody:",
        actor_name="",
        action=action,
        result=code,
        target=f"user:{meant.id}" if meant is not None else "",
        address=address_of(call.request),
    )
    await accounts.store.audit(deed)
    return Problem(401, code, text)
