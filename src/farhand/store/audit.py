"""The chain of the audit trail: each entry's digest covers the one before it."""

import hashlib
import hmac
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from farhand.store.base import Deed
from farhand.store.records import AuditEntry

_ENCODER = msgspec.json.Encoder(order="sorted")


def digest_of(entry: AuditEntry) -> str:
    """Return the SHA-256 of everything in ``entry`` but its own digest."""
    return hashlib.sha256(_ENCODER.encode(replace(entry, digest=""))).hexdigest()


def chained(deed: Deed, last: AuditEntry | None, at_ms: int) -> AuditEntry:
    """Return ``deed`` as the entry behind ``last``."""
    entry = AuditEntry(
        seq=last.seq + 1 if last else 1,
        at_ms=at_ms,
        actor=_storable(deed.actor),
        actor_name=_storable(deed.actor_name),
        action=_storable(deed.action),
        result=_storable(deed.result),
        service_id=_storable(deed.service_id),
        robot_id=_storable(deed.robot_id),
        target=_storable(deed.target),
        address=_storable(deed.address),
        detail={_storable(name): _storable(text) for name, text in deed.detail.items()},
        previous=last.digest if last else "",
    )
    return replace(entry, digest=digest_of(entry))


def _storable(text: str) -> str:
    """Return ``text`` without what PostgreSQL cannot hold: strangers choose names, too."""
    clean = text.replace("\0", "\ufffd")
    return clean if clean.isascii() else clean.encode("utf-8", "replace").decode()


class Chain:
    """Checks a trail entry by entry, oldest first, in constant memory."""

    def __init__(self) -> None:
        self.entries = 0
        """How many were what they were."""
        self.broken_at: int | None = None
        """Number of the first that is not; ``None``: none so far."""
        self._previous = ""

    def add(self, entry: AuditEntry) -> None:
        """Check the next entry; after a broken one nothing more is said."""
        if self.broken_at is not None:
            return
        expected = self.entries + 1
        is_next = entry.seq == expected and entry.previous == self._previous
        if is_next and hmac.compare_digest(entry.digest.encode(), digest_of(entry).encode()):
            self.entries, self._previous = entry.seq, entry.digest
        else:
            self.broken_at = expected


def first_broken(entries: Iterable[AuditEntry]) -> int | None:
    """Return the number of the first entry that is not what it was; ``None``: all are.

    Args:
        entries: The whole trail, oldest first.

    """
    chain = Chain()
    for entry in entries:
        chain.add(entry)
    return chain.broken_at
