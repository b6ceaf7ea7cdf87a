"""An aiortc peer that plays the viewer's part in tests."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCConfiguration

from farhand.protocol.control import CHANNELS


class StockViewer:
    """Answers a robot's offer, decodes its cameras, opens the channels."""

    def __init__(self, labels: Sequence[str] = (), codec: str | None = None) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.frames: list[list[Any]] = []
        self.messages: list[tuple[str, bytes | str]] = []
        self.channels: dict[str, Any] = {}
        self._codec = codec
        self._tasks: list[asyncio.Task[None]] = []
        self.pc.on("track", self._on_track)
        for channel in CHANNELS:
            if channel.label in labels:
                made = self.channels[channel.label] = self.pc.createDataChannel(
                    channel.label,
                    negotiated=True,
                    id=channel.id,
                    ordered=channel.is_reliable,
                    maxRetransmits=None if channel.is_reliable else 0,
                )
                made.on(
                    "message", lambda data, label=channel.label: self.messages.append((label, data))
                )

    def _on_track(self, track: Any) -> None:
        frames: list[Any] = []
        self.frames.append(frames)

        async def eat() -> None:
            while True:
                try:
                    frames.append(await track.recv())
                except MediaStreamError:
                    return

        self._tasks.append(asyncio.create_task(eat()))

    async def answer(self, sdp: str) -> str:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        if self._codec is not None:
            for transceiver in self.pc.getTransceivers():
                transceiver.setCodecPreferences(
                    [
                        codec
                        for codec in get_capabilities("video").codecs
                        if codec.mimeType == self._codec
                    ]
                )
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return self.pc.localDescription.sdp

    async def close(self) -> None:
        await self.pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def until(condition: Any, timeout_s: float = 5.0) -> None:
    """Wait until ``condition()`` holds; fail after ``timeout_s``."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 (what it waits for has no event)
            await asyncio.sleep(0.005)
