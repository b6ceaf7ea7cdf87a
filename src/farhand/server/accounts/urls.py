"""Where people reach this server."""

from starlette.requests import Request

from farhand.server.settings import ServerSettings


def public_base(request: Request, settings: ServerSettings) -> str:
    """Return the address for links, with the path prefix, without a slash at its end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"{request.url.scheme}://{request.headers.get('host', '')}{settings.root_path}"
