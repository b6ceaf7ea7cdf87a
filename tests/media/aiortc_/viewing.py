"""A robot and our own viewer that have met, for tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from farhand.media.aiortc_.viewer import Picture, Viewer
from farhand.media.feed import SharedCamera
from farhand.protocol.ids import CameraId
from tests.media.aiortc_.robot import LABELS, Robot, pattern_camera
from tests.media.stock_viewer import until


@asynccontextmanager
async def viewed(
    *, cameras: int = 1
) -> AsyncIterator[tuple[Robot, Viewer, list[SharedCamera], list[Picture]]]:
    """A robot, a viewer that reports by transport-wide feedback, and the pictures it got."""
    pictures: list[Picture] = []
    opened: list[str] = []
    async with AsyncExitStack() as stack:
        feeds = [pattern_camera(CameraId(f"camera{number}")) for number in range(cameras)]
        for feed in feeds:
            stack.push_async_callback(feed.close)
        robot = Robot(feeds, LABELS)
        stack.push_async_callback(robot.connection.close)
        viewer = Viewer(
            ice_servers=[],
            on_message=lambda label, data: None,
            on_state=lambda state: None,
            on_channel_open=opened.append,
            on_picture=pictures.append,
        )
        stack.push_async_callback(viewer.close)
        sdp, tracks = await robot.connection.offer()
        await robot.connection.accept(await viewer.answer(sdp, tracks))
        await until(lambda: set(opened) == set(LABELS) == set(robot.opened))
        await until(lambda: {p.camera for p in pictures} == {feed.camera for feed in feeds})
        yield robot, viewer, feeds, pictures
