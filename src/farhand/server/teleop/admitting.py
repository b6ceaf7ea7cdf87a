"""Who may speak the documented dialect: by the service's token, or an API token for all of it."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

from websockets.datastructures import Headers

from farhand.core.access import RANK, Principal, TokenRole
from farhand.dialects.teleop.base import Pass
from farhand.errors import Code, NotAllowed
from farhand.protocol.ids import ServiceId
from farhand.server.accounts.people import People
from farhand.server.problems import TOKEN_HEADERS, TOKEN_QUERY
from farhand.server.upgrade import Refused
from farhand.store.base import Store
from farhand.store.records import Service

SERVICE_QUERY = "token"
_SERVICE, _TOKEN = "service:", "token:"


class Failing(Protocol):
    """Counts credentials that were none."""

    def failed(self, address: str) -> None:
        """Count one."""

    def failure_wait_s(self, address: str) -> float:
        """Return how long until one more is answered as such."""


class TeleopDoor:
    """:class:`farhand.server.upgrade.DialectDoor`, by the records. Answers from memory.

    Args:
        store: Knows the services.
        people: Knows API tokens; ``None``: a server without accounts has none.
        failing: Counts failures.
        wall_ms: Wall clock.

    """

    def __init__(
        self,
        store: Store,
        people: People | None,
        failing: Failing,
        *,
        wall_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._people = people
        self._failing = failing
        self._wall_ms = wall_ms

    def admit(
        self, service_id: ServiceId, headers: Headers, query: list[tuple[str, str]], address: str
    ) -> Pass:
        """Return what somebody came by: any of their credentials will do (dialects.md, 3.4).

        Raises:
            Refused: 401 FH-2004, the same for a service that is not there; 429 FH-3013.

        """
        for given in _given(headers, query):
            passed = self._by_service(service_id, given) or self._by_token(service_id, given)
            if passed is not None:
                return passed
        wait_s = self._failing.failure_wait_s(address)
        if wait_s > 0:
            raise Refused(
                429, Code.RATE_LIMITED, "Too many requests.", retry_after_s=wait_s,
                is_documented=True,
            )  # fmt: skip
        self._failing.failed(address)
        raise Refused(
            401,
            Code.UNAUTHENTICATED,
            "token is invalid",
            "This path takes the service's token as ?token=, or with the subprotocol farhand.v1 "
            "a hello.",
            is_documented=True,
        )

    def is_current(self, passed: Pass) -> bool:
        """Say whether what somebody came by is still good for the same."""
        service = self._store.get(Service, passed.service_id)
        if service is None:
            return False
        if passed.key.startswith(_SERVICE):
            return bool(service.token) and passed.key == _SERVICE + _digest(service.token)
        if self._people is None:
            return False
        held = Principal("token", passed.key.removeprefix(_TOKEN), "", "viewer")
        now = self._people.current(held, self._wall_ms())
        return now is not None and _pass_of(now, passed.service_id) == passed

    # --- inside ----------------------------------------------------------------------------------

    def _by_service(self, service_id: ServiceId, given: str) -> Pass | None:
        service = self._store.get(Service, service_id)
        if service is None or not service.token:
            return None
        if not hmac.compare_digest(given.encode(), service.token.encode()):
            return None
        return Pass(_SERVICE + _digest(service.token), service_id)

    def _by_token(self, service_id: ServiceId, given: str) -> Pass | None:
        if self._people is None or self._store.get(Service, service_id) is None:
            return None
        try:
            principal = self._people.by_token(given)
        except NotAllowed:
            return None
        return _pass_of(principal, service_id)


def _pass_of(principal: Principal, service_id: ServiceId) -> Pass | None:
    """Return what an API token is good for: one for single robots is none for rooms of all."""
    roles: list[TokenRole] = ["admin"] if principal.is_admin else []
    roles += [
        line.role
        for line in principal.access
        if line.service_id == service_id and line.robot_id is None and not line.tag
    ]
    role = max(roles, key=RANK.__getitem__, default="enroller")
    if role in ("enroller", "guest"):
        return None
    return Pass(
        _TOKEN + principal.id,
        service_id,
        may_be_robot=role in ("supervisor", "admin"),
        is_observer=role == "viewer",
    )


def _given(headers: Headers, query: list[tuple[str, str]]) -> list[str]:
    found = [value for name, value in query if name.lower() in (SERVICE_QUERY, TOKEN_QUERY)]
    for name in TOKEN_HEADERS:
        found += headers.get_all(name)
    # Of a handful of carriers each may hold one; an empty one is never good.
    return [value for value in found[:8] if value and value.isascii()]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]
