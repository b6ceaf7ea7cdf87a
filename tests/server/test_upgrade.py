"""Which requests may become sockets. Without a network: requests as the framing hands them over."""

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from farhand.errors import Code
from farhand.protocol.ids import RESERVED_IDS, ServiceId
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.proxies import Hosts, Proxies
from farhand.server.upgrade import Admission, Doorkeeper, Refused
from farhand.store.base import Put
from farhand.store.memory import MemoryStore
from farhand.store.records import Service

HERE = "192.0.2.7"


class Fails:
    """Addresses that got it wrong."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def failed(self, address: str) -> None:
        self.addresses.append(address)


def keeper(*, has_accounts: bool = False, **options: object) -> Doorkeeper:
    store = MemoryStore()
    for name in ("healthz", "-bad", "lab"):  # however such an id came into the records
        store.commit(store.plan([Put(Service(id=ServiceId(name)))]))
    made = Doorkeeper(store, (), 2, **options)  # type: ignore[arg-type]
    made.has_accounts = has_accounts
    return made


def request(path: str, *offered: str, **headers: str) -> Request:
    made = Headers(Host="robots.example", **headers)
    if offered:
        made["Sec-WebSocket-Protocol"] = ", ".join(offered)
    return Request(path, made)


def refused(door: Doorkeeper, made: Request) -> tuple[int, Code, str]:
    with pytest.raises(Refused) as caught:
        door.admit(made, HERE)
    return caught.value.status, caught.value.code, caught.value.text


NATIVE = "/v1/service/default/ws"


def test_both_native_paths_lead_to_the_service() -> None:
    for path in (NATIVE, "/default"):
        made = keeper().admit(request(path, SUBPROTOCOL), HERE)
        assert made == Admission(ServiceId("default"))


@pytest.mark.parametrize("has_accounts", [True, False])
@pytest.mark.parametrize("name", [*sorted(RESERVED_IDS), "-bad", "", "a/b", "x" * 65, "%2e"])
def test_a_reserved_word_is_never_a_service(name: str, has_accounts: bool) -> None:
    door = keeper(has_accounts=has_accounts)
    for path in (f"/{name}", f"/v1/service/{name}/ws"):
        assert refused(door, request(path, SUBPROTOCOL))[:2] == (404, Code.UNKNOWN_SERVICE)


def test_with_accounts_the_handshake_does_not_tell_which_services_there_are() -> None:
    door = keeper(has_accounts=True)
    for path in ("/lab", "/nowhere", "/v1/service/lab/ws", "/v1/service/nowhere/ws"):
        assert door.admit(request(path, SUBPROTOCOL), HERE).service_id in {"lab", "nowhere"}
    assert refused(door, request("/lab")) == refused(door, request("/nowhere"))


def test_without_accounts_an_unknown_service_is_refused_at_once() -> None:
    assert refused(keeper(), request("/nowhere", SUBPROTOCOL))[0] == 404


# --- credentials ---------------------------------------------------------------------------------


def test_a_credential_may_be_offered_among_the_subprotocols() -> None:
    made = keeper().admit(request(NATIVE, SUBPROTOCOL, "bearer.fh_x-Y_1.z"), HERE)
    assert made.credential == "fh_x-Y_1.z"


@pytest.mark.parametrize(
    "offered", [("bearer.",), ("bearer.a", "bearer.b"), (f"bearer.{'x' * 5000}",)]
)
def test_what_is_not_one_credential_is_refused(offered: tuple[str, ...]) -> None:
    made = request(NATIVE, SUBPROTOCOL, *offered)
    assert refused(keeper(), made)[:2] == (400, Code.UNAUTHENTICATED)


@pytest.mark.parametrize("query", ["token=fh_x", "a=1&TOKEN=", "access_token=x", "x-auth-token=x"])
def test_a_credential_in_the_address_is_refused_even_if_it_is_good(query: str) -> None:
    status, code, text = refused(keeper(), request(f"{NATIVE}?{query}", SUBPROTOCOL))
    assert (status, code) == (400, Code.UNAUTHENTICATED)
    assert "fh_x" not in text


def test_other_parameters_are_nobodys_business() -> None:
    assert keeper().admit(request(f"{NATIVE}?build=7", SUBPROTOCOL), HERE)


# --- bounds --------------------------------------------------------------------------------------


def test_what_others_at_an_address_got_wrong_keeps_nobody_there_out() -> None:
    fails = Fails()
    door = keeper(failures=fails)
    for _ in range(1000):
        door.failed(HERE)
    assert fails.addresses == [HERE] * 1000
    assert door.admit(request(NATIVE, SUBPROTOCOL), HERE)


def test_the_server_takes_so_many_sockets_and_no_more() -> None:
    door = keeper(max_sockets=2)
    for address in ("192.0.2.1", "192.0.2.2"):
        door.came(address)
        door.settled(address)
    assert refused(door, request(NATIVE, SUBPROTOCOL))[:2] == (503, Code.TOO_MANY_CONNECTIONS)
    door.left()
    assert door.admit(request(NATIVE, SUBPROTOCOL), HERE)


def test_strangers_are_counted_by_address() -> None:
    door = keeper()
    door.came(HERE)
    door.came(HERE)
    assert refused(door, request(NATIVE, SUBPROTOCOL))[:2] == (429, Code.TOO_MANY_CONNECTIONS)
    door.settled(HERE)
    assert door.admit(request(NATIVE, SUBPROTOCOL), HERE)


# --- behind a proxy ------------------------------------------------------------------------------


def test_the_address_is_the_clients_only_if_a_trusted_proxy_says_so() -> None:
    made = Request(NATIVE, Headers({"X-Forwarded-For": "203.0.113.9"}))
    assert keeper().address(made, "10.0.0.1") == "10.0.0.1"
    assert keeper(proxies=Proxies(["10.0.0.0/8"])).address(made, "10.0.0.1") == "203.0.113.9"


def test_a_prefix_that_the_proxy_left_on_is_taken_off() -> None:
    door = keeper(root_path="/robots")
    for path in (f"/robots{NATIVE}", "/robots/default", NATIVE):
        assert door.admit(request(path, SUBPROTOCOL), HERE).service_id == "default"


def test_a_page_that_calls_us_by_a_strangers_name_is_refused() -> None:
    door = keeper(hosts=Hosts(frozenset({"localhost"})))
    made = request(NATIVE, SUBPROTOCOL, Origin="http://robots.example")
    assert refused(door, made)[:2] == (403, Code.ORIGIN_REFUSED)
    assert door.admit(request(NATIVE, SUBPROTOCOL), HERE)  # a program, not a page
