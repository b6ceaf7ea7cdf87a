import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from farhand.errors import Code, StoreError
from farhand.store import verify as verifying
from farhand.store.base import AuditQuery, Deed
from farhand.store.memory import MemoryStore
from farhand.store.sql import SqlStore
from farhand.store.verify import Verified, export, ndjson, verify, verify_store
from tests.store.conftest import ON_DISK, ON_SQLITE

Where = str | Path
COLUMNS = [
    *("at_ms", "actor", "actor_name", "action", "result", "service_id", "robot_id"),
    *("target", "address", "detail", "previous", "digest"),
]


async def filled(where: Where, entries: int) -> SqlStore:
    store = SqlStore(where)
    await store.open()
    for i in range(1, entries + 1):
        deed = Deed("user:u-1", "Ana", "robot.enrol", "ok", "lab", "rover", f"robot:{i}", "::1")
        await store.audit(replace(deed, detail={"note": f"n{i}"}))
    return store


@ON_DISK
async def test_a_trail_of_many_pages_is_whole(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PAGE", 3)
    store = await filled(where, 10)
    assert await verify_store(store) == Verified(10, None)
    assert await verify(where) == Verified(10, None)  # while the server runs
    await store.close()
    assert await verify(where) == Verified(10, None)


@ON_SQLITE
@pytest.mark.parametrize("column", COLUMNS)
async def test_a_changed_column_breaks_the_chain_at_its_entry(where: Where, column: str) -> None:
    store = await filled(where, 5)
    change = "at_ms + 1" if column == "at_ms" else f"{column} || 'x'"
    await store.database.write(
        lambda connection: connection.exec_driver_sql(
            f"UPDATE audit SET {column} = {change} WHERE seq = 3"
        )
    )
    assert await verify_store(store) == Verified(2, 3)
    await store.close()
    assert await verify(where) == Verified(2, 3)


@ON_SQLITE
@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET seq = 99 WHERE seq = 4", 4),
        ("UPDATE audit SET seq = -4 WHERE seq = 4", 1),
    ],
)
async def test_a_missing_or_moved_entry_breaks_the_chain_at_its_number(
    where: Where, change: str, broken_at: int
) -> None:
    store = await filled(where, 5)
    await store.database.write(lambda connection: connection.exec_driver_sql(change))
    await store.close()
    assert (await verify(where)).broken_at == broken_at


@pytest.mark.parametrize("bit", range(8))
async def test_one_flipped_bit_in_the_file_is_found(tmp_path: Path, bit: int) -> None:
    path = tmp_path / "farhand.db"
    store = await filled(path, 5)
    await store.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    assert raw.count(b"robot:4") == 1
    raw[raw.index(b"robot:4") + 3] ^= 1 << bit
    path.write_bytes(raw)
    assert await verify(path) == Verified(3, 4)


async def test_an_export_has_a_line_for_each_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PAGE", 2)
    path = tmp_path / "farhand.db"
    store = await filled(path, 5)
    lines = [json.loads(line) async for line in ndjson(store, AuditQuery(limit=1))]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["actorName"] == "Ana"
    assert lines[1]["previous"] == lines[0]["digest"]
    assert [line async for line in ndjson(store, AuditQuery(after=5))] == []
    await store.close()
    exported = [json.loads(line) async for line in export(path, AuditQuery(after=3))]
    assert exported == lines[3:]


async def test_the_trail_of_a_store_in_memory_is_checked_alike() -> None:
    store = MemoryStore()
    await store.audit(Deed("a", "b", "c"))
    assert await verify_store(store) == Verified(1, None)


async def test_what_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        await verify(tmp_path / "farhand.db")
    assert caught.value.code == Code.STORE_UNREACHABLE
    assert os.listdir(tmp_path) == []
