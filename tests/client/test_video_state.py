"""What the robot's sender tells one viewer, and what the robot learns of the picture there."""

import asyncio

import pytest

from farhand.client import Robot, connect
from farhand.kits.stack import Stack
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(60)]

FRONT = CameraId("front")


async def event(robot: Robot, kind: m.EventKind) -> m.Event:
    async with asyncio.timeout(5):
        async for found in robot.events():
            if found.kind == kind:
                return found
    raise AssertionError


async def test_a_viewer_learns_what_the_sender_does_for_it(stack: Stack) -> None:
    async with (
        connect(stack.url, name="vera", role="viewer") as client,
        client.open("sim-rover", cameras=["front"]) as robot,
    ):
        await robot.wait_until(lambda: robot.frames[FRONT] >= 30)
        await robot.wait_until(lambda: bool(robot.video_state and robot.video_state.cameras))
        first = robot.video_state
        assert first is not None

        def comes_again() -> bool:
            newest = robot.video_state
            return newest is not None and newest.stamp_us >= first.stamp_us + 900_000

        await robot.wait_until(comes_again)
        state = robot.video_state
        assert state is not None
        (camera,) = state.cameras
        assert (camera.camera, camera.width / camera.height) == (FRONT, 640 / 480)
        assert state.sent_bps > 20_000
        assert state.target_bps is not None
        assert state.target_bps >= 50_000


async def test_the_robot_notices_a_driver_whose_picture_stands_still(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=["front"]) as robot,
    ):
        await robot.wait_until(lambda: robot.setpoints.seen_us > 0)
        await robot.take_control()
        await asyncio.sleep(1)
        # From now on the screen shows nothing new, while pictures and setpoints go on.
        seen, robot.setpoints.on_seen = robot.setpoints.on_seen, lambda *_: None  # type: ignore[method-assign]
        frozen = await event(robot, "video-frozen")
        assert (frozen.text, frozen.camera) == ("not-shown", FRONT)
        assert frozen.member is not None
        assert frozen.member.name == "ana"
        assert frozen.age_ms is not None
        assert 500 <= frozen.age_ms <= 2000
        robot.setpoints.on_seen = seen  # type: ignore[method-assign]
        back = await event(robot, "video-back")
        assert back.age_ms is not None
        assert back.age_ms >= frozen.age_ms
        await robot.release()
