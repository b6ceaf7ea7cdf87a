"""What the video peers share: their arguments and the WebSocket by which they offer themselves.

A peer prints the port it listens on. Whoever connects gets an offer, answers it, and both sides
send candidates; the path ``/data`` asks for a data channel only.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from farhand.media.base import RawFrame
from farhand.media.sources.pattern import PatternSource

WIDTH = 1280
HEIGHT = 720
FPS = 30

Tell = Callable[[Mapping[str, Any]], None]
"""Sends a message to the viewer, in order; to be called on the event loop's thread."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How one viewer is to be served."""

    tell: Tell
    is_data_only: bool
    bitrate_bps: int | None
    """``None``: what the peer does by itself."""
    keep_size: bool
    """Never send a smaller picture; only libwebrtc would."""


class Viewer(ABC):
    """One viewer's connection. Its data channel echoes."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish

    @abstractmethod
    async def offer(self) -> str:
        """Return the offer's SDP."""

    @abstractmethod
    async def answer(self, sdp: str) -> None:
        """Apply the answer."""

    @abstractmethod
    async def candidate(self, candidate: Mapping[str, Any]) -> None:
        """Add a candidate (`RTCIceCandidateInit`) of the viewer's; there is an answer by now."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection."""


class Camera:
    """The bench's picture, frame by frame, for peers that push frames.

    Args:
        push: Takes each frame, on the event loop's thread.

    """

    def __init__(self, push: Callable[[RawFrame], None]) -> None:
        self._push = push
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        source = PatternSource(WIDTH, HEIGHT, FPS)
        try:
            async for frame in source.frames():
                self._push(frame)
        finally:
            await source.close()

    async def close(self) -> None:
        """Stop it."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def _serve_one(
    make: Callable[[Wish], Viewer], arguments: argparse.Namespace, socket: ServerConnection
) -> None:
    outgoing: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
    is_data_only = socket.request is not None and socket.request.path == "/data"
    wish = Wish(outgoing.put_nowait, is_data_only, arguments.bitrate, arguments.keep_size)
    viewer = make(wish)
    sending: asyncio.Task[None] | None = None
    waiting: list[Mapping[str, Any]] | None = []
    try:
        sending = asyncio.create_task(_send_all(socket, outgoing, await viewer.offer()))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "answer":
                await viewer.answer(message["sdp"])
                for candidate in waiting or ():
                    await viewer.candidate(candidate)
                waiting = None
            elif waiting is not None:
                waiting.append(message["candidate"])
            else:
                await viewer.candidate(message["candidate"])
    finally:
        if sending is not None:
            sending.cancel()
        with contextlib.suppress(Exception):
            await viewer.close()


async def _send_all(
    socket: ServerConnection, outgoing: asyncio.Queue[Mapping[str, Any]], offer: str
) -> None:
    # The offer goes first: the viewer cannot use a candidate before it.
    await socket.send(json.dumps({"type": "offer", "sdp": offer}))
    while True:
        await socket.send(json.dumps(await outgoing.get()))


async def _listen(make: Callable[[Wish], Viewer], arguments: argparse.Namespace) -> None:
    async with serve(partial(_serve_one, make, arguments), arguments.host, 0) as server:
        sys.stdout.write(f"{next(iter(server.sockets)).getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()


def main(make: Callable[[Wish], Viewer]) -> None:
    """Serve viewers until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1", help="where the WebSocket listens")
    parser.add_argument("--bitrate", type=int, help="bit/s of the video; else the peer's own")
    parser.add_argument("--keep-size", action="store_true", help="never a smaller picture")
    asyncio.run(_listen(make, parser.parse_args()))
