"""What changes in the records reaches those who are connected: at once, not at their next login."""

import asyncio
from collections.abc import Callable

from farhand.store.base import Store
from farhand.store.records import Login, Record, Robot, Room, Token, User


class Revocation:
    """Has the hub look again at who is there, whenever rights have changed.

    Args:
        store: The records.
        recheck: Throws out whoever is no longer somebody, and ends what is no longer allowed.

    """

    def __init__(self, store: Store, recheck: Callable[[], None]) -> None:
        self._recheck = recheck
        self._is_due = False
        store.watch(self._changed)

    def _changed(self, before: Record | None, after: Record | None) -> None:
        if rights(before) == rights(after):
            return
        if before is None and isinstance(after, User | Token | Login):
            return  # somebody new takes nothing from anybody
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # the records are being read: nobody is here yet
            return
        if isinstance(after, Token | Robot) and after.is_revoked:
            self._recheck()
        # Others a moment later: a robot that moves is gone from one place before it is in the
        # other, and of a transaction we are told one record at a time.
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._look)

    def _look(self) -> None:
        self._is_due = False
        self._recheck()


def rights(record: Record | None) -> tuple[object, ...]:
    """Return what of a record decides who may do what; empty: nothing."""
    match record:
        case User():
            return record.role, record.access, record.is_disabled, record.epoch
        case Token():
            return record.role, record.access, record.is_revoked, record.expires_ms
        case Login():
            return record.id, record.epoch, record.expires_ms
        case Robot():
            return record.id, record.public_key, record.is_revoked, record.tags, record.groups
        case Room():
            return record.name, record.token, record.max_users, record.max_duration_s
    return ()
