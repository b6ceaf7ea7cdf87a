"""Who comes in through a socket: people, programs, guests, robots; and until when."""

import time
from dataclasses import replace as with_values
from typing import Any

import pytest
from msgspec.structs import replace

from farhand.core.access import Access, Principal
from farhand.core.admission import Admitted, Meeting, scopes_for
from farhand.errors import Code, NotAllowed
from farhand.keys import signing
from farhand.protocol import messages as m
from farhand.protocol.ids import (
    DEFAULT_SERVICE,
    MemberId,
    RobotId,
    RoomId,
    ServiceId,
    SessionId,
)
from farhand.store.base import Delete, Put
from farhand.store.records import Login, Robot, Room, Token, User
from tests.server.accounts.rig import LAB, Rig, on, rig

ROVER = RobotId("rover")
EYE = RobotId("eye")


def come(server: Rig, token: str | None, role: m.Role = "operator", **more: Any) -> Admitted:
    service_id = more.pop("service_id", DEFAULT_SERVICE)
    return server.accounts.door.authorise(m.Hello(role, "claimed", token=token, **more), service_id)


def refused(server: Rig, token: str | None, role: m.Role = "operator", **more: Any) -> Code:
    with pytest.raises(NotAllowed) as caught:
        come(server, token, role, **more)
    return caught.value.code


# --- people ---------------------------------------------------------------------------------------


async def test_a_token_says_who_it_is_whatever_the_hello_claims() -> None:
    async with rig() as server:
        token, secret = await server.token("program", on("program"))
        came = come(server, secret, "program")
        assert came.principal.id == token.id
        assert (came.role, came.name, came.service_id) == ("program", "program", "default")


@pytest.mark.parametrize("token", [None, "", " ", "fh_", "fh_" + "A" * 43, "x", "null"])
async def test_no_credential_and_a_wrong_one_open_nothing(token: str | None) -> None:
    async with rig() as server:
        assert refused(server, token) is Code.UNAUTHENTICATED
        assert refused(server, token, "robot", robot_id=ROVER) is Code.UNAUTHENTICATED


async def test_a_ticket_opens_one_socket() -> None:
    async with rig() as server:
        await server.user("ana", "operator", on("operator"))
        browser = await server.logged_in("ana")
        ticket = (await browser.post("/v1/ticket")).json()["ticket"]
        came = come(server, ticket)
        assert (came.name, came.role) == ("ana", "operator")
        assert refused(server, ticket) is Code.UNAUTHENTICATED


async def test_a_ticket_of_a_login_that_has_ended_opens_nothing() -> None:
    async with rig() as server:
        await server.user("ana", "operator", on("operator"))
        browser = await server.logged_in("ana")
        ticket = (await browser.post("/v1/ticket")).json()["ticket"]
        await browser.post("/v1/logout")
        assert refused(server, ticket) is Code.REVOKED


async def test_a_service_of_somebody_else_is_not_there() -> None:
    async with rig() as server:
        _, secret = await server.token("operator", on("operator"))
        texts = set()
        for service_id in (LAB, ServiceId("none")):
            with pytest.raises(NotAllowed) as caught:
                come(server, secret, service_id=service_id)
            texts.add(str(caught.value))
        assert len(texts) == 1
        assert Code.UNKNOWN_SERVICE in texts.pop()


@pytest.mark.parametrize(
    ("has", "wants", "is_to_be"),
    [
        ("operator", "operator", "operator"),
        ("operator", "viewer", "viewer"),
        ("operator", "supervisor", None),
        ("operator", "robot", None),
        ("viewer", "operator", "viewer"),
        ("supervisor", "supervisor", "supervisor"),
        ("admin", "supervisor", "supervisor"),
        ("guest", "operator", "guest"),
        ("guest", "supervisor", None),
        ("enroller", "operator", None),
        ("enroller", "viewer", None),
    ],
)
async def test_nobody_is_more_than_their_account_says(
    has: Any, wants: Any, is_to_be: str | None
) -> None:
    async with rig() as server:
        _, secret = await server.token(has, *(() if has == "admin" else (on(has),)))
        if is_to_be is not None:
            assert come(server, secret, wants).role == is_to_be
        else:
            code = refused(server, secret, wants, robot_id=ROVER)
            assert code in {Code.ROLE_REFUSED, Code.UNAUTHENTICATED}


async def test_a_guest_sees_one_robot_and_may_nothing_but_look() -> None:
    async with rig() as server:
        _, secret = await server.token("guest", on("guest", robot="rover"))
        guest = come(server, secret).principal
        door = server.accounts.door
        assert door.role_on(guest, DEFAULT_SERVICE, ROVER) == "guest"
        assert door.role_on(guest, DEFAULT_SERVICE, EYE) is None
        assert door.role_on(guest, LAB, RobotId("digger")) is None
        assert scopes_for("guest", "guest") == ("view",)


async def test_a_role_by_tag_or_group_follows_the_robots_labels() -> None:
    async with rig() as server:
        line = Access(DEFAULT_SERVICE, "operator", tag="north")
        _, secret = await server.token("operator", line)
        who = come(server, secret).principal
        door = server.accounts.door
        assert door.role_on(who, DEFAULT_SERVICE, ROVER) is None
        for labels in ({"tags": ("north",)}, {"tags": (), "groups": ("north",)}):
            robot = server.store.get(Robot, DEFAULT_SERVICE, ROVER)
            assert robot is not None
            await server.store.write(Put(replace(robot, **labels)))
            assert door.role_on(who, DEFAULT_SERVICE, ROVER) == "operator"


async def test_a_new_access_list_counts_at_once() -> None:
    async with rig() as server:
        user = await server.user("ana", "operator", on("operator"))
        browser = await server.logged_in("ana")
        who = come(server, (await browser.post("/v1/ticket")).json()["ticket"]).principal
        door = server.accounts.door
        assert door.role_on(who, DEFAULT_SERVICE, ROVER) == "operator"
        await server.store.write(Put(replace(user, access=(on("viewer"),))))
        assert door.role_on(who, DEFAULT_SERVICE, ROVER) == "viewer"
        assert door.is_current(who, server.clock.now_ms)


# --- until when -----------------------------------------------------------------------------------


async def test_a_token_is_current_until_revoked_expired_or_gone() -> None:
    async with rig() as server:
        expires_ms = server.clock.now_ms + 1000
        for how in ("revoked", "expired", "gone"):
            token, secret = await server.token("viewer", on("viewer"), expires_ms=expires_ms)
            who, now = come(server, secret, "viewer").principal, server.clock.now_ms
            assert server.accounts.door.is_current(who, now)
            if how == "revoked":
                await server.store.write(Put(replace(token, is_revoked=True)))
                assert refused(server, secret) is Code.REVOKED
            elif how == "gone":
                await server.store.write(Delete(Token, (token.id,)))
                assert refused(server, secret) is Code.UNAUTHENTICATED
            else:
                now = expires_ms
            assert not server.accounts.door.is_current(who, now)


@pytest.mark.parametrize("how", ["logout", "disabled", "epoch", "expired", "deleted"])
async def test_somebody_with_a_login_is_current_until_it_ends(how: str) -> None:
    async with rig() as server:
        user = await server.user("ana", "operator", on("operator"))
        browser = await server.logged_in("ana")
        who = come(server, (await browser.post("/v1/ticket")).json()["ticket"]).principal
        now = server.clock.now_ms
        assert server.accounts.door.is_current(who, now)
        if how == "logout":
            await browser.post("/v1/logout")
        elif how == "disabled":
            await server.store.write(Put(replace(user, is_disabled=True)))
        elif how == "epoch":
            await server.store.write(Put(replace(user, epoch=1)))
        elif how == "deleted":
            await server.store.write(Delete(User, (user.id,)))
        else:
            [login] = server.store.all(Login)
            now = login.expires_ms
        assert not server.accounts.door.is_current(who, now)


# --- robots ---------------------------------------------------------------------------------------


async def enrolled(server: Rig, service_id: ServiceId = LAB, **more: Any) -> signing.SigningKey:
    key = signing.new_key()
    robot = Robot(service_id=service_id, id=EYE, home_id=service_id, public_key=key.public, **more)
    await server.store.write(Put(robot))
    return key


def proof(server: Rig, key: signing.SigningKey, **changed: Any) -> str:
    now_s = server.clock.now_ms // 1000
    claims = {
        "iss": key.id,
        "sub": EYE,
        "aud": server.key.id,
        "iat": now_s,
        "exp": now_s + 60,
        "jti": str(time.perf_counter_ns()),
    }
    return key.sign(changed.pop("typ", signing.ROBOT), {**claims, **changed})


async def test_a_robot_is_where_its_record_says_whatever_path_it_dialled() -> None:
    async with rig() as server:
        key = await enrolled(server)
        came = come(server, proof(server, key), "robot", robot_id=EYE)
        assert (came.service_id, came.robot_id, came.role) == (LAB, EYE, "robot")
        assert server.accounts.door.is_current(came.principal, server.clock.now_ms)


async def test_a_robots_token_passes_once() -> None:
    async with rig() as server:
        token = proof(server, await enrolled(server))
        come(server, token, "robot", robot_id=EYE)
        assert refused(server, token, "robot", robot_id=EYE) is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": signing.GRANT},
        {"aud": "another server"},
        {"sub": "rover"},
        {"exp": 1_800_000_000 + 3600},
        {"exp": 1_800_000_000 - 6},
        {"iss": "somebody"},
    ],
    ids=str,
)
async def test_a_robots_token_for_something_else_opens_nothing(changed: dict[str, Any]) -> None:
    async with rig() as server:
        key = await enrolled(server)
        token = proof(server, key, **changed)
        assert refused(server, token, "robot", robot_id=EYE) is Code.UNAUTHENTICATED


async def test_a_key_speaks_for_no_other_robot_and_no_person() -> None:
    async with rig() as server:
        key = await enrolled(server)
        for robot_id in (ROVER, None):
            code = refused(server, proof(server, key), "robot", robot_id=robot_id)
            assert code is Code.UNAUTHENTICATED
        stranger = proof(server, signing.new_key())
        assert refused(server, stranger, "robot", robot_id=EYE) is Code.UNAUTHENTICATED
        assert refused(server, proof(server, key), "operator") is Code.UNAUTHENTICATED


async def test_a_revoked_robot_is_told_so_and_is_no_longer_current() -> None:
    async with rig() as server:
        key = await enrolled(server)
        came = come(server, proof(server, key), "robot", robot_id=EYE)
        robot = server.store.get(Robot, LAB, EYE)
        assert robot is not None
        await server.store.write(Put(replace(robot, is_revoked=True)))
        assert refused(server, proof(server, key), "robot", robot_id=EYE) is Code.REVOKED
        assert not server.accounts.door.is_current(came.principal, server.clock.now_ms)


@pytest.mark.parametrize("is_put_first", [True, False])
async def test_a_robot_that_moved_is_found_in_its_new_place(is_put_first: bool) -> None:
    async with rig() as server:
        key = await enrolled(server)
        robot = server.store.get(Robot, LAB, EYE)
        assert robot is not None
        moves = [
            Put(replace(robot, service_id=DEFAULT_SERVICE, version=0)),
            Delete(Robot, (LAB, EYE)),
        ]
        await server.store.write(*(moves if is_put_first else reversed(moves)))
        came = come(server, proof(server, key), "robot", robot_id=EYE)
        assert came.service_id == DEFAULT_SERVICE


# --- rooms and grants -----------------------------------------------------------------------------


async def test_a_stored_room_has_rules_and_another_has_none() -> None:
    async with rig() as server:
        room = Room(
            service_id=LAB, id=1000, name="desk", token="abc", max_users=2, max_duration_s=60
        )
        await server.store.write(Put(room))
        rules = server.accounts.door.room(LAB, RoomId("desk"))
        assert rules is not None
        assert (rules.token, rules.max_users, rules.max_duration_s) == ("abc", 2, 60)
        assert server.accounts.door.room(DEFAULT_SERVICE, RoomId("desk")) is None
        await server.store.write(Put(replace(room, name="bench", version=1)))
        assert server.accounts.door.room(LAB, RoomId("desk")) is None
        assert server.accounts.door.room(LAB, RoomId("bench")) is not None


async def test_a_grant_says_who_may_what_and_is_for_one_robot() -> None:
    async with rig() as server:
        meeting = Meeting(
            session_id=SessionId("s-1"),
            robot_id=ROVER,
            member=m.Member(MemberId("m-1"), name="ana", role="operator"),
            scopes=("view", "control"),
            fingerprint="sha-256 AB:CD",
        )
        who = Principal("user", "u-1", "ana", "operator")
        grant = server.accounts.door.grant(who, meeting)
        assert grant is not None

        def check(audience: str, now_ms: int) -> dict[str, Any]:
            return signing.verify(
                grant or "",
                typ=signing.GRANT,
                key_of={server.key.id: server.key.public}.get,
                audience=audience,
                now_s=now_ms / 1000,
            )

        claims = check(ROVER, server.clock.now_ms)
        for name, value in {
            "iss": server.key.id,
            "sub": "u-1",
            "aud": "rover",
            "sid": "s-1",
            "member": "m-1",
            "role": "operator",
            "name": "ana",
            "fp": "sha-256 AB:CD",
            "scopes": ["view", "control"],
        }.items():
            assert claims[name] == value
        assert claims["exp"] - claims["iat"] == 60
        for audience, later_ms in ((EYE, 0), (ROVER, 66_000)):
            with pytest.raises(NotAllowed):
                check(audience, server.clock.now_ms + later_ms)
        other = server.accounts.door.grant(who, with_values(meeting, robot_id=EYE))
        assert other != grant


async def test_when_a_token_was_last_used_is_written_later() -> None:
    async with rig() as server:
        token, secret = await server.token("viewer", on("viewer"))
        server.clock.turn(5)
        come(server, secret, "viewer")
        assert server.store.get(Token, token.id) == token
        await server.accounts.used.flush()
        now = server.store.get(Token, token.id)
        assert now is not None
        assert now.last_used_ms == server.clock.now_ms
