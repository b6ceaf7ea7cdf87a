"""From which page a request comes: a browser sends our cookie along for whoever asks it to."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request

from farhand.errors import Code
from farhand.server.origin import is_allowed
from farhand.server.problems import Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def origin_of(url: str) -> str:
    """Return the origin of a URL; empty: it has none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def check_page(request: Request, allowed: Collection[str] = ()) -> None:
    """Refuse a request that a foreign page has a browser send. Programs name no page.

    Args:
        request: The request.
        allowed: Origins besides our own.

    Raises:
        Problem: 403 FH-2001.

    """
    origins = request.headers.getlist("origin")
    if not all(_is_ours(request, origin, allowed) for origin in origins):
        raise _refused()
    site = request.headers.get("sec-fetch-site", "none")
    if not origins and site not in {"none", "same-origin"}:
        raise _refused()


def check_own_page(request: Request, allowed: Collection[str] = ()) -> None:
    """Let only requests of our own pages through: what comes with a cookie proves no more.

    Raises:
        Problem: 403 FH-2001.

    """
    check_page(request, allowed)
    is_named = "origin" in request.headers
    if not is_named and request.headers.get("sec-fetch-site") != "same-origin":
        raise _refused()


def _is_ours(request: Request, origin: str, allowed: Collection[str]) -> bool:
    if origin in allowed:
        return True
    if request.url.scheme == "https" and not origin.startswith("https:"):
        return False
    hosts = request.headers.getlist("host")
    return len(hosts) == 1 and is_allowed(origin, hosts[0], ())


def _refused() -> Problem:
    text = "Pages of this origin may not do this."
    return Problem(403, Code.ORIGIN_REFUSED, text, "Open the console from the server itself.")
