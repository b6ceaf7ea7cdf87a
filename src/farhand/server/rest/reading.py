"""From the bytes of a request to a struct, or a refusal that names what is wrong."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from farhand.errors import Code
from farhand.server.problems import Problem

MAX_BODY = 64 * 1024
BODY_S = 10.0
"""From a request's head to the end of its body: who sends a byte an hour holds no socket."""
_FIELD = re.compile(r"at `\$\.(\w+)|(?:unknown|required) field `(\w+)`")

T = TypeVar("T")


async def read_body(request: Request) -> bytes:
    """Return the body.

    Raises:
        Problem: 413 FH-3002 it is longer than `MAX_BODY`; 408 FH-3001 it takes too long.

    """
    try:
        async with asyncio.timeout(BODY_S):
            return await _read(request)
    except TimeoutError as exc:
        text = f"The body did not come within {BODY_S:g} s."
        raise Problem(408, Code.MALFORMED, text) from exc


async def _read(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BODY:
        raise _too_large()
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise _too_large()
            parts.append(part)
    except ClientDisconnect as exc:
        raise Problem(400, Code.MALFORMED, "The body did not come to its end.") from exc
    return b"".join(parts)


def body_as(kind: type[T], raw: bytes) -> T:
    """Return JSON as a struct. No body at all counts as an empty object.

    Raises:
        Problem: 422 FH-3001.

    """
    try:
        return msgspec.json.decode(raw.strip() or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        text = f"The body is not valid: {_words(exc)}."
        raise Problem(422, Code.MALFORMED, text, field=_field(exc)) from exc


def query_as(kind: type[T], query: Mapping[str, str]) -> T:
    """Return the parameters of a URL as a struct.

    Raises:
        Problem: 422 FH-3001.

    """
    try:
        return msgspec.convert(dict(query), kind, strict=False)
    except msgspec.ValidationError as exc:
        raise Problem(422, Code.MALFORMED, f"The query is not valid: {_words(exc)}.") from exc


def check_match(request: Request, version: int) -> None:
    """See to it that the sender has seen this version, if it says which one it has seen.

    Raises:
        Problem: 412 FH-3027.

    """
    wanted = request.headers.get("if-match")
    if wanted is None:
        return
    tags = {tag.strip() for tag in wanted.split(",")}
    if "*" not in tags and etag(version) not in tags:
        raise Problem(
            412,
            Code.VERSION_CHANGED,
            "Somebody else has changed it meanwhile.",
            "Read it again, and repeat your change on that.",
        )


def etag(version: int) -> str:
    """Return a version as the header ``ETag`` has it."""
    return f'"v{version}"'


def address_of(request: Request) -> str:
    """Return where a request comes from; empty: nobody knows."""
    return request.client.host if request.client else ""


def merged(patch: msgspec.Struct, defaults: type[msgspec.Struct]) -> dict[str, Any]:
    """Return what a JSON merge patch sets: ``null`` is a member's default again."""
    usual = {info.name: info.default for info in msgspec.structs.fields(defaults)}
    changes: dict[str, Any] = {}
    for name in patch.__struct_fields__:
        value = getattr(patch, name)
        if value is not msgspec.UNSET:
            changes[name] = usual[name] if value is None else value
    return changes


def _too_large() -> Problem:
    return Problem(413, Code.TOO_LARGE, f"A body has at most {MAX_BODY} bytes.")


def _field(exc: Exception) -> str:
    """Return which member of the body the decoder speaks of, if it says so."""
    found = _FIELD.search(str(exc))
    return next(filter(None, found.groups()), "") if found else ""


def _words(exc: Exception) -> str:
    return str(exc).rstrip(".") or type(exc).__name__
