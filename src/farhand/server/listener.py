"""HTTP connections of strangers: how long they may say nothing, and how much before they are heard.

uvicorn has a bound for neither: a few thousand connections that never send a request would take all
the files that a process may have open, and one endless header all of its memory.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
"""From the connection, or a request's first byte, to the end of its head."""
MAX_HEAD = 64 * 1024
"""Bytes of a request's head."""
MAX_REQUEST = 1024 * 1024
"""Of all of a request: many times what any operation takes, which answers 413 before."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's connection, with bounds on the head of a request."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._is_in_head = True
        self._bytes = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, if it is not too much."""
        self._bytes += len(data)
        if self._is_in_head:
            self._wait()
        super().data_received(data)
        if self._bytes <= MAX_HEAD or self.transport.is_closing():
            return
        if self._is_in_head:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._bytes > MAX_REQUEST:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is here: what follows is bounded by who reads it."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Another request may follow."""
        self._is_in_head, self._bytes = True, 0
        super().on_message_complete()

    # --- inside ----------------------------------------------------------------------------------

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # an answer is on its way to them; they may read it first
        elif not self.transport.is_closing():
            self.transport.close()
