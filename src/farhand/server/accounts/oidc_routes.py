"""The way to an OpenID provider and back."""

import re
from typing import Annotated, Any
from urllib.parse import quote

from msgspec import Meta
from starlette.responses import RedirectResponse, Response

from farhand.core.access import Access
from farhand.errors import Code, FarhandError
from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.logging_in import begin, refuse, require_accounts
from farhand.server.accounts.logins import is_secure
from farhand.server.accounts.oidc import PENDING_MS, Identity
from farhand.server.accounts.secret import new_id
from farhand.server.accounts.urls import public_base
from farhand.server.problems import Problem
from farhand.server.rest.answers import NO_STORE
from farhand.server.rest.fields import NoQuery
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.reading import address_of
from farhand.store.base import Deed, Put
from farhand.store.records import User

BROWSER_COOKIE = "farhand_oidc"
_PLACE = re.compile(r"/(?![/\\])[\x21-\x7e]*")
"""A page of this console; anything else would be a trap."""


class StartQuery(NoQuery, frozen=True):
    """Where to go afterwards."""

    to: Annotated[str, Meta(max_length=1024)] = ""


class CallbackQuery(NoQuery, frozen=True):
    """What the provider says."""

    state: Annotated[str, Meta(max_length=1024)] = ""
    code: Annotated[str, Meta(max_length=4096)] = ""
    error: Annotated[str, Meta(max_length=256)] = ""


class OidcRoutes:
    """The operations. Both answer a browser: with a redirection, whatever happens.

    Args:
        accounts: Knows people.

    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def start_oidc(self, call: Call[object, StartQuery]) -> Response:
        """Send the browser to a login provider."""
        accounts, provider_id = self._accounts, call.path("provider_id")
        require_accounts(accounts)
        accounts.throttle.visit(address_of(call.request))
        try:
            url, secret = await accounts.oidc.start(
                provider_id, self._callback_url(call, provider_id), call.query.to
            )
        except Problem as exc:
            if exc.status == 404:
                raise
            return self._back(f"/login?error={exc.code}")
        answer = RedirectResponse(url, 303, headers=NO_STORE)
        self._set_cookie(call, answer, secret, PENDING_MS // 1000)
        return answer

    async def finish_oidc(self, call: Call[object, CallbackQuery]) -> Response:
        """Take the browser back from a login provider; the answer sets the cookie."""
        accounts, query = self._accounts, call.query
        require_accounts(accounts)
        try:
            with accounts.throttle.attempt(address_of(call.request)) as attempt:
                try:
                    identity = await accounts.oidc.finish(
                        call.path("provider_id"),
                        query.state,
                        query.code,
                        call.request.cookies.get(BROWSER_COOKIE, ""),
                    )
                    user = await self._user(call, identity)
                except Problem as exc:
                    attempt.failed = exc.status == 401
                    if exc.status == 401:
                        await refuse(accounts, call, "login.oidc", exc.code, exc.text)
                    raise
                attempt.failed = False
            _, secret = await begin(accounts, call, user, "login.oidc")
        except FarhandError as exc:
            answer = self._back(f"/login?error={exc.code}")
            self._set_cookie(call, answer, "", 0)
            return answer
        to = identity.to if _PLACE.fullmatch(identity.to) else "/"
        answer = self._back(to)
        accounts.logins.set_cookie(call.request, answer, secret)
        self._set_cookie(call, answer, "", 0)
        return answer

    async def _user(self, call: Call[object, CallbackQuery], identity: Identity) -> User:
        """Return the account of an identity; the first time one is made.

        An account of the same name is not taken over: whoever may choose their name at a provider
        would be anybody here.
        """
        accounts = self._accounts
        async with accounts.accounts_lock:
            user = accounts.people.user_of(identity.subject)
            if user is not None:
                if user.is_disabled:
                    raise Problem(401, Code.UNAUTHENTICATED, "This account is disabled.")
                return user
            role = identity.provider.role
            made = User(
                id=new_id("u"),
                name=self._free_name(identity.name),
                role=role,
                access=(Access(DEFAULT_SERVICE, role),),
                oidc=identity.subject,
            )
            deed = Deed(
                actor=f"user:{made.id}",
                actor_name=made.name,
                action="user.create",
                target=f"user:{made.id}",
                address=address_of(call.request),
                detail={"role": role, "provider": identity.provider.id},
            )
            stored, *_ = await accounts.store.write(Put(made), deed=deed)
            assert isinstance(stored, User)  # noqa: S101 - what was put
            return stored

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while self._accounts.people.user(name) is not None:
            number += 1
            name = f"{wanted[:56]} {number}"
        return name

    def _callback_url(self, call: Call[object, StartQuery], provider_id: str) -> str:
        base = public_base(call.request, self._accounts.settings)
        return f"{base}/v1/login/oidc/{quote(provider_id)}/callback"

    def _back(self, place: str) -> Response:
        url = f"{self._accounts.settings.root_path}{place}"
        return RedirectResponse(url, 303, headers=NO_STORE)

    def _set_cookie(self, call: Call[Any, Any], answer: Response, value: str, max_age: int) -> None:
        answer.set_cookie(
            BROWSER_COOKIE,
            value,
            max_age=max_age,
            path=self._accounts.settings.root_path or "/",
            secure=is_secure(call.request, self._accounts.settings),
            httponly=True,
            samesite="lax",  # the provider sends the browser back from its own site
        )

    def add_to(self, api: Operations) -> None:
        """Register the operations."""
        one, tag = "/v1/login/oidc/{provider_id}", "Login"
        api.add(
            "GET", f"{one}/start", self.start_oidc, tag=tag, is_public=True, status=303,
            query=StartQuery,
        )  # fmt: skip
        api.add(
            "GET", f"{one}/callback", self.finish_oidc, tag=tag, is_public=True, status=303,
            query=CallbackQuery,
        )  # fmt: skip
