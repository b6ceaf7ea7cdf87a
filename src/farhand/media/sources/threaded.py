"""A camera read by a thread of its own; the event loop gets its newest frame."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable

from farhand.errors import Code, MediaError
from farhand.media.base import RawFrame

JOIN_S = 3.0
"""How long ``close`` waits for the thread: longer than any read time-out below."""


class _Reading:
    """One opening of the camera: what its thread and the loop share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stopped = threading.Event()
        self.fault: MediaError | None = None
        self.is_over = False
        self.skipped = 0
        self._loop = loop
        self._arrived = asyncio.Event()
        self._newest: RawFrame | None = None

    def put(self, frame: RawFrame) -> None:
        """Offer a frame, from the thread; an older one that nobody took is gone."""
        if self._newest is not None:
            self.skipped += 1
        self._newest = frame
        self._wake()

    def end(self, fault: MediaError | None) -> None:
        """Say that no more comes, from the thread."""
        self.fault, self.is_over = fault, True
        self._wake()

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def take(self) -> RawFrame | None:
        """Return the newest frame, on the loop; ``None``: no more comes."""
        while True:
            self._arrived.clear()
            frame, self._newest = self._newest, None
            if frame is not None:
                return frame
            if self.is_over:
                return None
            await self._arrived.wait()


class ThreadedSource(ABC):
    """Base of sources that block.

    A subclass implements :meth:`read`. The frames it emits must own their memory: the loop may look
    at one while the thread makes the next.
    """

    def __init__(self) -> None:
        self._reading: _Reading | None = None
        self._thread: threading.Thread | None = None

    @property
    def skipped(self) -> int:
        """Frames of this opening that were overtaken before anybody took them."""
        return self._reading.skipped if self._reading else 0

    @abstractmethod
    def read(self, emit: Callable[[RawFrame], None], stopped: threading.Event) -> None:
        """Read the camera until ``stopped`` is set or it ends; runs in a thread of its own.

        Raises:
            MediaError: The camera cannot be opened, or failed.

        """

    async def frames(self) -> AsyncIterator[RawFrame]:
        """Open the camera and yield its frames; a slow consumer misses frames, never lags.

        Raises:
            MediaError: The camera cannot be opened, or failed (FH-5002).

        """
        await self.close()
        reading = self._reading = _Reading(asyncio.get_running_loop())
        thread = self._thread = threading.Thread(
            target=self._run, args=(reading,), name=f"farhand {type(self).__name__}", daemon=True
        )
        thread.start()
        while (frame := await reading.take()) is not None:
            yield frame
        if reading.fault is not None:
            raise reading.fault

    async def close(self) -> None:
        """Close the camera; ``frames`` ends. Idempotent; returns when the device is free again."""
        reading, thread, self._thread = self._reading, self._thread, None
        if reading is not None:
            reading.stopped.set()
        if thread is not None:
            await asyncio.to_thread(thread.join, JOIN_S)

    def _run(self, reading: _Reading) -> None:
        fault: MediaError | None = None
        try:
            self.read(reading.put, reading.stopped)
        except MediaError as exc:
            fault = exc
        except Exception as exc:  # the edge of a thread: nobody else would hear of it
            fault = MediaError(Code.SOURCE_FAILED, f"The camera's reader failed: {exc!r}.")
        reading.end(None if reading.stopped.is_set() else fault)
