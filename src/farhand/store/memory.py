"""A store that forgets everything with the process."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, cast

from msgspec.structs import replace

from farhand.errors import VersionConflict
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.audit import chained
from farhand.store.base import AuditQuery, Change, Deed, Put
from farhand.store.records import ALL, AuditEntry, Record, Robot, Service

MAX_ROBOTS = 10_000
"""Anybody may say hello as a robot to a server without accounts: the oldest are forgotten."""

R = TypeVar("R", bound=Record)
OnChange = Callable[[Record | None, Record | None], None]
Key = tuple[str | int, ...]


class Tables:
    """All records by kind and key, as they were last committed.

    Args:
        wall_ms: Wall clock.

    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self.wall_ms = wall_ms
        self._tables: dict[type[Record], dict[Key, Record]] = {kind: {} for kind in ALL}
        self._watchers: list[OnChange] = []

    def get(self, kind: type[R], *key: str | int) -> R | None:
        """Return one record."""
        return cast("R | None", self._tables[kind].get(key))

    def all(self, kind: type[R]) -> list[R]:
        """Return all records of a kind, in the order of their keys."""
        table = self._tables[kind]
        return [cast("R", table[key]) for key in sorted(table, key=lambda k: tuple(map(str, k)))]

    def watch(self, on_change: OnChange) -> None:
        """Call ``on_change(before, after)`` after each change."""
        self._watchers.append(on_change)

    def stamped(self, put: Put, pending: dict[tuple[type[Record], Key], Record | None]) -> Record:
        """Return the record as it is to be stored.

        Raises:
            VersionConflict: FH-3027.

        """
        record = put.record
        at = (type(record), key_of(record))
        now = pending[at] if at in pending else self._tables[at[0]].get(at[1])
        if not put.force and record.version != (now.version if now else 0):
            raise VersionConflict
        wall_ms = self.wall_ms()
        return replace(
            record,
            version=(now.version if now else 0) + 1,
            created_ms=now.created_ms if now else wall_ms,
            updated_ms=wall_ms,
        )

    def plan(self, changes: Iterable[Change]) -> dict[tuple[type[Record], Key], Record | None]:
        """Return what each key is to hold; ``None``: nothing.

        Raises:
            VersionConflict: FH-3027.

        """
        pending: dict[tuple[type[Record], Key], Record | None] = {}
        for change in changes:
            if isinstance(change, Put):
                record = self.stamped(change, pending)
                pending[type(record), key_of(record)] = record
            else:
                pending[change.kind, change.key] = None
        return pending

    def commit(self, plan: dict[tuple[type[Record], Key], Record | None]) -> None:
        """Make ``plan`` what is, and tell the watchers."""
        for (kind, key), after in plan.items():
            table = self._tables[kind]
            before = table.pop(key, None)
            if after is not None:
                table[key] = after
            if before is not None or after is not None:
                for on_change in self._watchers:
                    on_change(before, after)


def key_of(record: Record) -> Key:
    """Return what tells ``record`` apart from others of its kind."""
    return tuple(getattr(record, name) for name in record.KEY)


def seen(  # noqa: PLR0917 - the arguments of Store.robot_seen
    robot: Robot | None,
    service_id: ServiceId,
    robot_id: RobotId,
    manifest: Manifest,
    now_ms: int,
    reason: str,
) -> Robot:
    """Return the record of a robot that came, is here, or went."""
    known = robot or Robot(service_id=service_id, id=robot_id, home_id=service_id)
    return replace(
        known,
        name=manifest.name,
        model=manifest.model or known.model,
        software=manifest.software or known.software,
        manifest=manifest,
        last_seen_ms=now_ms,
        offline_reason=reason,
    )


class MemoryStore(Tables):
    """Records of a server that keeps none: the fake of `SqlStore`.

    Args:
        wall_ms: Wall clock.
        max_robots: How many robots are remembered.

    """

    def __init__(
        self,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        max_robots: int = MAX_ROBOTS,
    ) -> None:
        super().__init__(wall_ms)
        self._max_robots = max_robots
        self._trail: list[AuditEntry] = []
        self.commit(self.plan([Put(Service(id=DEFAULT_SERVICE, name="Default"))]))

    async def open(self) -> None:
        """Nothing to read."""

    async def close(self) -> None:
        """Nothing to write."""

    def has_service(self, service_id: ServiceId) -> bool:
        """Say whether there is such a service."""
        return self.get(Service, service_id) is not None

    async def write(self, *changes: Change, deed: Deed | None = None) -> tuple[Record, ...]:
        """Carry out all of ``changes``, or none."""
        plan = self.plan(changes)
        self.commit(plan)
        if deed is not None:
            await self.audit(deed)
        return tuple(record for record in plan.values() if record is not None)

    def robot_seen(
        self, service_id: ServiceId, robot_id: RobotId, manifest: Manifest, now_ms: int, reason: str
    ) -> None:
        """Remember that a robot came, is here, or went."""
        known = self.get(Robot, service_id, robot_id)
        robot = seen(known, service_id, robot_id, manifest, now_ms, reason)
        self.commit(self.plan([Put(robot, force=True)]))
        robots = self._tables[Robot]
        while len(robots) > self._max_robots:
            del robots[next(iter(robots))]

    async def audit(self, deed: Deed) -> AuditEntry:
        """Note ``deed``."""
        entry = chained(deed, self._trail[-1] if self._trail else None, self.wall_ms())
        self._trail.append(entry)
        return entry

    async def audit_entries(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Return entries of the trail."""
        found = [entry for entry in self._trail if matches(entry, query)]
        return found[-query.limit :] if query.newest else found[: query.limit]


def matches(entry: AuditEntry, query: AuditQuery) -> bool:
    """Say whether ``query`` asks for ``entry``."""
    return (
        entry.seq > query.after
        and (query.service_ids is None or entry.service_id in query.service_ids)
        and query.robot_id in ("", entry.robot_id)
        and entry.action.startswith(query.action)
    )
