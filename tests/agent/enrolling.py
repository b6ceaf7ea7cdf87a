"""A server that enrols robots by a script, over real HTTP."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from farhand.keys.signing import new_key

SERVER = new_key()
AHEAD_S = 9 * 3600
"""The server's clock, before the robot's."""
ENROLLED = {"robotId": "rover", "serviceId": "site-a", "serverKey": SERVER.public}
WAITING = {"code": "ABCD-EFGH", "poll": "secret", "expiresMs": 1, "url": ""}
Reply = tuple[int, dict[str, Any]]


class Script:
    """What the server answers, in order; the last answer is repeated."""

    def __init__(self, *posts: Reply) -> None:
        self.posts = list(posts)
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        self.seen.append((path, body))
        return self.posts.pop(0) if len(self.posts) > 1 else self.posts[0]


@contextmanager
def served(script: Script) -> Iterator[Script]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, {"serverKey": SERVER.public})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(*script.answer(self.path, body))

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time.time()) + AHEAD_S, usegmt=True)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _say(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
