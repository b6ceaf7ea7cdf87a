"""Who sends a request: every credential, every pair of them, every origin."""

from itertools import product

import httpx
import pytest

from farhand.server.accounts.secret import COOKIE
from farhand.server.settings import Rates
from tests.server.accounts.rig import GENEROUS, Rig, code_of, cookie_of, on, rig

OWN = "http://robots.example"
ORIGINS: dict[str, tuple[dict[str, str], bool]] = {
    "own origin": ({"Origin": OWN}, True),
    "own origin, and the browser says so": (
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        True,
    ),
    "no origin, but the browser says same": ({"Sec-Fetch-Site": "same-origin"}, True),
    "nothing": ({}, False),
    "none": ({"Sec-Fetch-Site": "none"}, False),
    "same site": ({"Sec-Fetch-Site": "same-site"}, False),
    "cross site": ({"Sec-Fetch-Site": "cross-site"}, False),
    "another host": ({"Origin": "http://evil.example"}, False),
    "another host that says it is the same": (
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        False,
    ),
    "another port": ({"Origin": "http://robots.example:81"}, False),
    "a name that ends like ours": ({"Origin": "http://evil-robots.example"}, False),
    "a name that begins like ours": ({"Origin": "http://robots.example.evil"}, False),
    "null": ({"Origin": "null"}, False),
    "empty": ({"Origin": ""}, False),
    "with a path": ({"Origin": f"{OWN}/"}, False),
    "with a user": ({"Origin": "http://x@robots.example"}, False),
}
METHODS = {"POST": "/v1/ticket", "PATCH": "/v1/user/u", "DELETE": "/v1/user/u", "GET": "/v1/me"}


@pytest.mark.parametrize(
    ("method", "origin"), list(product(METHODS, ORIGINS)), ids=lambda value: value
)
async def test_a_cookie_does_something_only_for_our_own_pages(method: str, origin: str) -> None:
    headers, is_ours = ORIGINS[origin]
    async with rig() as server:
        await server.user("root", "admin")
        program = server.program()
        program.cookies.set(COOKIE, cookie_of(await server.logged_in("root")))
        answer = await program.request(method, METHODS[method], headers=headers, json={})
        if method == "GET" or is_ours:
            assert answer.status_code in {200, 201, 404}
        else:
            assert (answer.status_code, code_of(answer)) == (403, "FH-2001")


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda value: value)
async def test_a_token_is_asked_for_no_origin(origin: str) -> None:
    async with rig() as server:
        _, secret = await server.token("admin")
        program = server.program(secret)
        answer = await program.post("/v1/ticket", headers=ORIGINS[origin][0])
        assert answer.status_code == 201


CREDENTIALS = ("cookie", "bearer", "x-auth-token", "query")


async def ask(server: Rig, **given: str) -> httpx.Response:
    program = server.program()
    params = {}
    for how, secret in given.items():
        if how == "cookie":
            program.cookies.set(COOKIE, secret)
        elif how == "bearer":
            program.headers["Authorization"] = f"Bearer {secret}"
        elif how == "x-auth-token":
            program.headers["X-Auth-Token"] = secret
        else:
            params["x-auth-token"] = secret
    return await program.get("/v1/me", params=params)


@pytest.mark.parametrize(("one", "other"), list(product(CREDENTIALS, CREDENTIALS)))
async def test_of_two_credentials_both_must_name_the_same_sender(one: str, other: str) -> None:
    async with rig() as server:
        await server.user("root", "admin")
        ours: dict[str, str] = dict.fromkeys(CREDENTIALS, (await server.token("admin"))[1])
        theirs: dict[str, str] = dict.fromkeys(CREDENTIALS, (await server.token("viewer"))[1])
        ours["cookie"] = theirs["cookie"] = cookie_of(await server.logged_in("root"))
        if one == other:
            assert (await ask(server, **{one: ours[one]})).status_code == 200
            return
        same = await ask(server, **{one: ours[one], other: ours[other]})
        assert same.status_code == (401 if "cookie" in (one, other) else 200)
        different = await ask(server, **{one: ours[one], other: theirs[other]})
        assert different.status_code == 401
        broken = await ask(server, **{one: ours[one], other: "fh_nobody"})
        assert broken.status_code == 401


@pytest.mark.parametrize(
    "secret", ["", " ", "fh_", "x", "fh_" + "A" * 43, "Bearer", "é", "x" * 10_000]
)
@pytest.mark.parametrize("how", CREDENTIALS)
async def test_what_is_nobodys_is_401(how: str, secret: str) -> None:
    async with rig() as server:
        if how != "query":
            secret = secret.encode("ascii", "ignore").decode().strip()
        answer = await ask(server, **{how: secret})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_bearer_of_the_documented_console_beside_its_token_proves_nothing() -> None:
    async with rig() as server:
        _, secret = await server.token("viewer", on("viewer"))
        answer = await ask(server, **{"bearer": "opaque", "x-auth-token": secret})
        assert answer.status_code == 200
        assert (await ask(server, bearer="opaque")).status_code == 401


async def test_no_credential_at_all_is_401() -> None:
    async with rig() as server:
        answer = await server.program().get("/v1/me")
        assert (answer.status_code, code_of(answer)) == (401, "FH-2004")


async def test_a_revoked_and_an_expired_token_say_so() -> None:
    async with rig() as server:
        for more in ({"is_revoked": True}, {"expires_ms": server.clock.now_ms}):
            _, secret = await server.token("viewer", **more)
            answer = await ask(server, bearer=secret)
            assert answer.status_code in {401, 403}
            assert code_of(answer) == "FH-2006"


async def test_who_guesses_tokens_is_told_to_wait_and_a_good_one_passes_all_the_same() -> None:
    async with rig(rates=Rates(login_per_address="3/minute")) as server:
        _, secret = await server.token("viewer")
        for _ in range(3):
            assert (await ask(server, bearer="fh_guess")).status_code == 401
        refused = await ask(server, bearer="fh_guess")
        assert (refused.status_code, code_of(refused)) == (429, "FH-3013")
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await ask(server, bearer=secret)).status_code == 200
        server.clock.turn(61)
        assert (await ask(server, bearer="fh_guess")).status_code == 401


async def test_an_account_has_a_rate_of_its_own() -> None:
    async with rig(rates=Rates(api_per_account="2/minute")) as server:
        _, busy = await server.token("viewer")
        _, other = await server.token("viewer")
        answers = [await ask(server, bearer=busy) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await ask(server, bearer=other)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": OWN}, 201),
        ({"Origin": "http://tools.example"}, 201),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_without_accounts_foreign_pages_still_change_nothing(
    headers: dict[str, str], status: int
) -> None:
    async with rig(auth="open", rates=GENEROUS, origins=("http://tools.example",)) as server:
        answer = await server.program().post("/v1/ticket", headers=headers)
        assert answer.status_code == status
        assert (await server.program().get("/v1/me", headers=headers)).status_code == 200
