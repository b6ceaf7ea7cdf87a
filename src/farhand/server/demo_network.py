"""``/v1/demo/network``: the switch of `farhand demo` that makes the network bad.

No other server has it.
"""

from pathlib import Path

import msgspec
from fastapi import APIRouter
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from farhand.errors import Code
from farhand.media import bad_network
from farhand.media.bad_network import BadNetwork, Counts
from farhand.server.context import Context
from farhand.server.probes import is_from_here
from farhand.server.problems import Problem

MAX_BODY = 1024


class Shown(Struct, frozen=True, rename="camel"):
    """The network as it is, and what it has done."""

    delay_ms: int
    """One way."""
    loss_percent: float
    may_change: bool
    """Whether whoever asks may: on the machine of the demo only."""
    counts: Counts


def router(context: Context, file: Path) -> APIRouter:
    """Return the routes; ``file`` is the demo's."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/v1/demo/network")
    async def show(request: Request) -> Response:
        await context.guard.principal(request)
        return _shown(file, request)

    @routes.put("/v1/demo/network")
    async def change(request: Request) -> Response:
        await context.guard.principal(request)  # refuses pages of other sites too
        if not is_from_here(request):
            raise Problem(403, Code.FORBIDDEN, "Only on the machine on which the demo runs.")
        bad_network.write(file, await _wanted(request))
        return _shown(file, request)

    return routes


async def _wanted(request: Request) -> BadNetwork:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise Problem(413, Code.TOO_LARGE, "Too large for a delay and a loss.")
    try:
        return msgspec.json.decode(bytes(body), type=BadNetwork)
    except (msgspec.MsgspecError, UnicodeError) as exc:
        fix = 'Send {"delayMs": 0-2000, "lossPercent": 0-50}.'
        raise Problem(422, Code.MALFORMED, "That is no network.", fix) from exc


def _shown(file: Path, request: Request) -> Response:
    now = bad_network.read(file)
    shown = Shown(
        now.delay_ms, now.loss_percent, is_from_here(request), bad_network.all_counts(file)
    )
    return Response(
        msgspec.json.encode(shown),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
