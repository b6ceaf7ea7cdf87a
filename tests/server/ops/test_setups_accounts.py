"""Accounts behind a proxy: the cookie knows the scheme, limits and the trail know the client."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import trustme

from farhand.server.serve import Server, build_server
from farhand.server.settings import PasswordCost, ServerSettings
from tests.server.harness import until
from tests.server.ops.tls_proxy import TlsProxy, proxying

CHEAP = PasswordCost(memory_kib=64, passes=1, lanes=1, threads=1)
ADMIN = {"name": "ana", "password": "correct horse battery"}


@contextmanager
def accounts(**settings: Any) -> Iterator[tuple[Server, list[str]]]:
    """Run a server with accounts; return what it told the one who started it."""
    told: list[str] = []
    usual = ServerSettings(host="127.0.0.1", port=0, auth="accounts", password=CHEAP, **settings)
    server = build_server(usual, told.append)
    thread = threading.Thread(target=server.start, daemon=True)
    thread.start()
    try:
        yield server, told
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


async def set_up(http: httpx.AsyncClient, told: list[str]) -> httpx.Response:
    """Make the first admin by the code that was told."""
    await until(lambda: told)
    code = told[0].partition("#setup=")[2]
    return await http.post("v1/login/code", json={"code": code, **ADMIN})


def client(proxy: TlsProxy, trust: ssl.SSLContext) -> httpx.AsyncClient:
    base = f"https://localhost:{proxy.port}/robots/"
    return httpx.AsyncClient(base_url=base, verify=trust, trust_env=False)


async def test_behind_a_tls_proxy_the_cookie_is_secure_and_the_trail_has_the_clients_address() -> (
    None
):
    ca, trust = trustme.CA(), ssl.create_default_context()
    ca.configure_trust(trust)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(served)
    settings: dict[str, Any] = {"root_path": "/robots", "trusted_proxies": ("127.0.0.1",)}
    with accounts(**settings) as (server, told):
        async with proxying(server.port, served, "/robots") as proxy, client(proxy, trust) as http:
            answer = await set_up(http, told)
            assert answer.status_code == 200, answer.text
            cookie = answer.headers["set-cookie"].lower()
            assert "; secure" in cookie
            assert "path=/robots" in cookie
            trail = await http.get("v1/audit")
            [login] = [e for e in trail.json()["entries"] if e["action"] == "user.setup"]
            assert login["address"] == proxy.client
            assert (await http.get("metrics")).status_code == 200, "an admin, by the cookie"
            http.cookies.clear()
            assert (await http.get("metrics")).status_code == 401, "not from this machine"
            assert (await http.get("readyz")).text == "ok\n"


async def test_over_plain_http_the_cookie_is_not_secure_whatever_a_header_claims() -> None:
    with accounts() as (server, told):
        base = f"http://127.0.0.1:{server.port}/"
        claim = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1"}
        async with httpx.AsyncClient(base_url=base, trust_env=False, headers=claim) as http:
            answer = await set_up(http, told)
            assert answer.status_code == 200
            assert "secure" not in answer.headers["set-cookie"].lower()
            trail = await http.get("v1/audit")
            assert {e["address"] for e in trail.json()["entries"]} <= {"127.0.0.1", ""}
            figures = await http.get("metrics")
            assert 'farhand_logins_total{result="ok"} 1.0' in figures.text


@pytest.mark.parametrize("trusted", [True, False])
async def test_failed_logins_are_counted_by_the_client_not_by_its_claim(trusted: bool) -> None:
    proxies = ("127.0.0.1",) if trusted else ()
    with accounts(trusted_proxies=proxies) as (server, told):
        base = f"http://127.0.0.1:{server.port}/"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
            await until(lambda: told)
            statuses = []
            for number in range(12):
                claim = {"X-Forwarded-For": f"198.51.100.{number}"}
                body = {"name": f"nobody-{number}", "password": "wrong"}
                answer = await http.post("v1/login", json=body, headers=claim)
                statuses.append(answer.status_code)
    assert statuses.count(429) == (0 if trusted else 2)
    assert set(statuses) <= {401, 429}
