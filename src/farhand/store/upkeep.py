"""The schema of a database, seen and changed from outside a server: `farhand db`."""

from dataclasses import dataclass
from pathlib import Path

from farhand.store import schema
from farhand.store.database import Database

LONG_S = 3600.0
"""A large table is not rewritten in seconds."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Which revision there is, and which this farhand wants."""

    revision: str
    """Empty: the database is empty."""
    wanted: str


async def current(target: str | Path) -> Schema:
    """Return the revision of a database, which a server may be using.

    Raises:
        StoreError: FH-8001 out of reach.

    """
    database = Database(target, is_read_only=True)
    await database.open(fit_schema=False)
    try:
        return Schema(await database.read(schema.revision_of), schema.our_revision())
    finally:
        await database.close()


async def upgrade(target: str | Path) -> Schema:
    """Bring a database up to our schema, making it if it is empty; return what it was.

    Make a backup first; of a SQLite file a copy is made beside it.

    Raises:
        ConfigError: FH-1004 a server is running on it.
        StoreError: FH-8001 out of reach, or a server is running on it; FH-8002.

    """
    database = Database(target, wait_s=LONG_S)
    try:
        await database.open(fit_schema=False)
        was = await database.read(schema.revision_of)
        await database.fit_schema(upgrade=True)
    finally:
        await database.close()
    return Schema(was, schema.our_revision())
