"""Who may speak the documented dialect, and for how long."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest
from websockets.datastructures import Headers

from farhand.core.access import Access, TokenRole
from farhand.dialects.teleop import exchange
from farhand.dialects.teleop.base import Pass
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.accounts.people import People
from farhand.server.accounts.secret import digest, new_id, new_token
from farhand.server.serve import Server
from farhand.server.teleop.admitting import TeleopDoor
from farhand.server.upgrade import Refused
from farhand.store.base import Change, Delete, Put
from farhand.store.memory import MemoryStore
from farhand.store.records import Service, Token
from tests.server.harness import running, until
from tests.server.teleop import peer, token_of

LAB = ServiceId("lab")
SECRET = "q2Zr0a7u5nXcT9b1kLwDhA"


class Fails:
    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.wait_s = 0.0

    def failed(self, address: str) -> None:
        self.addresses.append(address)

    def failure_wait_s(self, address: str) -> float:
        del address
        return self.wait_s


class Case:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.fails = Fails()
        people = People(self.store, lambda: 1000)
        self.door = TeleopDoor(self.store, people, self.fails, wall_ms=lambda: 1000)
        self.write(Put(Service(id=LAB, token=SECRET)), Put(Service(id=ServiceId("bare"))))

    def write(self, *changes: Change) -> None:
        self.store.commit(self.store.plan(changes))

    def token(self, role: TokenRole, **line: Any) -> str:
        secret = new_token()
        access = (Access(LAB, role, **line),)
        is_first = self.store.get(Token, f"t-{role}") is None
        id_ = f"t-{role}" if is_first else new_id("t")
        made = Token(id=id_, name=role, digest=digest(secret), role=role, access=access)
        self.write(Put(made))
        return secret

    def admit(self, given: str, service: str = "lab") -> Pass:
        return self.door.admit(ServiceId(service), Headers(), [("token", given)], "192.0.2.7")

    def refusal(self, given: str, service: str = "lab") -> tuple[int, str, bool]:
        with pytest.raises(Refused) as caught:
            self.admit(given, service)
        return caught.value.status, caught.value.text, caught.value.is_documented


def test_the_token_of_the_service_makes_robots_and_people() -> None:
    case = Case()
    passed = case.admit(SECRET)
    assert (passed.may_be_robot, passed.is_observer) == (True, False)
    assert SECRET not in repr(passed)
    assert case.door.is_current(passed)
    assert case.fails.addresses == []


@pytest.mark.parametrize(("given", "service"), [
    ("", "lab"), ("wrong", "lab"), (SECRET[:-1], "lab"), (SECRET + "x", "lab"), ("\u00e9", "lab"),
    ("", "bare"), (SECRET, "bare"), (SECRET, "nowhere"),
])  # fmt: skip
def test_anything_else_is_refused_in_the_same_words(given: str, service: str) -> None:
    case = Case()
    assert case.refusal(given, service) == (401, "token is invalid", True)
    assert case.fails.addresses == ["192.0.2.7"]


def test_one_who_fails_all_the_time_is_told_to_wait_but_a_good_token_passes() -> None:
    case = Case()
    case.fails.wait_s = 30
    assert case.refusal("wrong")[0] == 429
    assert case.fails.addresses == []
    assert case.admit(SECRET)


@pytest.mark.parametrize(
    ("role", "is_robot", "is_observer"),
    [
        ("supervisor", True, False),
        ("operator", False, False),
        ("program", False, False),
        ("viewer", False, True),
    ],
)
def test_an_api_token_is_what_its_role_is(
    role: TokenRole, is_robot: bool, is_observer: bool
) -> None:
    case = Case()
    passed = case.admit(case.token(role))
    assert (passed.may_be_robot, passed.is_observer) == (is_robot, is_observer)
    assert case.door.is_current(passed)


def test_a_token_for_one_robot_or_none_is_good_for_no_room() -> None:
    case = Case()
    for secret in (
        case.token("operator", robot_id=RobotId("rover")),
        case.token("supervisor", tag="blue"),
        case.token("guest"),
        case.token("enroller"),
    ):
        assert case.refusal(secret)[0] == 401
    assert case.refusal(case.token("supervisor"), "bare")[0] == 401


def test_a_server_without_accounts_knows_no_api_tokens() -> None:
    case = Case()
    secret = case.token("supervisor")
    bare = TeleopDoor(case.store, None, case.fails, wall_ms=lambda: 1000)
    with pytest.raises(Refused):
        bare.admit(LAB, Headers(), [("x-auth-token", secret)], "192.0.2.7")


def test_what_was_revoked_changed_or_removed_is_current_no_more() -> None:
    case = Case()
    by_service, by_token = case.admit(SECRET), case.admit(case.token("operator"))
    token = case.store.get(Token, "t-operator")
    service = case.store.get(Service, LAB)
    assert token is not None
    assert service is not None
    case.write(Put(Token(**{**_fields(token), "is_revoked": True})))
    assert (case.door.is_current(by_service), case.door.is_current(by_token)) == (True, False)
    case.write(Put(Service(**{**_fields(service), "token": "another"})))
    assert not case.door.is_current(by_service)
    case.write(Delete(Service, (LAB,)))
    assert not case.door.is_current(by_service)


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


# --- a server that runs --------------------------------------------------------------------------


def _write(server: Server, *changes: Change) -> None:
    assert server.gateway.loop is not None
    done: Future[Any] = asyncio.run_coroutine_threadsafe(
        server.built.store.write(*changes), server.gateway.loop
    )
    done.result(20)


async def test_a_revoked_token_closes_its_socket_within_two_seconds() -> None:
    with running(auth="accounts") as server:
        token_of(server)
        secret, id_ = new_token(), new_id("t")
        token = Token(
            id=id_, name="p", digest=digest(secret), role="program",
            access=(Access(ServiceId("default"), "program"),),
        )  # fmt: skip
        await asyncio.to_thread(_write, server, Put(token))
        async with (
            peer(server.port, f"/default?x-auth-token={secret}") as program,
            peer(server.port, f"/default?token={token_of(server)}") as ana,
        ):
            await program.join("program", room="map")
            await ana.join("ana", room="map")
            stored = server.built.store.get(Token, id_)
            revoked = Token(**{**_fields(stored), "is_revoked": True})
            await asyncio.to_thread(_write, server, Put(revoked))
            async with asyncio.timeout(2):
                code, heard = await program.closed()
            assert (code, heard[-1]["data"]["code"]) == (4010, "FH-2006")
            assert await ana.join("ana", room="map") != ""


async def test_who_answers_no_ping_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PING_S", 0.3)
    monkeypatch.setattr(exchange, "SILENT_S", 2.0)
    with running() as server:
        path = f"/default?token={token_of(server)}"
        async with peer(server.port, path) as mute, peer(server.port, path) as ana:
            await mute.join("mute", room="map")
            await ana.join("ana", room="map")
            mute.socket.transport.pause_reading()
            await until(lambda: server.gateway.sockets == 1)
            await ana.say("call-all")
            mute.socket.transport.abort()
            await asyncio.sleep(2.5)
            assert await ana.join("ana", room="map") != ""


async def test_strangers_are_counted_until_they_join() -> None:
    with running(strangers_per_address=1) as server:
        path = f"/default?token={token_of(server)}"
        async with peer(server.port, path) as ana:
            with pytest.raises(Exception, match="429"):
                async with peer(server.port, path):
                    pass
            await ana.join("ana")
            async with peer(server.port, path) as ben:
                assert await ben.join("ben") != ""
