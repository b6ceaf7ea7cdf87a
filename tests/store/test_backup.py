import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from farhand.errors import Code, ConfigError, StoreError
from farhand.store.backup import backup, restore
from farhand.store.base import AuditQuery, Deed, Put
from farhand.store.records import User
from farhand.store.sql import SqlStore
from farhand.store.verify import verify_store
from tests.store.conftest import ON_DISK

Where = str | Path


def put(name: str) -> Put:
    return Put(User(id=f"u-{name}", name=name), force=True)


def deed(target: str) -> Deed:
    # What COPY must escape, and what an archive's line must not end at.
    return Deed("user:u-1", 'tab\tline\n\\.\\n "quoted" \\', "user.create", target=target)


async def filled(where: Where, *names: str) -> SqlStore:
    store = SqlStore(where)
    await store.open()
    for name in names:
        await store.write(put(name), deed=deed(name))
    return store


def names(store: SqlStore) -> list[str]:
    return [user.name for user in store.all(User)]


async def test_nothing_is_restored_from_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all " * 100)
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    for name in ("text", "other", "absent"):
        with pytest.raises(StoreError) as caught:
            await restore(tmp_path / name, tmp_path / "state" / "farhand.db")
        assert caught.value.code == Code.STORE_UNREACHABLE
    kept = await filled(tmp_path / "state" / "farhand.db")
    await kept.close()


@ON_DISK
async def test_a_backup_made_under_load_is_whole_and_can_be_restored(
    where: Where, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    store = await filled(where, "ana")
    writing = asyncio.gather(*(store.write(put(f"{i}"), deed=deed(f"{i}")) for i in range(500)))
    await backup(where, copy)
    await writing
    await store.write(put("zoe"))
    await store.close()
    assert copy.stat().st_mode & 0o777 == 0o600

    verified = await restore(copy, where)

    store = await filled(where)
    assert "ana" in names(store)
    assert "zoe" not in names(store)
    assert await verify_store(store) == verified
    entries = await store.audit_entries(AuditQuery(limit=1000))
    assert {entry.target for entry in entries} == set(names(store))
    assert entries[0].actor_name == deed("").actor_name
    await store.close()


@ON_DISK
async def test_nothing_is_restored_while_a_server_runs(where: Where, tmp_path: Path) -> None:
    store = await filled(where, "ana")
    await backup(where, tmp_path / "copy")
    with pytest.raises((ConfigError, StoreError)):
        await restore(tmp_path / "copy", where)
    await store.write(put("bob"))
    assert names(store) == ["ana", "bob"]
    await store.close()


@ON_DISK
async def test_a_backup_replaces_no_file(where: Where, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("dear")
    store = await filled(where)
    with pytest.raises(ConfigError):
        await backup(where, tmp_path / "copy")
    await store.close()
    assert (tmp_path / "copy").read_text() == "dear"


@ON_DISK
async def test_a_backup_with_a_broken_trail_is_restored_only_by_force(
    where: Where, tmp_path: Path
) -> None:
    store = await filled(where, "ana", "bob", "eve")
    await store.database.write(
        lambda connection: connection.exec_driver_sql(
            "UPDATE audit SET target = 'nobody' WHERE seq = 2"
        )
    )
    await backup(where, tmp_path / "copy")
    await store.write(put("zoe"))
    await store.close()
    with pytest.raises(StoreError, match="entry 2") as caught:
        await restore(tmp_path / "copy", where)
    assert caught.value.code == Code.AUDIT_BROKEN
    store = await filled(where)
    assert names(store) == ["ana", "bob", "eve", "zoe"]
    await store.close()

    assert (await restore(tmp_path / "copy", where, force=True)).broken_at == 2
    store = await filled(where)
    assert names(store) == ["ana", "bob", "eve"]
    await store.close()


async def test_what_a_restore_replaces_is_kept_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "state" / "farhand.db"
    store = await filled(path, "ana")
    await backup(path, tmp_path / "copy")
    await store.write(put("bob"))
    await store.close()
    await restore(tmp_path / "copy", path)
    (kept,) = path.parent.glob("*.before-restore")
    assert kept.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT name FROM users ORDER BY name").fetchall() == [
            ("ana",),
            ("bob",),
        ]


async def test_a_damaged_file_is_replaced_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "farhand.db"
    store = await filled(path, "ana")
    await backup(path, tmp_path / "copy")
    await store.close()
    path.write_bytes(b"no database at all " * 1000)
    await restore(tmp_path / "copy", path)
    store = await filled(path)
    assert names(store) == ["ana"]
    await store.close()
    (kept,) = path.parent.glob("*.before-restore")
    assert kept.read_bytes().startswith(b"no database")


async def test_of_a_damaged_file_there_is_an_error_and_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "state" / "farhand.db"
    store = await filled(path, *(f"{i}" for i in range(200)))
    await store.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'users'"
        ).fetchone()
    raw = bytearray(path.read_bytes())
    raw[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(raw)
    with pytest.raises(StoreError) as caught:
        await backup(path, tmp_path / "copy")
    assert caught.value.code == Code.STORE_UNREACHABLE
    assert not [name for name in os.listdir(tmp_path) if "copy" in name]


@pytest.mark.process
async def test_without_postgresql_s_programs_the_error_says_so(
    postgres: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(StoreError, match="pg_dump"):
        await backup("postgresql://user@/name", tmp_path / "copy")
