"""Which pages may open a socket here.

Browsers let a page of any site open a WebSocket to any server its reader can reach, a robot's on
the same network too. Nothing but the header ``Origin`` tells such a page from the console.
"""

from collections.abc import Collection
from urllib.parse import urlsplit


def is_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Say whether a page of ``origin`` may connect.

    Only exact matches: no suffixes, no patterns, no ``null``. Programs send no origin; they are not
    a page that a browser runs on somebody else's behalf.

    Args:
        origin: The header ``Origin``; ``None``: absent.
        host: The header ``Host``; a page that we served has it as the host of its origin.
        allowed: Further origins from the configuration.

    """
    if origin is None:
        return True
    if origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    is_page = parts.scheme in {"http", "https"} and origin == f"{parts.scheme}://{parts.netloc}"
    # Behind a proxy that ends TLS we cannot know the page's scheme; the host names the site.
    return is_page and parts.netloc != "" and parts.netloc.lower() == (host or "").lower()
