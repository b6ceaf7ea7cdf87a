"""What lives for a minute and is used once: tickets for a socket, numbers of robots' tokens."""

from collections import OrderedDict
from collections.abc import Callable

from farhand.core.access import Principal
from farhand.errors import Code, NotAllowed
from farhand.server.accounts.secret import digest, new_secret

TICKET_TTL_MS = 60_000
MAX_TICKETS = 10_000
MAX_PER_PRINCIPAL = 20
MAX_NUMBERS = 64
"""Hellos of one robot within the life of a token."""


class Tickets:
    """Opens a socket for somebody who has a login: single use, a minute, in memory.

    Args:
        wall_ms: Wall clock.

    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._tickets: OrderedDict[str, tuple[Principal, int]] = OrderedDict()

    def issue(self, principal: Principal) -> tuple[str, int]:
        """Return a ticket and when it expires."""
        self._sweep()
        own = [key for key, (whose, _) in self._tickets.items() if whose.id == principal.id]
        for key in own[: max(0, len(own) - MAX_PER_PRINCIPAL + 1)]:
            del self._tickets[key]
        while len(self._tickets) >= MAX_TICKETS:
            self._tickets.popitem(last=False)
        ticket, expires_ms = new_secret(), self._wall_ms() + TICKET_TTL_MS
        self._tickets[digest(ticket)] = (principal, expires_ms)
        return ticket, expires_ms

    def redeem(self, ticket: str) -> Principal | None:
        """Return whose ticket it is; from now on it is nobody's."""
        principal, expires_ms = self._tickets.pop(digest(ticket), (None, 0))
        return principal if expires_ms > self._wall_ms() else None

    def _sweep(self) -> None:
        now = self._wall_ms()
        while self._tickets:
            key = next(iter(self._tickets))  # they all live equally long: the oldest is first
            if self._tickets[key][1] > now:
                return
            del self._tickets[key]


class Numbers:
    """Numbers (`jti`) of robots' tokens that were used; none passes twice.

    Bounded: only tokens with a good signature come here, and a robot has so many at once.
    """

    def __init__(self) -> None:
        self._used: dict[str, dict[str, float]] = {}

    def use(self, owner: str, number: str, until_s: float, now_s: float) -> None:
        """Note a number until its token has expired.

        Raises:
            NotAllowed: FH-2004 it was used before, FH-3013 too many.

        """
        used = self._used.setdefault(owner, {})
        for old in [old for old, end in used.items() if end <= now_s]:
            del used[old]
        if number in used:
            raise NotAllowed(Code.UNAUTHENTICATED, "The token is not valid here.")
        if len(used) >= MAX_NUMBERS:
            raise NotAllowed(Code.RATE_LIMITED, "Too many hellos of this robot.")
        used[number] = until_s

    def forget(self, owner: str) -> None:
        """Drop the numbers of a robot that is no longer known."""
        self._used.pop(owner, None)
