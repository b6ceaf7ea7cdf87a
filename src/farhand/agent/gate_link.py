"""The agent's end of the gate's socket.

It starts the gate where none is there, and notices within 200 ms when it is lost.
"""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog

from farhand.errors import FarhandError
from farhand.protocol import gate_link as g

log = structlog.get_logger(__name__)

LOST_S = 0.2
"""Four beats missed."""
WATCH_S = 0.05
CONNECT_EVERY_S = 0.02
START_TIMEOUT_S = 10.0
"""The gate waits 4 s for its device, and must live to say that there is none."""
MISSED_S = 3.0
"""So long a gate that somebody else starts may be missing before a line says so."""
RESTART_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Pause before each further start: short after a mishap, long for a gate that is broken."""
MAX_WAITING_BYTES = 64 * 1024
"""Of commands on their way to a gate that does not read."""
MAX_STOP_BYTES = 1024 * 1024
"""Of everything on its way there: a gate with so many STOPs unread has long been given up."""
_LIMITED = (g.Command, g.Answered)
_NOT_LATER = (g.Grant, g.Reset)
"""What a lost gate must not find in its socket when it wakes up: people have been told no."""


@dataclass(frozen=True, slots=True)
class GateEvents:
    """What the link tells its owner, on the event loop."""

    on_message: Callable[[g.FromGate], None]
    on_lost: Callable[[], None]
    on_back: Callable[[], None]


class GateLink(asyncio.Protocol):
    """The connection to the gate, made again whenever it is lost.

    Args:
        path: The gate's socket.
        command: How to start a gate; empty: somebody else does.
        events: Where to tell.

    """

    def __init__(
        self,
        path: Path,
        *,
        command: Sequence[str],
        events: GateEvents,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hello: g.GateHello | None = None
        """What the gate said of itself, or the last one did."""
        self._path = path
        self._command = tuple(command)
        self._events = events
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._reader = g.LinkReader()
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._missing_since: float | None = clock()
        """Since when there is no gate; ``None``: it has been said."""
        self._beat_at: float | None = None
        self._is_lost = True
        self._closed = asyncio.Event()
        self._closed.set()

    @property
    def is_alive(self) -> bool:
        """Whether the gate has given a sign of life within the last 200 ms."""
        return not self._is_lost

    def send(self, message: g.ToGate) -> bool:
        """Write ``message`` at once; ``False``: it is dropped.

        There is no gate, it does not read, or it is silent and this is not for later.
        """
        transport = self._transport
        if transport is None or (self._is_lost and isinstance(message, _NOT_LATER)):
            return False
        limit = MAX_WAITING_BYTES if isinstance(message, _LIMITED) else MAX_STOP_BYTES
        if transport.get_write_buffer_size() > limit:
            return False
        transport.write(g.pack_link(message))
        return True

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                if await self._connect():
                    await self._closed.wait()
                    self._missing_since = self._clock()
                self._lose()
                await asyncio.sleep(CONNECT_EVERY_S)
        finally:
            watch.cancel()
            self._is_lost = True  # on purpose: no alarm
            if self._transport is not None:
                self._transport.close()

    def stop_gate(self) -> None:
        """End the gate that this link started, when the agent ends on purpose; it zeroes first."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1.0)

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a conversation."""
        # uvloop's transports are no subclass: ask for nothing that only asyncio's are.
        self._transport = cast(asyncio.Transport, transport)
        self._reader = g.LinkReader()
        self._closed.clear()

    def data_received(self, data: bytes) -> None:
        """Pass on what the gate said; one that talks nonsense is cut off, and so stands still."""
        try:
            for body in self._reader.feed(data):
                self._receive(g.decode_from_gate(body))
        except FarhandError as exc:
            log.error("gate talks nonsense", error=str(exc))
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice the end."""
        self._transport = None
        self._closed.set()
        self._lose()

    # --- inside ---

    def _receive(self, message: g.FromGate) -> None:
        if isinstance(message, g.GateHello):
            self.hello = message
        elif isinstance(message, g.GateBeatNow):
            self._beat_at = self._clock()
            if self._is_lost:
                self._is_lost = False
                self._starts = 0
                self._events.on_back()
        self._events.on_message(message)

    def _lose(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._events.on_lost()

    async def _watch(self) -> None:
        last = self._clock()
        while True:
            await asyncio.sleep(WATCH_S)
            now = self._clock()
            if self._beat_at is not None and now - last > 2 * WATCH_S:
                # It was this loop that stood still; the beats of meanwhile are still in the socket.
                self._beat_at += now - last
            last = now
            if self._beat_at is not None and now - self._beat_at > LOST_S:
                self._lose()

    async def _connect(self) -> bool:
        if await self._try():
            return True
        if not self._command:
            self._say_missing()
            await asyncio.sleep(RESTART_S[0])
            return False
        if self._starts:
            await asyncio.sleep(RESTART_S[min(self._starts, len(RESTART_S)) - 1])
        self._starts += 1
        self._start()
        deadline = self._clock() + START_TIMEOUT_S
        while self._clock() < deadline:
            if await self._try():
                return True
            if self._process is not None and self._process.poll() is not None:
                log.error("the gate ended", exit=self._process.returncode, starts=self._starts)
                return False
            await asyncio.sleep(CONNECT_EVERY_S)
        log.error("the gate does not open its socket", starts=self._starts)
        return False

    def _say_missing(self) -> None:
        since = self._missing_since
        if since is not None and self._clock() - since > MISSED_S:
            self._missing_since = None
            log.warning("no gate at this socket, and none is started", path=str(self._path))

    async def _try(self) -> bool:
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self, str(self._path))
        except OSError:
            return False
        return True

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            # It is there but does not listen: two gates must not share a driver.
            self._process.kill()
            self._process.wait()
        # A session of its own: what ends the agent does not end the gate, which zeroes and waits
        # for the next agent. For the same reason it does not inherit the wish to die with a parent.
        environment = {k: v for k, v in os.environ.items() if k != "FARHAND_DIE_WITH_PARENT"}
        self._process = subprocess.Popen(  # noqa: S603 - the command comes from cli
            self._command, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        log.info("gate started", pid=self._process.pid)
        marker = self._path.parent / "gate.pid"
        with contextlib.suppress(OSError):
            marker.write_text(str(self._process.pid))
