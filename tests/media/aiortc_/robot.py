"""A robot's end on the aiortc backend and what happened to it, for tests."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from farhand.media.aiortc_.backend import AiortcBackend
from farhand.media.aiortc_.peer import AiortcPeerConnection
from farhand.media.base import CameraFeed, SentFrame
from farhand.media.encoder import EncoderSettings
from farhand.media.feed import SharedCamera
from farhand.media.sources.pattern import PatternSource
from farhand.protocol.control import CHANNELS
from farhand.protocol.ids import CameraId, MemberId
from tests.media.stock_viewer import StockViewer, until

FRONT = CameraId("front")
LABELS = [channel.label for channel in CHANNELS]


def pattern_camera(camera: CameraId = FRONT) -> SharedCamera:
    settings = EncoderSettings(bitrate_bps=500_000, max_bitrate_bps=500_000)
    return SharedCamera(camera, PatternSource(320, 240, 30), settings)


@dataclass
class Robot:
    feeds: Sequence[CameraFeed] = ()
    labels: Sequence[str] = ("safety", "control", "messages")
    backend: AiortcBackend = field(default_factory=AiortcBackend)
    states: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    messages: list[tuple[str, bytes | str]] = field(default_factory=list)
    sent: list[SentFrame] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    watches: bool = False
    """Whether it is told of breaches."""

    def __post_init__(self) -> None:
        self.connection: AiortcPeerConnection = self.backend.connect(
            member=MemberId("m"),
            feeds=self.feeds,
            channels=self.labels,
            ice_servers=[],
            on_message=lambda label, data: self.messages.append((label, data)),
            on_state=self.states.append,
            on_channel_open=self.opened.append,
            on_sent=self.sent.append,
            on_breach=self.breaches.append if self.watches else None,
        )

    async def meet(self, viewer: StockViewer) -> None:
        """Negotiate, and wait until the channels are open at both ends."""
        sdp, _ = await self.connection.offer()
        await self.connection.accept(await viewer.answer(sdp))
        await until(lambda: "connected" in self.states)
        await until(lambda: set(self.opened) == set(self.labels))
        await until(lambda: all(c.readyState == "open" for c in viewer.channels.values()))


@asynccontextmanager
async def connected(
    *,
    cameras: int = 0,
    labels: Sequence[str] = ("safety", "control", "messages"),
    watches: bool = False,
) -> AsyncIterator[tuple[Robot, StockViewer, list[SharedCamera]]]:
    """A robot and a viewer that have met."""
    async with AsyncExitStack() as stack:
        feeds = [pattern_camera(CameraId(f"camera{number}")) for number in range(cameras)]
        for feed in feeds:
            stack.push_async_callback(feed.close)
        robot, viewer = Robot(feeds, labels, watches=watches), StockViewer(labels)
        stack.push_async_callback(viewer.close)
        stack.push_async_callback(robot.connection.close)
        await robot.meet(viewer)
        yield robot, viewer, feeds
        await asyncio.sleep(0)


@asynccontextmanager
async def shared(
    viewers: int,
) -> AsyncIterator[tuple[SharedCamera, list[Robot], list[StockViewer]]]:
    """One camera and so many viewers of it: each has a connection of its own, over one backend."""
    async with AsyncExitStack() as stack:
        feed, backend = pattern_camera(), AiortcBackend()
        stack.push_async_callback(feed.close)
        robots = [Robot([feed], backend=backend) for _ in range(viewers)]
        met = [StockViewer(robot.labels) for robot in robots]
        for robot, viewer in zip(robots, met, strict=True):
            stack.push_async_callback(viewer.close)
            stack.push_async_callback(robot.connection.close)
            await robot.meet(viewer)
        yield feed, robots, met
