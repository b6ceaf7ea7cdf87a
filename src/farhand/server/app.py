"""The HTTP side: REST, the console, and the errors of both, in one FastAPI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from farhand import __version__
from farhand.errors import Code
from farhand.server.console_files import ConsoleFiles
from farhand.server.gateway import Gateway
from farhand.server.http_api import api
from farhand.server.problems import problem
from farhand.store.base import Store

PAGES = ("/", "/fleet", "/drive/{robot_id}")
"""The console's own routes: each is served the same page."""
_CODES = {404: Code.NOT_FOUND, 405: Code.WRONG_METHOD}
"""What the framework refuses by itself, before a handler of ours is asked."""


def make_app(gateway: Gateway, store: Store, console: ConsoleFiles) -> FastAPI:
    """Return the application. The sockets are none of its business: see server/socket.py."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        gateway.start()
        yield
        gateway.stop()

    # FastAPI's documentation pages load their script from a CDN: no page of ours needs the network.
    app = FastAPI(
        title="farhand", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.include_router(api(gateway, store))
    _add_console(app, console)
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
    async def file(path: str) -> Response:
        return console.file(path) or problem(404, Code.NOT_FOUND, "There is nothing here.")


async def _http_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for nothing else
    code = _CODES.get(exc.status_code, Code.MALFORMED)
    answer = problem(exc.status_code, code, str(exc.detail))
    answer.headers.update(exc.headers or {})  # such as Allow
    return answer


async def _invalid(_request: Request, _exc: Exception) -> Response:
    return problem(422, Code.MALFORMED, "The request is not valid.")
