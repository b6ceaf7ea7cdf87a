"""When tokens were last used: written once a minute, as every request would be a transaction."""

import asyncio
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from farhand.errors import StoreError
from farhand.store.base import Put, Store
from farhand.store.records import Token

log = structlog.get_logger(__name__)

INTERVAL_S = 60.0


class LastUsed:
    """Notes uses in memory, and writes them from time to time.

    Args:
        store: The records.
        wall_ms: Wall clock.

    """

    def __init__(self, store: Store, wall_ms: Callable[[], int]) -> None:
        self._store = store
        self._wall_ms = wall_ms
        self._noted: dict[str, int] = {}

    def note(self, token_id: str) -> None:
        """Note that a token is in use."""
        self._noted[token_id] = self._wall_ms()

    async def run(self) -> None:
        """Write once a minute, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what was noted; what cannot be written is forgotten."""
        noted, self._noted = self._noted, {}
        for token_id, at_ms in noted.items():
            token = self._store.get(Token, token_id)
            if token is None or token.is_revoked:
                continue
            try:
                await self._store.write(Put(replace(token, last_used_ms=at_ms)))
            except StoreError as exc:  # somebody has just revoked it, or the disk is full
                log.debug("last use not written", token=token_id, code=exc.code.value)
