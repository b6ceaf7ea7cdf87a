"""Lists by pages: a cursor says behind which entry the next one begins.

It holds the entry's key, not its number: what comes or goes meanwhile moves no page.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from farhand.errors import Code
from farhand.server.problems import Problem
from farhand.server.rest.fields import PageQuery

T = TypeVar("T")
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """What a list operation found; only a page of it is turned into views."""

    items: Sequence[T]
    """In any order."""
    key: Callable[[T], Key]
    """Tells them apart, and orders them."""
    view: Callable[[T], Any]


def page(listing: Listing[T], query: PageQuery) -> tuple[list[Any], str | None]:
    """Return the views of one page, and the cursor of the next; ``None``: it was the last.

    Raises:
        Problem: 422 FH-3001 the cursor is none of ours.

    """
    items = sorted(listing.items, key=listing.key)
    if query.cursor:
        after = _key_of(query.cursor)
        items = [item for item in items if listing.key(item) > after]
    shown = items[: query.limit]
    more = len(items) > len(shown)
    return [listing.view(item) for item in shown], _cursor(listing.key(shown[-1])) if more else None


def _cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def _key_of(cursor: str) -> Key:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[str, ...])
    except (ValueError, msgspec.DecodeError) as exc:
        raise Problem(422, Code.MALFORMED, "The cursor is none of this list.") from exc
