"""What a handler returns, and its native form: camelCase JSON that nobody keeps."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response

from farhand.server.rest.fields import PageQuery
from farhand.server.rest.pages import Listing, page
from farhand.server.rest.reading import etag

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing."""

    value: Any = None
    status: int = 0
    """0: the one that is usual for the operation."""
    version: int | None = None
    """Of the record, for the ``ETag``."""
    headers: dict[str, str] = field(default_factory=dict)


Result = Answer | Listing[Any] | Response


def render(result: Result, status: int, plural: str, query: Any) -> Response:
    """Return ``result`` as a native client reads it."""
    if isinstance(result, Response):
        return result
    if isinstance(result, Listing):
        shown = query if isinstance(query, PageQuery) else PageQuery()
        items, after = page(result, shown)
        return as_json({plural: items, "total": len(result.items), "next": after}, 200)
    headers = dict(result.headers)
    if result.version is not None:
        headers["ETag"] = etag(result.version)
    status = result.status or status
    if status == 204:
        return Response(status_code=204, headers=NO_STORE | headers)
    return as_json(result.value, status, headers)


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return ``value`` as JSON."""
    return Response(
        msgspec.json.encode(value),
        status,
        headers=NO_STORE | (headers or {}),
        media_type="application/json",
    )
