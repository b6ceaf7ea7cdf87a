"""A store that counts and times what is written to it."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.server.metrics import Metrics
from farhand.store.base import AuditQuery, Change, Deed, Store
from farhand.store.records import AuditEntry, Record

R = TypeVar("R", bound=Record)

FIRST_ADMIN = "user.setup"
"""Who makes the first admin is logged in by that."""


class MeteredStore:
    """Passes everything on.

    Args:
        store: The store itself.
        metrics: Where to count.
        on_deed: Called with each deed that is in the audit trail.

    """

    def __init__(
        self, store: Store, metrics: Metrics, on_deed: Callable[[Deed], None] = lambda _: None
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._on_deed = on_deed
        # Reads are answered from memory, and often: they take no detour.
        self.get = store.get
        self.all = store.all
        self.has_service = store.has_service

    async def open(self) -> None:
        """Open the store."""
        await self._store.open()

    async def close(self) -> None:
        """Close it."""
        await self._store.close()

    async def write(self, *changes: Change, deed: Deed | None = None) -> tuple[Record, ...]:
        """Write, and time it; refusals count as well."""
        started = time.perf_counter()
        try:
            done = await self._store.write(*changes, deed=deed)
        finally:
            self._metrics.store_write_seconds.observe(time.perf_counter() - started)
        if deed is not None:
            self._noted(deed)
        return done

    async def audit(self, deed: Deed) -> AuditEntry:
        """Note ``deed``, and time it."""
        started = time.perf_counter()
        try:
            entry = await self._store.audit(deed)
        finally:
            self._metrics.store_write_seconds.observe(time.perf_counter() - started)
        self._noted(deed)
        return entry

    async def audit_entries(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Return entries of the trail."""
        return await self._store.audit_entries(query)

    def robot_seen(
        self, service_id: ServiceId, robot_id: RobotId, manifest: Manifest, now_ms: int, reason: str
    ) -> None:
        """Remember that a robot came, is here, or went."""
        self._store.robot_seen(service_id, robot_id, manifest, now_ms, reason)

    def watch(self, on_change: Callable[[Record | None, Record | None], None]) -> None:
        """Call ``on_change(before, after)`` after each change."""
        self._store.watch(on_change)

    def _noted(self, deed: Deed) -> None:
        self._metrics.audit_entries.inc()
        if deed.action.partition(".")[0] == "login" or deed.action == FIRST_ADMIN:
            self._metrics.logins.labels(deed.result).inc()
        self._on_deed(deed)
