"""A server with accounts, in this process: real records, real routes, a clock that tests turn."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from farhand.bus.local import LocalBus
from farhand.core.access import Access, AccountRole, TokenRole
from farhand.core.hub import Hub
from farhand.core.resume import ResumeSigner
from farhand.errors import FarhandError
from farhand.keys.signing import new_key
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.server.accounts.accounts import Accounts
from farhand.server.accounts.routes import routers
from farhand.server.accounts.secret import COOKIE, digest, new_id, new_token
from farhand.server.context import Context
from farhand.server.frames import text_frame
from farhand.server.gateway import Gateway
from farhand.server.problems import problem_of, refusal
from farhand.server.settings import PasswordCost, Rates, ServerSettings
from farhand.server.upgrade import Doorkeeper
from farhand.store.base import AuditQuery, Put
from farhand.store.memory import MemoryStore
from farhand.store.records import AuditEntry, Record, Robot, Service, Token, User

CHEAP = PasswordCost(memory_kib=8, passes=1, lanes=1)
GENEROUS = Rates(login_per_address="1000/minute", login_per_account="1000/minute")
HOME = {"Origin": "http://robots.example"}
LAB = ServiceId("lab")
PASSWORD = "correct horse battery"
NOW_MS = 1_800_000_000_000
R = TypeVar("R", bound=Record)


class Clock:
    """Both clocks of a server."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def seconds(self) -> float:
        return self.now_ms / 1000

    def turn(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


class Rig:
    def __init__(self, settings: ServerSettings) -> None:
        self.clock = Clock()
        self.settings = settings
        self.store = MemoryStore(self.clock.wall_ms)
        self.key = new_key()
        self.accounts = Accounts(
            self.store,
            settings,
            self.key,
            wall_ms=self.clock.wall_ms,
            clock=self.clock.seconds,
        )
        hub = Hub(
            new_id=lambda: new_id("m"),
            signer=ResumeSigner(b"x" * 32),
            wall_ms=self.clock.wall_ms,
            door=self.accounts.door,
        )
        door = Doorkeeper(self.store, (), 20)
        self.gateway = Gateway(hub, LocalBus(text_frame), self.store, door)
        self.context = Context(self.gateway, self.store, self.accounts.guard, settings)
        self.app = FastAPI()
        for router in routers(self.context, self.accounts):
            self.app.include_router(router)
        self.app.add_exception_handler(FarhandError, _refused)
        self.setup_code = ""
        self._clients: list[httpx.AsyncClient] = []

    def browser(self, address: str = "198.51.100.7") -> httpx.AsyncClient:
        """Return somebody's browser: it keeps cookies, and names its origin."""
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        made = httpx.AsyncClient(
            transport=transport, base_url="http://robots.example", headers=HOME
        )
        self._clients.append(made)
        return made

    def program(self, token: str = "", address: str = "198.51.100.8") -> httpx.AsyncClient:
        """Return a program: no cookies, no origin."""
        made = self.browser(address)
        del made.headers["Origin"]
        if token:
            made.headers["Authorization"] = f"Bearer {token}"
        return made

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def user(
        self, name: str = "ana", role: AccountRole = "operator", *access: Access, **more: Any
    ) -> User:
        hashed = await self.accounts.passwords.hash(PASSWORD)
        user = User(
            id=new_id("u"), name=name, role=role, access=access, password_hash=hashed, **more
        )
        [stored] = await self.store.write(Put(user))
        assert isinstance(stored, User)
        return stored

    async def token(self, role: TokenRole, *access: Access, **more: Any) -> tuple[Token, str]:
        secret = new_token()
        token = Token(
            id=new_id("t"), name=role, digest=digest(secret), role=role, access=access, **more
        )
        [stored] = await self.store.write(Put(token))
        assert isinstance(stored, Token)
        return stored, secret

    async def logged_in(self, name: str, password: str = PASSWORD) -> httpx.AsyncClient:
        browser = self.browser()
        answer = await browser.post("/v1/login", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        return browser

    async def trail(self) -> list[AuditEntry]:
        return list(await self.store.audit_entries(AuditQuery(limit=1000)))

    async def actions(self) -> list[tuple[str, str]]:
        return [(entry.action, entry.result) for entry in await self.trail()]


def on(role: TokenRole, service: str = DEFAULT_SERVICE, robot: str | None = None) -> Access:
    return Access(ServiceId(service), role, RobotId(robot) if robot is not None else None)


def code_of(answer: httpx.Response) -> str:
    return str(answer.json().get("code"))


def cookie_of(browser: httpx.AsyncClient) -> str:
    return browser.cookies[COOKIE]


async def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, FarhandError)
    return refusal(request, problem_of(exc))


@asynccontextmanager
async def rig(**settings: Any) -> AsyncIterator[Rig]:
    given: Mapping[str, Any] = {
        "auth": "accounts",
        "password": CHEAP,
        "rates": GENEROUS,
        **settings,
    }
    made = Rig(ServerSettings(**given))
    await made.store.open()
    await made.store.write(
        Put(Service(id=LAB)),
        Put(Robot(service_id=DEFAULT_SERVICE, id=RobotId("rover"), home_id=DEFAULT_SERVICE)),
        Put(Robot(service_id=LAB, id=RobotId("digger"), home_id=LAB)),
    )

    def keep(code: str) -> None:
        made.setup_code = code

    try:
        async with made.accounts.running(keep):
            yield made
    finally:
        await made.close()
