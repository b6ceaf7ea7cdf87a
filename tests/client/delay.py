"""A TCP proxy that holds everything back for a while."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass
class Delay:
    """What is added now, in seconds, towards the server and back."""

    up_s: float = 0.0
    down_s: float = 0.0
    port: int = 0


@contextlib.asynccontextmanager
async def delayed(port: int, delay: Delay) -> AsyncIterator[Delay]:
    """Run a proxy to ``port``; ``delay.port`` is where it listens."""
    pumps: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        loop = asyncio.get_running_loop()

        def write(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data)

        while data := await reader.read(65536):
            loop.call_later(delay.up_s if is_up else delay.down_s, write, data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, back))
        for work in (pump(reader, back, is_up=True), pump(there, writer, is_up=False)):
            task = asyncio.create_task(work)
            pumps.add(task)
            task.add_done_callback(pumps.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        delay.port = server.sockets[0].getsockname()[1]
        yield delay
    finally:
        server.close()
        for task in tuple(pumps):
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
