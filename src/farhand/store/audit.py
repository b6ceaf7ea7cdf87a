"""The chain of the audit trail: each entry's digest covers the one before it."""

import hashlib
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
        actor=deed.actor,
        actor_name=deed.actor_name,
        action=deed.action,
        result=deed.result,
        service_id=deed.service_id,
        robot_id=deed.robot_id,
        target=deed.target,
        address=deed.address,
        detail=deed.detail,
        previous=last.digest if last else "",
    )
    return replace(entry, digest=digest_of(entry))


def first_broken(entries: Iterable[AuditEntry]) -> int | None:
    """Return the number of the first entry that is not what it was; ``None``: all are.

    Args:
        entries: The whole trail, oldest first.

    """
    seq, previous = 0, ""
    for entry in entries:
        is_next = entry.seq == seq + 1 and entry.previous == previous
        if not is_next or entry.digest != digest_of(entry):
            return seq + 1 if entry.seq != seq + 1 else entry.seq
        seq, previous = entry.seq, entry.digest
    return None
