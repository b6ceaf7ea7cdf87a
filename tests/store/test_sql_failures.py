"""A store whose database fails, refuses, is held by another, or is none."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from farhand.errors import Code, ConfigError, StoreError, VersionConflict
from farhand.protocol.ids import RobotId
from farhand.store.audit import first_broken
from farhand.store.base import AuditQuery, Deed, Put
from farhand.store.records import Record, Robot, User
from farhand.store.sql import SqlStore
from tests.store.conftest import ON_DISK, ON_POSTGRES, ON_SQLITE
from tests.store.helpers import LAB, Where, deed, manifest, opened, put, reopened
from tests.store.postgres import DATABASE, Postgres

# --- what goes wrong ---


@ON_DISK
async def test_a_write_that_is_refused_does_not_take_others_with_it(where: Where) -> None:
    store = await opened(where)
    too_large = Put(User(id="big", name="big", epoch=2**70))
    results = await asyncio.gather(
        store.write(put("ana"), deed=deed("ana")),
        store.write(too_large, deed=deed("big")),
        store.write(Put(User(id="odd", name="\ud800")), deed=deed("odd")),
        store.write(put("bob"), deed=deed("bob")),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, StoreError)]
    assert [(error.code, error.retryable) for error in refused] == [
        (Code.STORE_UNREACHABLE, False)
    ] * 2
    store = await reopened(store, where)
    assert [user.id for user in store.all(User)] == ["ana", "bob"]
    entries = await store.audit_entries(AuditQuery())
    assert [entry.target for entry in entries] == ["ana", "bob"]
    assert first_broken(entries) is None
    await store.close()


@ON_DISK
async def test_nonsense_ends_its_own_write_only(where: Where) -> None:
    store = await opened(where)
    nonsense = Deed("a", "b", "c", detail={"n": 7})  # type: ignore[dict-item]
    with pytest.raises(AttributeError):
        await store.write(put("ana"), deed=nonsense)
    await store.write(put("bob"))
    assert [user.id for user in store.all(User)] == ["bob"]
    await store.close()


@ON_POSTGRES
async def test_a_robot_whose_name_is_refused_does_not_stop_the_others(where: str) -> None:
    store = await opened(where)
    store.robot_seen(LAB, RobotId("bad"), manifest("bad", "a\0b"), 1, "")
    store.robot_seen(LAB, RobotId("good"), manifest("good"), 1, "")
    await store.write(put("ana"))
    store = await reopened(store, where)
    assert [robot.id for robot in store.all(Robot)] == ["good"]
    assert [user.id for user in store.all(User)] == ["ana"]
    await store.close()


@ON_SQLITE
async def test_a_watcher_that_fails_does_not_stop_the_writing(where: Path) -> None:
    store = await opened(where)
    loop = asyncio.get_running_loop()
    complaints: list[object] = []
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["exception"]))

    def fail(_before: Record | None, _after: Record | None) -> None:
        raise ValueError("a watcher's own")

    store.watch(fail)
    await store.write(put("ana"))
    await store.write(put("bob"))
    assert [user.id for user in store.all(User)] == ["ana", "bob"]
    assert [type(complaint) for complaint in complaints] == [ValueError, ValueError]
    await store.close()


@ON_SQLITE
async def test_a_database_that_is_held_by_another_fails_writes_and_works_again(
    where: Path,
) -> None:
    store = await opened(where, wait_s=0.05)
    await store.write(put("ana"), deed=deed())
    with closing(sqlite3.connect(where, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(store.write(put(f"{i}"), deed=deed()) for i in range(5)), return_exceptions=True
        )
        assert [type(result) for result in results] == [StoreError] * 5
        assert all(getattr(result, "retryable", False) for result in results)
        assert [user.id for user in store.all(User)] == ["ana"]
        store.robot_seen(LAB, RobotId("r"), manifest("r"), 1, "")
        other.execute("ROLLBACK")
    await store.write(put("bob"), deed=deed())
    store = await reopened(store, where)
    assert [user.id for user in store.all(User)] == ["ana", "bob"]
    assert [robot.id for robot in store.all(Robot)] == ["r"]
    assert first_broken(await store.audit_entries(AuditQuery())) is None
    await store.close()


@ON_POSTGRES
async def test_a_database_that_went_away_fails_writes_and_works_again(
    where: str, postgres: Postgres
) -> None:
    store = await opened(where)
    await store.write(put("ana"), deed=deed())
    postgres.query(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
    postgres.disconnect_all()
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            await store.write(put("lost"), deed=deed())
        assert (caught.value.code, caught.value.retryable) == (Code.STORE_UNREACHABLE, True)
    with pytest.raises(StoreError):
        await store.audit_entries(AuditQuery())
    assert [user.id for user in store.all(User)] == ["ana"]
    postgres.query(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")
    await store.write(put("bob"), deed=deed())
    store = await reopened(store, where)
    assert [user.id for user in store.all(User)] == ["ana", "bob"]
    assert first_broken(await store.audit_entries(AuditQuery())) is None
    await store.close()


@ON_DISK
async def test_a_commit_whose_answer_was_lost_is_read_again(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(where)
    told: list[tuple[Record | None, Record | None]] = []
    store.watch(lambda before, after: told.append((before, after)))
    write = store.database.write

    async def commit_and_fall_silent(work: Callable[..., object], **more: int) -> object:
        await write(work, **more)
        raise StoreError(Code.STORE_UNREACHABLE, "The line went dead.")

    monkeypatch.setattr(store.database, "write", commit_and_fall_silent)
    with pytest.raises(StoreError):
        await store.write(put("ana"), deed=deed())
    assert store.get(User, "ana") is None
    monkeypatch.setattr(store.database, "write", write)
    await store.write(put("bob"), deed=deed())
    assert [user.id for user in store.all(User)] == ["ana", "bob"]
    assert [after for _, after in told] == [store.get(User, "ana"), store.get(User, "bob")]
    entries = await store.audit_entries(AuditQuery())
    assert (len(entries), first_broken(entries)) == (2, None)
    await store.close()


@ON_DISK
async def test_a_row_that_is_no_record_keeps_the_store_shut_and_is_named(where: Where) -> None:
    store = await opened(where)
    await store.write(put("ana"))
    await store.database.write(
        lambda connection: connection.exec_driver_sql("UPDATE users SET role = 'king'")
    )
    await store.close()
    with pytest.raises(StoreError, match=r"users: .*ana"):
        await SqlStore(where).open()


# --- who else is there ---


@ON_DISK
async def test_a_second_store_is_refused_until_the_first_is_closed(where: Where) -> None:
    store = await opened(where)
    with pytest.raises((ConfigError, StoreError)) as caught:
        await SqlStore(where).open()
    if isinstance(where, Path):
        assert caught.value.code == Code.STATE_IN_USE
    else:
        assert caught.value.code == Code.STORE_UNREACHABLE
        assert "Another server" in caught.value.text
    await store.write(put("ana"))
    store = await reopened(store, where)
    assert [user.id for user in store.all(User)] == ["ana"]
    await store.close()


@ON_POSTGRES
async def test_who_has_lost_the_database_to_another_cannot_write(
    where: str, postgres: Postgres
) -> None:
    store = await opened(where)
    postgres.disconnect_all()
    other = await opened(where)
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            await store.write(put("ana"))
        assert caught.value.retryable
    await other.write(put("bob"))
    await other.close()
    await store.write(put("cid"))
    assert [user.id for user in store.all(User)] == ["bob", "cid"]
    await store.close()


@ON_POSTGRES
async def test_what_another_wrote_meanwhile_is_neither_overwritten_nor_forked(
    where: str, postgres: Postgres
) -> None:
    store = await opened(where)
    await store.write(put("ana"), deed=deed())
    postgres.disconnect_all()
    other = await opened(where)
    await other.write(put("bob"), deed=deed())
    await other.close()
    look = partial(Connection.scalar, statement=select(1))
    with pytest.raises(StoreError):
        await store.database.write(look)  # as the history does
    assert await store.database.write(look) == 1
    with pytest.raises(VersionConflict):
        await store.write(Put(User(id="bob", name="bob")))
    await store.write(put("cid"), deed=deed())
    assert [user.id for user in store.all(User)] == ["ana", "bob", "cid"]
    entries = await store.audit_entries(AuditQuery())
    assert (len(entries), first_broken(entries)) == (3, None)
    await store.close()


@ON_SQLITE
async def test_records_are_their_owner_s_only(where: Path) -> None:
    old = os.umask(0)
    try:
        store = await opened(where)
        await store.write(put("ana"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in where.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes.pop("farhand.db") == 0o600
    assert set(modes.values()) == {0o600}
    assert where.parent.stat().st_mode & 0o777 == 0o700
    await store.close()


async def test_a_folder_of_somebody_else_s_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    store = await opened(folder / "farhand.db")
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "farhand.db").stat().st_mode & 0o777 == 0o600
    await store.close()


@ON_SQLITE
async def test_a_commit_is_on_disk_before_it_is_acknowledged(where: Path) -> None:
    store = await opened(where)
    pragmas = ("journal_mode", "synchronous", "foreign_keys")
    found = await store.database.write(
        lambda connection: [
            connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas
        ]
    )
    assert found == ["wal", 2, 1]
    await store.close()


@pytest.mark.parametrize("target", ["mysql://host/name", "redis://host", "://", "postgresql//x://"])
def test_what_is_no_database_is_refused(target: str) -> None:
    with pytest.raises(StoreError):
        SqlStore(target)


async def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    store = SqlStore(f"postgresql://ana:s3cret@/name?host={tmp_path}")
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert caught.value.code == Code.STORE_UNREACHABLE
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in str(store.database.address)


async def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        await SqlStore(tmp_path / "file" / "farhand.db").open()
    assert caught.value.code == Code.STORE_UNREACHABLE
