"""What those who run the server ask it: does it live, may it get requests, what are its figures."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from farhand.errors import Code, FarhandError
from farhand.server.context import Context
from farhand.server.metrics import CONTENT_TYPE, Metrics
from farhand.server.problems import Problem, problem
from farhand.store.base import AuditQuery, Store

log = structlog.get_logger(__name__)

STORE_TIMEOUT_S = 2.0
_MAY_READ = frozenset({"admin", "program"})
_PASSED_ON = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
_REFUSED = {"description": "No.", "content": {"application/problem+json": {}}}


def _described(example: str, *refusals: int) -> dict[int | str, dict[str, Any]]:
    ok = {"description": "Done.", "content": {"text/plain": {"example": example}}}
    return {200: ok, **dict.fromkeys(refusals, _REFUSED)}


_HEALTHZ = _described("ok")
_READYZ = _described("ok", 503)
_METRICS = _described("farhand_robots 3", 401, 403, 429)


def router(context: Context, metrics: Metrics, is_draining: Callable[[], bool]) -> APIRouter:
    """Return the routes ``/healthz``, ``/readyz`` and ``/metrics``."""
    routes = APIRouter(tags=["operations"])

    @routes.get(
        "/healthz",
        summary="Say that this process lives; it asks nothing else.",
        response_class=Response,
        responses=_HEALTHZ,
    )
    async def healthz() -> Response:
        return _plain("ok\n")

    @routes.get(
        "/readyz",
        summary="Say whether requests may be sent here.",
        response_class=Response,
        responses=_READYZ,
    )
    async def readyz() -> Response:
        if is_draining():
            return problem(503, Code.GOING_AWAY, "The server is going away.")
        if not await answers(context.store):
            return problem(503, Code.STORE_UNREACHABLE, "The store does not answer.")
        return _plain("ok\n")

    @routes.get(
        "/metrics",
        summary="Return the figures in Prometheus' text format.",
        response_class=Response,
        responses=_METRICS,
    )
    async def figures(request: Request) -> Response:
        if not is_from_here(request):
            principal = await context.guard.principal(request)
            if principal.role not in _MAY_READ:
                raise Problem(403, Code.FORBIDDEN, "Figures are for admins and programs.")
        return Response(
            metrics.exposition(), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"}
        )

    return routes


async def answers(store: Store) -> bool:
    """Say whether the store can be read, within 2 s."""
    try:
        async with asyncio.timeout(STORE_TIMEOUT_S):
            await store.audit_entries(AuditQuery(limit=1, newest=True))
    except (FarhandError, OSError, TimeoutError) as exc:
        log.warning("the store does not answer", reason=str(exc))
        return False
    return True


def is_from_here(request: Request) -> bool:
    """Say whether a program of this machine asks, and not a proxy on it for somebody else."""
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _plain(text: str) -> Response:
    return Response(text, media_type="text/plain", headers={"Cache-Control": "no-store"})
