"""Logging in with an OpenID provider: code, PKCE, state, nonce; and what hostile ones try."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from farhand.server.settings import OidcProvider
from farhand.store.base import Put
from farhand.store.records import Login, User
from tests.server.accounts import provider as op
from tests.server.accounts.provider import CLIENT_ID, EC, RSA, SECRET, STRANGER, Provider
from tests.server.accounts.rig import NOW_MS, Rig, rig

NOW_S = NOW_MS // 1000
START = "/v1/login/oidc/company/start"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with op.running() as started:
        yield started


@asynccontextmanager
async def server_with(provider: Provider) -> AsyncIterator[Rig]:
    known = OidcProvider(
        id="company",
        name="Company",
        issuer=provider.issuer,
        client_id=CLIENT_ID,
        client_secret=SECRET,
        role="operator",
    )
    async with rig(oidc=(known,)) as server:
        yield server


async def begin(browser: httpx.AsyncClient, to: str = "/drive/rover") -> dict[str, list[str]]:
    """Return what the provider is asked."""
    answer = await browser.get(START, params={"to": to})
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)


async def come_back(browser: httpx.AsyncClient, **query: str) -> httpx.Response:
    return await browser.get("/v1/login/oidc/company/callback", params=query)


async def log_in(browser: httpx.AsyncClient, provider: Provider, to: str = "/fleet") -> Any:
    asked = await begin(browser, to)
    return await come_back(browser, state=asked["state"][0], code=provider.approve(asked))


def place(answer: httpx.Response) -> str:
    return str(answer.headers["location"])


@pytest.mark.parametrize(("signer", "alg"), [(RSA, "RS256"), (EC, "ES256")])
async def test_somebody_new_gets_an_account_with_the_role_of_the_configuration(
    provider: Provider, signer: Any, alg: str
) -> None:
    provider.signer, provider.alg = signer, alg
    async with server_with(provider) as server:
        assert (await server.program().get("/v1/auth")).json()["providers"] == [
            {"id": "company", "name": "Company"}
        ]
        browser = server.browser()
        answer = await log_in(browser, provider, "/drive/rover")
        assert (answer.status_code, place(answer)) == (303, "/drive/rover")
        me = (await browser.get("/v1/me")).json()
        assert (me["name"], me["role"]) == ("ana", "operator")
        assert me["access"] == [{"serviceId": "default", "role": "operator"}]
        [user] = server.store.all(User)
        assert (user.oidc, user.password_hash) == (f"{provider.issuer}|person-7", "")
        assert await server.actions() == [("user.create", "ok"), ("login.oidc", "ok")]
        await log_in(server.browser(), provider)
        assert len(server.store.all(User)) == 1


async def test_the_provider_is_asked_with_pkce_state_and_nonce(provider: Provider) -> None:
    async with server_with(provider) as server:
        browser = server.browser()
        one, other = await begin(browser), await begin(browser)
        assert one["response_type"] == ["code"]
        assert one["scope"] == ["openid profile email"]
        assert one["code_challenge_method"] == ["S256"]
        assert one["redirect_uri"] == ["http://robots.example/v1/login/oidc/company/callback"]
        for name in ("state", "nonce", "code_challenge"):
            assert len(one[name][0]) >= 43
            assert one[name] != other[name]


async def test_a_name_that_somebody_here_has_is_not_taken_over(provider: Provider) -> None:
    async with server_with(provider) as server:
        local = await server.user("ana", "admin")
        browser = server.browser()
        await log_in(browser, provider)
        me = (await browser.get("/v1/me")).json()
        assert (me["name"], me["role"]) == ("ana 2", "operator")
        assert me["id"] != local.id


async def test_a_disabled_account_stays_out(provider: Provider) -> None:
    async with server_with(provider) as server:
        await log_in(server.browser(), provider)
        [user] = server.store.all(User)
        await server.store.write(Put(replace(user, is_disabled=True)))
        answer = await log_in(server.browser(), provider)
        assert place(answer) == "/login?error=FH-2004"


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "", "evil", "/a\r\nb"]
)
async def test_afterwards_the_browser_stays_here(provider: Provider, to: str) -> None:
    async with server_with(provider) as server:
        assert place(await log_in(server.browser(), provider, to)) == "/"


def hs256(provider: Provider) -> None:
    header = {"alg": "HS256", "kid": "rsa-1"}
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "sub": "x", "iat": NOW_S, "exp": NOW_S + 9}
    parts = [urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=") for x in (header, claims)]
    signature = hmac.digest(RSA.as_pem(private=False), b".".join(parts), "sha256")
    parts.append(urlsafe_b64encode(signature).rstrip(b"="))
    provider.raw_token = b".".join(parts).decode()


def says(**claims: Any) -> Callable[[Provider], None]:
    return lambda provider: provider.claims.update(claims)


def lacks(*names: str) -> Callable[[Provider], None]:
    return lambda provider: setattr(provider, "drop", names)


def has(**attributes: Any) -> Callable[[Provider], None]:
    def change(provider: Provider) -> None:
        for name, value in attributes.items():
            setattr(provider, name, value)

    return change


HOSTILE: dict[str, Callable[[Provider], None]] = {
    "wrong nonce": says(nonce="another"),
    "no nonce": lacks("nonce"),
    "nonce a list": says(nonce=["x"]),
    "wrong aud": says(aud="other"),
    "aud of two without azp": says(aud=[CLIENT_ID, "other"]),
    "azp of another": says(aud=[CLIENT_ID, "other"], azp="other"),
    "no aud": lacks("aud"),
    "wrong iss": says(iss="http://127.0.0.1:1"),
    "no iss": lacks("iss"),
    "expired": says(exp=NOW_S - 31),
    "no exp": lacks("exp"),
    "exp a string": says(exp=str(NOW_S + 300)),
    "exp 1e308": says(exp=1e308),
    "iat in the future": says(iat=NOW_S + 31),
    "made long ago": says(iat=NOW_S - 601),
    "no sub": lacks("sub"),
    "sub a number": says(sub=7),
    "alg none": has(alg="none"),
    "HS256 with the public key": hs256,
    "another's signature": has(signer=STRANGER),
    "unknown kid": has(header={"kid": "unknown"}),
    "unknown crit": has(header={"crit": ["b64"], "b64": True}),
    "junk": has(raw_token="a.b.c"),
    "empty": has(raw_token="."),
    "too long": has(raw_token="A" * 40_000),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_id_token_lets_nobody_in(
    provider: Provider, hostile: Callable[[Provider], None]
) -> None:
    hostile(provider)
    async with server_with(provider) as server:
        browser = server.browser()
        answer = await log_in(browser, provider)
        assert place(answer) == "/login?error=FH-2004"
        assert (await browser.get("/v1/me")).status_code == 401
        assert server.store.all(User) == []
        assert server.store.all(Login) == []
        assert await server.actions() == [("login.oidc", "FH-2004")]


async def test_a_state_passes_once_in_the_browser_that_began_and_in_time(
    provider: Provider,
) -> None:
    async with server_with(provider) as server:
        victim, attacker = server.browser(), server.browser()
        asked = await begin(attacker)
        state, code = asked["state"][0], provider.approve(asked)
        assert place(await come_back(victim, state=state, code=code)).startswith("/login?error")
        assert place(await come_back(attacker, state=state, code=code)).startswith("/login?error")
        late = await begin(attacker)
        server.clock.turn(601)
        answer = await come_back(attacker, state=late["state"][0], code=provider.approve(late))
        assert place(answer).startswith("/login?error")
        for state in ("", "unknown"):
            assert place(await come_back(attacker, state=state, code="x")).startswith("/login?e")
        assert server.store.all(User) == []


async def test_a_code_that_the_provider_does_not_know_lets_nobody_in(provider: Provider) -> None:
    async with server_with(provider) as server:
        browser = server.browser()
        asked = await begin(browser)
        answer = await come_back(browser, state=asked["state"][0], code="stolen")
        assert place(answer) == "/login?error=FH-2004"


async def test_keys_are_fetched_anew_for_one_that_is_new_but_not_for_each_forgery(
    provider: Provider,
) -> None:
    provider.keys = [EC]
    async with server_with(provider) as server:
        for _ in range(3):
            assert "error" in place(await log_in(server.browser(), provider))
        assert provider.fetched.count("/jwks") == 1
        provider.keys = [EC, RSA]
        server.clock.turn(31)
        assert place(await log_in(server.browser(), provider)) == "/fleet"
        assert provider.fetched.count("/jwks") == 2
        assert provider.fetched.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"padding": "x" * 300_000},
    ],
    ids=lambda value: next(iter(value)),
)
async def test_a_provider_that_is_not_what_it_should_be_is_not_used(
    provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    async with server_with(provider) as server:
        answer = await server.browser().get(START)
        assert place(answer) == "/login?error=FH-4001"


async def test_an_unknown_provider_is_not_found(provider: Provider) -> None:
    async with server_with(provider) as server:
        answer = await server.browser().get("/v1/login/oidc/other/start")
        assert answer.status_code == 404
