"""What all operations have in common: decode, ask who it is, handle, answer in the right shape."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from farhand.core.access import Principal
from farhand.errors import FarhandError
from farhand.server.context import Context
from farhand.server.problems import is_documented
from farhand.server.rest import documented
from farhand.server.rest.answers import Result, render
from farhand.server.rest.documented_shapes import Shapes
from farhand.server.rest.fields import NoQuery, Nothing
from farhand.server.rest.idempotency import Idempotency
from farhand.server.rest.reading import address_of, body_as, query_as, read_body
from farhand.store.base import Deed

B = TypeVar("B")
Q = TypeVar("Q")

NOBODY = Principal("open", "", "", "guest")
"""Who sends a request to an operation that asks nobody who they are."""


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One request, decoded."""

    context: Context
    request: Request
    principal: Principal
    body: B
    query: Q

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def deed(self, action: str, **about: Any) -> Deed:
        """Return what the audit trail says about this request."""
        who = self.principal
        return Deed(
            actor=f"{who.kind}:{who.id}",
            actor_name=who.name,
            action=action,
            address=address_of(self.request),
            **about,
        )


Handler = Callable[[Call[Any, Any]], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with all that the documentation says about it."""

    method: str
    paths: tuple[str, ...]
    """The first is the one in the documentation."""
    handler: Handler
    tag: str
    status: int = 200
    body: type[Any] = Nothing
    query: type[Any] = NoQuery
    answer: Any = None
    """Type of the answer, or of a list's entries; ``None``: there is no content."""
    plural: str = ""
    """Name of the list in the answer; empty: it is no list."""
    example: Any = None
    """Of the answer, or of a list's entry."""
    body_example: Any = None
    also: Mapping[int, Any] = field(default_factory=dict)
    """Other statuses of success, and what comes with them."""
    is_public: bool = False
    media_types: tuple[str, ...] = field(default=("application/json",))

    @property
    def name(self) -> str:
        """``operationId``."""
        return str(getattr(self.handler, "__name__", "operation"))


class Operations:
    """A group of operations, as routes.

    Args:
        context: Handed to each call.
        kept: Remembers answers by ``Idempotency-Key``.

    """

    def __init__(self, context: Context, kept: Idempotency | None = None) -> None:
        self.router = APIRouter()
        self.all: list[Operation] = []
        self._context = context
        self._kept = kept or Idempotency(time.monotonic)

    def add(self, method: str, path: str | Sequence[str], handler: Handler, **more: Any) -> None:
        """Register an operation; ``more`` are the members of :class:`Operation`."""
        paths = (path,) if isinstance(path, str) else tuple(path)
        operation = Operation(method, paths, handler, **more)
        self.all.append(operation)

        async def endpoint(request: Request) -> Response:
            return await self._answer(operation, request)

        for one in paths:
            # include_in_schema: openapi.py describes them, from the structs that decode them.
            self.router.add_api_route(
                one, endpoint, methods=[method], include_in_schema=False, response_model=None
            )

    async def _answer(self, operation: Operation, request: Request) -> Response:
        raw = b"" if operation.method == "GET" else await read_body(request)
        principal = NOBODY
        if not operation.is_public:
            principal = await self._context.guard.principal(request)

        async def do() -> Response:
            if is_documented(request):
                return await self._do_documented(operation, request, principal, raw)
            result, query = await self._do(operation, request, principal, raw)
            return render(result, operation.status, operation.plural, query)

        key = request.headers.get("idempotency-key")
        if key is None or operation.method != "POST" or operation.is_public:
            return await do()
        where = (request.url.path, request.url.query, is_documented(request))
        owner = (principal.kind, principal.id)
        return await self._kept.once(owner, (key, *where), raw, do)

    async def _do_documented(
        self, operation: Operation, request: Request, principal: Principal, raw: bytes
    ) -> Response:
        shapes = Shapes(self._context, principal)
        try:
            result, _ = await self._do(operation, request, principal, raw)
        except FarhandError as exc:
            return documented.refused(operation.name, shapes, request, exc)
        return await documented.render(operation.name, shapes, request, result)

    async def _do(
        self, operation: Operation, request: Request, principal: Principal, raw: bytes
    ) -> tuple[Result, Any]:
        query = dict(request.query_params)
        if is_documented(request):
            raw, query = documented.understood(operation.name, raw, query)
        call = Call(
            self._context,
            request,
            principal,
            body_as(operation.body, raw),
            query_as(operation.query, query),
        )
        return await operation.handler(call), call.query
