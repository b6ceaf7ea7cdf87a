"""What both histories do, and what only the one in a database does."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest

from farhand.errors import StoreError
from farhand.store import history as seam
from farhand.store import sql_history
from farhand.store.history import History, MemoryHistory
from farhand.store.sql import SqlStore
from farhand.store.sql_history import SqlHistory
from tests.store.conftest import EVERYWHERE, ON_DISK, ON_SQLITE, Clock

Where = str | Path
FOREVER = 2**70
KEPT = {"status_keep_s": 100, "event_keep_s": 1000}


@pytest.fixture
async def history(where: Where | None, clock: Clock) -> AsyncGenerator[History]:
    if where is None:
        yield MemoryHistory(clock, **KEPT)
        return
    store = SqlStore(where, clock)
    await store.open()
    history = SqlHistory(store.database, clock, **KEPT)
    await history.open()
    yield history
    await history.close()
    await store.close()


async def times(history: History, robot_id: str = "r", service_id: str = "s") -> list[int]:
    return [each.at_ms for each in await history.statuses(service_id, robot_id, 0, FOREVER, 1000)]


async def kinds(history: History, **asked: object) -> list[str]:
    query = {
        "service_ids": None,
        "robot_id": "",
        "type": "",
        "from_ms": 0,
        "to_ms": FOREVER,
        "limit": 100,
    }
    return [each.type for each in await history.events(**(query | asked))]  # type: ignore[arg-type]


@EVERYWHERE
async def test_a_status_is_read_as_it_was_added(history: History, clock: Clock) -> None:
    data = '{"pose":{"x":1.5},"näh":"\\u0000"}'.encode()
    history.add_status("s", "r", clock.ms, data)
    (sample,) = await history.statuses("s", "r", clock.ms, clock.ms + 1, 10)
    assert (sample.service_id, sample.robot_id, sample.at_ms, sample.data) == (
        "s",
        "r",
        clock.ms,
        data,
    )


@EVERYWHERE
async def test_a_robot_has_at_most_one_status_a_second(history: History, clock: Clock) -> None:
    start = clock.ms
    for ms in (0, 1, 999, 1000, 1001, 2500, 3499, 3500):
        history.add_status("s", "r", start + ms, b"{}")
        history.add_status("s", "other", start + ms, b"{}")
        history.add_status("elsewhere", "r", start + ms, b"{}")
    clock.ms += 4000
    expected = [start, start + 1000, start + 2500, start + 3500]
    assert await times(history) == expected
    assert await times(history, "other") == expected
    assert await times(history, "r", "elsewhere") == expected


@EVERYWHERE
async def test_a_clock_that_was_set_back_silences_no_robot(history: History, clock: Clock) -> None:
    start = clock.ms
    for ms in (5000, 2000, 2500, 5000):
        history.add_status("s", "r", start + ms, b"{}")
    assert await times(history) == [start + 2000, start + 5000]


@EVERYWHERE
async def test_of_a_time_the_newest_are_read_oldest_first(history: History, clock: Clock) -> None:
    start = clock.ms
    for second in range(10):
        history.add_status("s", "r", start + 1000 * second, b"{}")
    clock.ms += 10_000
    found = await history.statuses("s", "r", start + 1000, start + 8000, 3)
    assert [each.at_ms for each in found] == [start + 5000, start + 6000, start + 7000]
    assert await history.statuses("s", "r", FOREVER, 0, 3) == []
    assert await history.statuses("s", "r", 0, -FOREVER, 3) == []


@EVERYWHERE
async def test_events_have_rising_ids_and_are_found(history: History, clock: Clock) -> None:
    start = clock.ms
    ids = [
        history.add_event("s", "r", "online", start, b"{}"),
        history.add_event("s", "q", "online", start + 1, b"{}"),
        history.add_event("t", "r", "stopped", start + 2, b'{"by":"Ana"}'),
        history.add_event("t", "", "enrolled", start + 2, b"{}"),
    ]
    assert ids == sorted(set(ids))
    found = await history.events(None, "", "", 0, FOREVER, 100)
    assert [event.id for event in found] == ids
    assert (found[2].service_id, found[2].robot_id, found[2].data) == ("t", "r", b'{"by":"Ana"}')
    assert await kinds(history, service_ids={"s"}) == ["online", "online"]
    assert await kinds(history, service_ids=set()) == []
    assert await kinds(history, robot_id="r") == ["online", "stopped"]
    assert await kinds(history, type="online", robot_id="q") == ["online"]
    assert await kinds(history, from_ms=start + 1, to_ms=start + 2) == ["online"]
    assert await kinds(history, limit=2) == ["stopped", "enrolled"]


@EVERYWHERE
async def test_what_is_too_old_is_not_read_any_more(history: History, clock: Clock) -> None:
    history.add_status("s", "r", clock.ms, b"{}")
    history.add_event("s", "r", "online", clock.ms, b"{}")
    clock.ms += 100_000
    assert len(await times(history)) == 1
    clock.ms += 1
    assert await times(history) == []
    assert await kinds(history) == ["online"]
    clock.ms += 900_000
    assert await kinds(history) == []


def test_the_pace_of_so_many_robots_is_remembered_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seam, "MAX_PACED", 2)
    pace = seam.Pace(1000)
    assert [pace.is_due("s", name, 0) for name in ("a", "b", "b")] == [True, True, False]
    assert pace.is_due("s", "c", 0)
    assert [pace.is_due("s", name, 1) for name in ("b", "c", "a")] == [False, False, True]


# --- in a database ---


async def stored(where: Where, clock: Clock, **more: int) -> tuple[SqlStore, SqlHistory]:
    store = SqlStore(where, clock, wait_s=0.2)
    await store.open()
    history = SqlHistory(store.database, clock, **(KEPT | more))
    await history.open()
    return store, history


async def rows(store: SqlStore, table: str) -> int:
    return await store.database.read(
        lambda connection: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    )


@ON_DISK
async def test_history_survives_and_ids_go_on(where: Where, clock: Clock) -> None:
    store, history = await stored(where, clock)
    first = history.add_event("s", "r", "online", clock.ms, b"{}")
    history.add_status("s", "r", clock.ms, b"{}")
    await history.close()
    await history.close()
    await store.close()
    store, history = await stored(where, clock)
    assert await times(history) == [clock.ms]
    assert history.add_event("s", "r", "offline", clock.ms, b"{}") == first + 1
    assert await kinds(history) == ["online", "offline"]
    await history.close()
    await store.close()


@ON_DISK
async def test_what_is_too_old_is_deleted(
    where: Where, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_history, "PRUNE_BATCH", 3)
    store, history = await stored(where, clock)
    for second in range(10):
        history.add_status("s", f"r{second}", clock.ms + second * 1000, b"{}")
        history.add_event("s", "r", "online", clock.ms + second * 1000, b"{}")
    await history.flush()
    clock.ms += 107_000
    await history.prune()
    assert (await rows(store, "status_samples"), await rows(store, "events")) == (3, 10)
    clock.ms += 901_000
    await history.prune()
    assert (await rows(store, "status_samples"), await rows(store, "events")) == (0, 2)
    await history.close()
    await store.close()


@ON_DISK
async def test_more_than_a_transaction_holds_is_written_in_several(
    where: Where, clock: Clock
) -> None:
    store, history = await stored(where, clock)
    for i in range(1201):
        history.add_status("s", f"r{i}", clock.ms, b"{}")
    await history.flush()
    assert await rows(store, "status_samples") == 1201
    await history.close()
    await store.close()


@ON_SQLITE
async def test_while_the_database_is_gone_the_oldest_status_is_dropped_first(
    where: Path, clock: Clock
) -> None:
    store, history = await stored(where, clock, max_waiting=4)
    start = clock.ms
    with closing(sqlite3.connect(where, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for second in range(3):
            history.add_status("s", "r", start + second * 1000, b"{}")
        for name in ("a", "b"):
            history.add_event("s", "r", name, start, b"{}")
        with pytest.raises(StoreError):
            await history.flush()
        for name in ("c", "d", "e"):
            history.add_event("s", "r", name, start, b"{}")
        other.execute("ROLLBACK")
    assert history.dropped == 4
    assert await kinds(history) == ["b", "c", "d", "e"]
    assert await times(history) == []
    await history.close()
    await store.close()


@ON_SQLITE
async def test_it_is_written_by_itself(
    where: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_history, "FLUSH_EVERY_S", 0.01)
    store, history = await stored(where, clock)
    history.add_status("s", "r", clock.ms, b"{}")
    async with asyncio.timeout(10):
        while not await rows(store, "status_samples"):  # each look waits for the database
            pass
    await history.close()
    await store.close()


@ON_DISK
async def test_statuses_that_are_not_to_be_kept_are_not_written(where: Where, clock: Clock) -> None:
    store, history = await stored(where, clock, status_keep_s=0)
    history.add_status("s", "r", clock.ms, b"{}")
    await history.flush()
    assert await rows(store, "status_samples") == 0
    await history.close()
    await store.close()
