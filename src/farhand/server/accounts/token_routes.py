"""API tokens and guest links: made by those who have what they give, shown once, revoked."""

from typing import Any
from urllib.parse import quote

from msgspec.structs import asdict, replace

from farhand.core.access import Access, Principal
from farhand.errors import Code
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.giving import check_gift, check_places, revocation
from farhand.server.accounts.people import MAX_MAKERS
from farhand.server.accounts.secret import digest, new_id, new_token
from farhand.server.accounts.urls import public_base
from farhand.server.accounts.views import (
    SHOWN_MS,
    GuestLink,
    IssuedToken,
    Line,
    NewGuestLink,
    NewToken,
    TokenQuery,
    TokenView,
    token_view,
)
from farhand.server.problems import Problem, not_found
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import insist
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import check_match
from farhand.server.rest.rights import forbidden, robot
from farhand.store.base import Put
from farhand.store.records import Token

MAX_TOKENS = 1000
"""Of one maker, that pass now."""


class TokenRoutes:
    """The operations.

    Args:
        accounts: Knows people.

    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def list_tokens(self, call: Call[object, TokenQuery]) -> Listing[Token]:
        """List the tokens and guest links that you have made, or manage."""
        who = _maker(call)
        found = [
            token
            for token in self._accounts.store.all(Token)
            if _is_theirs(who, token) and call.query.role in (None, token.role)
        ]
        return Listing(found, lambda token: (token.id,), token_view)

    async def create_token(self, call: Call[NewToken, object]) -> Answer:
        """Make a token. Its secret is shown this once, and it may no more than you."""
        who, body = _maker(call), call.body
        if body.role == "guest":
            text = "A guest watches by a link."
            raise Problem(422, Code.MALFORMED, text, "Make one with POST /v1/guest-link.")
        access = _lines(body)
        check_gift(who, body.role, access)
        check_places(self._accounts.store, access)
        new = Token(id=new_id("t"), name=body.name, digest="", role=body.role, access=access)
        token, secret = await self._issue(call, "token.create", new, body.ttl_s)
        return Answer(
            IssuedToken(**asdict(token_view(token)), secret=secret),
            version=token.version,
            headers={"Location": token.id},
        )

    async def read_token(self, call: Call[object, object]) -> Answer:
        """Return one token, without its secret."""
        token = self._found(call)
        return Answer(token_view(token), version=token.version)

    async def revoke_token(self, call: Call[object, object]) -> Answer:
        """Revoke a token or guest link: it passes no more, and its sockets are closed."""
        return await insist(lambda: self._revoke(call))

    async def _revoke(self, call: Call[object, object]) -> Answer:
        token = self._found(call)
        check_match(call.request, token.version)
        if not token.is_revoked:
            deed = call.deed("token.revoke", target=f"token:{token.id}")
            await self._accounts.store.write(*revocation(self._accounts.store, token), deed=deed)
        return Answer()

    async def create_guest_link(self, call: Call[NewGuestLink, object]) -> Answer:
        """Make a link by which whoever has it may watch one robot for a while."""
        who, body = _maker(call), call.body
        seen = robot(call.context, who, body.robot_id, body.service_id, manage=True)
        access = (Access(seen.service_id, "guest", RobotId(seen.id)),)
        check_gift(who, "guest", access)
        name = f"Guest of {seen.name or seen.id}"[:64]
        new = Token(id=new_id("t"), name=name, digest="", role="guest", access=access)
        token, secret = await self._issue(call, "guest.create", new, body.ttl_s)
        base = public_base(call.request, self._accounts.settings)
        service = "" if seen.service_id == DEFAULT_SERVICE else f"&service={quote(seen.service_id)}"
        url = f"{base}/drive/{quote(seen.id)}?view=1{service}#guest={secret}"
        view = GuestLink(token_id=token.id, url=url, expires_ms=token.expires_ms or 0)
        return Answer(view, headers={"Location": f"token/{token.id}"})

    async def _issue(
        self, call: Call[Any, Any], action: str, new: Token, ttl_s: int | None
    ) -> tuple[Token, str]:
        """Store ``new`` with a secret; return both."""
        accounts, who = self._accounts, call.principal
        maker = f"{who.kind}:{who.id}"
        live = [t for t in accounts.store.all(Token) if t.created_by == maker and not t.is_revoked]
        if len(live) >= MAX_TOKENS:
            text = f"You have {MAX_TOKENS} tokens."
            raise Problem(409, Code.CONFLICT, text, "Revoke those that nobody needs.")
        if who.kind == "token" and accounts.people.makers(who.id) >= MAX_MAKERS:
            raise forbidden("This token was made with one that was made with one, and so on.")
        expires_ms = accounts.wall_ms() + ttl_s * 1000 if ttl_s is not None else None
        if who.kind == "token" and who.expires_ms is not None:
            expires_ms = min(expires_ms or who.expires_ms, who.expires_ms)
        secret = new_token()
        token = replace(new, digest=digest(secret), expires_ms=expires_ms, created_by=maker)
        line = token.access[0] if token.access else None
        deed = call.deed(
            action,
            target=f"token:{token.id}",
            service_id=line.service_id if line else "",
            robot_id=(line.robot_id or "") if line else "",
            detail={"name": token.name, "role": token.role},
        )
        stored, *_ = await accounts.store.write(Put(token), deed=deed)
        assert isinstance(stored, Token)  # noqa: S101 - what was put
        return stored, secret

    def _found(self, call: Call[Any, Any]) -> Token:
        who = _maker(call)
        token = self._accounts.store.get(Token, call.path("token_id"))
        if token is None or not _is_theirs(who, token):
            raise not_found("token")
        return token

    def add_to(self, api: Operations) -> None:
        """Register the operations."""
        one, tag = "/v1/token/{token_id}", "Tokens"
        access = (Access(DEFAULT_SERVICE, "program"),)
        shown = token_view(
            Token(
                id="t-1f0c7b5e9d3a4c2e8b6f0a1d2c3e4f50", name="nightly run", digest="",
                role="program", access=access, created_by="user:u-7", version=1,
                created_ms=SHOWN_MS, updated_ms=SHOWN_MS,
            )
        )  # fmt: skip
        new = NewToken(
            name="nightly run", role="program",
            access=(Line(service_id="default", role="program"),), ttl_s=30 * 24 * 3600,
        )  # fmt: skip
        link = GuestLink(
            token_id="t-2a…",  # noqa: S106
            url="https://robots.example/drive/sim-rover?view=1#guest=fh_…",
            expires_ms=SHOWN_MS + 3_600_000,
        )
        api.add(
            "GET", "/v1/token", self.list_tokens, tag=tag, query=TokenQuery, answer=TokenView,
            plural="tokens", example=shown,
        )  # fmt: skip
        api.add(
            "POST", "/v1/token", self.create_token, tag=tag, status=201, body=NewToken,
            body_example=new, answer=IssuedToken,
            example=IssuedToken(**asdict(shown), secret="fh_…"),  # noqa: S106
        )  # fmt: skip
        api.add("GET", one, self.read_token, tag=tag, answer=TokenView, example=shown)
        api.add("DELETE", one, self.revoke_token, tag=tag, status=204)
        api.add(
            "POST", "/v1/guest-link", self.create_guest_link, tag=tag, status=201,
            body=NewGuestLink, body_example=NewGuestLink(robot_id="sim-rover", ttl_s=3600),
            answer=GuestLink, example=link,
        )  # fmt: skip


def _maker(call: Call[Any, Any]) -> Principal:
    """Return one who can have tokens: whoever came by a code or a link cannot.

    Raises:
        Problem: 403 FH-2005.

    """
    if call.principal.kind in ("guest", "code") or call.principal.role == "enroller":
        raise forbidden("Only people with accounts, and their programs, have tokens.")
    return call.principal


def _is_theirs(who: Principal, token: Token) -> bool:
    """Say whether they may know of a token: their own, made by them, or for what they manage."""
    if who.is_admin or who.id == token.id or token.created_by == f"{who.kind}:{who.id}":
        return True
    return bool(token.access) and all(who.manages(line.service_id) for line in token.access)


def _lines(body: NewToken) -> tuple[Access, ...]:
    if body.access is not None:
        return tuple(line.access() for line in body.access)
    return () if body.role == "admin" else (Access(DEFAULT_SERVICE, body.role),)
