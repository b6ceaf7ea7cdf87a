"""Tokens, guest links and accounts: who may make, see and revoke which; nobody gives more than
they have."""

from typing import Any

import pytest
from msgspec.structs import replace

from farhand.server.accounts.secret import digest
from farhand.store.base import Put
from farhand.store.records import Login, Token, User
from tests.server.accounts.rig import PASSWORD, code_of, on, rig

HOME_LINE = {"serviceId": "default", "role": "operator"}


def line(role: str, service: str = "default", **more: str) -> dict[str, str]:
    return {"serviceId": service, "role": role, **more}


# --- tokens ---------------------------------------------------------------------------------------


async def test_a_secret_is_shown_once_and_kept_as_a_digest() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        browser = await server.logged_in("root")
        body = {"name": "nightly", "role": "program", "access": [line("program")], "ttlS": 3600}
        made = (await browser.post("/v1/token", json=body)).json()
        assert made["secret"].startswith("fh_")
        assert len(made["secret"]) == 46
        assert made["expiresMs"] == server.clock.now_ms + 3_600_000
        shown = await browser.get(f"/v1/token/{made['tokenId']}")
        listed = await browser.get("/v1/token")
        for answer in (shown, listed):
            assert made["secret"] not in answer.text
            assert digest(made["secret"]) not in answer.text
        assert made["secret"] not in repr(await server.trail())
        assert made["secret"] not in repr(server.store.all(Token))
        assert (await server.program(made["secret"]).get("/v1/me")).json()["role"] == "program"


GIFTS: list[tuple[str, list[Any], str, list[dict[str, str]] | None, int]] = [
    ("admin", [], "admin", [], 201),
    ("admin", [], "enroller", [line("enroller")], 201),
    ("admin", [], "viewer", [line("operator")], 422),
    ("admin", [], "operator", [line("admin")], 422),
    ("admin", [], "guest", [line("guest")], 422),
    ("supervisor", [on("supervisor")], "supervisor", [line("supervisor")], 201),
    ("supervisor", [on("supervisor")], "enroller", [line("enroller")], 201),
    ("supervisor", [on("supervisor")], "operator", [line("operator", "lab")], 403),
    ("supervisor", [on("supervisor")], "admin", [], 403),
    ("supervisor", [on("supervisor")], "operator", None, 201),
    ("supervisor", [on("supervisor", "lab")], "operator", None, 403),
    ("supervisor", [on("supervisor", robot="rover")], "supervisor", [line("supervisor")], 403),
    ("operator", [on("operator")], "operator", [line("operator")], 201),
    ("operator", [on("operator")], "viewer", [line("viewer", robotId="rover")], 201),
    ("operator", [on("operator")], "supervisor", [line("supervisor")], 403),
    ("operator", [on("operator")], "enroller", [line("enroller")], 403),
    ("operator", [on("operator", robot="rover")], "operator", [line("operator")], 403),
    (
        "operator",
        [on("operator", robot="rover")],
        "operator",
        [line("operator", robotId="rover")],
        201,
    ),
    ("operator", [on("operator")], "operator", [line("operator"), line("viewer", "lab")], 403),
    ("viewer", [on("viewer")], "program", [line("program")], 403),
    ("viewer", [on("viewer")], "admin", [], 403),
    ("viewer", [], "viewer", [line("viewer")], 403),
]


@pytest.mark.parametrize(("role", "access", "gives", "lines", "status"), GIFTS, ids=str)
async def test_no_one_gives_more_than_they_have(
    role: Any, access: Any, gives: str, lines: Any, status: int
) -> None:
    async with rig() as server:
        await server.user("giver", role, *access)
        browser = await server.logged_in("giver")
        body = {"name": "x", "role": gives} | ({"access": lines} if lines is not None else {})
        answer = await browser.post("/v1/token", json=body)
        assert answer.status_code == status, answer.text
        assert len(server.store.all(Token)) == (status == 201)


@pytest.mark.parametrize(("role", "access"), [("guest", on("guest")), ("enroller", on("enroller"))])
async def test_guests_and_enrollers_have_no_tokens(role: Any, access: Any) -> None:
    async with rig() as server:
        _, secret = await server.token(role, access)
        program = server.program(secret)
        body = {"name": "x", "role": role, "access": [line(role)]}
        for answer in (
            await program.post("/v1/token", json=body),
            await program.get("/v1/token"),
            await program.post("/v1/guest-link", json={"robotId": "rover"}),
            await program.get("/v1/user"),
        ):
            assert (answer.status_code, code_of(answer)) == (403, "FH-2005")


async def test_a_token_made_by_a_token_ends_with_it() -> None:
    async with rig() as server:
        expires_ms = server.clock.now_ms + 1_000_000
        parent, secret = await server.token("operator", on("operator"), expires_ms=expires_ms)
        body = {"name": "child", "role": "operator", "access": [HOME_LINE]}
        child = (await server.program(secret).post("/v1/token", json=body)).json()
        assert child["expiresMs"] == expires_ms
        assert (await server.program(secret).delete(f"/v1/token/{parent.id}")).status_code == 204
        assert (await server.program(child["secret"]).get("/v1/me")).status_code == 401


async def test_a_token_of_somebody_else_is_not_there() -> None:
    async with rig() as server:
        theirs, _ = await server.token("admin")
        lab, _ = await server.token("viewer", on("viewer", "lab"))
        await server.user("ana", "supervisor", on("supervisor", "lab"))
        browser = await server.logged_in("ana")
        absent = await browser.get("/v1/token/t-none")
        for method in ("GET", "DELETE"):
            answer = await browser.request(method, f"/v1/token/{theirs.id}")
            assert (answer.status_code, answer.content) == (404, absent.content)
        assert [one["id"] for one in (await browser.get("/v1/token")).json()["tokens"]] == [lab.id]
        assert (await browser.delete(f"/v1/token/{lab.id}")).status_code == 204
        kept = server.store.get(Token, theirs.id)
        assert kept is not None
        assert not kept.is_revoked


# --- guest links ----------------------------------------------------------------------------------


async def test_a_guest_link_is_for_one_robot_a_while_and_can_be_taken_back() -> None:
    async with rig(public_url="https://fleet.example/r") as server:
        await server.user("ana", "supervisor", on("supervisor"))
        browser = server.browser()
        browser.headers["Origin"] = "https://fleet.example"
        await browser.post("/v1/login", json={"name": "ana", "password": PASSWORD})
        browser.cookies = type(browser.cookies)(
            {c.name: c.value or "" for c in browser.cookies.jar}
        )
        answer = await browser.post("/v1/guest-link", json={"robotId": "rover", "ttlS": 600})
        assert answer.status_code == 201, answer.text
        link = answer.json()
        base, _, secret = link["url"].partition("#guest=")
        assert base == "https://fleet.example/r/drive/rover?view=1"
        assert link["expiresMs"] == server.clock.now_ms + 600_000
        me = (await server.program(secret).get("/v1/me")).json()
        assert (me["kind"], me["role"]) == ("guest", "guest")
        assert me["access"] == [{"serviceId": "default", "role": "guest", "robotId": "rover"}]
        listed = (await browser.get("/v1/token", params={"role": "guest"})).json()["tokens"]
        assert [one["tokenId"] for one in listed] == [link["tokenId"]]
        assert (await browser.delete(f"/v1/token/{link['tokenId']}")).status_code == 204
        assert (await server.program(secret).get("/v1/me")).status_code == 401
        assert ("guest.create", "ok") in await server.actions()
        assert ("token.revoke", "ok") in await server.actions()


@pytest.mark.parametrize(
    ("role", "access", "body", "status"),
    [
        ("operator", on("operator"), {"robotId": "rover"}, 403),
        ("supervisor", on("supervisor"), {"robotId": "digger", "serviceId": "lab"}, 404),
        ("supervisor", on("supervisor"), {"robotId": "none"}, 404),
        ("supervisor", on("supervisor"), {"robotId": "rover", "ttlS": 59}, 422),
        ("supervisor", on("supervisor"), {}, 422),
        ("supervisor", on("supervisor", "lab"), {"robotId": "digger", "serviceId": "lab"}, 201),
    ],
)
async def test_who_manages_the_robot_makes_its_links(
    role: Any, access: Any, body: dict[str, Any], status: int
) -> None:
    async with rig() as server:
        await server.user("ana", role, access)
        answer = await (await server.logged_in("ana")).post("/v1/guest-link", json=body)
        assert answer.status_code == status


# --- accounts -------------------------------------------------------------------------------------


async def test_an_admin_makes_changes_and_removes_accounts() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        admin = await server.logged_in("root")
        body = {"name": "ana", "role": "operator", "password": PASSWORD, "access": [HOME_LINE]}
        made = await admin.post("/v1/user", json=body)
        assert (made.status_code, made.headers["etag"]) == (201, '"v1"')
        assert "password" not in made.text.replace("hasPassword", "")
        path = f"/v1/user/{made.json()['userId']}"
        ana = await server.logged_in("ana")
        assert (await admin.post("/v1/user", json={**body, "name": "ANA"})).status_code == 409
        stale = await admin.patch(path, json={"role": "viewer"}, headers={"If-Match": '"v9"'})
        assert (stale.status_code, code_of(stale)) == (412, "FH-3027")
        changed = await admin.patch(path, json={"access": [line("viewer", "lab")]})
        assert changed.json()["access"] == [line("viewer", "lab")]
        assert (await ana.get("/v1/me")).json()["access"] == [line("viewer", "lab")]
        assert (await admin.patch(path, json={"isDisabled": True})).status_code == 200
        assert (await ana.get("/v1/me")).status_code == 401
        assert [one.user_id for one in server.store.all(Login)] != [made.json()["userId"]]
        assert (await admin.delete(path)).status_code == 204
        assert (await admin.get(path)).status_code == 404
        actions = [action for action, _ in await server.actions()]
        for action in ("user.create", "user.update", "user.delete"):
            assert action in actions


@pytest.mark.parametrize("role", ["viewer", "operator", "supervisor"])
async def test_accounts_are_for_admins_alone_whatever_the_id(role: Any) -> None:
    async with rig() as server:
        user = await server.user("ana", role, on(role))
        browser = await server.logged_in("ana")
        for path in ("/v1/user", f"/v1/user/{user.id}", "/v1/user/none"):
            answer = await browser.get(path)
            assert (answer.status_code, code_of(answer)) == (403, "FH-2005")
        own = await browser.patch(f"/v1/user/{user.id}", json={"role": "admin"})
        assert own.status_code == 403
        new = await browser.post("/v1/user", json={"name": "eve", "role": "admin"})
        assert new.status_code == 403


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"isDisabled": True}, None])
async def test_the_last_admin_stays(change: dict[str, Any] | None) -> None:
    async with rig() as server:
        root = await server.user("root", "admin")
        admin = await server.logged_in("root")
        path = f"/v1/user/{root.id}"

        async def attempt() -> int:
            answer = await (admin.patch(path, json=change) if change else admin.delete(path))
            return answer.status_code

        assert await attempt() == 409
        await server.user("second", "admin")
        assert await attempt() in {200, 204}


async def test_what_somebody_gave_ends_with_the_rights_it_was_given_by() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        user = await server.user("ana", "supervisor", on("supervisor"), on("supervisor", "lab"))
        admin, ana = await server.logged_in("root"), await server.logged_in("ana")

        async def given(role: str, service: str) -> str:
            body = {"name": role, "role": role, "access": [line(role, service)]}
            return str((await ana.post("/v1/token", json=body)).json()["secret"])

        high, low, lab = (
            await given("supervisor", "default"),
            await given("viewer", "default"),
            await given("operator", "lab"),
        )
        await admin.patch(f"/v1/user/{user.id}", json={"access": [line("operator")]})

        async def passes(secret: str) -> bool:
            return (await server.program(secret).get("/v1/me")).status_code == 200

        assert [await passes(secret) for secret in (high, low, lab)] == [False, True, False]
        await admin.patch(f"/v1/user/{user.id}", json={"isDisabled": True})
        assert not await passes(low)


async def test_the_same_name_twice_at_once_is_one_account() -> None:
    import asyncio

    async with rig() as server:
        await server.user("root", "admin")
        admin = await server.logged_in("root")
        body = {"name": "ana", "password": PASSWORD}
        answers = await asyncio.gather(*(admin.post("/v1/user", json=body) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_disabled_admin_is_no_admin() -> None:
    async with rig() as server:
        root = await server.user("root", "admin")
        admin = await server.logged_in("root")
        stored = server.store.get(User, root.id)
        assert stored is not None
        await server.store.write(Put(replace(stored, is_disabled=True)))
        assert (await admin.get("/v1/user")).status_code == 401
        assert server.accounts.needs_setup


async def test_rights_on_a_service_that_is_not_there_are_refused() -> None:
    async with rig() as server:
        await server.user("boss", "admin")
        boss = await server.logged_in("boss")
        access = [{"serviceId": "nowhere", "role": "operator"}]
        for path in ("/v1/token", "/v1/user"):
            body = {"name": "x", "role": "operator", "access": access}
            answer = await boss.post(path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "FH-3021")
