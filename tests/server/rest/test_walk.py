"""Two tenants: one walks all ids of the other, over every path and method, and finds nothing."""

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from farhand.core.access import Access, TokenRole
from farhand.core.member import PeerId
from farhand.keys.signing import ROBOT, new_key
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, RoomId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.server.accounts.secret import digest, new_token
from farhand.server.composing import Built, build
from farhand.server.settings import Rates, ServerSettings
from farhand.store.base import Put
from farhand.store.records import Robot, Service, Token, User, Webhook

OURS, THEIRS = "site-b", "site-a"
NOWHERE = "e0000000000000000000000e"
NAMES = re.compile(r"\{(\w+)\}")
ENDLESS = "1000000/second"
PLENTY = Rates(*[ENDLESS] * 6)
FOR_ADMINS = ("/v1/user", "/v1/webhook")
"""What those who are no admins are refused before an id is looked at."""


@dataclass
class Walk:
    built: Built
    http: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict)
    """Those of the other tenant, by the names that the paths have for them."""

    async def ask(self, method: str, path: str, body: Any, query: dict[str, str], by: str) -> Any:
        answer = await self.http.request(
            method,
            path,
            json=body,
            params=query,
            headers={"authorization": f"Bearer {by}"},
        )
        return answer.status_code, answer.content


async def token(built: Built, name: str, role: TokenRole, service: str) -> str:
    secret = new_token()
    access = (Access(ServiceId(service), role),) if role != "admin" else ()
    record = Token(id=f"t-{name}", name=name, digest=digest(secret), role=role, access=access)
    await built.store.write(Put(record))
    return secret


@pytest.fixture
async def walk() -> AsyncIterator[Walk]:
    """A whole server with accounts; at the other tenant's there is one of everything."""
    settings = ServerSettings(auth="accounts", public_url="http://testserver", rates=PLENTY)
    built = build(settings, lambda _: None)
    assert isinstance(built.app, FastAPI)
    transport = httpx.ASGITransport(built.app)
    async with (
        built.app.router.lifespan_context(built.app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        made = Walk(built, http)
        await furnish(made)
        yield made


async def furnish(walk: Walk) -> None:
    built, site = walk.built, ServiceId(THEIRS)
    key = new_key()
    robot = Robot(service_id=site, id=RobotId("rover-a"), home_id=site, public_key=key.public)
    await built.store.write(
        *(Put(Service(id=ServiceId(one), token="s" * 22)) for one in (OURS, THEIRS)),
        Put(robot),
        Put(User(id="u-a", name="ana", access=(Access(site, "operator"),))),
        Put(Webhook(id="w-a", url="https://a.example", secret="s", service_id=site)),
    )
    boss = await token(built, "boss-a", "supervisor", THEIRS)
    now = built.gateway.wall_ms() // 1000
    claims = {"iss": key.id, "sub": "rover-a", "aud": built.key.id, "jti": "j"}
    proof = key.sign(ROBOT, claims | {"iat": now, "exp": now + 60})
    manifest = Manifest(RobotId("rover-a"), "rover-a")
    hello = m.Hello("robot", "rover-a", robot_id=robot.id, manifest=manifest, token=proof)
    for number, first in enumerate((hello, m.Hello("operator", "ana", token=boss)), 1):
        connect(built, PeerId(number), first)
    _, code = await walk.ask("POST", "/v1/enrolment", {"serviceId": THEIRS}, {}, boss)
    hub = built.gateway.hub
    [session] = hub.sessions()
    walk.ids |= {
        "service_id": THEIRS,
        "robot_id": "rover-a",
        "room_id": "1006",
        "member_id": next(one.member.id for one in hub.members() if one.member.name != "rover-a"),
        "session_id": session.session_id,
        "enrolment_id": re.search(rb'"enrolmentId":"([^"]+)"', code)[1].decode(),  # type: ignore[index]
        "token_id": "t-boss-a",
        "user_id": "u-a",
        "webhook_id": "w-a",
        "verb": "restart",
    }


def connect(built: Built, peer: PeerId, hello: m.Hello) -> None:
    gateway = built.gateway
    gateway.apply(gateway.hub.connected(peer, ServiceId(THEIRS), gateway.clock()))
    for message in (hello, m.Join(RoomId("rover-a"))):
        gateway.apply(gateway.hub.receive(peer, message, gateway.clock()))


def operations(walk: Walk) -> Iterator[tuple[str, str, Any, set[str]]]:
    """Yield method, path, a valid body and the names of the parameters of the URL."""
    assert isinstance(walk.built.app, FastAPI)
    for path, methods in walk.built.app.openapi()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("example")
            asked = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
            yield method.upper(), path, body, asked


def with_ids(path: str, ids: dict[str, str]) -> str:
    return NAMES.sub(lambda name: ids[name[1]], path)


async def test_all_ids_of_another_tenant_are_as_if_they_were_not_there(walk: Walk) -> None:
    spy = await token(walk.built, "spy", "supervisor", OURS)
    walked = 0
    for method, path, body, asked in operations(walk):
        names = [name for name in NAMES.findall(path) if name != "verb"]
        if not names or path.startswith("/v1/login"):
            continue
        # Every parameter may be theirs, ours or nobody's; what is theirs is as what is nobody's.
        choices = [
            (walk.ids[name], OURS) if name == "service_id" else (walk.ids[name],) for name in names
        ]
        for chosen, service in itertools.product(itertools.product(*choices), (THEIRS, OURS, "*")):
            theirs = walk.ids | dict(zip(names, chosen, strict=True))
            if all(value == OURS for value in chosen) or (
                path.endswith("/room/{room_id}") and OURS in chosen
            ):
                continue
            nobodys = {
                name: value if value == OURS or name == "verb" else NOWHERE
                for name, value in theirs.items()
            }
            query = {"service": service} if "service" in asked else {}
            other = {"service": NOWHERE if service == THEIRS else service} if query else {}
            got = await walk.ask(method, with_ids(path, theirs), body, query, spy)
            random = await walk.ask(method, with_ids(path, nobodys), body, other, spy)
            assert got == random, f"{method} {with_ids(path, theirs)} {query}"
            expected = {403} if path.startswith(FOR_ADMINS) else {404}
            expected |= {422} if query == {"service": "*"} else set()  # where one is needed
            assert got[0] in expected, f"{method} {with_ids(path, theirs)} {query}: {got}"
            walked += 1
    assert walked > 80
    assert walk.built.store.get(Service, THEIRS) is not None
    assert len(walk.built.gateway.hub.members()) == 2


async def test_bodies_and_filters_that_name_another_tenant_find_nothing(walk: Walk) -> None:
    spy = await token(walk.built, "spy", "supervisor", OURS)
    walked = 0
    for method, path, body, asked in operations(walk):
        if NAMES.findall(path):
            continue
        pairs: list[tuple[Any, Any, dict[str, str], dict[str, str]]] = []
        if isinstance(body, dict) and "serviceId" in body and not path.startswith(FOR_ADMINS):
            their_body = body | {"serviceId": THEIRS}
            their_body |= {"robotId": "rover-a"} if "robotId" in body else {}
            pairs.append((their_body, body | {"serviceId": NOWHERE}, {}, {}))
        if "service" in asked:
            pairs.append((body, body, {"service": THEIRS}, {"service": NOWHERE}))
        for theirs, nobodys, query, other in pairs:
            got = await walk.ask(method, path, theirs, query, spy)
            assert got == await walk.ask(method, path, nobodys, other, spy), f"{method} {path}"
            assert got[0] == 404, f"{method} {path}: {got}"
            walked += 1
    assert walked >= 6


async def test_lists_hold_nothing_of_another_tenant(walk: Walk) -> None:
    spy = await token(walk.built, "spy", "supervisor", OURS)
    theirs = [value for name, value in walk.ids.items() if name not in {"room_id", "verb"}]
    for method, path, _, _ in operations(walk):
        if method == "GET" and not NAMES.findall(path) and path.startswith("/v1/"):
            for query in ({}, {"service": "*"}):
                status, content = await walk.ask("GET", path, None, query, spy)
                assert not [one for one in theirs if one.encode() in content], (path, status)


async def test_the_owner_does_find_it(walk: Walk) -> None:
    boss = await token(walk.built, "boss", "supervisor", THEIRS)
    found = set()
    for method, path, _, asked in operations(walk):
        if (
            method == "GET"
            and NAMES.findall(path)
            and not path.startswith((*FOR_ADMINS, "/v1/login"))
        ):
            query = {"service": THEIRS} if "service" in asked else {}
            ids = walk.ids | {"token_id": "t-boss-a", "room_id": "rover-a"}
            if "room_id" in path:
                await walk.ask("POST", f"/v1/service/{THEIRS}/room", {"name": "rover-a"}, {}, boss)
            status, content = await walk.ask("GET", with_ids(path, ids), None, query, boss)
            assert status == 200, (path, content)
            found.add(path)
    assert len(found) >= 10
