"""The list of robots, from the server's REST interface."""

import asyncio
import urllib.request
from http.client import HTTPException
from urllib.parse import urlencode, urlsplit

import msgspec

from farhand.link.reasons import unreachable
from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.protocol.messages import Status

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 5.0


class RobotInfo(msgspec.Struct, frozen=True, rename="camel"):
    """One robot as the server knows it."""

    robot_id: RobotId
    online: bool
    manifest: Manifest | None = None
    status: Status | None = None


class _List(msgspec.Struct, frozen=True):
    robots: list[RobotInfo]


def _get(url: str, token: str | None) -> bytes:
    # The scheme was checked by the link, which is connected to the same address.
    request = urllib.request.Request(url)  # noqa: S310
    if token is not None:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        return bytes(answer.read(MAX_BYTES))


async def list_robots(url: str, service: ServiceId, token: str | None = None) -> list[RobotInfo]:
    """Return the robots of ``service`` at the server ``url``.

    Raises:
        ConnectionClosed: FH-4001, no answer, or not one of ours.

    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    query = urlencode({"service": service})
    address = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/v1/robot?{query}"
    try:
        data = await asyncio.to_thread(_get, address, token)
        return msgspec.json.decode(data, type=_List).robots
    except (OSError, HTTPException, msgspec.DecodeError) as exc:
        raise unreachable(address, exc) from exc
