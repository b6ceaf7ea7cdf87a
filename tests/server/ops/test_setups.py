"""Directly, with TLS of its own, behind a proxy: pages, REST, sockets and a renewed certificate."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from farhand.protocol import messages as m
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.serve import Server
from tests.server.harness import Client, robot, running
from tests.server.ops.test_tls import Files
from tests.server.ops.tls_proxy import proxying

PAGE = (
    '<!doctype html><html><head><base href="/">'
    '<script type="module" nonce="__CSP_NONCE__" src="./assets/index-abc.js"></script>'
    "</head></html>"
)
SETUPS = ["direct", "own TLS", "proxy that takes the prefix off", "proxy that leaves it on"]


@dataclass
class Place:
    """Where a server is reached."""

    base: str
    """Without a slash at its end."""
    trust: ssl.SSLContext | None
    server: Server

    @property
    def prefix(self) -> str:
        return self.base.partition("://")[2].partition("/")[2]

    @property
    def origin(self) -> str:
        return self.base.removesuffix(f"/{self.prefix}")

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(verify=self.trust or False, trust_env=False) as client:
            yield client

    @asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[Client]:
        url = self.base.replace("http", "ws", 1) + "/v1/service/default/ws"
        options = {"subprotocols": [Subprotocol(SUBPROTOCOL)], **options}
        async with connect(url, ssl=self.trust, compression=None, proxy=None, **options) as socket:
            yield Client(socket)


@pytest.fixture
def console(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "index-abc.js").write_text("export {}")
    return folder


@pytest.fixture
async def place(request: Any, tmp_path: Path, console: Path) -> AsyncIterator[Place]:
    ca = trustme.CA()
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    if request.param == "direct":
        with running(console=console) as server:
            yield Place(f"http://localhost:{server.port}", None, server)
    elif request.param == "own TLS":
        files = Files(tmp_path)
        files.issue(ca, "localhost")
        with running(console=console, tls_cert=files.chain, tls_key=files.key) as server:
            yield Place(f"https://localhost:{server.port}", trust, server)
    else:
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert("localhost").configure_cert(served)
        takes_off = "off" in request.param
        settings = {"root_path": "/robots", "trusted_proxies": ("127.0.0.1",)}
        with running(console=console, **settings) as server:
            async with proxying(server.port, served, "/robots", takes_off=takes_off) as proxy:
                yield Place(f"https://localhost:{proxy.port}/robots", trust, server)


all_setups = pytest.mark.parametrize("place", SETUPS, indirect=True)


@all_setups
async def test_a_deep_link_opens_the_console_and_its_scripts(place: Place) -> None:
    async with place.http() as http:
        page = await http.get(f"{place.base}/drive/rover-7")
        assert page.status_code == 200
        base = f"/{place.prefix}/" if place.prefix else "/"
        assert f'<base href="{base}">' in page.text
        script = await http.get(f"{place.origin}{base}assets/index-abc.js")
        assert (script.status_code, script.text) == (200, "export {}")
        host = place.origin.partition("://")[2]
        assert f"wss://{host}" in page.headers["content-security-policy"]


@all_setups
async def test_rest_answers_and_knows_its_scheme(place: Place) -> None:
    async with place.http() as http:
        answer = await http.get(f"{place.base}/v1/robot")
        assert (answer.status_code, answer.json()["robots"]) == (200, [])
        missing = await http.get(f"{place.base}/v1/nothing")
        assert (missing.status_code, missing.json()["code"]) == (404, "FH-3024")


@all_setups
async def test_links_lead_to_where_the_server_was_asked(place: Place) -> None:
    async with place.http() as http, place.socket() as rover:
        await robot(rover, "rover-7")
        answer = await http.post(
            f"{place.base}/v1/guest-link", json={"robotId": "rover-7", "ttlS": 60}
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["url"].startswith(f"{place.base}/drive/rover-7?view=1#guest=")


@all_setups
async def test_pages_of_the_server_itself_open_a_socket_and_others_do_not(place: Place) -> None:
    async with place.socket(origin=place.origin) as ana:
        await ana.hello()
        await ana.join()
        await ana.say(m.Ping(1, 1000))
        assert (await ana.get(m.Pong)).n == 1
    with pytest.raises(InvalidStatus) as caught:
        async with place.socket(origin="https://evil.example"):
            pass
    assert caught.value.response.status_code == 403


@all_setups
async def test_a_short_path_with_the_subprotocol_opens_a_socket_too(place: Place) -> None:
    url = place.base.replace("http", "ws", 1) + "/default"
    async with connect(
        url, ssl=place.trust, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None
    ) as socket:
        assert (await Client(socket).hello()).id


@pytest.mark.parametrize("place", SETUPS[2:], indirect=True)
async def test_behind_a_proxy_the_client_is_who_the_proxy_says_not_who_it_says(
    place: Place,
) -> None:
    claim = {"X-Forwarded-For": "198.51.100.1"}
    async with place.socket(additional_headers=claim):
        assert set(place.server.gateway.door._strangers) == {"198.51.100.77"}


async def test_headers_of_a_peer_that_is_no_proxy_are_ignored(console: Path) -> None:
    with running(console=console, trusted_proxies=("10.0.0.0/8",)) as server:
        place = Place(f"http://localhost:{server.port}", None, server)
        claim = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}
        async with place.socket(additional_headers=claim):
            assert set(server.gateway.door._strangers) <= {"127.0.0.1", "::1"}


async def test_a_renewed_certificate_is_served_and_sockets_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farhand.server.tls.POLL_S", 0.05)
    old, new = trustme.CA(), trustme.CA()
    files = Files(tmp_path)
    files.issue(old, "localhost")
    trusts = {}
    for ca in (old, new):
        trusts[ca] = ssl.create_default_context()
        ca.configure_trust(trusts[ca])
    with running(tls_cert=files.chain, tls_key=files.key) as server:
        base = f"https://localhost:{server.port}"
        async with Place(base, trusts[old], server).socket() as ana:
            await ana.hello()
            files.issue(new, "localhost")
            async with asyncio.timeout(20):
                while True:
                    try:
                        async with Place(base, trusts[new], server).socket() as ben:
                            await ben.hello()
                        break
                    except ssl.SSLCertVerificationError:
                        await asyncio.sleep(0.02)
            await ana.say(m.Ping(7, 1000))
            assert (await ana.get(m.Pong)).n == 7


async def test_a_rebound_name_gets_neither_page_nor_socket_of_an_open_server(
    console: Path,
) -> None:
    with running(console=console, origins=("http://known.example:5173",)) as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"http://127.0.0.1:{server.port}/v1/robot"
            for host, status in (
                ("evil.example", 403),
                (f"evil.example:{server.port}", 403),
                ("known.example", 200),
                (f"localhost:{server.port}", 200),
                ("[::1]", 200),
            ):
                answer = await http.get(url, headers={"Host": host})
                assert answer.status_code == status, host
        place = Place(f"http://127.0.0.1:{server.port}", None, server)
        headers = {"Host": "evil.example"}
        with pytest.raises(InvalidStatus) as caught:
            async with place.socket(origin="http://evil.example", additional_headers=headers):
                pass
        assert caught.value.response.status_code == 403
