"""Copies of all records: made while a server runs, and checked before they replace anything."""

import asyncio
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from farhand.errors import Code, ConfigError, StoreError
from farhand.store import pg_tools, schema
from farhand.store.address import address_of
from farhand.store.database import Database, failure
from farhand.store.files import copy_sqlite, make_private, sync_folder
from farhand.store.folder_lock import lock_folder
from farhand.store.verify import Verified, must_be_whole, verify_database


async def backup(target: str | Path, to: Path) -> None:
    """Write all records of one moment to a new file; a server may be using them.

    Args:
        target: Path of a SQLite file, or ``postgresql://…``.
        to: A SQLite file, or an archive of pg_dump.

    Raises:
        ConfigError: FH-1001 there is such a file already.
        StoreError: FH-8001.

    """
    _must_be_absent(to)
    address = address_of(target)
    if address.url is not None:
        await pg_tools.dump(address.url, to)
        return
    assert address.path is not None  # noqa: S101 - one of both is set
    await asyncio.to_thread(_backup_file, address.path, to)


async def restore(copy: Path, target: str | Path, *, force: bool = False) -> Verified:
    """Put a backup in the place of all records; no server may be running.

    A SQLite file that is replaced is kept beside the new one (``….before-restore``).

    Args:
        copy: What `backup` has written.
        target: Path of a SQLite file, or ``postgresql://…``.
        force: Also if the backup's audit trail is broken.

    Returns:
        What its trail is like.

    Raises:
        ConfigError: FH-1004 a server is running.
        StoreError: FH-8001 no backup or out of reach, FH-8002 of a newer farhand, FH-8004 its
            trail is broken. Nothing was changed.

    """
    _must_be_there(copy)
    address = address_of(target)
    if address.url is not None:
        return await pg_tools.restore(copy, target, force=force)
    assert address.path is not None  # noqa: S101 - one of both is set
    return await _restore_file(copy, address.path, force=force)


def _must_be_absent(path: Path) -> None:
    if path.exists():
        raise ConfigError(
            Code.CONFIG_INVALID, f"{path} exists.", "A backup replaces no file: name a new one."
        )


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise StoreError(Code.STORE_UNREACHABLE, f"There is no file {path}.", retryable=False)


def _backup_file(path: Path, to: Path) -> None:
    _must_be_there(path)
    try:
        copy_sqlite(path, to)
        try:
            _must_be_sound(to)
        except BaseException:
            to.unlink()  # nobody is to find it one day and believe in it
            raise
    except (OSError, sqlite3.Error) as exc:
        raise failure(exc) from exc


async def _restore_file(copy: Path, path: Path, *, force: bool) -> Verified:
    try:
        make_private(path)
    except OSError as exc:
        raise failure(exc) from exc
    lock = lock_folder(path.parent, "server")
    new = path.with_name(f".{path.name}.restored")
    try:
        # The check must not touch the backup: it works on the copy that is to be used.
        await asyncio.to_thread(_backup_file, copy, new)
        verified = await _checked(new)
        must_be_whole(verified, force=force)
        await asyncio.to_thread(_swap, new, path)
    finally:
        for leftover in (new, *_companions(new)):
            leftover.unlink(missing_ok=True)
        os.close(lock)
    return verified


async def _checked(path: Path) -> Verified:
    """Check a file's schema, which may be older than ours, and its trail."""
    database = Database(path, is_read_only=True)
    await database.open(fit_schema=False)
    try:
        if not await database.read(schema.known_revision):
            raise StoreError(
                Code.STORE_UNREACHABLE, "This is no backup of farhand's records.", retryable=False
            )
        return await verify_database(database)
    finally:
        await database.close()


def _must_be_sound(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StoreError(
            Code.STORE_UNREACHABLE, f"The file is damaged: {verdict}.", retryable=False
        )


def _swap(new: Path, path: Path) -> None:
    """Replace ``path`` by ``new`` in one step, after a copy of it was made."""
    old = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.before-restore")
    try:
        try:
            copy_sqlite(path, old)  # with what is still in its write-ahead log
        except sqlite3.Error:
            for source in (path, *_companions(path)):  # damaged: kept as it is
                if source.exists():
                    shutil.copy2(source, source.with_name(source.name.replace(path.name, old.name)))
        for companion in _companions(path):
            companion.unlink(missing_ok=True)  # must not be taken for the new file's
        new.replace(path)
        sync_folder(path.parent)
    except OSError as exc:
        raise failure(exc) from exc


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
