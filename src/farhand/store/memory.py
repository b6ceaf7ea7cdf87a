"""A store that forgets everything with the process."""

import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

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
Address = tuple[type[Record], Key]
Plan = dict[Address, Record | None]
"""What each key is to hold; ``None``: nothing."""


class Tables:
    """All records by kind and key, as they were last committed.

    Args:
        wall_ms: Wall clock.

    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self.wall_ms = wall_ms
        self._tables: dict[type[Record], dict[Key, Record]] = {kind: {} for kind in ALL}
        self._order: dict[type[Record], list[Key]] = {}
        self._holders: dict[type[Record], dict[tuple[object, ...], Key]] = {
            kind: {} for kind in ALL if kind.UNIQUE
        }
        self._watchers: list[OnChange] = []

    def get(self, kind: type[R], *key: str | int) -> R | None:
        """Return one record."""
        return cast("R | None", self._tables[kind].get(key))

    def all(self, kind: type[R]) -> list[R]:
        """Return all records of a kind, in the order of their keys."""
        table = self._tables[kind]
        order = self._order.get(kind)
        if order is None:
            order = self._order[kind] = sorted(table)
        return [cast("R", table[key]) for key in order]

    def has_service(self, service_id: ServiceId) -> bool:
        """Say whether there is such a service."""
        return (service_id,) in self._tables[Service]

    def watch(self, on_change: OnChange) -> None:
        """Call ``on_change(before, after)`` after each change."""
        self._watchers.append(on_change)

    def plan(self, changes: Iterable[Change], before: Plan | None = None) -> Plan:
        """Return what ``changes`` make of the records.

        Args:
            changes: What is to be done.
            before: Plans that are to be committed first.

        Raises:
            VersionConflict: FH-3027 another version, or another record of the same name.

        """
        pending: Plan = {}
        known = ChainMap(pending, before or {})
        for change in changes:
            if isinstance(change, Put):
                record = self._stamped(change, known)
                if record.UNIQUE:
                    self._must_be_unique(record, known)
                pending[type(record), key_of(record)] = record
            else:
                pending[change.kind, change.key] = None
        return pending

    def _stamped(self, put: Put, pending: Mapping[Address, Record | None]) -> Record:
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

    def _must_be_unique(self, record: Record, pending: Mapping[Address, Record | None]) -> None:
        kind, key, unique = type(record), key_of(record), _unique(record)
        holder = self._holders[kind].get(unique)
        if holder not in (None, key) and (kind, holder) not in pending:
            raise VersionConflict("There is one of this name already.")
        for (other_kind, other_key), other in pending.items():
            is_other = other_kind is kind and other_key != key
            if is_other and other is not None and _unique(other) == unique:
                raise VersionConflict("There is one of this name already.")

    def commit(self, plan: Plan) -> None:
        """Make ``plan`` what is, then tell the watchers."""
        done = [(self._set(kind, key, after), after) for (kind, key), after in plan.items()]
        for before, after in done:
            if before is not None or after is not None:
                self._tell(before, after)

    def _set(self, kind: type[Record], key: Key, record: Record | None) -> Record | None:
        """Make ``record`` what is, as the newest of its table; return what was."""
        table = self._tables[kind]
        before = table.pop(key, None)
        if record is not None:
            table[key] = record
        if (before is None) != (record is None):
            self._order.pop(kind, None)
        if kind.UNIQUE:
            holders = self._holders[kind]
            if before is not None and holders.get(_unique(before)) == key:
                del holders[_unique(before)]
            if record is not None:
                holders[_unique(record)] = key
        return before

    def _tell(self, before: Record | None, after: Record | None) -> None:
        for on_change in self._watchers:
            on_change(before, after)


def _unique(record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in record.UNIQUE)


def key_of(record: Record) -> Key:
    """Return what tells ``record`` apart from others of its kind."""
    return tuple(getattr(record, name) for name in record.KEY)


class Sighting(NamedTuple):
    """A robot came, is here, or went: what `Store.robot_seen` was told."""

    service_id: ServiceId
    robot_id: RobotId
    manifest: Manifest
    now_ms: int
    reason: str

    def noted_in(self, robot: Robot | None) -> Robot | None:
        """Return the robot's record with this in it; ``None``: there is to be none."""
        if robot is None:
            if self.reason:
                return None  # deleted while it was here: its leaving does not bring it back
            robot = Robot(
                service_id=self.service_id,
                id=self.robot_id,
                home_id=self.service_id,
                version=1,
                created_ms=self.now_ms,
                updated_ms=self.now_ms,
            )
        return replace(
            robot,
            name=self._name(robot),
            model=self.manifest.model or robot.model,
            software=self.manifest.software or robot.software,
            manifest=self.manifest,
            last_seen_ms=self.now_ms,
            offline_reason=self.reason,
        )

    def _name(self, robot: Robot) -> str:
        """Return what it is called: as it says itself, unless somebody has named it."""
        said = robot.manifest.name if robot.manifest else ""
        return robot.name if robot.name not in {"", said} else self.manifest.name


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
        sighting = Sighting(service_id, robot_id, manifest, now_ms, reason)
        robot = sighting.noted_in(self.get(Robot, service_id, robot_id))
        if robot is not None:
            self.commit({(Robot, (service_id, robot_id)): robot})
        robots = self._tables[Robot]
        while len(robots) > self._max_robots:
            self._set(Robot, next(iter(robots)), None)

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
