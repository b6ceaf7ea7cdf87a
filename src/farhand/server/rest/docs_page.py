"""The page at `/docs`: the OpenAPI document for people, without the network."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

FOLDER = Path(__file__).parent / "docs_files"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KINDS = {"docs.js": "text/javascript; charset=utf-8", "docs.css": "text/css; charset=utf-8"}


def docs_router() -> APIRouter:
    """Return the routes of the page. Its links are relative: it works below any path prefix."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def page(_: Request) -> Response:
        html = (FOLDER / "docs.html").read_text(encoding="utf-8")
        return HTMLResponse(html, headers=_headers("no-cache"))

    for name, kind in _KINDS.items():
        router.add_api_route(f"/docs/{name}", _file(name, kind), methods=["GET"])
    return router


def _file(name: str, kind: str) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return FileResponse(FOLDER / name, media_type=kind, headers=_headers("no-cache"))

    return send


def _headers(caching: str) -> dict[str, str]:
    return {
        "Cache-Control": caching,
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
