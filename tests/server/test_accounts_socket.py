"""Sockets of a server with accounts, from outside: credentials, revocation, hooks."""

import asyncio
import time
from collections.abc import Iterator

import msgspec
import pytest
from websockets.typing import Subprotocol

from farhand.core.access import Access
from farhand.core.member import Noticed
from farhand.errors import Code
from farhand.keys.signing import ROBOT, SigningKey, new_key
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, Epoch, RobotId, ServiceId
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.accounts.secret import digest
from farhand.server.serve import Server
from farhand.server.settings import Rates
from farhand.store.base import Change, Put
from farhand.store.records import Robot, Service, Token
from tests.server.harness import Client, client, robot, running, until

SECRET = "fh_" + "a" * 43
ROVER = RobotId("rover")
LAB = ServiceId("lab")


class House:
    """A server with a robot and a token for it; the other service is somebody else's."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = server.port
        self.key: SigningKey = new_key()
        self.notices: list[Noticed] = []
        server.gateway.on_notice = self.notices.append
        self.write(
            Put(Service(id=LAB)),
            Put(
                Robot(
                    service_id=DEFAULT_SERVICE,
                    id=ROVER,
                    home_id=DEFAULT_SERVICE,
                    public_key=self.key.public,
                )
            ),
            Put(
                Token(
                    id="t-ana",
                    name="ana",
                    digest=digest(SECRET),
                    role="operator",
                    access=(Access(DEFAULT_SERVICE, "operator", ROVER),),
                )
            ),
        )

    def write(self, *changes: Change) -> None:
        """Change records, on the server's own thread."""
        loop = self.server.gateway.loop
        assert loop is not None
        asyncio.run_coroutine_threadsafe(self.server.built.store.write(*changes), loop).result(20)

    def token(self) -> Token:
        found = self.server.built.store.get(Token, "t-ana")
        assert found is not None
        return found

    def proof(self) -> str:
        """Return what the robot says hello with, good once."""
        now = int(time.time())
        claims = {
            "iss": self.key.id,
            "sub": ROVER,
            "aud": self.server.built.key.id,
            "iat": now,
            "exp": now + 60,
            "jti": f"{time.monotonic_ns()}",
        }
        return self.key.sign(ROBOT, claims)


@pytest.fixture
def house() -> Iterator[House]:
    with running(auth="accounts", rates=Rates(login_per_address="3/minute")) as server:
        loop_is_there(server)
        yield House(server)


def loop_is_there(server: Server) -> None:
    asyncio.run(until(lambda: server.gateway.loop is not None and server.started))


def bearer(secret: str = SECRET) -> list[Subprotocol]:
    return [Subprotocol(SUBPROTOCOL), Subprotocol(f"bearer.{secret}")]


async def refused(made: Client) -> tuple[int | None, list[Code]]:
    """Say hello as an operator and return the close code and why."""
    await made.say(m.Hello("operator", "ana"))
    code, heard = await made.closed()
    return code, [message.code for message in heard if isinstance(message, m.Error)]


async def test_a_credential_among_the_subprotocols_is_the_hellos_and_is_not_echoed(
    house: House,
) -> None:
    async with client(house.port, subprotocols=bearer()) as made:
        assert made.socket.subprotocol == SUBPROTOCOL
        assert made.socket.response is not None
        assert SECRET not in str(made.socket.response.headers)
        await made.hello()
    async with client(house.port, subprotocols=bearer("fh_nobody")) as made:
        await made.hello(token=SECRET)  # what hello says goes before it


async def test_services_of_others_and_of_nobody_are_refused_in_the_same_way(house: House) -> None:
    answers = []
    for service in ("lab", "nowhere"):
        async with client(house.port, f"/{service}", subprotocols=bearer()) as made:
            answers.append(await refused(made))
    assert answers == [(4004, [Code.UNKNOWN_SERVICE])] * 2


async def test_who_has_no_credential_is_refused_and_keeps_nobody_at_the_address_from_stopping(
    house: House,
) -> None:
    for _ in range(5):
        async with client(house.port) as made:
            assert await refused(made) == (4004, [Code.UNAUTHENTICATED])
    async with client(house.port, subprotocols=bearer()) as made:
        await made.hello()


async def test_a_revoked_token_ends_the_drive_within_the_blink_of_an_eye(house: House) -> None:
    async with (
        client(house.port, "/v1/service/lab/ws") as rover,
        client(house.port, subprotocols=bearer()) as ana,
    ):
        await robot(rover, token=house.proof())
        assert rover.welcome.service_id == DEFAULT_SERVICE
        await rover.join()
        await ana.hello()
        await ana.join()
        start = await rover.get(m.SessionStart)
        assert start.grant is not None
        began = time.monotonic()
        house.write(Put(msgspec.structs.replace(house.token(), is_revoked=True)))
        ended = await rover.get(m.SessionEnded)
        assert (ended.session_id, ended.reason) == (start.session_id, "revoked")
        assert time.monotonic() - began < 1.0
        code, heard = await ana.closed()
        assert code == 4010
        assert isinstance(heard[-1], m.Error)
        assert heard[-1].code is Code.REVOKED
    assert [notice.action for notice in house.notices] == ["session.begin", "session.end"]
    assert {notice.principal.id for notice in house.notices if notice.principal} == {"t-ana"}


async def test_what_robots_tell_reaches_the_journals_hooks(house: House) -> None:
    told: list[tuple[object, ...]] = []
    gateway = house.server.gateway
    gateway.on_status = lambda *what: told.append(what)
    gateway.on_event = lambda *what: told.append(what)
    gateway.on_presence = lambda *what: told.append(what)
    async with client(house.port) as rover:
        await robot(rover, token=house.proof())
        await rover.say(m.Status(1, "idle", m.LeaseState(Epoch(0))))
        await rover.say(m.Event("fault", text="hot"))
        await until(lambda: len(told) == 3)
    await until(lambda: len(told) == 4)
    assert told[0] == (DEFAULT_SERVICE, ROVER, True, "")
    assert [type(what[2]) for what in told[1:3]] == [m.Status, m.Event]
    assert told[3] == (DEFAULT_SERVICE, ROVER, False, "left")
