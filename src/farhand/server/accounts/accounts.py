"""All that a server knows of people, put together and kept running."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from farhand.core.admission import Door
from farhand.keys.signing import SigningKey
from farhand.server.accounts.door import AccountsDoor
from farhand.server.accounts.guard import AccountsGuard, OpenGuard
from farhand.server.accounts.last_used import LastUsed
from farhand.server.accounts.logins import Logins
from farhand.server.accounts.oidc import Oidc
from farhand.server.accounts.one_time import LanCode, OneTimeCode
from farhand.server.accounts.origins import origin_of
from farhand.server.accounts.passwords import Passwords
from farhand.server.accounts.people import People
from farhand.server.accounts.throttle import Throttle
from farhand.server.accounts.tickets import Tickets
from farhand.server.open_door import StoredDoor
from farhand.server.settings import ServerSettings
from farhand.store.base import Store


class Accounts:
    """The parts that the login, the door and the guard are made of.

    Args:
        store: The records; opened before :meth:`running` is entered.
        settings: Of the server.
        key: The server's.
        wall_ms: Wall clock.
        clock: Monotonic seconds, for the limits.

    """

    def __init__(
        self,
        store: Store,
        settings: ServerSettings,
        key: SigningKey,
        *,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.settings = settings
        self.wall_ms = wall_ms
        self.people = People(store, wall_ms)
        self.throttle = Throttle(settings.rates, clock)
        self.passwords = Passwords(settings.password)
        self.logins = Logins(store, self.people, settings, wall_ms)
        self.tickets = Tickets(wall_ms)
        self.used = LastUsed(store, wall_ms)
        self.setup = OneTimeCode(wall_ms)
        """Makes the first admin."""
        file = settings.lan_code_file
        self.lan = LanCode(file, wall_ms) if file is not None else None
        self.oidc = Oidc(settings.oidc, wall_ms)
        self.accounts_lock = asyncio.Lock()
        """Held from looking whether a name is free, or an admin is left, until that is written."""
        self.own_origins = frozenset(filter(None, (origin_of(settings.public_url),)))
        self.door: Door
        self.guard: AccountsGuard | OpenGuard
        if settings.has_accounts:
            self.door = AccountsDoor(
                store, self.people, self.tickets, self.used, key, wall_ms=wall_ms
            )
            self.guard = AccountsGuard(self.people, self.throttle, self.used, self.own_origins)
        else:
            self.door = StoredDoor(store)
            self.guard = OpenGuard((*settings.origins, *self.own_origins))

    @property
    def needs_setup(self) -> bool:
        """Say whether nobody can manage this server yet."""
        return self.settings.has_accounts and not self.people.has_admin

    @asynccontextmanager
    async def running(self, tell_setup: Callable[[str], None]) -> AsyncIterator[None]:
        """Know everybody, and do what is due from time to time.

        Args:
            tell_setup: Called with the code that makes the first admin, if there is none.

        """
        self.people.load()
        writer = asyncio.create_task(self.used.run())
        try:
            if self.lan is not None:
                self.lan.start()
            if self.needs_setup:
                tell_setup(self.setup.renew())
            yield
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            if self.lan is not None:
                self.lan.stop()
            await self.used.flush()
            await self.oidc.close()
            self.passwords.close()
