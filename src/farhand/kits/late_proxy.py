"""A bad network for TCP: bytes between the robots and the server pass late, both ways.

What a network loses of TCP is sent again and arrives later: so it does here.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

from farhand.media.bad_network import GOOD, BadNetwork, follow

HOST = "127.0.0.1"
CHUNK_BYTES = 16_384
MAX_CHUNKS = 256
"""On their way in one direction of one connection; then its sender has to wait, as with TCP."""
MAX_CONNECTIONS = 64
RESEND_S = 0.2
"""Linux sends again after a round trip and at least 200 ms."""
START_TIMEOUT_S = 5.0


class LateProxy:
    """Passes connections to ``port`` on, on a thread of its own. A context manager.

    Args:
        port: Of the server, on loopback.
        file: Says how bad the network is (:mod:`farhand.media.bad_network`).

    """

    def __init__(self, port: int, file: Path) -> None:
        self.port = 0
        """Where to connect to instead. Known after :meth:`start`."""
        self.late = 0
        """Chunks that were lost once and arrived later."""
        self.target = port
        """The server's own."""
        self._file = file
        self._network = GOOD
        self._random = Random()  # noqa: S311 - luck, not a secret
        self._writers: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="late-proxy", daemon=True)

    def start(self) -> None:
        """Listen. Raises :class:`TimeoutError`."""
        self._thread.start()
        if not self._started.wait(START_TIMEOUT_S):
            raise TimeoutError("the proxy did not start")

    def close(self) -> None:
        """Cut everything. Idempotent."""
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it ended just now
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(START_TIMEOUT_S)

    def __enter__(self) -> "LateProxy":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        following = asyncio.create_task(follow(self._file, self._become))
        try:
            await self._ended.wait()
        finally:
            following.cancel()
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)  # a turn in which the sockets are closed

    def _become(self, network: BadNetwork) -> None:
        self._network = network

    async def _connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if len(self._writers) >= 2 * MAX_CONNECTIONS:
            back.close()
            return
        self._writers.add(back)
        try:
            far, out = await asyncio.open_connection(HOST, self.target)
        except OSError:
            self._forget(back)
            return
        self._writers.add(out)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass_on(near, out))
                ways.create_task(self._pass_on(far, back))
        finally:
            self._forget(out)
            self._forget(back)

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        self._writers.discard(writer)

    async def _pass_on(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MAX_CHUNKS)
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(_deliver(waiting, to, asyncio.get_running_loop().time))
                data = b"-"
                while data:
                    try:
                        data = await source.read(CHUNK_BYTES)
                    except OSError:
                        data = b""
                    await waiting.put((self._due(), data))

    def _due(self) -> float:
        delay_s = self._network.delay_ms / 1000
        if self._random.random() * 100 < self._network.loss_percent:
            self.late += 1
            delay_s += max(RESEND_S, 3 * delay_s)
        return asyncio.get_running_loop().time() + delay_s


async def _deliver(
    waiting: asyncio.Queue[tuple[float, bytes]],
    to: asyncio.StreamWriter,
    clock: Callable[[], float],
) -> None:
    """Write each chunk when it is due; an empty one is the end."""
    is_gone = False
    while True:
        due, data = await waiting.get()
        if not is_gone:
            await asyncio.sleep(max(0.0, due - clock()))
        try:
            if data and not is_gone:
                to.write(data)
                await to.drain()
            elif not data and to.can_write_eof():
                to.write_eof()
        except OSError:
            is_gone = True  # what still comes has nowhere to go
            to.transport.abort()
        if not data:
            return
