"""`farhand stop` against real programs, with an observer at the wheels."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from farhand.cli import stop
from farhand.cli.api_client import Server
from farhand.client import Robot, connect
from farhand.errors import FarhandError
from farhand.kits.stack import Options, Stack
from farhand.sim.observer import Observer
from tests.stalls import StallWatch

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

ROBOT = "sim-rover"
PATIENCE_S = 20.0
START_S = 5.0
"""For a program to start on a busy machine; the press itself is in ``afterMs``."""
NOWHERE = "192.0.2.1"


@pytest.fixture(scope="module", params=["both paths", "over the server only"])
def programs(request: pytest.FixtureRequest) -> Iterator[Stack]:
    # A robot that offers an address where it is not: no peer connection comes up.
    nowhere = [] if request.param == "both paths" else ["--ice-address", NOWHERE]
    with Stack(Options(agent_arguments=nowhere)) as stack:
        stack.wait_until_online(ROBOT)
        yield stack


@pytest.fixture(scope="module")
def locked() -> Iterator[Stack]:
    with Stack(Options(accounts=True)) as stack:
        stack.wait_until_online(ROBOT)
        yield stack


def run(url: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "farhand", "stop", *words, "--server", url]
    environment = {k: v for k, v in os.environ.items() if k not in {"FARHAND_TOKEN", "HOME"}}
    environment |= {"HOME": "/nonexistent", **variables}
    return subprocess.run(
        argv, check=False, env=environment, capture_output=True, text=True, timeout=60
    )


def stop_of(stack: Stack) -> dict[str, Any]:
    answer = json.loads(stack.get(f"/v1/robot/{ROBOT}") or b"{}")
    return (answer.get("status") or {}).get("stop") or {}


async def drives(robot: Robot, observer: Observer) -> None:
    """Drive in a circle until the wheels are told to turn."""
    async with asyncio.timeout(PATIENCE_S):
        while not observer.latest.is_commanded:
            with contextlib.suppress(FarhandError):
                if robot.status and robot.status.stop and robot.status.stop.latch == "stop":
                    await robot.reset()
                if robot.lease is None:
                    await robot.take_control(steer_by="blind")
                robot.drive([0.3, 0.8, *[0.0] * (len(robot.manifest.axes) - 2)])
            await asyncio.sleep(0.2)


async def test_a_driven_robot_stands_before_the_verb_says_so(programs: Stack) -> None:
    is_direct = "--ice-address" not in programs.options.agent_arguments
    with Observer(programs.sim_socket(ROBOT)) as observer, StallWatch() as stalls:
        async with (
            connect(programs.url, name="ana") as client,
            client.open(ROBOT, cameras=[], over_server=not is_direct) as robot,
        ):
            await drives(robot, observer)
            began_us = time.monotonic_ns() // 1000
            ran = await asyncio.to_thread(run, programs.url, ROBOT, "--json")
            ended_us = time.monotonic_ns() // 1000
            stood_us = await asyncio.to_thread(observer.wait_for_standstill, began_us)
            status = await robot.wait_for(lambda s: bool(s.stop and s.stop.latch == "stop"))
    assert (ran.returncode, ran.stderr) == (0, "")
    said = json.loads(ran.stdout)
    assert stood_us is not None
    assert stood_us < ended_us
    assert (stood_us - began_us) / 1e6 < START_S + stalls.lost_s
    assert status.stop is not None
    assert (said["confirmed"], said["robotId"]) == (True, ROBOT)
    assert said["stopId"] == status.stop.stop_id
    assert 0 <= said["afterMs"] / 1e3 < 0.5 + stalls.lost_s
    assert "(farhand stop)" in status.stop.by


def test_a_robot_that_stands_confirms_as_well(programs: Stack) -> None:
    ran = run(programs.url, ROBOT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{ROBOT} stands: STOP ")


def test_a_robot_that_does_not_confirm_is_no_success(programs: Stack) -> None:
    gate = programs.gate_pid(ROBOT)
    assert gate is not None
    os.kill(gate, signal.SIGSTOP)
    try:
        ran = run(programs.url, ROBOT, "--timeout", "3", "--json")
    finally:
        os.kill(gate, signal.SIGCONT)
    assert ran.returncode == 4
    assert json.loads(ran.stdout)["confirmed"] is False
    assert "NOT confirmed" in ran.stderr
    programs.wait_until_online(ROBOT)


def test_who_is_not_there_is_no_success(programs: Stack) -> None:
    for robot_id in ("nobody", "a b"):
        ran = run(programs.url, robot_id)
        assert ran.returncode == 3
        assert ran.stderr.startswith("farhand: FH-3020 ")
        assert not ran.stdout


def test_a_robot_that_is_offline_is_said_to_be(locked: Stack) -> None:
    variables = {"FARHAND_TOKEN": locked.options.token}
    agent = locked.programs[f"agent-{ROBOT}"]
    agent.restart = False
    assert agent.process is not None
    agent.process.terminate()
    agent.process.wait(5)
    deadline = time.monotonic() + PATIENCE_S
    while b'"online":true' in (locked.get(f"/v1/robot/{ROBOT}") or b"").replace(b" ", b""):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ran = run(locked.url, ROBOT, **variables)
    locked.launch(agent.name)
    agent.restart = True
    locked.wait_until_online(ROBOT)
    assert ran.returncode == 3
    assert "offline" in ran.stderr


def test_a_server_that_is_not_there_is_no_success(unused_tcp_port_url: str) -> None:
    ran = run(unused_tcp_port_url, ROBOT, "--timeout", "1", "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["code"] == "FH-4001"


@pytest.fixture
def unused_tcp_port_url() -> str:
    return "http://127.0.0.1:9"


def test_a_token_opens_the_door_and_nothing_else_does(locked: Stack, tmp_path: Path) -> None:
    assert run(locked.url, ROBOT).returncode == 1
    assert stop_of(locked).get("latch") != "stop"
    file = tmp_path / "token"
    file.write_text(locked.options.token)
    ran = run(locked.url, ROBOT, "--token-file", str(file))
    assert (ran.returncode, ran.stderr) == (0, "")
    deadline = time.monotonic() + 5
    while stop_of(locked).get("latch") != "stop":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_login_by_cookie_is_exchanged_for_a_ticket() -> None:
    url = "http://127.0.0.1:9"
    assert stop._credential(Server(url, token="t")) == "t"
    assert stop._credential(Server(url)) is None
    wanted: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        wanted.append((request.method, request.url.path))
        assert "farhand_session=c" in request.headers["cookie"]
        return httpx.Response(201, json={"ticket": "once", "expiresMs": 1})

    fetch = stop._credential(Server(url, cookie="c"), httpx.MockTransport(answer))
    assert callable(fetch)

    async def fetched() -> str | None:
        return await fetch()

    assert asyncio.run(fetched()) == "once"
    assert wanted == [("POST", "/v1/ticket")]
