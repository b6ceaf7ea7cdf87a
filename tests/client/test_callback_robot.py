"""The example robot behind a real server, agent and gate, driven by a Python operator."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from farhand.client import Robot, connect
from farhand.kits.stack import Options, Stack
from farhand.kits.stack import Robot as StackRobot
from tests.stalls import StallWatch

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

EXAMPLE = Path(__file__).parents[2] / "examples" / "callback_robot.py"
PATIENCE_S = 20.0
DEVICE_S = 0.1
TICK_S = 0.02


@dataclass(frozen=True)
class Call:
    """One call of the example's ``move``."""

    at_s: float
    linear: float
    angular: float

    @property
    def is_motion(self) -> bool:
        return bool(self.linear or self.angular)


class Example:
    """The example as it stands, in a program of its own, its calls written down."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "robot.sock"
        self.log = folder / "calls"
        self.said = folder / "said"
        code = f"""
            import runpy, sys, time, farhand.robot as robot
            serve, log = robot.serve, open({str(self.log)!r}, "a", buffering=1)
            def logged(path, move, **more):
                def noted(rates):
                    print(time.monotonic(), rates["linear.x"], rates["angular.z"], file=log)
                    move(rates)
                serve(path, noted, **more)
            robot.serve = logged
            sys.argv[1:] = [{str(self.socket)!r}]
            runpy.run_path({str(EXAMPLE)!r}, run_name="__main__")
        """
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(code)], stdout=said
            )

    def calls(self) -> list[Call]:
        lines = self.log.read_text().split("\n")[:-1]
        return [Call(*map(float, line.split())) for line in lines]

    def where(self) -> str:
        lines = self.said.read_text().splitlines()
        return lines[-1].partition("  heading")[0] if lines else ""

    def is_driven(self) -> bool:
        return self.calls()[-1].is_motion


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    example = Example(tmp_path)
    yield example
    example.process.terminate()
    example.process.wait(5)


@pytest.fixture
def stack(example: Example) -> Iterator[Stack]:
    callbacks = ["--driver", "callbacks", "--driver-socket", str(example.socket)]
    mine = StackRobot("mine", "mine", is_simulated=False)
    with Stack(Options(robots=(mine,), agent_arguments=callbacks)) as stack:
        stack.wait_until_online("mine")
        yield stack


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - another program makes it so
            await asyncio.sleep(0.005)


async def drives(robot: Robot, example: Example) -> None:
    """Drive until the callback gets motion; where the machine stalls, say it again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            stop = robot.status.stop if robot.status is not None else None
            if stop is not None and stop.by.startswith("driver:"):
                await robot.reset(stop.stop_id)
            if robot.lease is None:
                await robot.take_control(steer_by="blind")
            robot.drive((0.5, 1.0))
            await asyncio.sleep(0.3)
            if example.is_driven():
                return


async def test_a_callback_moves_the_robot_and_gets_zero_when_the_gate_is_killed(
    stack: Stack, example: Example
) -> None:
    async with connect(stack.url, name="ana") as client, client.open("mine", cameras=[]) as robot:
        declared = {axis.id: axis.maximum for axis in robot.manifest.axes}
        assert declared == {"linear.x": 0.5, "angular.z": 1.2}
        assert robot.manifest.device_timeout_s == DEVICE_S
        await drives(robot, example)
        await until(lambda: example.where() not in {"", "x 0.00 m  y 0.00 m"})
        await drives(robot, example)
        gate = stack.gate_pid("mine")
        assert gate is not None
        with StallWatch() as stalls:
            os.kill(gate, signal.SIGKILL)
            killed_s = time.monotonic()
            await until(lambda: not example.is_driven())
    zero = next(call for call in example.calls() if call.at_s > killed_s and not call.is_motion)
    assert zero.at_s - killed_s < DEVICE_S + TICK_S + stalls.lost_s
    assert not any(call.is_motion for call in example.calls() if call.at_s > zero.at_s)


async def test_a_callback_gets_zero_by_itself_when_the_gate_is_frozen(
    stack: Stack, example: Example
) -> None:
    async with connect(stack.url, name="ana") as client, client.open("mine", cameras=[]) as robot:
        await drives(robot, example)
        gate = stack.gate_pid("mine")
        assert gate is not None
        with StallWatch() as stalls:
            os.kill(gate, signal.SIGSTOP)
            try:
                await until(lambda: not example.is_driven())
            finally:
                os.kill(gate, signal.SIGCONT)
    calls = example.calls()
    number = max(i for i, call in enumerate(calls) if call.is_motion)
    silence_s = calls[number + 1].at_s - calls[number].at_s
    assert silence_s < DEVICE_S + TICK_S + stalls.lost_s


async def test_stop_reaches_the_callback(stack: Stack, example: Example) -> None:
    async with connect(stack.url, name="ana") as client, client.open("mine", cameras=[]) as robot:
        await drives(robot, example)
        await robot.stop()
        assert not example.is_driven()
