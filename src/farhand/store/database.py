"""A database that one process owns: its connections, its lock, its schema, its errors."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, exc, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from farhand.errors import Code, FarhandError, StoreError
from farhand.store import schema
from farhand.store.address import address_of, engine_of
from farhand.store.files import copy_sqlite, make_private
from farhand.store.folder_lock import lock_folder

T = TypeVar("T")

WAIT_S = 10.0
LOCK_WAIT_S = 2.0
LOCK_RETRY_S = 0.1
ADVISORY_LOCK = 0x6661_7268_616E_64
"""``farhand``: PostgreSQL's locks of this kind are numbers, for each database."""
_REFUSED_CLASSES = ("22", "23")
"""Classes of SQLSTATE that speak of the data, not of the database."""


class Interrupted(StoreError):  # noqa: N818 - says what is wrong, as style asks
    """The database was out of our hands; it is ours again, but may not be what it was."""

    def __init__(self) -> None:
        super().__init__(Code.STORE_UNREACHABLE, "The connection was lost and made anew.")


class Database:
    """The one owner of a SQLite file or PostgreSQL database.

    All writing goes over one connection, one transaction at a time. On PostgreSQL it is the
    connection that holds the lock: what does not hold it cannot write.

    Args:
        target: Path of a SQLite file, or ``postgresql://…``.
        wait_s: How long SQLite waits for another's lock, and PostgreSQL may be silent.
        is_read_only: Somebody else may own it: no lock, no writing, no upgrade.

    Raises:
        StoreError: FH-8001 ``target`` is neither.

    """

    def __init__(
        self, target: str | Path, *, wait_s: float = WAIT_S, is_read_only: bool = False
    ) -> None:
        self.address = address_of(target)
        self.tenure = 0
        """Rises with each connection that writes: between two, another process may have written."""
        self._is_read_only = is_read_only
        self._wait_s = wait_s
        self._engine: AsyncEngine | None = None
        self._writer: AsyncConnection | None = None
        self._writing = asyncio.Lock()
        self._lock_file: int | None = None
        self._patient_until_s = 0.0
        """While it opens: PostgreSQL takes a moment to notice that the last owner was killed."""
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return self._engine is not None

    async def open(self, *, upgrade: bool = False, fit_schema: bool = True) -> None:
        """Connect, lock, and see that the schema is ours.

        Args:
            upgrade: Upgrade PostgreSQL, too. SQLite is upgraded anyhow, after a copy was made.
            fit_schema: Look at the schema at all; without, only the lock is taken.

        Raises:
            StoreError: FH-8001 out of reach, FH-8002 written by a newer farhand, FH-8003 older
                and not to be upgraded.
            ConfigError: FH-1004 another process has the folder.

        """
        try:
            await self._open(upgrade, fit_schema)
        except BaseException:
            await self.close()
            raise

    async def _open(self, upgrade: bool, fit_schema: bool) -> None:
        path = self.address.path
        if path is not None and self._is_read_only and not path.is_file():
            raise StoreError(Code.STORE_UNREACHABLE, f"There is no file {path}.", retryable=False)
        if path is not None and not self._is_read_only:
            try:
                make_private(path)
            except OSError as error:
                raise failure(error) from error
            self._lock_file = lock_folder(path.parent, "server")
        self._engine = engine_of(self.address, wait_s=self._wait_s, is_read_only=self._is_read_only)
        if fit_schema:
            await self.fit_schema(upgrade=upgrade)
        else:
            use = self.read if self._is_read_only else self.write
            await use(lambda connection: connection.scalar(select(1)))

    async def fit_schema(self, *, upgrade: bool) -> None:
        """See that the schema is ours, or make it so.

        Args:
            upgrade: Upgrade PostgreSQL, too.

        Raises:
            StoreError: FH-8001, FH-8002, FH-8003.

        """
        look = self.read if self._is_read_only else self.write
        revision = await look(schema.known_revision)
        ours = schema.our_revision()
        if revision == ours:
            return
        if self._is_read_only and not revision:
            raise StoreError(
                Code.STORE_UNREACHABLE,
                f"{self.address} holds no records of farhand.",
                retryable=False,
            )
        if self._is_read_only or (revision and self.address.path is None and not upgrade):
            raise StoreError(
                Code.STORE_TOO_OLD,
                f"The database has schema {revision}; this farhand needs {ours}. "
                "Make a backup, then run `farhand db upgrade`.",
                retryable=False,
            )
        if revision and self.address.path is not None:
            await asyncio.to_thread(_copy_before_upgrade, self.address.path, revision)
        await self.write(schema.upgrade)

    async def close(self) -> None:
        """Let go. Idempotent."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        await self._drop_writer()
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work`` finds in one transaction of its own.

        Raises:
            StoreError: FH-8001.

        """
        return await self._uninterrupted(self._read(work))

    async def write(self, work: Callable[[Connection], T], *, tenure: int | None = None) -> T:
        """Carry out ``work`` in one transaction; it is on disk when this returns.

        Args:
            work: What is to be done.
            tenure: Only if the database has been ours all the time since it was this.

        Raises:
            Interrupted: It was not, and is now.
            StoreError: FH-8001; ``retryable``: the database is out of reach, and whether the
                transaction was committed is unknown. Otherwise it refused what was written.

        """
        return await self._uninterrupted(self._write(work, tenure))

    async def _uninterrupted(self, work: Coroutine[Any, Any, T]) -> T:
        """Finish ``work`` also if the caller is cancelled: a half-used connection is lost."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may be gone

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            async with self._connected().connect() as connection, connection.begin():
                return await connection.run_sync(work)
        except Exception as error:
            raise failure(error) from error

    async def _write(self, work: Callable[[Connection], T], tenure: int | None) -> T:
        async with self._writing:
            try:
                connection = self._writer or await self._connect_writer()
                if tenure not in (None, self.tenure):
                    raise Interrupted
                async with connection.begin():
                    return await connection.run_sync(work)
            except Exception as error:
                mapped = failure(error)
                is_well = isinstance(mapped, Interrupted) or not getattr(mapped, "retryable", False)
                if not is_well:
                    await self._drop_writer()
                raise mapped from error

    async def _connect_writer(self) -> AsyncConnection:
        connection = await self._connected().connect()
        self._writer = connection
        self.tenure += 1
        if self.address.url is None:
            return connection
        lock = text("SELECT pg_try_advisory_lock(:number)")
        while True:
            async with connection.begin():
                result = await connection.execute(lock, {"number": ADVISORY_LOCK})
            if result.scalar_one():
                return connection
            if time.monotonic() >= self._patient_until_s:
                raise StoreError(
                    Code.STORE_UNREACHABLE,
                    f"Another server has the database {self.address}. End it first.",
                )
            await asyncio.sleep(LOCK_RETRY_S)

    async def _drop_writer(self) -> None:
        connection, self._writer = self._writer, None
        if connection is None:
            return
        try:
            await connection.invalidate()  # closed, not kept: with it goes PostgreSQL's lock
            await connection.close()
        except (exc.SQLAlchemyError, OSError):
            pass  # it was broken: that is why

    def _connected(self) -> AsyncEngine:
        if self._engine is None:
            raise StoreError(Code.STORE_UNREACHABLE, "The records are closed.", retryable=False)
        return self._engine


def failure(error: Exception) -> FarhandError:
    """Return what ``error`` of a driver means to us."""
    if isinstance(error, FarhandError):
        return error
    origin = getattr(error, "orig", None) or error
    first_line = next(iter(str(origin).splitlines()), "") or type(origin).__name__
    if _is_refusal(error):
        return StoreError(
            Code.STORE_UNREACHABLE,
            f"The database refuses what was to be written: {type(origin).__name__}.",
            retryable=False,
        )
    return StoreError(Code.STORE_UNREACHABLE, f"The records are out of reach: {first_line}.")


def _is_refusal(error: Exception) -> bool:
    """Say whether what was written is at fault, and not the database."""
    if isinstance(error, exc.DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return (
            isinstance(error, (exc.DataError, exc.IntegrityError))
            or state[:2] in _REFUSED_CLASSES
            or isinstance(error.orig, (OverflowError, UnicodeError))
        )
    return isinstance(error, (exc.StatementError, ValueError, OverflowError, TypeError))


def _copy_before_upgrade(path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.name}.{revision}.{time.strftime('%Y%m%d-%H%M%S')}.backup")
    try:
        copy_sqlite(path, copy)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            Code.STORE_UNREACHABLE,
            f"No copy of {path} could be made before its upgrade: {error}.",
            retryable=False,
        ) from error
