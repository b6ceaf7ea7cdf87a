"""Those who hold a credential use it to stay when they are thrown out, or to keep others out."""

import pytest
from msgspec.structs import replace

from farhand.errors import NotAllowed
from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.accounts.people import MAX_MAKERS
from farhand.server.accounts.secret import digest, new_id, new_token
from farhand.server.settings import Rates
from farhand.store.base import Put
from farhand.store.records import Enrolment, Token, User
from tests.server.accounts.rig import Rig, on, rig


async def made_by(server: Rig, maker: str, **more: object) -> tuple[Token, str]:
    return await server.token("operator", on("operator"), created_by=maker, **more)


async def key_of(server: Rig, maker: str) -> str:
    secret = new_id("e")
    key = Enrolment(
        id=secret,
        kind="key",
        digest=digest(secret),
        service_id=DEFAULT_SERVICE,
        uses_left=1000,
        expires_ms=server.clock.now_ms + 10**9,
        created_by=maker,
    )
    await server.store.write(Put(key))
    return secret


async def test_no_chain_of_tokens_is_too_long_to_be_revoked() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        ana = await server.user("ana", "operator", on("operator"))
        first, _ = await made_by(server, f"user:{ana.id}")
        last = first
        for _ in range(1200):
            last, _ = await made_by(server, f"token:{last.id}")
        root = await server.logged_in("root")
        assert (await root.delete(f"/v1/token/{first.id}")).status_code == 204
        assert all(token.is_revoked for token in server.store.all(Token))


async def test_who_is_disabled_leaves_no_chain_of_tokens_behind() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        ana = await server.user("ana", "operator", on("operator"))
        last, _ = await made_by(server, f"user:{ana.id}")
        for _ in range(600):
            last, _ = await made_by(server, f"token:{last.id}")
        root = await server.logged_in("root")
        answer = await root.patch(f"/v1/user/{ana.id}", json={"isDisabled": True})
        assert answer.status_code == 200
        assert all(token.is_revoked for token in server.store.all(Token))


async def test_tokens_are_made_with_tokens_only_a_few_times() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        root = await server.logged_in("root")
        body = {"name": "one", "role": "operator"}
        secret = (await root.post("/v1/token", json=body)).json()["secret"]
        for _ in range(MAX_MAKERS - 1):
            answer = await server.program(secret).post("/v1/token", json=body)
            assert answer.status_code == 201
            secret = answer.json()["secret"]
        assert (await server.program(secret).get("/v1/me")).status_code == 200
        assert (await server.program(secret).post("/v1/token", json=body)).status_code == 403


@pytest.mark.parametrize("kind", ["token", "user"])
async def test_a_token_that_was_being_made_while_its_maker_was_revoked_does_not_pass(
    kind: str,
) -> None:
    async with rig() as server:
        ana = await server.user("ana", "operator", on("operator"))
        maker, _ = await made_by(server, f"user:{ana.id}")
        # The maker's revocation is in the store before the record of what was made with it.
        child, secret = await made_by(server, f"{kind}:{maker.id if kind == 'token' else ana.id}")
        assert server.accounts.people.by_token(secret).id == child.id
        if kind == "token":
            await server.store.write(Put(replace(maker, is_revoked=True)))
        else:
            await server.store.write(Put(replace(ana, is_disabled=True)))
        with pytest.raises(NotAllowed):
            server.accounts.people.by_token(secret)


@pytest.mark.parametrize("how", ["disabled", "demoted", "deleted", "token"])
async def test_codes_and_keys_for_robots_end_with_the_rights_of_who_made_them(how: str) -> None:
    async with rig() as server:
        await server.user("root", "admin")
        root = await server.logged_in("root")
        eve = await server.user("eve", "supervisor", on("supervisor"))
        maker, _ = await server.token("supervisor", on("supervisor"), created_by=f"user:{eve.id}")
        own, others = await key_of(server, f"user:{eve.id}"), await key_of(server, "user:u-other")
        tokens = await key_of(server, f"token:{maker.id}")
        demoted = {"role": "operator", "access": [{"serviceId": "default", "role": "operator"}]}
        match how:
            case "disabled":
                answer = await root.patch(f"/v1/user/{eve.id}", json={"isDisabled": True})
            case "demoted":
                answer = await root.patch(f"/v1/user/{eve.id}", json=demoted)
            case "deleted":
                answer = await root.delete(f"/v1/user/{eve.id}")
            case _:
                answer = await root.delete(f"/v1/token/{maker.id}")
        assert answer.is_success
        found = {one.id: one.status for one in server.store.all(Enrolment)}
        is_left = "open" if how == "token" else "revoked"
        assert found == {own: is_left, tokens: "revoked", others: "open"}


async def test_who_may_still_let_robots_in_keeps_their_keys() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        root = await server.logged_in("root")
        eve = await server.user("eve", "supervisor", on("supervisor"), on("viewer", "lab"))
        own = await key_of(server, f"user:{eve.id}")
        less = {"access": [{"serviceId": "default", "role": "supervisor"}]}
        assert (await root.patch(f"/v1/user/{eve.id}", json=less)).status_code == 200
        assert [one.status for one in server.store.all(Enrolment) if one.id == own] == ["open"]


async def test_bad_tokens_of_an_address_keep_nobody_there_from_logging_in() -> None:
    async with rig(rates=Rates(login_per_address="3/minute")) as server:
        await server.user("ana")
        for _ in range(5):
            await server.program(new_token(), address="198.51.100.7").get("/v1/me")
        browser = server.browser("198.51.100.7")
        assert (await browser.get("/v1/auth")).json()["limited"] is False
        assert (await server.logged_in("ana")).cookies
        assert server.store.all(User)
