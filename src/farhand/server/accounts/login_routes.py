"""Logging in and out: by password, by a one-time code; who am I."""

from msgspec.structs import replace
from starlette.responses import Response

from farhand.core.access import Access
from farhand.errors import Code, VersionConflict
from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.logging_in import enter, refuse, require_accounts
from farhand.server.accounts.origins import check_page
from farhand.server.accounts.passwords import check_rules
from farhand.server.accounts.secret import new_id
from farhand.server.accounts.views import (
    SHOWN_MS,
    AuthView,
    CodeEntry,
    Credentials,
    LoginView,
    MeView,
    ProviderView,
    TicketView,
    me_of,
)
from farhand.server.problems import Problem
from farhand.server.rest.answers import NO_STORE, Answer
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.reading import address_of
from farhand.store.base import Put
from farhand.store.records import Login, User

_ME = MeView(
    kind="user",
    id="u-1f0c7b5e9d3a4c2e8b6f0a1d2c3e4f50",
    name="ana",
    role="operator",
    access=(Access(DEFAULT_SERVICE, "operator"),),
    expires_ms=SHOWN_MS + 43_200_000,
)


class LoginRoutes:
    """The operations.

    Args:
        accounts: Knows people.

    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def read_auth(self, call: Call[object, object]) -> Answer:
        """Return how people log in here. Asks nobody who they are."""
        accounts = self._accounts
        return Answer(
            AuthView(
                mode=accounts.settings.auth,
                needs_setup=accounts.needs_setup,
                providers=[ProviderView(id=p.id, name=p.name) for p in accounts.settings.oidc],
                demo=accounts.lan is not None,
                limited=accounts.throttle.login_wait_s(address_of(call.request)) > 0,
            )
        )

    async def login(self, call: Call[Credentials, object]) -> Response:
        """Log in by name and password; the answer sets the cookie."""
        accounts, body = self._accounts, call.body
        require_accounts(accounts)
        check_page(call.request, accounts.own_origins)
        key, address = f"name:{body.name.casefold()}", address_of(call.request)
        is_at_home = accounts.logins.is_at(accounts.people.user(body.name), address)
        with accounts.throttle.attempt(address, key, is_at_home=is_at_home) as attempt:
            known = accounts.people.user(body.name)
            user = await self._proved(body)
            if user is None or user.is_disabled:
                text = "Name or password is wrong."
                raise await refuse(accounts, call, "login", Code.UNAUTHENTICATED, text, known)
            attempt.failed = False
        if accounts.passwords.is_dated(user.password_hash):
            user = await self._rehashed(user, body.password)
        return await enter(accounts, call, user, "login")

    async def _proved(self, body: Credentials) -> User | None:
        """Return whose name and password these are; the time does not tell whether there is one."""
        people, passwords = self._accounts.people, self._accounts.passwords
        for _ in range(2):
            user = people.user(body.name)
            stored = user.password_hash if user is not None else ""
            is_right = await passwords.verify(stored, body.password)
            user = people.user(body.name)
            if user is not None and user.password_hash == stored:
                return user if is_right else None
            if user is None:
                return None
        return None  # changed twice while we looked

    async def _rehashed(self, user: User, password: str) -> User:
        """Return the account with a hash of today's parameters."""
        hashed = await self._accounts.passwords.hash(password)
        try:
            stored, *_ = await self._accounts.store.write(Put(replace(user, password_hash=hashed)))
        except VersionConflict:  # a parallel login has done it, or somebody has changed the account
            return user
        assert isinstance(stored, User)  # noqa: S101 - what was put
        return stored

    async def login_code(self, call: Call[CodeEntry, object]) -> Response:
        """Log in by a one-time code: as the first admin, or as somebody at a demo."""
        accounts, body = self._accounts, call.body
        require_accounts(accounts)
        check_page(call.request, accounts.own_origins)
        with accounts.throttle.attempt(address_of(call.request)) as attempt:
            if accounts.setup.is_right(body.code):
                attempt.failed = False
                return await self._first_admin(call)
            if accounts.lan is not None and accounts.lan.take(body.code):
                attempt.failed = False
                return await self._guest_of_demo(call)
            text = "There is no such code, or its time is over."
            raise await refuse(accounts, call, "login.code", Code.CODE_UNKNOWN, text)

    async def _first_admin(self, call: Call[CodeEntry, object]) -> Response:
        accounts, body = self._accounts, call.body
        if body.name is None or body.password is None:
            text = "The first admin needs a name and a password."
            raise Problem(422, Code.MALFORMED, text)
        check_rules(body.password)
        hashed = await accounts.passwords.hash(body.password)
        async with accounts.accounts_lock:
            if not accounts.needs_setup or not accounts.setup.take(body.code):
                text = "This code was used already."
                raise await refuse(accounts, call, "login.code", Code.CODE_USED, text)
            if accounts.people.user(body.name) is not None:
                accounts.setup.renew(body.code)
                raise Problem(409, Code.CONFLICT, "There is an account of this name.")
            admin = User(id=new_id("u"), name=body.name, role="admin", password_hash=hashed)
            return await enter(accounts, call, admin, "user.setup", (Put(admin),))

    async def _guest_of_demo(self, call: Call[CodeEntry, object]) -> Response:
        access = (Access(DEFAULT_SERVICE, "operator"),)
        blank = Login(id="", digest="", user_id="", expires_ms=0)
        name = call.body.name or "LAN"
        login = replace(blank, name=name, role="operator", access=access)
        return await enter(self._accounts, call, login, "login.code")

    async def logout(self, call: Call[object, object]) -> Response:
        """Log out: the cookie passes no more, and sockets that came by it are closed."""
        who = call.principal
        if who.session:
            deed = call.deed("logout", target=f"login:{who.session}")
            await self._accounts.logins.end(who.session, deed)
        answer = Response(status_code=204, headers=NO_STORE)
        self._accounts.logins.clear_cookie(call.request, answer)
        return answer

    async def read_me(self, call: Call[object, object]) -> Answer:
        """Return who you are."""
        return Answer(me_of(call.principal))

    async def create_ticket(self, call: Call[object, object]) -> Answer:
        """Return what `hello` of one socket takes as `token`, within a minute."""
        ticket, expires_ms = self._accounts.tickets.issue(call.principal)
        return Answer(TicketView(ticket=ticket, expires_ms=expires_ms))

    def add_to(self, api: Operations) -> None:
        """Register the operations."""
        tag = "Login"
        auth = AuthView(
            mode="accounts",
            needs_setup=False,
            providers=[ProviderView(id="company", name="Company login")],
            demo=False,
            limited=False,
        )
        api.add(
            "GET", "/v1/auth", self.read_auth, tag=tag, is_public=True,
            answer=AuthView, example=auth,
        )  # fmt: skip
        api.add(
            "POST", "/v1/login", self.login, tag=tag, is_public=True, body=Credentials,
            body_example=Credentials(name="ana", password="correct horse battery"),  # noqa: S106
            answer=LoginView, example=LoginView(me=_ME),
        )  # fmt: skip
        api.add(
            "POST", "/v1/login/code", self.login_code, tag=tag, is_public=True, body=CodeEntry,
            body_example=CodeEntry(
                code="q2Zr0a7u5nXcT9b1kLwDhA", name="admin", password="correct horse battery"  # noqa: S106
            ),
            answer=LoginView, example=LoginView(me=_ME),
        )  # fmt: skip
        api.add("POST", "/v1/logout", self.logout, tag=tag, status=204)
        api.add("GET", "/v1/me", self.read_me, tag=tag, answer=MeView, example=_ME)
        ticket = TicketView(ticket="…", expires_ms=SHOWN_MS + 60_000)
        api.add(
            "POST", "/v1/ticket", self.create_ticket, tag=tag, status=201,
            answer=TicketView, example=ticket,
        )  # fmt: skip
