"""The kit against our own programs, and against gates that are broken on purpose."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from farhand.errors import Code, ConfigError
from farhand.kits.bench.stop import wait_until_driving
from farhand.kits.conform import own, report, runner
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import CATALOGUE, Report, Result
from farhand.kits.stack import Options, Stack
from farhand.sim.observer import Observer

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
ROBOT = "sim-rover"
BROKEN = {
    "age": "late-200",
    "future": "future",
    "beat": "clock-lie",
    "fence": "no-lease",
    "replay": "duplicated",
    "latch": "stop-outlives-grant",
    "neutral": "neutral-first",
    "watchdog": "silence",
    "slow-watchdog": "silence",
    "limits": "step",
    "stop": "stop",
    "reset": "wrong-reset",
}
"""What is broken, and the case that must say so."""

LONG = os.environ.get("FARHAND_CONFORM") == "all"
QUICK = ("age", "fence", "neutral", "watchdog", "limits", "stop", "latch")
SAMPLE = (
    "duplicated",
    "malformed",
    "late-200",
    "clock-lie",
    "silence",
    "hung-up",
    "link-cut",
    "frozen-picture",
    "two-ask",
    "handed-over",
    "force-refused",
    "stop-by-watcher",
    "stop-flooded",
    "reset-moves-nothing",
    "agent-killed",
)
"""One of each kind; ``FARHAND_CONFORM=all`` runs every case but the slow one, and all faults."""


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    with Stack() as stack:
        yield stack


def tell(result: Result) -> None:
    sys.stdout.write(report.line(result) + "\n")


def run(stack: Stack, *cases: str) -> Report:
    options = own.options_of(stack)
    return asyncio.run(runner.run(options, runner.chosen(cases), tell))


@pytest.mark.timeout(900 if LONG else 200)
def test_our_own_robot_keeps_the_rules(programs: Stack) -> None:
    found = run(programs, *(CATALOGUE.cases if LONG else SAMPLE))
    assert found.is_passed, report.table(found)
    skipped = {result.id for result in found.cases if result.outcome == "skip"}
    assert skipped == ({"idle"} if LONG else set()), report.table(found)


async def test_the_kit_leaves_the_robot_free_and_still(programs: Stack) -> None:
    async with Kit(own.options_of(programs)) as kit:
        await kit.drive()
        motion = kit.motion
        before = time.monotonic_ns() // 1000
    seen = motion.since(before)
    assert seen, "the observer was closed before the robot stood"
    assert motion.stands(seen[-1])


async def test_a_run_that_is_broken_off_stops_the_robot(programs: Stack) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        async with Kit(own.options_of(programs)) as kit:
            await kit.drive()
            motion = kit.motion
            raise KeyboardInterrupt
    assert motion.stands(motion.since(0)[-1])
    async with Kit(own.options_of(programs)) as kit:
        status = (await kit.operator()).robot.status
        assert status is not None
        assert status.stop is not None
        assert status.stop.latch == "stop"
        await kit.ready()


async def test_the_robots_own_telemetry_is_an_observer_too(programs: Stack) -> None:
    options = replace(own.options_of(programs), observer="telemetry")
    found = await runner.run(options, runner.chosen(["silence", "stop", "step"]))
    outcomes = {result.id: result.outcome for result in found.cases}
    assert outcomes == {"drives": "pass", "silence": "pass", "stop": "pass", "step": "skip"}


async def test_a_real_robot_is_moved_only_on_somebodys_word(
    programs: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Kit(own.options_of(programs)) as kit:
        from msgspec.structs import replace as changed

        kit.manifest = changed(kit.manifest, simulated=False)
        with pytest.raises(ConfigError, match="yes-it-may-move") as refused:
            kit._check()
        assert refused.value.code is Code.CONFIG_INVALID
        assert kit.missing("fast")
        kit.options = replace(kit.options, may_move=True)
        kit._check()


# --- broken robots ---


class BrokenGate:
    """A gate with one fault, in front of the simulator of a stack whose agent finds it."""

    def __init__(self, stack: Stack, fault: str) -> None:
        state = stack.state_folder(ROBOT)
        self._argv = [sys.executable, "-m", "tests.kits.broken_gate", fault, "gate", "run"]
        self._argv += ["--socket", str(state / "gate.sock"), "--state", str(state)]
        self._argv += ["--driver", "sim", "--sim-socket", str(stack.sim_socket(ROBOT))]
        self._argv += ["--unlatch-on-grant"]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._argv, cwd=ROOT, start_new_session=True)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="module")
def gateless() -> Iterator[Stack]:
    with Stack(Options(agent_arguments=["--gate", "found"])) as stack:
        yield stack


@pytest.fixture
def forgetful(gateless: Stack) -> Stack:
    """Return the programs without what the fault before has left: no latch survives it."""
    for file in gateless.state_folder(ROBOT).glob("*latch*"):
        file.unlink()
    return gateless


@pytest.mark.parametrize(("fault", "case"), [x for x in BROKEN.items() if LONG or x[0] in QUICK])
def test_a_broken_robot_fails(forgetful: Stack, fault: str, case: str) -> None:
    with BrokenGate(forgetful, fault):
        found = run(forgetful, case)
    outcomes = {result.id: result.outcome for result in found.cases}
    assert outcomes == {"drives": "pass", case: "fail"}, report.table(found)


def test_a_whole_gate_in_the_same_place_passes(forgetful: Stack) -> None:
    with BrokenGate(forgetful, "none"):
        found = run(forgetful, *{case for fault, case in BROKEN.items() if LONG or fault in QUICK})
    assert found.is_passed, report.table(found)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_robot(programs: Stack, signum: int) -> None:
    socket = programs.sim_socket(ROBOT)
    argv = [sys.executable, "-m", "farhand", "conform", ROBOT, "--server", programs.url]
    argv += ["--observer", f"sim:{socket}", "--case", "late-100"]
    with Observer(socket) as observer, subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"drives" in process.stdout.readline()
        wait_until_driving(observer, 0.3, 30.0)
        at_us = time.monotonic_ns() // 1000
        process.send_signal(signum)
        assert observer.wait_for_standstill(at_us, timeout_s=2.0) is not None
        assert process.wait(20) == 130
    status = msgspec.json.decode(programs.get(f"/v1/robot/{ROBOT}") or b"{}")["status"]
    assert status["stop"]["latch"] == "stop"
