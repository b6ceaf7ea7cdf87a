"""A server with accounts: a robot gets in by REST, says hello, is moved and revoked."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from farhand.core.member import PeerId
from farhand.keys.signing import ROBOT, SigningKey, new_key
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.accounts.secret import digest, new_token
from farhand.server.composing import Built, build
from farhand.server.settings import ServerSettings
from farhand.store.base import Put
from farhand.store.records import Token


class Whole:
    def __init__(self, built: Built, http: httpx.AsyncClient) -> None:
        self.built = built
        self.http = http
        self.peers = 0

    async def post(self, path: str, body: object, status: int) -> dict[str, str]:
        answer = await self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        made: dict[str, str] = answer.json()
        return made

    def token(self, key: SigningKey, robot_id: str) -> str:
        self.peers += 1
        now = self.built.gateway.wall_ms() // 1000
        claims = {"iss": key.id, "sub": robot_id, "aud": self.built.key.id}
        times = {"iat": now, "exp": now + 60, "jti": f"j-{self.peers}"}
        return key.sign(ROBOT, claims | times)

    def hello(self, key: SigningKey, robot_id: str) -> PeerId:
        """Dial ``default``, as every robot that was told nothing else."""
        gateway, token = self.built.gateway, self.token(key, robot_id)
        first = m.Hello("robot", robot_id, robot_id=RobotId(robot_id), token=token)
        peer = PeerId(self.peers)
        gateway.apply(gateway.hub.connected(peer, ServiceId("default"), gateway.clock()))
        gateway.apply(gateway.hub.receive(peer, first, gateway.clock()))
        return peer

    @property
    def online(self) -> list[tuple[str, str]]:
        return [(one.service_id, one.robot_id) for one in self.built.gateway.hub.robots()]


@pytest.fixture
async def whole() -> AsyncIterator[Whole]:
    settings = ServerSettings(auth="accounts", public_url="http://testserver")
    built = build(settings, lambda _: None)
    assert isinstance(built.app, FastAPI)
    secret = new_token()
    headers = {"authorization": f"Bearer {secret}"}
    async with (
        built.app.router.lifespan_context(built.app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(built.app), base_url="http://testserver", headers=headers
        ) as http,
    ):
        await built.store.write(Put(Token(id="t", name="a", digest=digest(secret), role="admin")))
        yield Whole(built, http)


async def test_a_robot_is_where_its_record_says_until_it_is_revoked(whole: Whole) -> None:
    key = new_key()
    for service in ("site-a", "site-b"):
        await whole.post("/v1/service", {"id": service}, 201)
    made = await whole.post("/v1/enrolment", {"serviceId": "site-a"}, 201)
    body = {"publicKey": key.public, "proof": whole.token(key, "arm"), "robotId": "arm"}
    enrolled = await whole.post("/v1/enrol", body | {"code": made["code"]}, 201)
    assert enrolled["serverKey"] == whole.built.key.public
    whole.hello(key, "arm")
    assert whole.online == [("site-a", "arm")]
    await whole.post("/v1/robot/arm/site-b/start", {"username": "ana"}, 200)
    assert whole.online == []  # sent away
    whole.hello(key, "arm")
    assert whole.online == [("site-b", "arm")]
    await whole.post("/v1/robot/arm/site-b/stop", {}, 200)
    whole.hello(key, "arm")
    assert whole.online == [("site-a", "arm")]
    await whole.post("/v1/robot/arm/revoke?service=site-a", {}, 200)
    assert whole.online == []
    whole.hello(key, "arm")
    assert whole.online == []


async def test_health_is_public_and_robots_are_not(whole: Whole) -> None:
    for path, status in (("/health", 200), ("/v1/robot", 401), ("/docs", 200), ("/v1/enrol", 200)):
        answer = await whole.http.get(path, headers={"authorization": ""})
        assert answer.status_code == status
