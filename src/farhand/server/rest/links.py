"""Addresses of this server, as others reach it."""

import re

from starlette.requests import Request

from farhand.server.context import Context

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


def base_url(context: Context, request: Request) -> str:
    """Return the server's address, with its path prefix and without a slash at its end.

    From the configuration; without one from the request, whose ``Host`` is the sender's word: what
    is made of it is shown to nobody else.
    """
    settings = context.settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = f"{settings.host}:{settings.port}"
    return f"{request.url.scheme}://{host}{settings.root_path}"
