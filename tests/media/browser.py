"""A robot's media and a real Chromium that watches it, in one test."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from farhand.media.aiortc_ import AiortcBackend
from farhand.media.base import CameraFeed, PeerConnection, SentFrame
from farhand.protocol.ids import MemberId
from farhand.protocol.messages import IceCandidate

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PAGE = Path(__file__).with_name("page.html")


@dataclass
class Robot:
    """Offers its cameras to every page that dials in, and echoes what comes on `control`."""

    feeds: Sequence[CameraFeed]
    backend: AiortcBackend = field(default_factory=AiortcBackend)
    connections: list[PeerConnection] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    sent: list[SentFrame] = field(default_factory=list)
    server: Server | None = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(next(iter(self.server.sockets)).getsockname()[1])

    async def serve(self, socket: ServerConnection) -> None:
        def echo(label: str, data: bytes | str) -> None:
            connection.send(label, data)

        connection = self.backend.connect(
            member=MemberId("page"),
            feeds=self.feeds,
            channels=["control"],
            ice_servers=[],
            on_message=echo,
            on_state=self.states.append,
            on_channel_open=lambda label: None,
            on_sent=self.sent.append,
        )
        self.connections.append(connection)
        sdp, _ = await connection.offer()
        await socket.send(sdp)
        async for text in socket:
            message = json.loads(text)
            if "sdp" in message:
                await connection.accept(message["sdp"])
            elif (raw := message["candidate"]) is None:
                await connection.add_candidate(None)
            else:
                await connection.add_candidate(
                    IceCandidate(raw["candidate"], raw["sdpMid"], raw["sdpMLineIndex"])
                )


def _page(_connection: ServerConnection, request: Request) -> Response | None:
    if "Upgrade" in request.headers:
        return None
    headers = Headers({"Content-Type": "text/html", "Connection": "close"})
    return Response(200, "OK", headers, PAGE.read_bytes())


@asynccontextmanager
async def robot_serving(feeds: Sequence[CameraFeed]) -> AsyncIterator[Robot]:
    robot = Robot(feeds)
    async with serve(robot.serve, "127.0.0.1", 0, process_request=_page) as server:
        robot.server = server
        try:
            yield robot
        finally:
            for connection in robot.connections:
                await connection.close()


@asynccontextmanager
async def chromium_page(robot: Robot) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{robot.port}/")
            yield page
        finally:
            await browser.close()


async def page_clock_ahead_us(page: Page) -> float:
    """Return what the page's clock shows more than this machine's monotonic clock."""
    best: tuple[float, float] | None = None
    for _ in range(10):
        before = time.monotonic_ns() / 1e3
        shown: float = await page.evaluate("now() * 1e3")
        after = time.monotonic_ns() / 1e3
        if best is None or after - before < best[0]:
            best = (after - before, shown - (before + after) / 2)
        await asyncio.sleep(0)
    assert best is not None
    return best[1]


def latencies_ms(samples: list[list[Any]], ahead_us: float) -> list[float]:
    """Return the age of each picture at the moment it was read back."""
    return sorted(
        (at * 1e3 - ahead_us - stamp) / 1e3 for at, stamp, *_ in samples if stamp is not None
    )
