"""The seam to what is remembered beyond a connection.

Reads are answered at once, from memory; a write is on disk when it returns. One process owns the
records; what it holds in memory is all of them, but not the audit trail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.records import AuditEntry, Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Put:
    """Make ``record`` what is stored.

    ``record.version`` must be the stored one (0: there must be none); ``force``: whatever it is.
    """

    record: Record
    force: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a record. That there is none is no error."""

    kind: type[Record]
    key: tuple[str | int, ...]


Change = Put | Delete


@dataclass(frozen=True, slots=True)
class Deed:
    """What goes to the audit trail; the store adds number, time and chain."""

    actor: str
    actor_name: str
    action: str
    result: str = "ok"
    service_id: str = ""
    robot_id: str = ""
    target: str = ""
    address: str = ""
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which audit entries, oldest first."""

    after: int = 0
    """Only above this number."""
    limit: int = 200
    service_ids: frozenset[str] | None = None
    """``None``: all."""
    robot_id: str = ""
    action: str = ""
    """A prefix: ``robot.``"""
    newest: bool = False
    """The last ``limit`` ones instead, still oldest first."""


class Store(Protocol):
    """Records of one installation.

    Must be opened before anything else, on the event loop it is used on.
    """

    async def open(self) -> None:
        """Read everything, upgrade the schema if it is ours to upgrade, make ``default``.

        Raises:
            StoreError: FH-8001 out of reach, FH-8002 written by a newer farhand, FH-8003 older
                and not ours to upgrade.

        """

    async def close(self) -> None:
        """Write what waits and let go. Idempotent."""

    # --- reading: at once ---

    def get(self, kind: type[R], *key: str | int) -> R | None:
        """Return one record."""

    def all(self, kind: type[R]) -> list[R]:
        """Return all records of a kind, in the order of their keys."""

    def has_service(self, service_id: ServiceId) -> bool:
        """Say whether there is such a service."""

    # --- writing: durable when it returns ---

    async def write(self, *changes: Change, deed: Deed | None = None) -> tuple[Record, ...]:
        """Carry out all of ``changes``, and note ``deed``, in one transaction, or none of it.

        Returns:
            The records of the ``Put``s as they are stored now.

        Raises:
            VersionConflict: FH-3027 a record is not the version that was to be replaced, or
                another one has what none may share (`Record.UNIQUE`).
            StoreError: FH-8001; nothing was done.

        """

    def robot_seen(
        self, service_id: ServiceId, robot_id: RobotId, manifest: Manifest, now_ms: int, reason: str
    ) -> None:
        """Remember that a robot came, is here, or went (``reason``).

        Read at once, written within a second or at `close`; the record keeps its version. A robot
        that comes and has no record gets one: only servers without accounts see such. One that
        goes and has none was deleted, and gets none.
        """

    # --- the audit trail ---

    async def audit(self, deed: Deed) -> AuditEntry:
        """Note ``deed``; it is on disk when this returns."""

    async def audit_entries(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Return entries of the trail."""

    # --- being told ---

    def watch(self, on_change: Callable[[Record | None, Record | None], None]) -> None:
        """Call ``on_change(before, after)`` after each record's change, on the loop's thread."""
