"""Logging in and out, by password and by code; who am I; tickets; the own password."""

import asyncio
from pathlib import Path

import argon2
import pytest
from msgspec.structs import replace

from farhand.server.accounts.secret import digest
from farhand.store.base import Put
from farhand.store.records import Login, User
from tests.server.accounts.rig import PASSWORD, code_of, cookie_of, on, rig


async def test_a_login_sets_a_cookie_that_no_script_can_read_and_names_who_it_is() -> None:
    async with rig() as server:
        await server.user("ana", "operator", on("operator"))
        browser = server.browser()
        answer = await browser.post("/v1/login", json={"name": "Ana", "password": PASSWORD})
        assert answer.status_code == 200
        me = answer.json()["me"]
        assert (me["kind"], me["name"], me["role"]) == ("user", "ana", "operator")
        assert me["access"] == [{"serviceId": "default", "role": "operator"}]
        cookie = answer.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"):
            assert part in cookie
        assert "Secure" not in cookie
        assert (await browser.get("/v1/me")).json() == me


async def test_by_https_the_cookie_is_secure_and_below_a_prefix_it_counts_there_alone() -> None:
    async with rig(public_url="https://fleet.example/robots", root_path="/robots") as server:
        await server.user()
        browser = server.browser()
        answer = await browser.post("/v1/login", json={"name": "ana", "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]
        assert "Path=/robots" in answer.headers["set-cookie"]


async def test_the_records_hold_neither_password_nor_cookie() -> None:
    async with rig() as server:
        await server.user()
        browser = await server.logged_in("ana")
        [login] = server.store.all(Login)
        [user] = server.store.all(User)
        assert login.digest == digest(cookie_of(browser))
        assert user.password_hash.startswith("$argon2id$")
        kept = repr([login, user, *await server.trail()])
        assert PASSWORD not in kept
        assert cookie_of(browser) not in kept


@pytest.mark.parametrize(
    ("name", "password"),
    [("ana", "wrong password"), ("nobody", PASSWORD), ("ana", ""), ("", ""), ("off", PASSWORD)],
)
async def test_whatever_is_wrong_the_refusal_is_the_same_and_audited(
    name: str, password: str
) -> None:
    async with rig() as server:
        await server.user()
        await server.user("off", is_disabled=True)
        answer = await server.browser().post("/v1/login", json={"name": name, "password": password})
        assert answer.status_code == 401
        assert code_of(answer) == "FH-2004"
        assert answer.json()["title"] == "Name or password is wrong."
        assert "set-cookie" not in answer.headers
        [entry] = await server.trail()
        assert (entry.action, entry.result) == ("login", "FH-2004")
        assert entry.address == "198.51.100.7"


async def test_a_name_that_is_nobodys_is_not_noted_as_it_may_be_a_password() -> None:
    async with rig() as server:
        secret = "I typed this in the wrong field"
        await server.browser().post("/v1/login", json={"name": secret, "password": "x"})
        assert secret not in repr(await server.trail())


async def test_an_account_without_a_password_lets_no_empty_one_in() -> None:
    async with rig() as server:
        user = await server.user("oidc-only")
        await server.store.write(Put(replace(user, password_hash="")))
        answer = await server.browser().post(
            "/v1/login", json={"name": "oidc-only", "password": ""}
        )
        assert answer.status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://robots.example:444"])
async def test_a_foreign_page_cannot_log_a_browser_in(origin: str) -> None:
    async with rig() as server:
        await server.user()
        for path in ("/v1/login", "/v1/login/code"):
            answer = await server.program().post(
                path,
                json={"name": "ana", "password": PASSWORD, "code": "x"}
                if path.endswith("code")
                else {"name": "ana", "password": PASSWORD},
                headers={"Origin": origin},
            )
            assert (answer.status_code, code_of(answer)) == (403, "FH-2001")


async def test_logging_out_ends_the_login_for_whoever_has_the_cookie() -> None:
    async with rig() as server:
        await server.user()
        browser = await server.logged_in("ana")
        stolen = cookie_of(browser)
        answer = await browser.post("/v1/logout")
        assert answer.status_code == 204
        assert server.store.all(Login) == []
        thief = server.browser()
        thief.cookies.set("farhand_session", stolen)
        assert (await thief.get("/v1/me")).status_code == 401
        assert ("logout", "ok") in await server.actions()


async def test_a_login_ends_by_itself() -> None:
    async with rig(login_ttl_s=60) as server:
        await server.user()
        browser = await server.logged_in("ana")
        server.clock.turn(59)
        assert (await browser.get("/v1/me")).status_code == 200
        server.clock.turn(2)
        assert (await browser.get("/v1/me")).status_code == 401


async def test_what_a_login_page_must_know_is_public() -> None:
    async with rig() as server:
        answer = await server.program().get("/v1/auth")
        assert answer.json() == {
            "mode": "accounts",
            "needsSetup": True,
            "providers": [],
            "demo": False,
            "limited": False,
        }
        await server.user("root", "admin")
        assert (await server.program().get("/v1/auth")).json()["needsSetup"] is False
    async with rig(auth="open") as server:
        assert (await server.program().get("/v1/auth")).json()["mode"] == "open"
        me = (await server.program().get("/v1/me")).json()
        assert (me["kind"], me["role"]) == ("open", "admin")
        login = await server.program().post("/v1/login", json={"name": "a", "password": "b"})
        assert (login.status_code, code_of(login)) == (409, "FH-3026")


# --- the first admin ------------------------------------------------------------------------------


async def test_the_code_of_the_terminal_makes_the_first_admin_once() -> None:
    async with rig() as server:
        body = {"code": server.setup_code, "name": "root", "password": PASSWORD}
        browser = server.browser()
        answer = await browser.post("/v1/login/code", json=body)
        assert answer.status_code == 200
        assert answer.json()["me"]["role"] == "admin"
        assert (await browser.get("/v1/user")).json()["total"] == 1
        again = await server.browser().post("/v1/login/code", json={**body, "name": "eve"})
        assert (again.status_code, code_of(again)) == (401, "FH-2108")
        assert [user.name for user in server.store.all(User)] == ["root"]
        assert await server.actions() == [("user.setup", "ok"), ("login.code", "FH-2108")]


async def test_of_two_at_once_one_becomes_the_admin() -> None:
    async with rig() as server:
        answers = await asyncio.gather(
            *(
                server.browser().post(
                    "/v1/login/code",
                    json={"code": server.setup_code, "name": f"n{i}", "password": PASSWORD},
                )
                for i in range(5)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
        assert len(server.store.all(User)) == 1


@pytest.mark.parametrize("more", [{}, {"name": "root"}, {"name": "root", "password": "too short"}])
async def test_a_setup_that_lacks_something_does_not_use_the_code_up(more: dict[str, str]) -> None:
    async with rig() as server:
        browser = server.browser()
        answer = await browser.post("/v1/login/code", json={"code": server.setup_code, **more})
        assert answer.status_code == 422
        body = {"code": server.setup_code, "name": "root", "password": PASSWORD}
        assert (await browser.post("/v1/login/code", json=body)).status_code == 200


async def test_the_setup_code_lasts_ten_minutes() -> None:
    async with rig() as server:
        server.clock.turn(601)
        body = {"code": server.setup_code, "name": "root", "password": PASSWORD}
        assert (await server.browser().post("/v1/login/code", json=body)).status_code == 401


# --- a demo on the local network ------------------------------------------------------------------


async def test_a_code_of_the_demo_lets_one_operator_in_and_the_next_is_in_the_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "code"
    file.write_text("a-code-of-the-command-line")
    async with rig(lan_code_file=file) as server:
        assert (await server.program().get("/v1/auth")).json()["demo"] is True
        browser = server.browser()
        first = {"code": "a-code-of-the-command-line"}
        answer = await browser.post("/v1/login/code", json=first)
        me = answer.json()["me"]
        assert (me["kind"], me["role"]) == ("code", "operator")
        assert me["access"] == [{"serviceId": "default", "role": "operator"}]
        assert (await browser.get("/v1/user")).status_code == 403
        again = await server.browser().post("/v1/login/code", json=first)
        assert (again.status_code, code_of(again)) == (401, "FH-2108")
        new = file.read_text()
        assert new != first["code"]
        assert file.stat().st_mode & 0o077 == 0
        assert (await server.browser().post("/v1/login/code", json={"code": new})).is_success
        server.clock.turn(601)
        late = await server.browser().post("/v1/login/code", json={"code": file.read_text()})
        assert late.status_code == 401


async def test_without_a_demo_no_code_passes_not_even_an_empty_one() -> None:
    async with rig() as server:
        await server.user("root", "admin")
        server.accounts.setup.drop()
        for code in ("", " ", "x", "\x00", "é"):
            answer = await server.browser().post("/v1/login/code", json={"code": code})
            assert answer.status_code in {401, 422}


# --- tickets and the own password -----------------------------------------------------------------


async def test_a_ticket_is_of_one_use_and_a_minute() -> None:
    async with rig() as server:
        await server.user("ana", "operator", on("operator"))
        browser = await server.logged_in("ana")
        ticket = (await browser.post("/v1/ticket")).json()["ticket"]
        principal = server.accounts.tickets.redeem(ticket)
        assert principal is not None
        assert principal.name == "ana"
        assert server.accounts.tickets.redeem(ticket) is None
        late = (await browser.post("/v1/ticket")).json()["ticket"]
        server.clock.turn(61)
        assert server.accounts.tickets.redeem(late) is None


async def test_a_new_password_ends_the_other_logins_and_keeps_this_one() -> None:
    async with rig() as server:
        await server.user()
        here, elsewhere = await server.logged_in("ana"), await server.logged_in("ana")
        body = {"old": PASSWORD, "new": "staple correct horse"}
        assert (await here.post("/v1/me/password", json=body)).status_code == 204
        assert (await here.get("/v1/me")).status_code == 200
        assert (await elsewhere.get("/v1/me")).status_code == 401
        await server.logged_in("ana", "staple correct horse")
        old = await server.browser().post("/v1/login", json={"name": "ana", "password": PASSWORD})
        assert old.status_code == 401
        assert ("user.password", "ok") in await server.actions()


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [(PASSWORD, "123456789", 422), ("wrong", "staple correct horse", 403), (PASSWORD, "", 422)],
)
async def test_a_password_is_not_changed_without_the_old_one_or_to_a_short_one(
    old: str, new: str, status: int
) -> None:
    async with rig() as server:
        await server.user()
        browser = await server.logged_in("ana")
        answer = await browser.post("/v1/me/password", json={"old": old, "new": new})
        assert answer.status_code == status
        await server.logged_in("ana")


async def test_logins_at_once_all_pass_where_the_hash_is_of_other_parameters() -> None:
    async with rig() as server:
        user = await server.user("ana")
        dated = argon2.PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
        await server.store.write(Put(replace(user, password_hash=dated), force=True))
        answers = await asyncio.gather(
            *(
                server.browser().post("/v1/login", json={"name": "ana", "password": PASSWORD})
                for _ in range(4)
            )
        )
        assert [answer.status_code for answer in answers] == [200] * 4
        [stored] = server.store.all(User)
        assert stored.password_hash != dated
