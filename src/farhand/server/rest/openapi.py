"""The OpenAPI document, made of the structs that decode and encode: it cannot say anything else."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI

from farhand.errors import Code
from farhand.server.rest.fields import Json, Nothing
from farhand.server.rest.operation import Operation

REF = "#/components/schemas/{name}"
PROBLEM = "application/problem+json"
_PARAMETER = re.compile(r"\{(\w+)\}")
_REFUSALS = {
    400: "The request cannot be read.",
    401: "No credential came, or none that is valid here.",
    403: "You may see this, but not do that.",
    404: "There is nothing of this id, or nothing that is yours.",
    409: "It is in the way of something that is there, or of its state.",
    412: "Somebody else has changed it meanwhile.",
    413: "The body is too long.",
    422: "The body or the query is not valid; the text names the member.",
    429: "Too many requests; `Retry-After` says when to come again.",
    503: "The records cannot be reached.",
}
_PUBLIC_REFUSALS = frozenset(_REFUSALS) - {412}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    """One of the error codes."""
    detail: str
    field: str = ""
    """Member of the body that is wrong, if it is one."""


def install(app: FastAPI, operations: Sequence[Operation]) -> None:
    """Let ``app`` describe ``operations`` beside the routes that FastAPI knows by itself."""
    own = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = own()
            describe(document, operations)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def describe(document: Json, operations: Sequence[Operation]) -> None:
    """Add ``operations`` to an OpenAPI document."""
    kinds = [kind for one in operations for kind in _types(one)]
    schemas, components = msgspec.json.schema_components([*kinds, Problem], ref_template=REF)
    by_type = dict(zip([*kinds, Problem], schemas, strict=True))
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {}).update(components)
    parts.setdefault("securitySchemes", {}).update(_security())
    paths = document.setdefault("paths", {})
    for one in operations:
        paths.setdefault(one.paths[0], {})[one.method.lower()] = _operation(one, by_type)


def _types(one: Operation) -> Iterable[Any]:
    yield one.query
    if one.body is not Nothing:
        yield one.body
    yield from (kind for kind in (one.answer, *one.also.values()) if kind is not None)


def _security() -> Json:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API token: `fh_…`."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "farhand_session"},
    }


def _operation(one: Operation, by_type: dict[Any, Json]) -> Json:
    summary, _, more = (one.handler.__doc__ or one.name).strip().partition("\n")
    described: Json = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": summary.rstrip("."),
        "description": " ".join(more.split()),
        "parameters": [*_path(one), *_query(one), *_headers(one)],
        "responses": _responses(one, by_type),
        "security": [] if one.is_public else [{"bearer": []}, {"cookie": []}],
    }
    if one.body is not Nothing:
        content: Json = {"schema": by_type[one.body]}
        content["example"] = _plain(one.body_example)
        needed = any(field.required for field in msgspec.structs.fields(one.body))
        described["requestBody"] = {"required": needed, "content": {"application/json": content}}
    return described


def _path(one: Operation) -> Iterable[Json]:
    for name in _PARAMETER.findall(one.paths[0]):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query(one: Operation) -> Iterable[Json]:
    schema, components = msgspec.json.schema_components([one.query], ref_template=REF)
    for name, member in components[one.query.__name__].get("properties", {}).items():
        parameter: Json = {"name": name, "in": "query", "required": False}
        shape = {key: value for key, value in member.items() if key != "description"}
        if "anyOf" in shape:  # there is no null in a query
            kinds = [kind for kind in shape.pop("anyOf") if kind != {"type": "null"}]
            shape = {**kinds[0], **{k: v for k, v in shape.items() if v is not None}}
        if "description" in member:
            parameter["description"] = member["description"]
        yield parameter | {"schema": {k: v for k, v in shape.items() if v is not None}}
    del schema


def _headers(one: Operation) -> Iterable[Json]:
    if one.method == "POST" and not one.is_public:
        yield _header(
            "Idempotency-Key", "The same key, the same deed: for 24 h nothing is done twice."
        )
    if one.method in {"PATCH", "DELETE"}:
        yield _header("If-Match", 'The `ETag` that you have seen, such as `"v3"`.')


def _header(name: str, description: str) -> Json:
    shape = {"type": "string", "minLength": 1, "maxLength": 255}
    return {
        "name": name, "in": "header", "required": False, "description": description,
        "schema": shape,
    }  # fmt: skip


def _responses(one: Operation, by_type: dict[Any, Json]) -> Json:
    found: Json = {str(one.status): _success(one, by_type)}
    for status, kind in one.also.items():
        content = {"application/json": {"schema": by_type[kind]}}
        found[str(status)] = {"description": "Not yet.", "content": content}
    for status, text in _REFUSALS.items():
        if one.is_public and status not in _PUBLIC_REFUSALS:
            continue
        content = {PROBLEM: {"schema": by_type[Problem], "example": _refusal(status, text)}}
        found[str(status)] = {"description": text, "content": content}
    return found


def _refusal(status: int, text: str) -> Json:
    example = Problem("about:blank", text, status, Code.NOT_FOUND, text)
    return dict(msgspec.to_builtins(example))


def _success(one: Operation, by_type: dict[Any, Json]) -> Json:
    if one.answer is None or one.status == 204:
        return {"description": "Done."}
    schema, example = by_type[one.answer], _plain(one.example)
    if one.plural:
        schema = _list_schema(one.plural, schema)
        example = {one.plural: [example], "total": 1, "next": None}
    content: Json = {"application/json": {"schema": schema, "example": example}}
    for other in one.media_types[1:]:
        content[other] = {"schema": {"type": "string"}}
    return {"description": "Done.", "content": content}


def _list_schema(plural: str, entry: Json) -> Json:
    return {
        "type": "object",
        "required": [plural, "next"],
        "properties": {
            plural: {"type": "array", "items": entry},
            "total": {"type": "integer", "minimum": 0, "description": "Where it is known."},
            "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }


def _plain(example: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(example))
