"""The audit trail: by pages, as one stream, and whether it is what was written."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response, StreamingResponse

from farhand.errors import Code
from farhand.server.problems import Problem
from farhand.server.rest import rights
from farhand.server.rest.answers import NO_STORE, Answer
from farhand.server.rest.fields import MAX_PAGE, NoQuery, Short, View
from farhand.server.rest.operation import Call, Operations
from farhand.store.audit import Chain
from farhand.store.base import AuditQuery, Store
from farhand.store.records import AuditEntry, Service

BATCH = 1000
NDJSON = "application/x-ndjson"


class TrailQuery(NoQuery, frozen=True, kw_only=True):
    """Which entries."""

    after: Annotated[int, Meta(ge=0, le=2**53, description="Only above this number.")] = 0
    cursor: Annotated[str, Meta(max_length=32, description="`next` of the page before.")] = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] | None = None
    """Of a stream: none, all of them."""
    service: Short = ""
    robot: Short = ""
    action: Annotated[Short, Meta(description="A prefix: `robot.`")] = ""
    newest: Annotated[bool, Meta(description="The last ones instead, still oldest first.")] = False
    format: Literal["json", "ndjson"] = "json"


class Trail(View, frozen=True):
    """A page of the trail, oldest first."""

    entries: list[AuditEntry]
    next: str | None


class Verdict(View, frozen=True):
    """Whether the trail is what was written."""

    ok: bool
    entries: int
    """Those that are, from the first on."""
    broken_at: int | None
    """Number of the first entry that is not."""


async def read_audit(call: Call[Any, TrailQuery]) -> Answer | Response:
    """Return what was done, oldest first; as NDJSON all of it, if no limit is given."""
    wanted, query = _wanted(call), call.query
    store = call.context.store
    if query.format == "ndjson":
        lines = _lines(store, wanted, query.limit)
        return StreamingResponse(lines, headers=NO_STORE, media_type=NDJSON)
    limit = query.limit or wanted.limit
    found = list(await store.audit_entries(replace(wanted, limit=limit + 1)))
    if query.newest:
        return Answer(Trail(entries=found[-limit:], next=None))
    more = len(found) > limit
    shown = found[:limit]
    return Answer(Trail(entries=shown, next=str(shown[-1].seq) if more else None))


def _wanted(call: Call[Any, TrailQuery]) -> AuditQuery:
    query, who = call.query, call.principal
    if query.cursor and not (query.cursor.isascii() and query.cursor.isdigit()):
        raise Problem(422, Code.MALFORMED, "The cursor is none of this list.")
    services: frozenset[str] | None = None
    if not who.is_admin:
        all_ = call.context.store.all(Service)
        services = frozenset(one.id for one in all_ if who.manages(one.id))
        if not services:
            raise rights.forbidden("Only those who manage a service may read what was done there.")
    if query.service:
        rights.service(call.context, who, query.service, manage=True)
        services = frozenset([query.service])
    after = int(query.cursor[:18]) if query.cursor else query.after
    return AuditQuery(
        after=after,
        limit=query.limit or MAX_PAGE,
        service_ids=services,
        robot_id=query.robot,
        action=query.action,
        newest=query.newest,
    )


async def _lines(store: Store, wanted: AuditQuery, limit: int | None) -> AsyncIterator[bytes]:
    left = limit
    while left is None or left > 0:
        batch = await store.audit_entries(
            replace(wanted, limit=BATCH if left is None else min(BATCH, left))
        )
        if not batch:
            return
        yield b"".join(msgspec.json.encode(entry) + b"\n" for entry in batch)
        if wanted.newest:
            return
        left = None if left is None else left - len(batch)
        wanted = replace(wanted, after=batch[-1].seq)


async def verify_audit(call: Call[Any, Any]) -> Answer:
    """Go through the whole chain, and say whether every entry is what was written."""
    rights.require_admin(call.principal)
    chain, after = Chain(), 0
    while batch := await call.context.store.audit_entries(AuditQuery(after=after, limit=BATCH)):
        # On a thread: hashing a million entries must not hold up anybody's STOP.
        await asyncio.to_thread(_check, chain, batch)
        after = batch[-1].seq
    verdict = Verdict(ok=chain.broken_at is None, entries=chain.entries, broken_at=chain.broken_at)
    return Answer(verdict)


def _check(chain: Chain, entries: Sequence[AuditEntry]) -> None:
    for entry in entries:
        chain.add(entry)


EXAMPLE = AuditEntry(
    seq=12,
    at_ms=1_767_225_600_000,
    actor="user:u-1",
    actor_name="ana",
    action="robot.start",
    result="ok",
    service_id="site-a",
    robot_id="rover-1",
    target="robot:rover-1",
    address="192.0.2.7",
    previous="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    digest="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    tag = "Audit"
    api.add(
        "GET", "/v1/audit", read_audit, tag=tag, query=TrailQuery, answer=Trail,
        example=Trail(entries=[EXAMPLE], next=None), media_types=("application/json", NDJSON),
    )  # fmt: skip
    api.add(
        "GET", "/v1/audit/verify", verify_audit, tag=tag, answer=Verdict,
        example=Verdict(ok=True, entries=12, broken_at=None),
    )  # fmt: skip
