"""The opening handshake: which path, origin, subprotocol; or a refusal in words."""

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl

import msgspec
from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request

from farhand.errors import Code, FarhandError
from farhand.protocol.ids import ServiceId, is_valid_id
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.origin import is_allowed
from farhand.server.proxies import Hosts, Proxies, without_prefix
from farhand.store.base import Store

MAX_SOCKETS = 20_000
FULL_RETRY_S = 10.0
BEARER = "bearer."
"""Begins the subprotocol that is no subprotocol but a credential: a browser has no other header."""
_MAX_CREDENTIAL = 4096
_NATIVE = "/v1/service/"
_SUFFIX = "/ws"
_SECRETS = frozenset(
    ["token", "access_token", "x-auth-token", "auth", "authorization", "bearer", "ticket"]
)
"""Parameters of a query that some put credentials into."""


class Refused(FarhandError):  # noqa: N818 - what happened, as in NotAllowed
    """No socket for this request.

    Args:
        status: HTTP status.
        retry_after_s: Told as ``Retry-After``; 0: not.
        is_documented: Told in the words of the documented dialect.

    """

    def __init__(
        self,
        status: int,
        code: Code,
        text: str,
        fix: str = "",
        *,
        retry_after_s: float = 0,
        is_documented: bool = False,
    ) -> None:
        super().__init__(code, text, fix)
        self.is_documented = is_documented
        self.status = status
        self.retry_after_s = math.ceil(retry_after_s)


@dataclass(frozen=True, slots=True)
class Admission:
    """The request may become a socket of this service."""

    service_id: ServiceId
    credential: str | None = None
    """Offered as a subprotocol; the hello's own goes before it."""
    passed: object | None = None
    """Set for a socket of the documented dialect: what it came by."""


class DialectDoor(Protocol):
    """Says who comes by the documented WebSocket."""

    def admit(
        self, service_id: ServiceId, headers: Headers, query: list[tuple[str, str]], address: str
    ) -> object:
        """Return what they came by.

        Raises:
            Refused: 401 FH-2004, 429 FH-3013.

        """


class Failures(Protocol):
    """Remembers who gave credentials that were none."""

    def failed(self, address: str) -> None:
        """Count one."""


class NoFailures:
    """A server that asks nobody for a credential."""

    def failed(self, address: str) -> None:
        """Count nothing."""
        del address


class Doorkeeper:
    """Decides about opening handshakes.

    Args:
        store: Knows the services.
        origins: Allowed besides our own.
        strangers_per_address: Bound of sockets of one address that have not said hello yet.
        max_sockets: Bound of all sockets.
        failures: Counts hellos that were refused for their credential.
        proxies: Whose word about a client's address counts.
        hosts: Our names.
        root_path: Prefix that a proxy may have left on the path, without a slash at its end.
        dialect: Admits sockets of the documented dialect; ``None``: none.

    """

    def __init__(
        self,
        store: Store,
        origins: Collection[str],
        strangers_per_address: int,
        *,
        max_sockets: int = MAX_SOCKETS,
        failures: Failures | None = None,
        proxies: Proxies | None = None,
        hosts: Hosts | None = None,
        root_path: str = "",
        dialect: DialectDoor | None = None,
    ) -> None:
        self._dialect = dialect
        self.has_accounts = False
        """Whether it takes a credential to know which services there are."""
        self._store = store
        self._origins = frozenset(origins)
        self._limit = strangers_per_address
        self._max_sockets = max_sockets
        self._failures = failures or NoFailures()
        self._proxies = proxies or Proxies()
        self._hosts = hosts or Hosts(None)
        self._root_path = root_path
        self._strangers: Counter[str] = Counter()
        self._open = 0

    def address(self, request: Request, peer: str) -> str:
        """Return the client's address, if the connection is a proxy's."""
        return self._proxies.client_address(peer, request.headers)

    def admit(self, request: Request, address: str) -> Admission:
        """Let a request in, or not.

        Raises:
            Refused: 403 FH-2001, 404 FH-3021, 400 FH-2004 FH-3004, 429 FH-3023,
                503 FH-3023; of the dialect 401 FH-2004, 429 FH-3013.

        """
        self._check_origin(request.headers)
        path, _, text = without_prefix(request.path, self._root_path).partition("?")
        offered, query = _offered(request.headers), parse_qsl(text, keep_blank_values=True)
        if self._dialect is not None and SUBPROTOCOL not in offered:
            documented_id = _documented(path)
            if documented_id is not None:
                self._check_space(address)
                passed = self._dialect.admit(documented_id, request.headers, query, address)
                return Admission(documented_id, passed=passed)
        service_id = self._service(path, offered)
        if any(name.lower() in _SECRETS for name, _ in query):
            raise Refused(
                400,
                Code.UNAUTHENTICATED,
                "A credential does not belong into an address: addresses are logged.",
                f"Send it in hello, or offer it as the subprotocol {BEARER}TOKEN.",
            )
        self._check_space(address)
        return Admission(service_id, _credential(offered))

    def came(self, address: str) -> None:
        """Count a socket that has not said hello."""
        self._open += 1
        self._strangers[address] += 1

    def settled(self, address: str) -> None:
        """It has said hello, or is gone."""
        self._strangers[address] -= 1
        if self._strangers[address] <= 0:
            del self._strangers[address]

    def left(self) -> None:
        """A socket that came is gone."""
        self._open -= 1

    def failed(self, address: str) -> None:
        """Count a hello that was refused for its credential."""
        self._failures.failed(address)

    # --- inside ----------------------------------------------------------------------------------

    def _check_origin(self, headers: Headers) -> None:
        origin, host = _only(headers, "Origin"), _only(headers, "Host")
        if origin is not None and not self._hosts.are_ours(host):
            raise Refused(403, Code.ORIGIN_REFUSED, "This server is not known by that name.")
        if not is_allowed(origin, host, self._origins):
            raise Refused(
                403,
                Code.ORIGIN_REFUSED,
                "Pages of this origin may not connect.",
                "Add it with --origin if the page is yours.",
            )

    def _service(self, path: str, offered: list[str]) -> ServiceId:
        is_native = path.startswith(_NATIVE) and path.endswith(_SUFFIX)
        service_id = ServiceId(path[len(_NATIVE) : -len(_SUFFIX)] if is_native else path[1:])
        # With accounts, that there is no such service is said after hello, as of a foreign one.
        is_there = self.has_accounts or self._store.has_service(service_id)
        if not is_valid_id(service_id) or not is_there:
            raise Refused(404, Code.UNKNOWN_SERVICE, "There is no such service.")
        if not is_native and SUBPROTOCOL not in offered:
            raise Refused(
                400,
                Code.VERSION,
                f"This path speaks {SUBPROTOCOL}.",
                f"Offer the subprotocol {SUBPROTOCOL}.",
            )
        return service_id

    def _check_space(self, address: str) -> None:
        # Not by what others at this address got wrong: behind one address there may be a whole
        # house, and whoever lost their socket there must come back in to press STOP.
        if self._strangers[address] >= self._limit:
            raise Refused(
                429,
                Code.TOO_MANY_CONNECTIONS,
                "Too many sockets of this address say no hello.",
                retry_after_s=1,
            )
        if self._open >= self._max_sockets:
            raise Refused(
                503,
                Code.TOO_MANY_CONNECTIONS,
                "The server has as many sockets as it takes.",
                retry_after_s=FULL_RETRY_S,
            )


def problem(refused: Refused) -> bytes:
    """Return the refusal as RFC 9457 problem details."""
    return msgspec.json.encode(
        {
            "type": "about:blank",
            "title": refused.text,
            "status": refused.status,
            "code": refused.code,
            "detail": refused.fix or refused.text,
        }
    )


def documented(refused: Refused) -> bytes:
    """Return the refusal as the documented dialect has errors."""
    return msgspec.json.encode(
        {"code": refused.status, "message": refused.text, "detail": refused.fix or refused.text}
    )


def _documented(path: str) -> ServiceId | None:
    """Return the service whose documented WebSocket a path is; ``None``: it is no such path."""
    name = ServiceId(path.removeprefix(_NATIVE if path.startswith(_NATIVE) else "/"))
    name = ServiceId(name.removesuffix("/"))
    return name if is_valid_id(name) else None


def _credential(offered: list[str]) -> str | None:
    found = [name[len(BEARER) :] for name in offered if name.startswith(BEARER)]
    if not found:
        return None
    if len(found) > 1 or not 0 < len(found[0]) <= _MAX_CREDENTIAL:
        raise Refused(400, Code.UNAUTHENTICATED, f"Offer one credential as {BEARER}TOKEN.")
    return found[0]


def _offered(headers: Headers) -> list[str]:
    values = headers.get_all("Sec-WebSocket-Protocol")
    return [name.strip() for value in values for name in value.split(",")]


def _only(headers: Headers, name: str) -> str | None:
    try:
        return headers.get(name)
    except MultipleValuesError:
        return ""  # matches no host and no origin
