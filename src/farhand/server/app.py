"""The HTTP side: REST, the console, and the errors of both, in one FastAPI application."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from farhand import __version__
from farhand.errors import Code, FarhandError
from farhand.server.console_files import ConsoleFiles
from farhand.server.context import Context
from farhand.server.problems import Problem, problem, problem_of, refusal
from farhand.server.rest import openapi
from farhand.server.rest.default_rooms import furnish_default
from farhand.server.rest.docs_page import docs_router
from farhand.server.rest.operation import Operations
from farhand.server.rest.routes import api_operations

log = structlog.get_logger(__name__)

PAGES = (
    "/",
    "/fleet",
    "/fleet/{robot_id}",
    "/fleet/{robot_id}/{tab}",
    "/drive/{robot_id}",
    "/events",
    "/login",
    "/login/password",
    "/enroll",
    "/admin",
    "/admin/{path:path}",
)
"""The console's own routes: each is served the same page."""
_CODES = {404: Code.NOT_FOUND, 405: Code.WRONG_METHOD}
"""What the framework refuses by itself, before a handler of ours is asked."""

Part = Callable[[], AbstractAsyncContextManager[Any]]
"""Something that runs while the server does."""


def make_app(
    context: Context,
    console: ConsoleFiles,
    extra: Sequence[Operations | APIRouter] = (),
    *,
    parts: Sequence[Part] = (),
    middleware: Sequence[Middleware] = (),
) -> FastAPI:
    """Return the application. The sockets are none of its business: see server/socket.py.

    Args:
        context: What the handlers use. Its store is opened and closed with the application.
        console: The pages.
        extra: Further operations, such as those of accounts, and routes of other kinds.
        parts: Entered when the store is open, left in reverse order before it is closed.
        middleware: Outermost first.

    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await context.store.open()
        try:
            await furnish_default(context.store)
            async with AsyncExitStack() as stack:
                for part in parts:
                    await stack.enter_async_context(part())
                context.gateway.start()
                yield
                context.gateway.stop()
        finally:
            await context.store.close()

    # FastAPI's documentation pages load their script from a CDN: no page of ours needs the network.
    app = FastAPI(
        title="farhand",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=list(middleware),
    )
    rest = api_operations(context)
    groups = [rest, *(one for one in extra if isinstance(one, Operations))]
    routers = [one.router if isinstance(one, Operations) else one for one in (rest, *extra)]
    for router in (*routers, docs_router()):
        app.include_router(router)
    openapi.install(app, [operation for group in groups for operation in group.all])
    _add_console(app, console)
    app.add_exception_handler(FarhandError, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _add_console(app: FastAPI, console: ConsoleFiles) -> None:
    async def page(request: Request) -> Response:
        return console.page(request)

    for path in PAGES:
        app.add_route(path, page, methods=["GET", "HEAD"], include_in_schema=False)

    @app.get("/version.json", include_in_schema=False)
    async def version() -> Response:
        return JSONResponse(console.version(), headers={"Cache-Control": "no-store"})

    @app.get("/{path:path}", include_in_schema=False)
    async def file(request: Request, path: str) -> Response:
        found = console.file(path)
        if found is None and "text/html" in request.headers.get("accept", ""):
            found = console.page(request)  # it says in words that there is nothing here
            found.status_code = max(found.status_code, 404)
        return found or problem(404, Code.NOT_FOUND, "There is nothing here.")


async def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, FarhandError)  # noqa: S101 - registered for nothing else
    answer = problem_of(exc)
    if answer.status >= 500:
        log.error("request failed", path=request.url.path, code=exc.code, exc_info=exc)
    return refusal(request, answer)


async def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for nothing else
    code = _CODES.get(exc.status_code, Code.MALFORMED)
    answer = refusal(request, Problem(exc.status_code, code, str(exc.detail)))
    answer.headers.update(exc.headers or {})  # such as Allow
    return answer


async def _invalid(request: Request, _exc: Exception) -> Response:
    return refusal(request, Problem(422, Code.MALFORMED, "The request is not valid."))
