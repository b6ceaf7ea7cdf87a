"""Serves the built console: its pages, its assets, or a page that says it is missing."""

import hashlib
import re
import secrets
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from farhand import __version__
from farhand.errors import Code

PACKAGED = Path(__file__).parent / "www"
NONCE_PLACEHOLDER = "__CSP_NONCE__"
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_BASE = re.compile(r"<base\s[^>]*>", re.IGNORECASE)
_DEMO_MARK = '<meta name="farhand-demo" content="network">'
_IMMUTABLE = "public, max-age=31536000, immutable"

_MISSING = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>farhand</title>
<h1>{Code.CONSOLE_MISSING}: the console was not built</h1>
<p>The server runs, but the files of its console are not there.</p>
<p>In a clone, run <code>make console</code>; or start with
<code>farhand serve --console-dir DIR</code>. An installed wheel has the console in it.</p>
"""


class ConsoleFiles:
    """The files of one build.

    Args:
        folder: Where the build is; ``None``: in the package.
        root_path: Path prefix under which a proxy serves us, without a slash at its end.
        is_open: Whether the server runs without accounts.
        has_bad_network: Whether pages show the switch of `farhand demo` for a bad network.

    """

    def __init__(
        self,
        folder: Path | None = None,
        root_path: str = "",
        *,
        is_open: bool = True,
        has_bad_network: bool = False,
    ) -> None:
        self._is_open = is_open
        self._mark = _DEMO_MARK if has_bad_network else ""
        self._folder = (folder or PACKAGED).resolve()
        self._root_path = root_path

    def page(self, request: Request) -> Response:
        """Return index.html for one of the client's routes, with base, nonce and policy."""
        try:
            html = (self._folder / "index.html").read_text(encoding="utf-8")
        except OSError:
            return HTMLResponse(_MISSING, status_code=503, headers={"Cache-Control": "no-store"})
        nonce = secrets.token_urlsafe(16)
        base = f'<base href="{self._root_path}/">{self._mark}'
        if _BASE.search(html):
            html = _BASE.sub(base, html, count=1)
        else:
            html = html.replace("<head>", f"<head>{base}", 1)
        return HTMLResponse(
            html.replace(NONCE_PLACEHOLDER, nonce),
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": policy(nonce, request.headers.get("host", "")),
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            },
        )

    def file(self, path: str) -> Response | None:
        """Return a file of the build, or ``None`` if there is none of this name."""
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file() or file.suffix == ".html":
            return None
        is_hashed = path.startswith("assets/")
        return FileResponse(
            file,
            headers={
                "Cache-Control": _IMMUTABLE if is_hashed else "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def version(self) -> dict[str, str | bool]:
        """Return what an open tab compares with what it was loaded from.

        ``open``: there are no accounts, whoever reaches the port may drive.
        """
        try:
            index = (self._folder / "index.html").read_bytes()
        except OSError:
            index = b""
        return {
            "version": __version__,
            "console": hashlib.sha256(index).hexdigest()[:16],
            "open": self._is_open,
        }


def policy(nonce: str, host: str) -> str:
    """Return a page's Content-Security-Policy.

    The page can press STOP and drive: it runs scripts of its own build alone, talks to no other
    host, and shows in no other site's frame.
    """
    # Older Safari does not take 'self' to mean the page's own WebSocket.
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'self'; base-uri 'self'; frame-ancestors 'self'; object-src 'none'; "
        f"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'{sockets}; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'"
    )
