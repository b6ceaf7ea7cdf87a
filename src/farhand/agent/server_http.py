"""The few things that a robot asks its server over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from farhand.errors import Code, ConfigError, ConnectionClosed

TIMEOUT_S = 8.0
MAX_BYTES = 65_536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def http_url(url: str) -> str:
    """Return the address of the server ``url`` (http, https, ws, wss or none) for HTTP.

    Raises:
        ConfigError: FH-1001, not such an address.

    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    scheme = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(parts.scheme)
    if scheme is None or not parts.hostname:
        text = f"server: {url!r} is no address."
        raise ConfigError(Code.CONFIG_INVALID, text, "Give https://HOST or http://HOST:PORT.")
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


@asynccontextmanager
async def http_client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client for the server at ``url``; what cannot be reached becomes our error.

    Raises:
        ConnectionClosed: FH-4001, no answer.

    """
    base = http_url(url)
    place = urlsplit(base)
    try:
        async with httpx.AsyncClient(
            base_url=base, timeout=TIMEOUT_S, trust_env=place.hostname not in _LOOPBACK
        ) as client:
            yield client
    except httpx.HTTPError as exc:
        where = place.netloc.rpartition("@")[2]
        text = f"No answer from {where}: {type(exc).__name__}."
        raise ConnectionClosed(Code.SERVER_UNREACHABLE, text) from exc


def date_of(answer: httpx.Response) -> float | None:
    """Return the server's wall clock by the header ``Date``, in seconds."""
    try:
        return parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


class _Health(msgspec.Struct):
    timestamp: datetime


async def server_time(url: str) -> float:
    """Return the server's wall clock in seconds.

    Raises:
        ConnectionClosed: FH-4001, no answer, or none that tells the time.

    """
    async with http_client(url) as client:
        answer = await client.get("/health")
    try:
        return msgspec.json.decode(answer.content[:MAX_BYTES], type=_Health).timestamp.timestamp()
    except (msgspec.DecodeError, ValueError) as exc:
        by_header = date_of(answer)
        if by_header is None:
            text = "The server does not tell the time."
            raise ConnectionClosed(Code.SERVER_UNREACHABLE, text) from exc
        return by_header
