"""Checking and exporting the audit trail, page by page: it may be longer than memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from farhand.errors import Code, StoreError
from farhand.store.audit import Chain
from farhand.store.base import AuditQuery, Store
from farhand.store.database import Database
from farhand.store.records import AuditEntry
from farhand.store.statements import find_entries

PAGE = 1000

Find = Callable[[AuditQuery], Awaitable[Sequence[AuditEntry]]]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the trail has found."""

    entries: int
    """How many, from the first on, are what they were."""
    broken_at: int | None
    """Number of the first that is changed, missing or out of its place; ``None``: none is."""

    @property
    def is_whole(self) -> bool:
        """Whether all entries are what they were."""
        return self.broken_at is None


async def verify_store(store: Store) -> Verified:
    """Check the trail of a store that is open.

    What was cut off at the end leaves no trace in a chain: compare the last entry with an export.

    Raises:
        StoreError: FH-8001.

    """
    return await _verified(store.audit_entries)


async def verify(target: str | Path) -> Verified:
    """Check the trail of a database, which a server may be using.

    Args:
        target: Path of a SQLite file, or ``postgresql://…``.

    Raises:
        StoreError: FH-8001 out of reach, FH-8002, FH-8003 not our schema.

    """
    database = Database(target, is_read_only=True)
    await database.open()
    try:
        return await verify_database(database)
    finally:
        await database.close()


async def verify_database(database: Database) -> Verified:
    """Check the trail of a database that is open.

    Raises:
        StoreError: FH-8001.

    """
    return await _verified(partial(_find, database))


async def ndjson(store: Store, query: AuditQuery) -> AsyncIterator[bytes]:
    """Yield all entries that ``query`` asks for, whatever its limit, one line of JSON each.

    Raises:
        StoreError: FH-8001.

    """
    async for page in _pages(store.audit_entries, query):
        for entry in page:
            yield msgspec.json.encode(entry) + b"\n"


async def export(target: str | Path, query: AuditQuery | None = None) -> AsyncIterator[bytes]:
    """Yield entries of a database, which a server may be using, one line of JSON each.

    Raises:
        StoreError: FH-8001 out of reach, FH-8002, FH-8003 not our schema.

    """
    database = Database(target, is_read_only=True)
    await database.open()
    try:
        async for page in _pages(partial(_find, database), query or AuditQuery()):
            for entry in page:
                yield msgspec.json.encode(entry) + b"\n"
    finally:
        await database.close()


def must_be_whole(verified: Verified, *, force: bool) -> None:
    """Refuse a backup with a broken trail, unless it is wanted all the same.

    Raises:
        StoreError: FH-8004.

    """
    if not verified.is_whole and not force:
        raise StoreError(
            Code.AUDIT_BROKEN,
            f"The backup's audit trail is broken at entry {verified.broken_at}. "
            "Restore it with --force if you want it all the same.",
            retryable=False,
        )


async def _find(database: Database, query: AuditQuery) -> Sequence[AuditEntry]:
    return await database.read(lambda connection: find_entries(connection, query))


async def _verified(find: Find) -> Verified:
    chain = Chain()
    async for page in _pages(find, AuditQuery()):
        for entry in page:
            chain.add(entry)
        if chain.broken_at is not None:
            break
    return Verified(chain.entries, chain.broken_at)


async def _pages(find: Find, query: AuditQuery) -> AsyncIterator[Sequence[AuditEntry]]:
    query = replace(query, limit=PAGE, newest=False)
    while page := await find(query):
        yield page
        query = replace(query, after=page[-1].seq)
