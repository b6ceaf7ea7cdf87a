"""The store that survives: all records in memory, each write in SQLite or PostgreSQL first.

One task writes. What waits for it goes into one transaction (group commit): a thousand concurrent
writes wait for a handful of commits, not for a thousand.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from farhand.errors import Code, FarhandError, StoreError
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.audit import chained
from farhand.store.base import AuditQuery, Change, Deed, Put
from farhand.store.database import WAIT_S, Database, Interrupted
from farhand.store.memory import MAX_ROBOTS, Key, Plan, Sighting, Tables
from farhand.store.records import AuditEntry, Record, Robot, Service
from farhand.store.statements import find_entries, load, save

MAX_WAITING = 10_000
"""More writers than this stand in a line of their own."""
MAX_BATCH = 100
"""Writes in one transaction: some milliseconds of the event loop's time, which frames wait for."""
SEEN_EVERY_S = 1.0

Sightings = dict[Key, Sighting | None]
"""Robots that came, are here or went; ``None``: forgotten."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Write:
    """Somebody's write, until it is on disk."""

    changes: tuple[Change, ...]
    deed: Deed | None
    done: asyncio.Future[None]
    plan: Plan = field(default_factory=dict)
    entry: AuditEntry | None = None

    def end(self, error: Exception | None = None) -> None:
        """Tell who waits; nobody does if its task was cancelled."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class SqlStore(Tables):
    """Records in SQLite or PostgreSQL.

    Args:
        target: Path of a SQLite file, or ``postgresql://…``.
        wall_ms: Wall clock.
        max_robots: How many robots without a key are remembered, at least.
        wait_s: How long the database may keep us waiting.

    Raises:
        StoreError: FH-8001 ``target`` is neither.

    """

    def __init__(
        self,
        target: str | Path,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        max_robots: int = MAX_ROBOTS,
        wait_s: float = WAIT_S,
    ) -> None:
        super().__init__(wall_ms)
        self.database = Database(target, wait_s=wait_s)
        """For `SqlHistory`: one process, one owner."""
        self._max_robots = max_robots
        self._last: AuditEntry | None = None
        self._tenure = 0
        """Of the database, when everything was read."""
        self._is_stale = False
        """A transaction ended in silence: what is stored must be read again."""
        self._waiting: deque[_Write] = deque()
        self._places = asyncio.Semaphore(MAX_WAITING)
        self._wake = asyncio.Event()
        self._is_closing = False
        self._writer: asyncio.Task[None] | None = None
        self._seen: Sightings = {}
        """What of the robots is not written yet."""
        self._is_seen_due = False
        self._seen_timer: asyncio.TimerHandle | None = None

    async def open(self, *, upgrade: bool = False) -> None:
        """Read everything, upgrade the schema if it is ours to upgrade, make ``default``.

        Args:
            upgrade: Upgrade PostgreSQL, too.

        Raises:
            StoreError: FH-8001 out of reach, FH-8002 written by a newer farhand, FH-8003 older
                and not ours to upgrade.
            ConfigError: FH-1004 another process has the file.

        """
        await self.database.open(upgrade=upgrade)
        try:
            await self._reload()
            if not self.has_service(DEFAULT_SERVICE):
                plan = self.plan([Put(Service(id=DEFAULT_SERVICE, name="Default"))])
                await self.database.write(lambda connection: save(connection, plan, ()))
                self.commit(plan)
        except BaseException:
            await self.database.close()
            raise
        self._writer = asyncio.create_task(self._run(), name="store writer")

    async def close(self) -> None:
        """Write what waits and let go. Idempotent."""
        self._is_closing = True
        if self._seen_timer is not None:
            self._seen_timer.cancel()
        if self._writer is not None:
            self._is_seen_due = True
            self._wake.set()
            await asyncio.shield(self._writer)  # who closes may be cancelled: what waits is written
            self._writer = None
        await self.database.close()

    # --- writing ---

    async def write(self, *changes: Change, deed: Deed | None = None) -> tuple[Record, ...]:
        """Carry out all of ``changes``, and note ``deed``, in one transaction, or none of it.

        If the caller is cancelled while it waits, the write is carried out all the same.

        Raises:
            VersionConflict: FH-3027 a record is not the version that was to be replaced.
            StoreError: FH-8001; nothing was done, or, if the database went away at the very
                end (``retryable``), reading shows what was done as soon as it is back.

        """
        done = await self._written(changes, deed)
        return tuple(record for record in done.plan.values() if record is not None)

    async def audit(self, deed: Deed) -> AuditEntry:
        """Note ``deed``; it is on disk when this returns."""
        entry = (await self._written((), deed)).entry
        assert entry is not None  # noqa: S101 - a write with a deed has an entry
        return entry

    async def _written(self, changes: tuple[Change, ...], deed: Deed | None) -> _Write:
        await self._places.acquire()
        if self._is_closing or self._writer is None:
            self._places.release()
            raise StoreError(Code.STORE_UNREACHABLE, "The records are closed.", retryable=False)
        write = _Write(changes, deed, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        self._wake.set()
        await write.done
        return write

    async def _run(self) -> None:
        """Commit what waits until it is closed; never ends for another reason."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting or self._is_seen_due:
                sightings = dict(self._seen) if self._is_seen_due else {}
                self._is_seen_due = False
                size = min(len(self._waiting), MAX_BATCH)
                writes = [self._waiting.popleft() for _ in range(size)]
                for _ in writes:
                    self._places.release()
                await self._commit(writes, sightings)
            if self._is_closing:
                return

    async def _commit(self, writes: Sequence[_Write], sightings: Sightings) -> None:
        """Carry out ``writes`` and ``sightings`` in one transaction."""
        planned: Sequence[_Write] = ()
        try:
            if self._is_stale:
                await self._reload()
            planned = self._planned(writes)
            try:
                await self._save(planned, sightings)
            except Interrupted:  # nothing was written yet
                await self._reload()
                planned = self._planned(planned)
                await self._save(planned, sightings)
        except FarhandError as error:
            is_lost = isinstance(error, StoreError) and error.retryable
            if not is_lost and len(planned) + len(sightings) > 1:
                await self._commit_each(planned, sightings)  # one of them is at fault
                return
            self._is_stale |= is_lost
            for write in writes:
                write.end(error)
            if is_lost:
                self._schedule_seen()
            else:
                log.warning("the database refuses a record", error=error.text, robots=[*sightings])
                self._written_sightings(sightings)
            return
        self._apply(planned)
        self._written_sightings(sightings)

    async def _commit_each(self, writes: Sequence[_Write], sightings: Sightings) -> None:
        for write in writes:
            await self._commit([write], {})
        for key, sighting in sightings.items():
            await self._commit([], {key: sighting})

    def _planned(self, writes: Sequence[_Write]) -> list[_Write]:
        """Return those of ``writes`` that can be done, in order, with plan and audit entry."""
        planned = []
        so_far: Plan = {}
        last = self._last
        for write in writes:
            try:
                write.plan = self.plan(write.changes, so_far)
                if write.deed is not None:
                    last = write.entry = chained(write.deed, last, self.wall_ms())
            except Exception as error:  # whoever writes nonsense must not end the writing of all
                write.end(error)
                continue
            so_far.update(write.plan)
            planned.append(write)
        return planned

    async def _save(self, planned: Sequence[_Write], sightings: Sightings) -> None:
        total: Plan = {}
        for write in planned:
            total.update(write.plan)
        for key, sighting in sightings.items():
            robot = total[Robot, key] if (Robot, key) in total else self.get(Robot, *key)
            total[Robot, key] = self._with_sighting(robot, sighting)
        entries = [write.entry for write in planned if write.entry is not None]
        if total or entries:
            work = partial(save, plan=total, entries=entries)
            await self.database.write(work, tenure=self._tenure)

    @staticmethod
    def _with_sighting(robot: Record | None, sighting: Sighting | None) -> Record | None:
        if not isinstance(robot, Robot) or sighting is None:
            return robot
        return sighting.noted_in(robot)

    def _apply(self, planned: Sequence[_Write]) -> None:
        """Make what was committed what is read, and tell who waits and who watches."""
        for write in planned:
            self._last = write.entry or self._last
            for (kind, key), record in write.plan.items():
                if kind is Robot and record is None:
                    self._seen.pop(key, None)
                elif kind is Robot and key in self._seen:
                    write.plan[kind, key] = self._with_sighting(record, self._seen[key])
            self.commit(write.plan)
            write.end()

    def _written_sightings(self, sightings: Sightings) -> None:
        """Cross off ``sightings``, unless there are newer ones of the same robots."""
        for key, sighting in sightings.items():
            if key in self._seen and self._seen[key] is sighting:
                del self._seen[key]
        self._schedule_seen()

    def _tell(self, before: Record | None, after: Record | None) -> None:
        # Soon, not now: what a watcher raises is the loop's business, not the writer's. It is
        # before any writer goes on, as those are woken later.
        loop = asyncio.get_running_loop()
        for on_change in self._watchers:
            loop.call_soon(on_change, before, after)

    async def _reload(self) -> None:
        """Read everything; tell of what is not as it was known."""
        # By the connection that writes: once it has the lock, nobody else changes anything.
        records, self._last = await self.database.write(load)
        self._tenure = self.database.tenure
        self._is_stale = False
        known = {(kind, key) for kind, table in self._tables.items() for key in table}
        changes: Plan = {}
        for kind, key in [*records, *(known - records.keys())]:
            after = records.get((kind, key))
            if kind is Robot and key in self._seen:
                sighting = self._seen[key]
                after = sighting and sighting.noted_in(after if isinstance(after, Robot) else None)
            if self.get(kind, *key) != after:
                changes[kind, key] = after
        self.commit(changes)

    # --- robots that come and go ---

    def robot_seen(
        self, service_id: ServiceId, robot_id: RobotId, manifest: Manifest, now_ms: int, reason: str
    ) -> None:
        """Remember that a robot came, is here, or went."""
        key = (service_id, robot_id)
        sighting = Sighting(service_id, robot_id, manifest, now_ms, reason)
        robot = sighting.noted_in(self.get(Robot, *key))
        if robot is None:
            return
        self._seen[key] = sighting
        self.commit({(Robot, key): robot})
        self._forget_some()
        self._schedule_seen()

    def _forget_some(self) -> None:
        """Forget the least recently seen robot without a key, if there are too many."""
        robots = self._tables[Robot]
        if len(robots) <= self._max_robots:
            return
        for key, robot in robots.items():
            if isinstance(robot, Robot) and not robot.public_key:
                self._seen[key] = None
                self.commit({(Robot, key): None})
                return

    def _schedule_seen(self) -> None:
        if not self._seen or self._is_closing:
            return
        if self._seen_timer is None:
            loop = asyncio.get_running_loop()
            self._seen_timer = loop.call_later(SEEN_EVERY_S, self._seen_is_due)

    def _seen_is_due(self) -> None:
        self._seen_timer = None
        self._is_seen_due = True
        self._wake.set()

    # --- the audit trail ---

    async def audit_entries(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Return entries of the trail."""
        return await self.database.read(lambda connection: find_entries(connection, query))
