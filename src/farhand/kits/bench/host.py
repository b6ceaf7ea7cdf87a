"""Serves the bench page and the machine's monotonic clock on loopback."""

import asyncio
import threading
import time
from http import HTTPStatus
from pathlib import Path
from types import TracebackType

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

PAGE = Path(__file__).with_name("page.html")


class BenchHost:
    """A page at ``url`` and a clock at ``clock_url``, on a thread of its own. A context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench-host", daemon=True)
        self._port = 0

    @property
    def url(self) -> str:
        """Where the page is, and its origin."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def clock_url(self) -> str:
        """WebSocket that answers anything with the monotonic clock in µs."""
        return f"ws://127.0.0.1:{self._port}/clock"

    def __enter__(self) -> "BenchHost":
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._listen())
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(server.wait_closed())
        self._loop.close()

    async def _listen(self) -> Server:
        server = await serve(
            self._clock, "127.0.0.1", 0, process_request=self._page, compression=None
        )
        self._port = next(iter(server.sockets)).getsockname()[1]
        return server

    async def _clock(self, connection: ServerConnection) -> None:
        async for _ in connection:
            await connection.send(str(time.monotonic_ns() // 1000))

    def _page(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/clock":
            return None
        body = PAGE.read_bytes()
        headers = Headers({"Content-Type": "text/html", "Content-Length": str(len(body))})
        return Response(HTTPStatus.OK, "OK", headers, body)
