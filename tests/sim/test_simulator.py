"""The simulator as a process: what its clients can rely on."""

import asyncio
import itertools
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from farhand.drivers.sim import SimDriver
from farhand.errors import DriverError
from farhand.protocol.ids import RobotId
from farhand.sim import hall, link, spec, wire
from farhand.sim.link import SimControl, SimTelemetry
from farhand.sim.observer import Observer
from tests.stalls import StallWatch

pytestmark = pytest.mark.process

FORWARD = (0.4, *(0.0,) * (len(spec.AXES) - 1))
PATIENCE_S = 20.0
SLACK_S = 0.75
"""A busy machine may be late by this much; exact times are tested without one. What the observer
did not see comes on top: so long the machine stalled."""

Launch = Callable[..., subprocess.Popen[bytes]]


def now_us() -> int:
    return time.monotonic_ns() // 1000


def drive(driver: SimDriver, seconds: float, setpoint: tuple[float, ...] = FORWARD) -> int:
    """Send ``setpoint`` at 50 Hz; returns when the last was sent."""
    end, last = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        last = now_us()
        driver.send(setpoint)
        time.sleep(0.02)
    return last


def drives_until(driver: SimDriver, is_true: Callable[[], bool]) -> bool:
    """Drive until it is true; ``False``: it never was."""
    end = time.monotonic() + PATIENCE_S
    while True:
        is_last = time.monotonic() > end  # we look once more after a stall
        drive(driver, 0.02)
        if is_true():
            return True
        if is_last:
            return False


def wait_until(is_true: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while True:
        is_last = time.monotonic() > end
        if is_true():
            return True
        if is_last:
            return False
        time.sleep(0.01)


def stood_at(observer: Observer, since_us: int, *, wheels: bool = False) -> int | None:
    return observer.wait_for_standstill(since_us, timeout_s=PATIENCE_S, wheels=wheels)


def stood_after(observer: Observer, since_us: int) -> float:
    """Return how many seconds it took until the wheels were told to stand, but for stalls."""
    stopped = stood_at(observer, since_us)
    assert stopped is not None
    return (stopped - since_us) / 1e6 - observer.longest_gap_s


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def first_state(path: Path) -> wire.State:
    async for state in SimTelemetry(path):
        return state
    raise AssertionError


def state(path: Path) -> wire.State:
    return asyncio.run(first_state(path))


def test_the_wheels_stop_by_themselves_when_setpoints_end(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    with Observer(sim) as observer:
        assert drives_until(driver, lambda: observer.latest.is_turning)
        observer.reset_gap()
        last = drive(driver, 0.1)
        stopped = stood_at(observer, last)
        assert stopped is not None
        assert (stopped - last) / 1e6 >= spec.DEVICE_TIMEOUT_S
        assert stood_after(observer, last) < spec.DEVICE_TIMEOUT_S + SLACK_S
        assert observer.latest.timeouts >= 1
        assert stood_at(observer, last, wheels=True) is not None
    driver.close()


def test_the_wheels_stop_at_once_when_the_driver_is_gone(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    with Observer(sim) as observer:
        assert drives_until(driver, lambda: observer.latest.is_commanded)
        timeouts, closed = observer.latest.timeouts, now_us()
        driver.close()
        assert stood_at(observer, closed) is not None
        assert observer.latest.timeouts == timeouts


def test_it_steps_200_times_a_second_while_both_cameras_are_watched(sim: Path) -> None:
    with wire.dial(sim) as front, wire.dial(sim) as rear, Observer(sim) as observer:
        front.sendall(wire.pack(wire.Watch("front", 30.0)))
        rear.sendall(wire.pack(wire.Watch("rear", 15.0)))
        assert wait_until(lambda: len(observer.since(now_us() - 500_000)) > 80)


def test_driving_moves_the_pose_and_is_reported(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    before = state(sim)
    assert (before.x, before.y, before.yaw) == hall.START
    assert drives_until(driver, lambda: state(sim).x > before.x + 0.1)
    after = state(sim)
    assert after.y == before.y
    assert after.stamp_us > before.stamp_us
    assert after.applied > before.applied
    assert 0 < after.battery_percent < before.battery_percent
    assert 20 < after.battery_voltage < 26
    driver.close()


def test_the_arm_is_driven_and_reported(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    before = state(sim)
    assert (before.joints, before.gripper, before.holding) == (spec.STOW, 0.0, False)
    setpoint = [0.0] * len(spec.AXES)
    setpoint[[axis.id for axis in spec.AXES].index("tool.x")] = 0.15
    setpoint[[axis.id for axis in spec.AXES].index("gripper")] = 0.06
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and state(sim).tool[0] < before.tool[0] + 0.05:
        drive(driver, 0.2, tuple(setpoint))
    after = state(sim)
    assert after.tool[0] > before.tool[0] + 0.05
    assert after.tool[1] == pytest.approx(0.0)
    assert after.joints != before.joints
    assert after.gripper > 0.01
    driver.close()


def test_states_arrive_at_20_hz_and_again_after_a_restart(
    launch: Launch, socket_path: Path
) -> None:
    process = launch()

    async def watch() -> list[int]:
        states = aiter(SimTelemetry(socket_path))
        stamps = [(await anext(states)).stamp_us for _ in range(11)]
        process.kill()
        await asyncio.to_thread(process.wait)
        killed_us = now_us()
        await asyncio.to_thread(launch)
        while (await anext(states)).stamp_us < killed_us:
            pass
        return stamps

    stamps = asyncio.run(asyncio.wait_for(watch(), 60))
    periods = [after - before for before, after in itertools.pairwise(stamps)]
    assert statistics.median(periods) == pytest.approx(50_000, rel=0.5)


async def test_telemetry_knows_nothing_once_the_simulator_is_gone(
    launch: Launch, socket_path: Path
) -> None:
    process = launch()
    telemetry = SimTelemetry(socket_path)
    states = aiter(telemetry)
    await anext(states)
    assert telemetry.latest is not None
    process.kill()
    task = asyncio.ensure_future(anext(states))
    assert await asyncio.to_thread(wait_until, lambda: telemetry.latest is None)
    task.cancel()


def test_a_stalled_motor_stands_though_it_is_commanded(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    with SimControl(sim) as control, Observer(sim) as observer:
        assert control.set_fault("stall-motor", is_on=True).faults == ("stall-motor",)
        assert drives_until(driver, lambda: observer.latest.is_commanded)
        drive(driver, 0.1)
        assert not any(step.is_turning for step in observer.since(0))
        assert control.set_fault("stall-motor", is_on=False).faults == ()
        assert drives_until(driver, lambda: observer.latest.is_turning)
    driver.close()


def test_dropped_control_ends_in_the_time_out_while_setpoints_go_on(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    with SimControl(sim) as control, Observer(sim) as observer:
        assert drives_until(driver, lambda: observer.latest.is_commanded)
        control.set_fault("drop-control", is_on=True)
        observer.reset_gap()
        dropped = now_us()
        drive(driver, 0.5)
        assert stood_after(observer, dropped) < spec.DEVICE_TIMEOUT_S + SLACK_S
        assert observer.latest.timeouts >= 1
    driver.close()


def test_a_newer_driver_takes_the_rover_over(sim: Path) -> None:
    old, new = SimDriver(sim), SimDriver(sim)
    old.connect()
    drive(old, 0.1)
    new.connect()
    with pytest.raises(DriverError):
        drives_until(old, lambda: False)
    new.send(FORWARD)
    new.close()
    old.close()


def test_a_halt_from_anybody_stops_it_until_neutral(sim: Path) -> None:
    driver = SimDriver(sim)
    driver.connect()
    with SimControl(sim) as control, Observer(sim) as observer:
        assert drives_until(driver, lambda: observer.latest.is_commanded)
        control.halt()
        halted = now_us()
        drive(driver, 0.3)
        assert stood_at(observer, halted) is not None
        driver.stop()
        assert drives_until(driver, lambda: observer.latest.is_commanded)
    driver.close()


def test_nonsense_on_the_socket_costs_only_its_sender(sim: Path) -> None:
    for nonsense in (b"\xff" * 100, (5).to_bytes(4, "big") + b"hello", b"\x00\x00\x00\x00"):
        with wire.dial(sim) as stranger:
            stranger.sendall(nonsense)
            assert stranger.recv(100) == b""
    with SimControl(sim) as control:
        assert control.report().seed == 1


def test_an_observer_that_does_not_read_delays_no_other(sim: Path) -> None:
    with wire.dial(sim) as lazy, Observer(sim) as observer, StallWatch() as watch:
        lazy.sendall(wire.pack(wire.Observe()))
        assert wait_until(lambda: len(observer.since(0)) > 600)  # more than its socket holds
        assert observer.longest_gap_s - watch.lost_s < SLACK_S
        assert observer.latest.lost == 0


def test_kill_9_leaves_no_process_and_the_next_start_works(
    launch: Launch, socket_path: Path
) -> None:
    process = launch()
    with SimControl(socket_path) as control:
        renderer = control.report().renderer_pid
    process.kill()
    process.wait()
    assert wait_until(lambda: not is_alive(renderer))
    # A dead socket file is all that is left, and the next start replaces it.
    assert [path.name for path in socket_path.parent.iterdir()] == ["sim.sock"]
    launch()
    assert wait_until(lambda: _answers(socket_path))


def test_a_simulator_whose_renderer_is_killed_ends(launch: Launch, socket_path: Path) -> None:
    process = launch()
    with SimControl(socket_path) as control:
        os.kill(control.report().renderer_pid, signal.SIGKILL)
    assert process.wait(PATIENCE_S) == 0
    assert list(socket_path.parent.iterdir()) == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_leaves_nothing(launch: Launch, socket_path: Path, signum: int) -> None:
    process = launch()
    with SimControl(socket_path) as control:
        renderer = control.report().renderer_pid
    process.send_signal(signum)
    assert process.wait(PATIENCE_S) == 0
    assert not is_alive(renderer)
    assert list(socket_path.parent.iterdir()) == []


def test_a_second_simulator_on_the_same_socket_is_refused(
    launch: Launch, socket_path: Path
) -> None:
    launch()
    second = launch()
    assert second.wait(PATIENCE_S) == 1
    assert second.stderr is not None
    assert b"FH-1001" in second.stderr.read()
    assert _answers(socket_path)


def test_after_a_long_freeze_the_rover_stands(launch: Launch, socket_path: Path) -> None:
    process = launch()
    driver = SimDriver(socket_path)
    driver.connect()
    drive(driver, 0.2)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.4)
    woken = now_us()
    process.send_signal(signal.SIGCONT)
    with Observer(socket_path) as observer:
        assert stood_at(observer, woken, wheels=True) is not None
    driver.close()


def test_the_fault_command_switches_faults(sim: Path) -> None:
    farhand = [sys.executable, "-m", "farhand", "sim", "fault", "--socket", str(sim)]
    on = subprocess.run([*farhand, "freeze-camera"], capture_output=True, text=True, check=True)
    assert on.stdout == "faults: freeze-camera\n"
    off = subprocess.run(
        [*farhand, "freeze-camera", "--off"], capture_output=True, text=True, check=True
    )
    assert off.stdout == "faults: none\n"
    unknown = subprocess.run([*farhand, "gremlins"], capture_output=True, text=True, check=False)
    assert unknown.returncode == 1
    assert "FH-1001" in unknown.stderr


def test_the_socket_is_for_its_owner_only(sim: Path) -> None:
    assert sim.stat().st_mode & 0o777 == 0o600


def test_nobody_there_is_said_with_its_code(socket_path: Path) -> None:
    with pytest.raises(DriverError, match="FH-6003"):
        SimControl(socket_path)
    with pytest.raises(DriverError, match="FH-6003"):
        Observer(socket_path).start()


def test_the_manifest_says_what_the_rover_is() -> None:
    manifest = link.manifest(RobotId("sim-rover"), "Rover")
    assert manifest.axes == spec.AXES
    assert [(c.id, c.width, c.height, c.fps) for c in manifest.cameras] == [
        ("front", 640, 480, 30.0),
        ("rear", 320, 240, 15.0),
    ]
    assert manifest.device_timeout_s == 0.25
    assert manifest.simulated


def _answers(path: Path) -> bool:
    try:
        with SimControl(path) as control:
            return control.report().robot_id == "sim-rover"
    except DriverError:
        return False
