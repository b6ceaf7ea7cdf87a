"""What every driver must do. A new one is added to ``DRIVERS``."""

import math
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farhand.core.gate_limits import Shaper
from farhand.drivers.base import Driver
from farhand.drivers.callbacks import CallbackDriver
from farhand.drivers.null import NullDriver
from farhand.drivers.sim import SimDriver
from farhand.errors import DriverError
from farhand.robot import Host, joint, twist

pytestmark = pytest.mark.process

TICK_S = 0.02


@pytest.fixture(scope="module")
def sim_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A simulator in a process of its own."""
    path = tmp_path_factory.mktemp("sim") / "s"
    argv = [sys.executable, "-m", "farhand", "sim", "run", "--socket", str(path)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield path
        process.terminate()


def null_driver(_request: pytest.FixtureRequest) -> Driver:
    return NullDriver()


def sim_driver(request: pytest.FixtureRequest) -> Driver:
    return SimDriver(request.getfixturevalue("sim_socket"))


def callback_driver(request: pytest.FixtureRequest) -> Driver:
    path = request.getfixturevalue("tmp_path") / "robot.sock"
    axes = [*twist(linear_x=1.0, angular_z=2.0), joint("elbow", 1.0, position=(-2.0, 2.0))]
    host = Host(path, lambda rates: None, axes=axes, positions=lambda: [None, None, 0.5])
    host.start()
    request.addfinalizer(host.close)
    return CallbackDriver(path)


DRIVERS: dict[str, Callable[[pytest.FixtureRequest], Driver]] = {
    "null": null_driver,
    "sim": sim_driver,
    "callbacks": callback_driver,
}
"""Each makes a driver, not yet connected, whose device is there."""


@pytest.fixture(params=DRIVERS, ids=str)
def driver(request: pytest.FixtureRequest) -> Driver:
    return DRIVERS[request.param](request)


@pytest.fixture
def connected(driver: Driver) -> Iterator[Driver]:
    driver.connect()
    yield driver
    driver.close()


def test_it_declares_its_axes_with_limits_that_the_gate_takes(driver: Driver) -> None:
    assert driver.axes
    assert len({axis.id for axis in driver.axes}) == len(driver.axes)
    Shaper(driver.axes)  # raises for limits without sense


def test_its_device_stops_by_itself_in_less_than_a_second_or_never(driver: Driver) -> None:
    timeout_s = driver.device_timeout_s
    assert timeout_s is None or 0 < timeout_s < 1


def test_it_takes_setpoints_within_a_tick(connected: Driver) -> None:
    times = []
    for step in range(50):
        began = time.monotonic()
        connected.send([axis.maximum * math.sin(step / 10) for axis in connected.axes])
        times.append(time.monotonic() - began)
    assert statistics.median(times) < TICK_S


def test_stops_come_back_within_a_tick(connected: Driver) -> None:
    times = []
    for _ in range(50):
        began = time.monotonic()
        connected.stop()
        times.append(time.monotonic() - began)
    assert statistics.median(times) < TICK_S


def test_it_says_where_each_axis_is_without_waiting(connected: Driver) -> None:
    for _ in range(5):
        connected.send([0.0 for _ in connected.axes])
        time.sleep(TICK_S)
    began = time.monotonic()
    positions = connected.positions()
    assert time.monotonic() - began < TICK_S
    assert len(positions) == len(connected.axes)
    for axis, position in zip(connected.axes, positions, strict=True):
        assert position is None or math.isfinite(position)
        is_limited = axis.position_minimum is not None or axis.position_maximum is not None
        assert not is_limited or position is not None  # else it would stand for ever


def test_it_says_what_stop_means(driver: Driver) -> None:
    assert driver.stop_behavior in {"zero", "hold", "land"}


def test_zeros_and_limits_are_setpoints(connected: Driver) -> None:
    connected.send([0.0 for _ in connected.axes])
    connected.send([axis.maximum for axis in connected.axes])
    connected.send([axis.minimum for axis in connected.axes])


def test_stop_can_be_repeated_and_motion_goes_on_after_it(connected: Driver) -> None:
    for _ in range(3):
        connected.stop()
    connected.send([0.0 for _ in connected.axes])


def test_halt_comes_from_any_thread_and_does_not_wait(connected: Driver) -> None:
    thread = threading.Thread(target=connected.halt)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_what_is_not_connected_says_so(driver: Driver) -> None:
    with pytest.raises(DriverError):
        driver.send([0.0 for _ in driver.axes])


def test_it_can_be_closed_and_connected_again(driver: Driver) -> None:
    for _ in range(2):
        driver.connect()
        driver.send([0.0 for _ in driver.axes])
        driver.close()
    driver.halt()  # the gate may call this at any time: it must not raise
