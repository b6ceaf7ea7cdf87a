"""GStreamer's webrtcbin with x264enc as Debian ships them, fixed rate, the same picture as ours.

GStreamer runs under the system's Python, since its bindings come from the distribution, not from
PyPI: in ``webrtcbin_child.py``, one child for each viewer. Frames go there through shared memory,
messages as JSON lines. ``python -m farhand.kits.bench.peers.webrtcbin``; see ``serving``.
"""

import asyncio
import contextlib
import json
import mmap
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from typing import Any

from farhand.kits.bench.peers.presence import GSTREAMER_CHILD, SYSTEM_PYTHON
from farhand.kits.bench.peers.serving import FPS, HEIGHT, WIDTH, Camera, Viewer, Wish, main
from farhand.media.base import RawFrame

BITRATE_BPS = 2_500_000
FRAME_BYTES = WIDTH * HEIGHT * 3 // 2
SLOTS = 4
"""Frames in the shared memory: the child copies one long before it comes round again."""


class WebrtcbinViewer(Viewer):
    """A viewer of webrtcbin, with a pipeline of its own."""

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish)
        self._offer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._file = os.memfd_create("farhand-bench-frames")
        os.ftruncate(self._file, SLOTS * FRAME_BYTES)
        self._memory = mmap.mmap(self._file, SLOTS * FRAME_BYTES)
        self._index = 0
        self._child: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._camera: Camera | None = None

    async def offer(self) -> str:
        """Return the offer's SDP."""
        rate = self.wish.bitrate_bps or BITRATE_BPS
        numbers = {"width": WIDTH, "height": HEIGHT, "fps": FPS, "bitrate": rate}
        command = [SYSTEM_PYTHON, "-I", str(GSTREAMER_CHILD), f"--frames={self._file}"]
        command += [f"--{name}={value}" for name, value in numbers.items()]
        command += ["--data-only"] * self.wish.is_data_only
        self._child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, pass_fds=[self._file]
        )
        self._reader = asyncio.create_task(self._read(self._child))
        return await self._offer

    async def answer(self, sdp: str) -> None:
        """Apply the answer; the picture starts."""
        self._say({"type": "answer", "sdp": sdp})
        if not self.wish.is_data_only:
            self._camera = Camera(self._push)

    async def candidate(self, candidate: Mapping[str, Any]) -> None:
        """Add a candidate of the viewer's."""
        self._say({"type": "candidate", "candidate": candidate})

    async def close(self) -> None:
        """Stop the child."""
        if self._camera is not None:
            await self._camera.close()
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()
            await self._child.wait()
        self._memory.close()
        os.close(self._file)

    def _push(self, frame: RawFrame) -> None:
        slot = self._index % SLOTS
        self._index += 1
        self._memory[slot * FRAME_BYTES : (slot + 1) * FRAME_BYTES] = frame.data.tobytes()
        self._say({"type": "frame", "slot": slot})

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self, child: Process) -> None:
        assert child.stdout is not None  # noqa: S101 - it has a pipe
        async for line in child.stdout:
            message = json.loads(line)
            if message["type"] == "offer":
                self._offer.set_result(message["sdp"])
            else:
                self.wish.tell(message)
        if not self._offer.done():
            self._offer.set_exception(RuntimeError("GStreamer's child ended without an offer"))


if __name__ == "__main__":
    main(WebrtcbinViewer)
