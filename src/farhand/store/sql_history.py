"""Status samples and events in the store's database, written in batches."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from farhand.errors import StoreError
from farhand.store.database import Database
from farhand.store.history import STATUS_EVERY_MS, Event, Pace, StatusSample
from farhand.store.tables import EVENT, STATUS

FLUSH_EVERY_S = 1.0
PRUNE_EVERY_S = 10.0
MAX_WAITING = 20_000
BATCH = 500
"""Rows in one transaction: records must not wait long for their turn."""
PRUNE_BATCH = 2_000
MAX_MS = 2**63 - 1

T = TypeVar("T")

log = structlog.get_logger(__name__)


class SqlHistory:
    """Status samples and events that survive.

    Args:
        database: Of the store, which opens it first and closes it last.
        wall_ms: Wall clock.
        status_keep_s: How long status samples are kept.
        event_keep_s: How long events are kept.
        status_every_ms: The least time between two samples of a robot.
        max_waiting: How much may wait to be written; then the oldest status is dropped.

    """

    def __init__(
        self,
        database: Database,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        status_keep_s: int = 24 * 3600,
        event_keep_s: int = 30 * 24 * 3600,
        status_every_ms: int = STATUS_EVERY_MS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.dropped = 0
        """How many samples and events were not written for want of room, or were refused."""
        self._database = database
        self._wall_ms = wall_ms
        self._keep_ms = {STATUS: status_keep_s * 1000, EVENT: event_keep_s * 1000}
        self._max_waiting = max_waiting
        self._pace = Pace(status_every_ms)
        self._statuses: deque[StatusSample] = deque()
        self._events: deque[Event] = deque()
        self._last_id = 0
        self._flushing = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def open(self) -> None:
        """Learn the last id, and begin to write.

        Raises:
            StoreError: FH-8001.

        """
        self._last_id = await self._database.read(
            lambda connection: connection.execute(select(func.max(EVENT.c.id))).scalar() or 0
        )
        self._worker = asyncio.create_task(self._run(), name="history writer")

    async def close(self) -> None:
        """Write what waits and let go; before the store is closed. Idempotent."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._closing.set()
        await asyncio.shield(worker)

    # --- adding: never waits ---

    def add_status(self, service_id: str, robot_id: str, at_ms: int, json_bytes: bytes) -> None:
        """Keep a robot's status; at most one a second of each robot."""
        if self._keep_ms[STATUS] and self._pace.is_due(service_id, robot_id, at_ms):
            self._statuses.append(StatusSample(service_id, robot_id, at_ms, json_bytes))
            self._make_room()

    def add_event(
        self, service_id: str, robot_id: str, type: str, at_ms: int, json_bytes: bytes
    ) -> int:
        """Keep an event; return its id."""
        self._last_id += 1
        self._events.append(Event(self._last_id, service_id, robot_id, type, at_ms, json_bytes))
        self._make_room()
        return self._last_id

    def _make_room(self) -> None:
        while len(self._statuses) + len(self._events) > self._max_waiting:
            (self._statuses or self._events).popleft()
            self.dropped += 1

    # --- writing ---

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            StoreError: FH-8001; what was not written waits on.

        """
        async with self._flushing:
            while self._statuses or self._events:
                await self._flush_some()

    async def _flush_some(self) -> None:
        statuses = _taken(self._statuses)
        events = _taken(self._events)
        try:
            await self._database.write(partial(_insert, statuses=statuses, events=events))
        except StoreError as error:
            if error.retryable:
                self._statuses.extendleft(reversed(statuses))
                self._events.extendleft(reversed(events))
                self._make_room()
                raise
            log.warning("the database refuses history", error=error.text)
            self.dropped += len(statuses) + len(events)

    async def prune(self) -> None:
        """Forget what is older than it is to be kept.

        Raises:
            StoreError: FH-8001.

        """
        now_ms = self._wall_ms()
        self._pace.forget_before(now_ms - self._keep_ms[STATUS])
        for table, keep_ms in self._keep_ms.items():
            work = partial(_delete_some, table=table, oldest_ms=now_ms - keep_ms)
            while await self._database.write(work):
                pass

    async def _run(self) -> None:
        pruned_s = float("-inf")
        is_well = True
        while True:
            is_closing = await self._closed_within(FLUSH_EVERY_S)
            try:
                await self.flush()
                if not is_closing and time.monotonic() - pruned_s >= PRUNE_EVERY_S:
                    await self.prune()
                    pruned_s = time.monotonic()
                is_well = True
            except StoreError as error:
                if is_well:
                    log.warning("the history waits for the database", error=error.text)
                is_well = False
            if is_closing:
                return

    async def _closed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False

    # --- reading ---

    async def statuses(
        self, service_id: str, robot_id: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[StatusSample]:
        """Return the newest samples of a robot in a time, oldest first.

        Raises:
            StoreError: FH-8001.

        """
        statement = (
            select(STATUS)
            .where(STATUS.c.service_id == service_id, STATUS.c.robot_id == robot_id)
            .where(*self._in_time(STATUS, from_ms, to_ms))
            .order_by(STATUS.c.at_ms.desc())
            .limit(limit)
        )
        rows = await self._found(statement)
        return [
            StatusSample(row.service_id, row.robot_id, row.at_ms, row.data.encode())
            for row in reversed(rows)
        ]

    async def events(  # noqa: PLR0917 - what the REST call can ask for
        self,
        service_ids: Collection[str] | None,
        robot_id: str,
        type: str,
        from_ms: int,
        to_ms: int,
        limit: int,
    ) -> Sequence[Event]:
        """Return the newest events in a time, oldest first.

        Raises:
            StoreError: FH-8001.

        """
        statement = (
            select(EVENT)
            .where(*self._in_time(EVENT, from_ms, to_ms))
            .order_by(EVENT.c.at_ms.desc(), EVENT.c.id.desc())
            .limit(limit)
        )
        if service_ids is not None:
            statement = statement.where(EVENT.c.service_id.in_(sorted(service_ids)))
        if robot_id:
            statement = statement.where(EVENT.c.robot_id == robot_id)
        if type:
            statement = statement.where(EVENT.c.type == type)
        rows = await self._found(statement)
        return [
            Event(row.id, row.service_id, row.robot_id, row.type, row.at_ms, row.data.encode())
            for row in reversed(rows)
        ]

    def _in_time(self, table: Table, from_ms: int, to_ms: int) -> tuple[ColumnElement[bool], ...]:
        """Return the bounds, within what is kept and within what the column holds."""
        oldest_ms = self._wall_ms() - self._keep_ms[table]
        return (
            table.c.at_ms >= min(max(from_ms, oldest_ms), MAX_MS),
            table.c.at_ms < max(min(to_ms, MAX_MS), -MAX_MS),
        )

    async def _found(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        await self.flush()
        return await self._database.read(lambda connection: connection.execute(statement).all())


def _taken(waiting: deque[T]) -> list[T]:
    """Take the first of ``waiting``, as many as one transaction holds."""
    return [waiting.popleft() for _ in range(min(len(waiting), BATCH))]


def _insert(
    connection: Connection, statuses: Sequence[StatusSample], events: Sequence[Event]
) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for table, rows in ((STATUS, statuses), (EVENT, events)):
        if rows:
            values = [
                {
                    **{name: getattr(row, name) for name in row.__struct_fields__},
                    "data": row.data.decode(),
                }
                for row in rows
            ]
            # What was committed although the database fell silent is written twice.
            connection.execute(dialect.insert(table).on_conflict_do_nothing(), values)


def _delete_some(connection: Connection, table: Table, oldest_ms: int) -> bool:
    """Delete some of what is older; say whether there may be more."""
    key = tuple(table.primary_key.columns)
    old = select(*key).where(table.c.at_ms < oldest_ms).limit(PRUNE_BATCH)
    result = connection.execute(delete(table).where(tuple_(*key).in_(old)))
    return result.rowcount >= PRUNE_BATCH
