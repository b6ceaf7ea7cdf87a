"""The whole chain with a Python operator: server, simulator, gate, agent, WebRTC over loopback."""

import asyncio
import contextlib
import math
import os
import signal
import time
from collections.abc import Callable

import pytest

from farhand.client import Robot, connect
from farhand.errors import Code, ConnectionClosed, LeaseDenied, NotAllowed, RemoteProtocolError
from farhand.kits.stack import Stack
from farhand.protocol import control
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId
from farhand.sim.observer import Observer
from farhand.sim.spec import AXES
from tests.client.delay import Delay, delayed
from tests.stalls import StallWatch

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

FRONT = CameraId("front")
AHEAD = (0.3, 0.8, *(0.0,) * (len(AXES) - 2))
"""A circle: it can be driven for ever without meeting a wall."""
STANDING = (0.0,) * len(AXES)
LIMIT_S = 1.0
"""300 ms and a tick are promised and benched."""
AGAIN_S = 1.0
PATIENCE_S = 20.0


def moved(status: m.Status, pose: m.Pose) -> float:
    assert status.pose is not None
    return math.hypot(status.pose.x - pose.x, status.pose.y - pose.y)


def is_moving(status: m.Status) -> bool:
    return status.speed is not None and abs(status.speed.linear) > 0.1


def stands(status: m.Status) -> bool:
    return status.speed is not None and abs(status.speed.linear) < 0.01


async def drives(robot: Robot, is_so: Callable[[m.Status], bool] = is_moving) -> None:
    """Drive until the status says so, in control afterwards.

    Where the machine stalls, the robot rightly stands until it is told anew, or the lease ends; and
    where the stall kept the driver, until somebody resets the gate.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            stop = robot.status.stop if robot.status is not None else None
            if stop is not None and stop.by.startswith("driver:"):
                await robot.reset(stop.stop_id)
            if robot.lease is None:
                await robot.take_control()
            robot.drive(AHEAD)
            with contextlib.suppress(TimeoutError):
                await robot.wait_for(is_so, AGAIN_S)
                return


async def stood(observer: Observer, since_us: int) -> float:
    """Return after how many seconds the wheels were told to stand; a stall does not count."""
    stood_us = await asyncio.to_thread(observer.wait_for_standstill, since_us, timeout_s=PATIENCE_S)
    assert stood_us is not None
    return (stood_us - since_us) / 1e6 - observer.longest_gap_s


async def pose(robot: Robot) -> m.Pose:
    status = await robot.wait_for(lambda s: s.pose is not None, PATIENCE_S)
    assert status.pose is not None
    return status.pose


async def test_the_list_names_the_robot(stack: Stack) -> None:
    async with connect(stack.url, name="ana") as client:
        (robot,) = await client.robots()
        assert (robot.robot_id, robot.online) == ("sim-rover", True)
        assert robot.manifest is not None
        assert [camera.id for camera in robot.manifest.cameras] == ["front", "rear"]


async def test_watch_take_control_drive_let_go(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=["front"]) as robot,
    ):
        await robot.wait_until(lambda: robot.frames[FRONT] >= 10, PATIENCE_S)
        before = await pose(robot)
        await robot.take_control()
        await drives(robot, lambda s: moved(s, before) > 0.1)
        await drives(robot, lambda _: 0 < (robot.setpoints.loop_us or 0) < 500_000)
        robot.drive(STANDING)
        await robot.wait_for(stands, PATIENCE_S)
        await robot.release()
        assert robot.status is not None
        assert robot.status.lease.holder is None


async def test_stop_latches_until_a_reset_and_neutral_comes_first(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=["front"]) as robot,
    ):
        await robot.take_control()
        with Observer(stack.sim_socket("sim-rover")) as observer:
            await drives(robot)
            observer.reset_gap()
            pressed_us = time.monotonic_ns() // 1000
            stop_id = await robot.stop()
            assert await stood(observer, pressed_us) < LIMIT_S
        status = await robot.wait_for(lambda s: s.stop is not None and stands(s), PATIENCE_S)
        assert status.stop == m.StopState("stop", stop_id, "ana")
        with pytest.raises(NotAllowed, match=Code.WRONG_STOP_ID.value):
            await robot.reset(stop_id + 1)
        with pytest.raises(LeaseDenied, match=Code.LATCHED.value):
            await robot.take_control()
        await robot.reset()
        await robot.wait_for(lambda s: s.stop is None, PATIENCE_S)
        await robot.take_control()
        await drives(robot)


async def test_a_viewer_may_stop_but_neither_drive_nor_reset(stack: Stack) -> None:
    async with (
        connect(stack.url, name="vera", role="viewer") as viewer,
        viewer.open("sim-rover", cameras=["rear"]) as watched,
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=[]) as robot,
    ):
        with pytest.raises(LeaseDenied, match=Code.MAY_NOT_DRIVE.value):
            await watched.take_control()
        await robot.take_control()
        await drives(robot)
        stop_id = await watched.stop()
        await robot.wait_for(lambda s: s.stop is not None and stands(s), PATIENCE_S)
        assert robot.lease is None
        with pytest.raises(NotAllowed, match=Code.MAY_NOT_RESET.value):
            await watched.reset(stop_id)
        await robot.reset(stop_id)


async def test_a_second_operator_is_refused_by_name_and_gets_a_new_epoch_later(
    stack: Stack,
) -> None:
    async with (
        connect(stack.url, name="ana") as one,
        one.open("sim-rover", cameras=[]) as ana,
        connect(stack.url, name="ben") as two,
        two.open("sim-rover", cameras=[]) as ben,
    ):
        first = await ana.take_control()
        ana.on_asked = lambda _: False
        with pytest.raises(LeaseDenied) as refused:
            await ben.take_control()
        assert (refused.value.code, refused.value.holder_name) == (Code.REFUSED_BY_HOLDER, "ana")
        await ana.release()
        second = await ben.take_control()
        assert second.epoch > first.epoch
        stale = control.ControlFrame(
            first.epoch, 10_000, time.monotonic_ns() // 1000, 0, 0, 0, AHEAD
        )
        ana.send_control(stale.pack())
        await ana.wait_until(lambda: ana.setpoints.verdicts[Code.NOT_HOLDER.value] > 0, PATIENCE_S)


def send_bad_frames(robot: Robot, epoch: int) -> None:
    now_us = time.monotonic_ns() // 1000
    heard, seq = robot.setpoints.heard, robot.setpoints.seq + 50
    for their_epoch, their_seq, axes in (
        (epoch + 5, seq, AHEAD),
        (epoch, 1, AHEAD),
        (epoch, seq, (math.nan, *STANDING[1:])),
    ):
        frame = control.ControlFrame(their_epoch, their_seq, now_us, heard, 0, 0, axes)
        robot.send_control(frame.pack())
    robot.send_control(b"\x00" * 7)


async def test_forged_replayed_and_unreal_frames_are_refused_and_counted(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=[]) as robot,
    ):
        grant = await robot.take_control()
        await robot.wait_until(lambda: robot.setpoints.is_armed, PATIENCE_S)
        codes = [Code.NOT_HOLDER, Code.REPLAYED, Code.NOT_FINITE, Code.BAD_FRAME]
        before = (await robot.wait_for(lambda _: True)).gate_counters.refused

        def are_counted(status: m.Status) -> bool:
            now = status.gate_counters.refused
            return all(now.get(code.value, 0) > before.get(code.value, 0) for code in codes)

        async with asyncio.timeout(PATIENCE_S):
            while robot.status is None or not are_counted(robot.status):
                send_bad_frames(robot, grant.epoch)
                with contextlib.suppress(TimeoutError):  # held up, they were only too old
                    await robot.wait_for(are_counted, AGAIN_S)
        assert robot.status is not None
        assert stands(robot.status)


async def test_control_over_the_server_drives_by_the_same_rules(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", over_server=True) as robot,
    ):
        before = await pose(robot)
        await robot.take_control(steer_by="blind")
        await drives(robot, lambda s: moved(s, before) > 0.1)
        assert robot.session is None
        await robot.stop()
        await robot.wait_for(lambda s: s.stop is not None, PATIENCE_S)
        await robot.reset()


@pytest.mark.parametrize("added", [Delay(up_s=0.2), Delay(down_s=0.2), Delay(0.2, 0.2)])
async def test_over_a_server_200_ms_away_nothing_is_applied(stack: Stack, added: Delay) -> None:
    async with (
        delayed(stack.port, added) as proxy,
        connect(f"http://127.0.0.1:{proxy.port}", name="ana") as client,
        client.open("sim-rover", over_server=True) as robot,
    ):
        await robot.take_control(steer_by="blind")
        robot.drive(AHEAD)
        await robot.wait_until(lambda: sum(robot.setpoints.verdicts.values()) > 50, PATIENCE_S)
        assert robot.setpoints.verdicts["applied"] == 0
        assert robot.status is not None
        assert stands(robot.status)


@pytest.mark.parametrize("added", [Delay(up_s=0.2), Delay(0.2, 0.2)])
async def test_200_ms_added_while_driving_over_the_server_stop_the_robot(
    stack: Stack, added: Delay
) -> None:
    async with (
        delayed(stack.port, Delay()) as proxy,
        connect(f"http://127.0.0.1:{proxy.port}", name="ana") as client,
        client.open("sim-rover", over_server=True) as robot,
    ):
        await robot.take_control(steer_by="blind")
        await drives(robot, lambda s: is_moving(s) and robot.setpoints.verdicts["applied"] > 25)
        proxy.up_s, proxy.down_s = added.up_s, added.down_s
        await robot.wait_for(stands, PATIENCE_S)
        # The frames that were under way when the delay began have been judged by now.
        applied = robot.setpoints.verdicts["applied"]
        late = robot.setpoints.verdicts[Code.TOO_OLD.value]
        await robot.wait_until(
            lambda: robot.setpoints.verdicts[Code.TOO_OLD.value] > late + 50, PATIENCE_S
        )
        assert robot.setpoints.verdicts["applied"] == applied


async def test_stop_media_ends_the_picture_and_start_media_brings_it_back(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=["rear"]) as robot,
    ):
        rear = CameraId("rear")
        await robot.wait_until(lambda: robot.frames[rear] > 3, PATIENCE_S)
        await robot.signal("stop-media", camera=rear)
        await robot.wait_for(lambda s: rear not in s.streaming, PATIENCE_S)
        with pytest.raises(NotAllowed, match=Code.UNKNOWN_CAMERA.value):
            await robot.signal("stop-media", camera=CameraId("nose"))
        with pytest.raises(NotAllowed, match=Code.NO_MICROPHONE.value):
            await robot.signal("start-media", microphone=True)
        seen = robot.frames[rear]
        await robot.signal("start-media", camera=rear)
        await robot.wait_until(lambda: robot.frames[rear] > seen + 3, PATIENCE_S)


async def test_a_robot_that_is_not_there_is_refused(stack: Stack) -> None:
    async with connect(stack.url, name="ana") as client:
        with pytest.raises(RemoteProtocolError, match=Code.UNKNOWN_ROBOT.value):
            async with client.open("nobody", timeout_s=3):
                pass


async def test_a_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ConnectionClosed, match=Code.SERVER_UNREACHABLE.value):
        async with connect("http://127.0.0.1:9", name="ana", timeout_s=1.5):
            pass


async def test_a_killed_gate_is_reported_replaced_and_still_latched(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=[]) as robot,
    ):
        stop_id = await robot.stop()
        pid = stack.gate_pid("sim-rover")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        kinds = []
        async with asyncio.timeout(PATIENCE_S):
            async for event in robot.events():
                kinds.append(event.kind)
                if event.kind == "gate-back":
                    break
        assert kinds.index("gate-lost") < kinds.index("gate-back")
        status = await robot.wait_for(lambda s: s.gate == "ok", PATIENCE_S)
        assert status.stop == m.StopState("stop", stop_id, "ana")
        await robot.reset(stop_id)
        await robot.take_control()
        await drives(robot)


async def test_video_and_driving_outlive_the_server_and_all_come_back(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=["front"]) as robot,
    ):
        await robot.take_control()
        await drives(robot)
        grant, session = robot.lease, robot.session
        server = stack.programs["server"]
        server.restart = False
        stack.kill("server")
        await robot.wait_until(lambda: not client.is_connected, PATIENCE_S)
        seen = robot.frames[FRONT]
        await robot.wait_until(lambda: robot.frames[FRONT] > seen + 15, PATIENCE_S)
        applied = robot.setpoints.verdicts["applied"]
        await drives(
            robot, lambda s: is_moving(s) and robot.setpoints.verdicts["applied"] > applied + 30
        )
        assert not client.is_connected
        with StallWatch() as watch:
            server.restart = True
            async with asyncio.timeout(PATIENCE_S):
                while not await asyncio.to_thread(server.is_ready):  # noqa: ASYNC110 - another thread starts it
                    await asyncio.sleep(0.02)
            began = time.monotonic()
            await robot.wait_until(
                lambda: client.is_connected and len(client.members) == 2, PATIENCE_S
            )
            assert time.monotonic() - began - watch.lost_s < 3
        assert robot.session is session
        await drives(robot)
        assert robot.lease == grant


async def test_when_the_agent_is_killed_the_wheels_stand_within_a_second(stack: Stack) -> None:
    with Observer(stack.sim_socket("sim-rover")) as observer:
        async with (
            connect(stack.url, name="ana") as client,
            client.open("sim-rover", cameras=[]) as robot,
        ):
            await robot.take_control()
            await drives(robot)
            observer.reset_gap()
            killed_us = time.monotonic_ns() // 1000
            stack.kill("agent-sim-rover")
            assert await stood(observer, killed_us) < LIMIT_S


async def test_an_operator_follows_a_robot_whose_agent_was_started_anew(stack: Stack) -> None:
    async with (
        connect(stack.url, name="ana") as client,
        client.open("sim-rover", cameras=[]) as robot,
    ):
        await robot.take_control()
        before = robot.member.id
        stack.kill("agent-sim-rover")
        await robot.wait_until(lambda: robot.member.id != before, 30)
        assert robot.lease is None, "what the dead agent granted is void"
        await robot.wait_until(lambda: robot.has_open(control.MESSAGES), PATIENCE_S)
        await robot.wait_for(lambda status: status.gate == "ok", PATIENCE_S)
        await robot.take_control()
        await drives(robot)
        await robot.release()


@pytest.mark.parametrize("who", ["agent", "gate"])
async def test_after_a_pause_of_agent_or_gate_nothing_moves_again_by_itself(
    stack: Stack, who: str
) -> None:
    with Observer(stack.sim_socket("sim-rover")) as observer:
        async with (
            connect(stack.url, name="ana") as client,
            client.open("sim-rover", cameras=[]) as robot,
        ):
            await robot.take_control()
            # Armed, so that it is our own motion and none that the test before left over.
            await robot.wait_until(lambda: robot.setpoints.is_armed, PATIENCE_S)
            applied = robot.setpoints.verdicts["applied"]
            await drives(
                robot, lambda s: is_moving(s) and robot.setpoints.verdicts["applied"] > applied + 25
            )
            agent = stack.programs["agent-sim-rover"].process
            assert agent is not None
            pid = agent.pid if who == "agent" else stack.gate_pid("sim-rover")
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(0.8)  # the lease outlives it, and so does what is in sockets
            finally:
                woken_us = time.monotonic_ns() // 1000
                os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(1.5)
            after = observer.since(woken_us)
            assert after
            assert not any(step.is_commanded for step in after)
            await robot.wait_for(lambda s: s.gate == "ok", PATIENCE_S)
            await robot.take_control()
            await drives(robot)
