"""What only a store that survives can show: reopening, a database that fails, two processes."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

from farhand.core.access import Access
from farhand.errors import Code, ConfigError, StoreError, VersionConflict
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store import sql
from farhand.store.audit import first_broken
from farhand.store.base import AuditQuery, Deed, Delete, Put
from farhand.store.records import Record, Robot, Service, User
from farhand.store.sql import SqlStore
from tests.store.conftest import ON_DISK, ON_POSTGRES, ON_SQLITE
from tests.store.postgres import DATABASE, Postgres

Where = str | Path
LAB = ServiceId("lab")


def put(name: str) -> Put:
    return Put(User(id=name, name=name), force=True)


def deed(target: str = "") -> Deed:
    return Deed("user:u", "Ana", "user.create", target=target)


def manifest(robot_id: str, name: str = "Rover") -> Manifest:
    return Manifest(RobotId(robot_id), name)


async def opened(where: Where, **more: float) -> SqlStore:
    store = SqlStore(where, **more)  # type: ignore[arg-type]
    await store.open()
    return store


async def reopened(store: SqlStore, where: Where) -> SqlStore:
    await store.close()
    return await opened(where)


# --- what is there the next time ---


@ON_DISK
async def test_what_was_written_is_there_the_next_time(where: Where) -> None:
    store = await opened(where)
    access = (Access(LAB, "operator", tag="näh"),)
    user = User(id="u", name="ana", role="operator", access=access)
    robot = Robot(service_id=LAB, id=RobotId("r"), home_id=LAB, tags=("a",), manifest=manifest("r"))
    written = await store.write(Put(Service(id=LAB)), Put(user), Put(robot), deed=deed())
    await store.write(put("gone"), deed=deed())
    await store.write(Delete(User, ("gone",)), deed=deed())
    trail = await store.audit_entries(AuditQuery())
    store = await reopened(store, where)
    assert tuple(store.all(Service)[1:] + store.all(User) + store.all(Robot)) == written
    assert await store.audit_entries(AuditQuery()) == trail
    await store.audit(deed())
    assert first_broken(await store.audit_entries(AuditQuery())) is None
    store = await reopened(store, where)
    with pytest.raises(VersionConflict):
        await store.write(Put(user))
    await store.close()


@ON_DISK
async def test_a_renamed_default_service_stays_renamed(where: Where) -> None:
    store = await opened(where)
    await store.write(Put(Service(id=DEFAULT_SERVICE, name="Yard", version=1)))
    store = await reopened(store, where)
    assert [(each.id, each.name) for each in store.all(Service)] == [(DEFAULT_SERVICE, "Yard")]
    await store.close()


@ON_DISK
async def test_close_writes_which_robots_were_seen(where: Where) -> None:
    store = await opened(where)
    store.robot_seen(LAB, RobotId("r"), manifest("r"), 5, "")
    store.robot_seen(LAB, RobotId("r"), manifest("r", "Renamed"), 7, "link lost")
    before = store.get(Robot, LAB, "r")
    store = await reopened(store, where)
    robot = store.get(Robot, LAB, "r")
    assert robot == before
    assert robot is not None
    assert (robot.name, robot.last_seen_ms, robot.offline_reason) == ("Renamed", 7, "link lost")
    await store.close()


@ON_DISK
async def test_sightings_are_collected_and_written_soon(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "SEEN_EVERY_S", 0.02)
    store = await opened(where)
    commits: asyncio.Queue[object] = asyncio.Queue()
    engine = store.database._engine
    assert engine is not None
    event.listen(engine.sync_engine, "commit", commits.put_nowait)
    for last in (299, 301):
        for i in range(last - 200, last + 1):
            store.robot_seen(LAB, RobotId("r"), manifest("r"), i, "")
        await commits.get()
        on_disk = await store.database.write(  # behind the one that was begun
            lambda connection: connection.exec_driver_sql(
                "SELECT last_seen_ms FROM robots"
            ).scalar_one()
        )
        assert on_disk == last
        await commits.get()  # our own
    assert commits.empty()
    await store.close()


@ON_DISK
async def test_robots_without_a_key_are_forgotten_when_there_are_too_many(where: Where) -> None:
    store = await opened(where, max_robots=2)
    enrolled = Robot(service_id=LAB, id=RobotId("k"), home_id=LAB, public_key="k")
    await store.write(Put(enrolled))
    for name in ("one", "two", "three"):
        store.robot_seen(LAB, RobotId(name), manifest(name), 1, "")
    assert [robot.id for robot in store.all(Robot)] == ["k", "three"]
    store = await reopened(store, where)
    assert [robot.id for robot in store.all(Robot)] == ["k", "three"]
    await store.close()


@ON_DISK
async def test_a_robot_deleted_after_it_was_seen_stays_deleted(where: Where) -> None:
    store = await opened(where)
    store.robot_seen(LAB, RobotId("r"), manifest("r"), 1, "")
    await store.write(Delete(Robot, (LAB, "r")))
    store = await reopened(store, where)
    assert store.all(Robot) == []
    await store.close()


# --- many at once ---


@ON_SQLITE
async def test_what_waits_goes_into_few_transactions(where: Path) -> None:
    store = await opened(where)
    commits: list[object] = []
    engine = store.database._engine
    assert engine is not None
    event.listen(engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(store.write(put(f"{i}"), deed=deed()) for i in range(1000)))
    assert len(commits) <= 1000 / sql.MAX_BATCH + 2
    await store.close()


@ON_DISK
async def test_a_write_whose_caller_is_gone_is_carried_out(where: Where) -> None:
    store = await opened(where)
    writing = asyncio.create_task(store.write(put("ana"), deed=deed()))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await store.audit(deed())
    assert store.get(User, "ana") is not None
    assert len(await store.audit_entries(AuditQuery())) == 2
    await store.close()


@ON_SQLITE
async def test_more_writers_than_there_is_room_for_wait_their_turn(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "MAX_WAITING", 3)
    monkeypatch.setattr(sql, "MAX_BATCH", 2)
    store = await opened(where)
    await asyncio.gather(*(store.write(put(f"{i}"), deed=deed()) for i in range(50)))
    assert len(store.all(User)) == 50
    await store.close()


@ON_DISK
async def test_close_writes_what_waits_and_refuses_what_comes_later(where: Where) -> None:
    store = await opened(where)
    writing = [asyncio.create_task(store.write(put(f"{i}"))) for i in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writing)
    await store.close()
    with pytest.raises(StoreError):
        await store.write(put("late"))
    with pytest.raises(StoreError):
        await store.audit_entries(AuditQuery())
    store = await opened(where)
    assert len(store.all(User)) == 20
    await store.close()


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
