"""How often somebody may ask, and fail: moving windows per address and account, in memory."""

import ipaddress
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from limits import RateLimitItem, parse
from limits.strategies import MovingWindowRateLimiter

from farhand.errors import Code, ConfigError
from farhand.server.accounts.windows import WindowStorage
from farhand.server.problems import Problem
from farhand.server.settings import Rates


class Attempt:
    """Proving who one is; once it is let in, a failure unless it says otherwise."""

    def __init__(self) -> None:
        self.failed = False
        """Set to False when it was no failure."""


class Limit:
    """One rate, for many keys.

    Args:
        limiter: Of the library.
        item: The rate.
        name: Tells its keys from those of others.
        clock: That of the limiter's storage.

    """

    def __init__(
        self,
        limiter: MovingWindowRateLimiter,
        item: RateLimitItem,
        name: str,
        clock: Callable[[], float],
    ) -> None:
        self._limiter = limiter
        self._item = item
        self._name = name
        self._clock = clock
        self._pending: Counter[str] = Counter()

    def take(self, key: str) -> None:
        """Count one.

        Raises:
            Problem: 429 FH-3013, it is one too many.

        """
        if not self._limiter.hit(self._item, self._name, key):
            raise self._refusal(key)

    def wait_s(self, key: str) -> float:
        """Return how long until one more is allowed; 0: it is."""
        stats = self._limiter.get_window_stats(self._item, self._name, key)
        if stats.remaining > self._pending[key]:
            return 0.0
        return max(1.0, stats.reset_time - self._clock())

    def reserve(self, key: str) -> None:
        """Hold a place for an attempt that may fail.

        Raises:
            Problem: 429 FH-3013, too many have failed, or could while they are under way.

        """
        if self.wait_s(key) > 0:
            raise self._refusal(key)
        self._pending[key] += 1

    def settle(self, key: str, attempt: Attempt) -> None:
        """Give the place back, or let the failure take it."""
        self._pending[key] -= 1
        if self._pending[key] <= 0:
            del self._pending[key]
        if attempt.failed:
            self._limiter.hit(self._item, self._name, key)

    def _refusal(self, key: str) -> Problem:
        stats = self._limiter.get_window_stats(self._item, self._name, key)
        return too_many(max(1.0, stats.reset_time - self._clock()))


class Throttle:
    """All limits of the REST side.

    Args:
        rates: How much is allowed.
        clock: Monotonic seconds.

    Raises:
        ConfigError: FH-1001 one of the rates is none.

    """

    def __init__(self, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        limiter = MovingWindowRateLimiter(WindowStorage(clock))

        def limit(name: str, of: str = "") -> Limit:
            return Limit(limiter, rate(name, getattr(rates, name)), of or name, clock)

        self._api_address = limit("api_per_address")
        self._api_account = limit("api_per_account")
        self._login_address = limit("login_per_address")
        self._login_account = limit("login_per_account")
        self._login_anywhere = limit("login_anywhere")
        # Apart from passwords: tokens cannot be guessed, and a program that goes on sending one
        # that was revoked must not keep the people of its house from logging in.
        self._token_address = limit("login_per_address", "tokens")
        self._enrol_address = limit("enrol_per_address")

    def request(self, address: str) -> None:
        """Count a REST request of an address.

        Raises:
            Problem: 429 FH-3013.

        """
        self._api_address.take(key_of(address))

    def account(self, principal_id: str) -> None:
        """Count a REST request of an account or token.

        Raises:
            Problem: 429 FH-3013.

        """
        self._api_account.take(principal_id)

    def enrol(self, address: str) -> None:
        """Count an enrolment request of an address.

        Raises:
            Problem: 429 FH-3013.

        """
        self._enrol_address.take(key_of(address))

    def visit(self, address: str) -> None:
        """Count a login that is begun at a provider: each has it asked, and is remembered.

        Raises:
            Problem: 429 FH-3013.

        """
        self._enrol_address.take(f"oidc {key_of(address)}")

    @contextmanager
    def attempt(
        self, address: str, account: str | None = None, *, is_at_home: bool = False
    ) -> Iterator[Attempt]:
        """Let somebody prove who they are; the failure is counted for address and account.

        Those under way count as if they failed: many at once are not let past the limit. Nobody can
        keep others out of their account: what is guessed elsewhere counts apart, and from an
        address where the account is logged in, not at all.

        Args:
            address: From where.
            account: Whose they say they are.
            is_at_home: The account is logged in at this address.

        Raises:
            Problem: 429 FH-3013.

        """
        attempt = Attempt()
        limits = [(self._login_address, key_of(address))]
        if account is not None:
            limits.append((self._login_account, f"{key_of(address)} {account}"))
            if not is_at_home:
                limits.append((self._login_anywhere, account))
        with ExitStack() as places:
            for limit, key in limits:
                limit.reserve(key)
                places.callback(limit.settle, key, attempt)
            attempt.failed = True
            try:
                yield attempt
            except Problem as exc:
                # A refusal for want of a thread says nothing about the password.
                attempt.failed = attempt.failed and exc.status != 429
                raise

    def failed(self, address: str) -> None:
        """Count a credential that was none: of a request, or of a hello on a socket."""
        key = key_of(address)
        if self._token_address.wait_s(key) == 0:
            self._token_address.take(key)

    def failure_wait_s(self, address: str) -> float:
        """Return how long until a token that is none is answered as such again; 0: it is now."""
        return self._token_address.wait_s(key_of(address))

    def login_wait_s(self, address: str) -> float:
        """Return how long an address must wait before it may try a password; 0: it may now."""
        return self._login_address.wait_s(key_of(address))


def too_many(wait_s: float) -> Problem:
    """Return the refusal of one who asks too often."""
    seconds = math.ceil(wait_s)
    text, fix = "Too many requests.", f"Try again in {seconds} s."
    return Problem(429, Code.RATE_LIMITED, text, fix, retry_after_s=seconds)


def rate(name: str, text: str) -> RateLimitItem:
    """Return a rate.

    Raises:
        ConfigError: FH-1001.

    """
    try:
        return parse(text)
    except ValueError as exc:
        raise ConfigError(
            Code.CONFIG_INVALID,
            f"limits.{name} = {text!r} is no rate.",
            "Write it as 60/minute or 5 per 10 seconds.",
        ) from exc


def key_of(address: str) -> str:
    """Return what is counted for an address: a home has a whole /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
