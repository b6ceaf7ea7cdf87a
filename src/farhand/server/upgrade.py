"""The opening handshake: which path, origin, subprotocol; or a refusal in words."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from websockets.datastructures import Headers, MultipleValuesError
from websockets.http11 import Request

from farhand.errors import Code, FarhandError
from farhand.protocol.ids import ServiceId
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.origin import is_allowed
from farhand.store.base import Store

_NATIVE = "/v1/service/"
_SUFFIX = "/ws"


class Refused(FarhandError):  # noqa: N818 - what happened, as in NotAllowed
    """No socket for this request.

    Args:
        status: HTTP status.

    """

    def __init__(self, status: int, code: Code, text: str, fix: str = "") -> None:
        super().__init__(code, text, fix)
        self.status = status


@dataclass(frozen=True, slots=True)
class Admission:
    """The request may become a socket of this service."""

    service_id: ServiceId


class Doorkeeper:
    """Decides about opening handshakes.

    Args:
        store: Knows the services.
        origins: Allowed besides our own.
        strangers_per_address: Bound of sockets of one address that have not said hello yet.

    """

    def __init__(self, store: Store, origins: Collection[str], strangers_per_address: int) -> None:
        self._store = store
        self._origins = frozenset(origins)
        self._limit = strangers_per_address
        self._strangers: Counter[str] = Counter()

    def admit(self, request: Request, address: str) -> Admission:
        """Let a request in, or not.

        Raises:
            Refused: 403 FH-2001, 404 FH-3021, 400 FH-3004, 429 FH-3023.

        """
        origin, host = _only(request.headers, "Origin"), _only(request.headers, "Host")
        if not is_allowed(origin, host, self._origins):
            raise Refused(
                403,
                Code.ORIGIN_REFUSED,
                "Pages of this origin may not connect.",
                "Add it with --origin if the page is yours.",
            )
        service_id = self._service(request)
        if not self._store.has_service(service_id):
            raise Refused(404, Code.UNKNOWN_SERVICE, "There is no such service.")
        if self._strangers[address] >= self._limit:
            raise Refused(
                429, Code.TOO_MANY_CONNECTIONS, "Too many sockets of this address say no hello."
            )
        return Admission(service_id)

    def came(self, address: str) -> None:
        """Count a socket that has not said hello."""
        self._strangers[address] += 1

    def settled(self, address: str) -> None:
        """It has said hello, or is gone."""
        self._strangers[address] -= 1
        if self._strangers[address] <= 0:
            del self._strangers[address]

    def _service(self, request: Request) -> ServiceId:
        path = request.path.partition("?")[0]
        if path.startswith(_NATIVE) and path.endswith(_SUFFIX):
            return ServiceId(path[len(_NATIVE) : -len(_SUFFIX)])
        service_id = ServiceId(path[1:])
        if self._store.has_service(service_id) and SUBPROTOCOL not in _offered(request.headers):
            raise Refused(
                400,
                Code.VERSION,
                f"This path speaks {SUBPROTOCOL}.",
                f"Offer the subprotocol {SUBPROTOCOL}.",
            )
        return service_id


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


def _offered(headers: Headers) -> list[str]:
    values = headers.get_all("Sec-WebSocket-Protocol")
    return [name.strip() for value in values for name in value.split(",")]


def _only(headers: Headers, name: str) -> str | None:
    try:
        return headers.get(name)
    except MultipleValuesError:
        return ""  # matches no host and no origin
