"""A camera of the simulated rover. It renders only while :meth:`SimSource.frames` is being read."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from farhand.errors import Code, MediaError, RemoteProtocolError
from farhand.media.base import RawFrame
from farhand.protocol.ids import CameraId
from farhand.sim import wire
from farhand.sim.link import receive_descriptor
from farhand.sim.shared import Ring


class SimSource:
    """A :class:`farhand.media.base.VideoSource`: yuv420p, copied once out of shared memory.

    Args:
        socket_path: The simulator's socket.
        camera_id: ``front`` or ``rear``.
        fps: Pictures a second; at most the camera's own rate.

    """

    def __init__(self, socket_path: Path | str, camera_id: CameraId, fps: float = 30.0) -> None:
        self._path = Path(socket_path)
        self._camera_id = camera_id
        self._fps = fps
        self._link: socket.socket | None = None
        self._is_closed = asyncio.Event()
        self.torn = 0
        """Pictures left out because they were overwritten before they could be copied."""

    async def frames(self) -> AsyncIterator[RawFrame]:
        """Open the camera and yield its newest picture, each at most once.

        Raises:
            MediaError: The simulator does not answer, or ended (FH-5002).

        """
        self._is_closed.clear()
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.setblocking(False)
        self._link = link
        ring: Ring | None = None
        reader = wire.LinkReader()
        try:
            await asyncio.get_running_loop().sock_connect(link, str(self._path))
            await asyncio.get_running_loop().sock_sendall(
                link, wire.pack(wire.Watch(self._camera_id, self._fps))
            )
            ring = await self._open(link, reader)
            while ring is not None and (newest := await self._newest(link, reader)) is not None:
                # A new one each time: encoders may still be looking at the last.
                picture = np.empty(ring.shape, np.uint8)
                if ring.read(newest.slot, newest.seq, picture):
                    yield RawFrame(picture, "yuv420p", newest.stamp_us)
                else:
                    self.torn += 1
        except (OSError, RemoteProtocolError) as exc:
            raise self._failed() from exc
        finally:
            self._link = None
            link.close()
            if ring is not None:
                ring.close()

    async def close(self) -> None:
        """Close the camera; ``frames`` ends."""
        self._is_closed.set()

    async def _open(self, link: socket.socket, reader: wire.LinkReader) -> Ring | None:
        while await self._is_readable(link):
            data, descriptors = receive_descriptor(link)
            try:
                for body in reader.feed(data):
                    ready = wire.decode_from_sim(body)
                    if isinstance(ready, wire.CameraReady) and descriptors:
                        return Ring(descriptors[0], ready.width, ready.height, ready.slots)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            if not data:
                raise self._failed()
        return None

    async def _newest(self, link: socket.socket, reader: wire.LinkReader) -> wire.FrameReady | None:
        """Return the newest picture's place; ``None``: the camera was closed."""
        newest: wire.FrameReady | None = None
        while newest is None and await self._is_readable(link):
            data = link.recv(65536)
            if not data:
                raise self._failed()
            for body in reader.feed(data):
                message = wire.decode_from_sim(body)
                newest = message if isinstance(message, wire.FrameReady) else newest
        return newest

    async def _is_readable(self, link: socket.socket) -> bool:
        """Wait until ``link`` can be read; ``False``: the camera was closed meanwhile."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(link, readable.set)
        waits = [asyncio.ensure_future(event.wait()) for event in (readable, self._is_closed)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(link)
            for wait in waits:
                wait.cancel()
        return not self._is_closed.is_set()

    def _failed(self) -> MediaError:
        text = f"Camera {self._camera_id} of the simulator at {self._path} failed."
        return MediaError(Code.SOURCE_FAILED, text)
