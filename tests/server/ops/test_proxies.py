"""Whose word about a client counts, and which names are ours."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.datastructures import Headers

from farhand.errors import Code, ConfigError
from farhand.server.proxies import Front, Hosts, Proxies, hosts_of, without_prefix

PROXY = "10.0.0.1"
NEAR = Proxies(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # spoofed: the peer is nobody's proxy
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # the left one is the client's claim
        (PROXY, ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        (PROXY, ["198.51.100.1, 10.0.0.7"], "198.51.100.1"),
        (PROXY, ["10.0.0.8, 10.0.0.7"], "10.0.0.8"),
        (PROXY, ["198.51.100.1:4711"], "198.51.100.1"),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (PROXY, ["2001:db8::1"], "2001:db8::1"),
        (PROXY, ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["unknown"], PROXY),
        (PROXY, ["198.51.100.1, unknown"], PROXY),
        (PROXY, ["evil, 10.0.0.7"], "10.0.0.7"),
        (PROXY, [""], PROXY),
        (PROXY, ["1.1.1.1," * 100 + "198.51.100.1"], "198.51.100.1"),
        (PROXY, ["198.51.100.1," + "10.0.0.2," * 99 + "10.0.0.3"], "10.0.0.2"),
        ("local", ["198.51.100.1"], "local"),
    ],
)
def test_the_client_is_the_right_most_that_is_no_trusted_proxy(
    peer: str, forwarded_for: list[str], client: str
) -> None:
    assert NEAR.address(peer, forwarded_for) == client
    headers = Headers([("X-Forwarded-For", value) for value in forwarded_for])
    assert NEAR.client_address(peer, headers) == client


def test_without_trusted_proxies_no_header_counts() -> None:
    headers = Headers([("X-Forwarded-For", "198.51.100.1")])
    assert Proxies().client_address("127.0.0.1", headers) == "127.0.0.1"
    assert Proxies().scheme("127.0.0.1", "http", ["https"]) == "http"


@pytest.mark.parametrize(
    ("peer", "values", "scheme"),
    [
        (PROXY, ["https"], "https"),
        (PROXY, ["HTTPS "], "https"),
        (PROXY, ["https, http"], "http"),
        (PROXY, ["javascript"], "http"),
        (PROXY, [], "http"),
        ("203.0.113.9", ["https"], "http"),
    ],
)
def test_the_scheme_is_the_nearest_proxys_word(peer: str, values: list[str], scheme: str) -> None:
    assert NEAR.scheme(peer, "http", values) == scheme


def test_what_is_no_network_is_a_config_error() -> None:
    with pytest.raises(ConfigError) as caught:
        Proxies(["proxy.example"])
    assert caught.value.code is Code.CONFIG_INVALID
    assert "trusted_proxies" in caught.value.text


OPEN = hosts_of(
    is_open=True,
    host="robot-pc.local",
    public_url="https://Robots.Example:8443/x",
    origins=["http://console.example:5173"],
)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8080", "LOCALHOST.", "127.0.0.1:1", "[::1]:8080", "::1",
        "192.168.1.7:8080", "[fe80::1]", "robot-pc.local:8080", "robots.example",
        "console.example",
    ],
)  # fmt: skip
def test_our_names_and_addresses_are_ours(host: str) -> None:
    assert OPEN.are_ours(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
        "", None, "2130706433", "127.1", "evil.example@localhost",
    ],
)  # fmt: skip
def test_a_name_that_somebody_else_leads_here_is_not(host: str | None) -> None:
    assert not OPEN.are_ours(host)


def test_with_accounts_the_name_does_not_matter() -> None:
    hosts = hosts_of(is_open=False, host="localhost", public_url="", origins=[])
    assert hosts.are_ours("whatever.example")


@pytest.mark.parametrize(
    ("path", "bare"),
    [
        ("/robots/default", "/default"),
        ("/default", "/default"),
        ("/robots", "/"),
        ("/robots?x=1", "/?x=1"),
        ("/robotsx/default", "/robotsx/default"),
    ],
)
def test_a_prefix_is_taken_off_where_it_is(path: str, bare: str) -> None:
    assert without_prefix(path, "/robots") == bare
    assert without_prefix(path, "") == path


async def sent(
    headers: Sequence[tuple[str, str]],
    *,
    peer: str = PROXY,
    path: str = "/x",
    root_path: str = "",
    hosts: Hosts = OPEN,
) -> tuple[Scope | None, list[Message]]:
    """Send a request through; return what the application saw, and what was answered."""
    seen: list[Scope] = []
    answers: list[Message] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async def send(message: Message) -> None:
        answers.append(message)

    async def receive() -> Any:
        raise AssertionError("there is no body")

    front = Front(app, proxies=NEAR, hosts=hosts, root_path=root_path)
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "root_path": root_path, "scheme": "http", "client": (peer, 1), "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    await front(scope, receive, send)
    return (seen[0] if seen else None), answers


async def test_the_application_sees_the_clients_address_and_scheme() -> None:
    headers = [
        ("Host", "localhost"),
        ("X-Forwarded-For", "198.51.100.1"),
        ("X-Forwarded-Proto", "https"),
    ]
    scope, _ = await sent(headers)
    assert scope is not None
    assert (scope["client"][0], scope["scheme"]) == ("198.51.100.1", "https")
    scope, _ = await sent(headers, peer="203.0.113.9")
    assert scope is not None
    assert (scope["client"][0], scope["scheme"]) == ("203.0.113.9", "http")


async def test_a_rebound_name_is_refused_before_anything_else() -> None:
    scope, answers = await sent([("Host", "evil.example")])
    assert scope is None
    assert answers[0]["status"] == 403
    assert Code.ORIGIN_REFUSED.encode() in answers[1]["body"]
    scope, _ = await sent([("Host", "evil.example")], hosts=Hosts(None))
    assert scope is not None


async def test_a_prefix_that_the_proxy_left_on_is_there_once() -> None:
    # uvicorn has put /robots before what came.
    for came in ("/robots/robots/v1/robot", "/robots/v1/robot"):
        scope, _ = await sent([("Host", "localhost")], path=came, root_path="/robots")
        assert scope is not None
        assert scope["path"] == "/robots/v1/robot"
        assert scope["raw_path"] == b"/robots/v1/robot"
