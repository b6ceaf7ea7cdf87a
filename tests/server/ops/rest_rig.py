"""The operational routes alone, on an application in this process."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from farhand.bus.local import LocalBus
from farhand.core.access import OPEN, Access, Principal
from farhand.core.hub import Hub
from farhand.core.resume import ResumeSigner
from farhand.errors import Code, FarhandError
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.server.context import Context
from farhand.server.frames import text_frame
from farhand.server.gateway import Gateway
from farhand.server.problems import Problem, problem_of, refusal
from farhand.server.rest.operation import Operations
from farhand.server.settings import ServerSettings
from farhand.server.upgrade import Doorkeeper
from farhand.server.upkeep import Upkeep
from farhand.store.base import Put
from farhand.store.history import MemoryHistory
from farhand.store.memory import MemoryStore
from farhand.store.records import Robot, Service

LAB = ServiceId("lab")
R1, R2, R3 = RobotId("r1"), RobotId("r2"), RobotId("r3")


def user(*access: Access, role: str = "operator") -> Principal:
    return Principal("user", "u-1", "Ana", role, access)  # type: ignore[arg-type]


PEOPLE = {
    "admin": OPEN,
    "driver": user(Access(DEFAULT_SERVICE, "operator", R1)),
    "guest": user(Access(DEFAULT_SERVICE, "guest", R1), role="guest"),
    "manager": user(Access(LAB, "supervisor"), role="supervisor"),
    "program": user(Access(DEFAULT_SERVICE, "program"), role="program"),
    "stranger": user(),
}


class TestGuard:
    """Takes the word of ``Authorization: Bearer NAME``."""

    async def principal(self, request: Request) -> Principal:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        if name not in PEOPLE:
            raise Problem(401, Code.UNAUTHENTICATED, "Who are you?")
        return PEOPLE[name]


class Rig:
    def __init__(self, settings: ServerSettings) -> None:
        self.memory = MemoryStore()
        self.history = MemoryHistory()
        self.upkeep = Upkeep(settings, self.memory, self.history)
        store = self.store = self.upkeep.store
        hub = Hub(
            new_id=lambda: secrets.token_urlsafe(16),
            signer=ResumeSigner(secrets.token_bytes(32)),
            wall_ms=lambda: time.time_ns() // 1_000_000,
        )
        self.gateway = Gateway(hub, LocalBus(text_frame), store, Doorkeeper(store, (), 20))
        self.upkeep.attach(self.gateway)
        self.context = Context(self.gateway, store, TestGuard(), settings)
        self.app = FastAPI(middleware=self.upkeep.middleware)
        api = Operations(self.context)
        self.upkeep.add_to(api)
        self.app.include_router(api.router)
        for router in self.upkeep.routers(self.context):
            self.app.include_router(router)
        self.app.add_exception_handler(FarhandError, _refused)
        self.client = self.client_from("203.0.113.9")

    def client_from(self, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def ask(self, who: str, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        headers |= options.pop("headers", {})  # type: ignore[call-overload]
        return await self.client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]


async def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, FarhandError)
    return refusal(request, problem_of(exc))


@asynccontextmanager
async def rig(**settings: object) -> AsyncIterator[Rig]:
    made = Rig(ServerSettings(**{"auth": "accounts", **settings}))  # type: ignore[arg-type]
    await made.store.write(
        Put(Service(id=LAB)),
        Put(Robot(service_id=DEFAULT_SERVICE, id=R1, home_id=DEFAULT_SERVICE)),
        Put(Robot(service_id=DEFAULT_SERVICE, id=R2, home_id=DEFAULT_SERVICE)),
        Put(Robot(service_id=LAB, id=R3, home_id=LAB)),
    )
    [running] = made.upkeep.parts
    async with running():
        yield made
    await made.client.aclose()
