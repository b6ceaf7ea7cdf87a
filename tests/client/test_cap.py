"""The governor through the whole chain: what operators may do by what they are shown."""

import asyncio
from collections.abc import Iterator

import pytest

from farhand.client import Robot, connect
from farhand.kits.stack import Stack
from farhand.protocol import messages as m
from farhand.sim.spec import AXES

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

AHEAD = (1.0, 0.8, *(0.0,) * (len(AXES) - 2))
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    with Stack() as started:
        yield started


def fraction(status: m.Status) -> float:
    """Return what is left of the speed; 1: nobody has said."""
    return status.cap.fraction if status.cap is not None else 1.0


def speed(status: m.Status) -> float:
    return abs(status.speed.linear) if status.speed is not None else 0.0


async def until(robot: Robot, is_so: m.CapReason, most: float) -> m.SpeedCap:
    """Drive until the cap is at ``most``, for the reason ``is_so``; say it again after a stop."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            robot.drive(AHEAD)
            cap = robot.status.cap if robot.status is not None else None
            if cap is not None and cap.reason == is_so and cap.fraction <= most:
                return cap
            await asyncio.sleep(0.05)


async def test_an_operator_without_pictures_creeps_and_everybody_sees_why(stack: Stack) -> None:
    async with (
        connect(stack.url, name="vera", role="viewer") as viewer,
        viewer.open("sim-rover", cameras=[]) as watched,
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=[]) as robot,
    ):
        status = await watched.wait_for(lambda _: True, PATIENCE_S)
        assert status.cap is None, "nobody drives"
        await robot.take_control()
        await until(robot, "blind", 0.2)
        status = await watched.wait_for(lambda s: speed(s) > 0.05, PATIENCE_S)
        assert status.cap is not None
        assert (status.cap.fraction, status.cap.reason) == (0.2, "blind")
        fastest = 0.0
        for _ in range(20):
            robot.drive(AHEAD)
            await asyncio.sleep(0.05)
            fastest = max(fastest, speed(robot.status) if robot.status else 0.0)
        assert 0.05 < fastest <= 0.2 * AXES[0].maximum * 1.1
        await robot.release()
        status = await watched.wait_for(lambda s: s.lease.holder is None, PATIENCE_S)
        assert status.cap is None


async def test_a_slow_screen_slows_the_robot_and_a_frozen_one_stops_it(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=["front"]) as robot,
    ):
        events: list[m.Event] = []

        async def listen() -> None:
            async for event in robot.events():
                events.append(event)

        listener = asyncio.create_task(listen())
        await robot.wait_until(lambda: robot.setpoints.seen_us > 0, PATIENCE_S)
        await robot.take_control()
        await robot.wait_until(lambda: bool(robot.setpoints.loop_us), PATIENCE_S)
        robot.drive(AHEAD)
        status = await robot.wait_for(lambda s: fraction(s) > 0.2 and speed(s) > 0.1, PATIENCE_S)
        assert status.cap is not None
        assert status.cap.reason in {"full", "loop"}
        assert status.cap.loop_ms is not None
        assert status.cap.blind_m is not None
        show, loop = robot.setpoints.on_seen, asyncio.get_running_loop()
        robot.setpoints.on_seen = lambda *seen: loop.call_later(0.4, show, *seen)  # type: ignore[method-assign,assignment]
        cap = await until(robot, "loop", 0.5)
        assert cap.loop_ms is not None
        assert cap.loop_ms > 300, "or half the speed would be more than it allows"
        robot.setpoints.on_seen = lambda *_: None  # type: ignore[method-assign]
        await until(robot, "stale-video", 0.0)
        await robot.wait_for(lambda s: speed(s) < 0.01, PATIENCE_S)
        assert robot.lease is not None, "a lock takes nobody's lease"
        robot.setpoints.on_seen = show  # type: ignore[method-assign]
        await robot.wait_for(lambda s: fraction(s) > 0, PATIENCE_S)
        await asyncio.sleep(0.3)
        assert robot.status is not None
        assert speed(robot.status) < 0.01, "nothing moves on by itself"
        async with asyncio.timeout(PATIENCE_S):
            while robot.status is None or speed(robot.status) < 0.05:
                robot.drive(AHEAD)
                await asyncio.sleep(0.05)
        texts = [event.text for event in events if event.kind == "speed-capped"]
        assert "stale-video" in texts
        listener.cancel()
