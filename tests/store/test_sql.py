"""What only a store that survives can show: reopening, and writing in groups."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import event

from farhand.core.access import Access
from farhand.errors import StoreError, VersionConflict
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId
from farhand.store import sql
from farhand.store.audit import first_broken
from farhand.store.base import AuditQuery, Delete, Put
from farhand.store.records import Robot, Service, User
from tests.store.conftest import ON_DISK, ON_SQLITE
from tests.store.helpers import LAB, Where, deed, manifest, opened, put, reopened

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
