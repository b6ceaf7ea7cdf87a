"""A small proxy that ends TLS: what Caddy or nginx would do, in a page of code."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class TlsProxy:
    """Passes on requests below a prefix, one for each connection.

    Args:
        upstream: Port on loopback.
        prefix: What requests must begin with.
        takes_off: Whether it takes the prefix off.

    """

    def __init__(self, upstream: int, prefix: str = "", *, takes_off: bool = True) -> None:
        self.port = 0
        self.client = "198.51.100.77"
        """As who it passes everybody on: on loopback all come from where it stands itself."""
        self._upstream = upstream
        self._prefix = prefix
        self._takes_off = takes_off

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = self._rewritten(await reader.readuntil(b"\r\n\r\n"))
            to_server, from_server = None, None
            try:
                from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream)
                to_server.write(head)
                upwards = asyncio.create_task(_pump(reader, to_server))
                await _pump(from_server, writer)
                upwards.cancel()
            finally:
                if to_server is not None:
                    to_server.close()
        writer.close()

    def _rewritten(self, head: bytes) -> bytes:
        first, *lines = head.decode("latin1").rstrip("\r\n").split("\r\n")
        method, path, version = first.split(" ")
        assert path.startswith(self._prefix)
        if self._takes_off:
            path = path[len(self._prefix) :]
        gone = ("x-forwarded-proto:", "connection: keep-alive")
        kept = [line for line in lines if not line.lower().startswith(gone)]
        is_upgrade = any(line.lower().startswith("upgrade:") for line in lines)
        kept += [f"X-Forwarded-For: {self.client}", "X-Forwarded-Proto: https"]
        kept += [] if is_upgrade else ["Connection: close"]
        return "\r\n".join([f"{method} {path} {version}", *kept, "", ""]).encode("latin1")


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def proxying(
    upstream: int, context: ssl.SSLContext, prefix: str = "", *, takes_off: bool = True
) -> AsyncIterator[TlsProxy]:
    proxy = TlsProxy(upstream, prefix, takes_off=takes_off)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await server.wait_closed()
