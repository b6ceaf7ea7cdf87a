"""Changing one record that others may change too, and what goes with a record."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from farhand.core.access import Access
from farhand.errors import VersionConflict
from farhand.server.rest.operation import Call
from farhand.server.rest.reading import check_match
from farhand.store.base import Change, Deed, Put, Store
from farhand.store.records import Record, Token, User

TRIES = 10
FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.2

R = TypeVar("R", bound=Record)
T = TypeVar("T")


async def change(
    call: Call[Any, Any], find: Callable[[], R], make: Callable[[R], R], deed: Deed
) -> R:
    """Replace a record by what ``make`` makes of it, and return what is stored.

    With ``If-Match`` it must be the version that the sender has seen; without, it is tried again
    while others are faster.

    Args:
        call: The request.
        find: Returns the record as it is now, or refuses.
        make: Returns what it is to be.
        deed: For the audit trail.

    Raises:
        Problem: 412 FH-3027, and what ``find`` raises.
        VersionConflict: Others were faster again and again.

    """

    async def once() -> R:
        record = find()
        check_match(call.request, record.version)
        stored, *_rest = await call.context.store.write(Put(make(record)), deed=deed)
        assert isinstance(stored, type(record))  # noqa: S101 - what was put
        return stored

    return await insist(once)


async def insist(once: Callable[[], Awaitable[T]]) -> T:
    """Do ``once`` until nobody was faster: it reads what it changes anew each time.

    Raises:
        VersionConflict: Others were faster again and again.

    """
    for n in range(TRIES):
        try:
            return await once()
        except VersionConflict:
            # What the faster one has written can be read when it is on disk, not before.
            await asyncio.sleep(min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S))
    return await once()


def without_access(store: Store, is_gone: Callable[[Access], bool]) -> list[Change]:
    """Return what takes lines out of everybody's access list.

    A service or robot of the same id that is made later is another one: nobody's yet.
    """
    changes: list[Change] = []
    holders: Sequence[User | Token] = [*store.all(User), *store.all(Token)]
    for holder in holders:
        kept = tuple(line for line in holder.access if not is_gone(line))
        if kept != holder.access:
            changes.append(Put(replace(holder, access=kept)))
    return changes
