"""The simulated rover as a driver; what every driver must do stands in test_driver_contract.py."""

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farhand.core.gate_limits import AxisShaper
from farhand.drivers.sim import SILENCE_S, SimDriver
from farhand.errors import DriverError
from farhand.sim import spec
from farhand.sim.link import SimControl
from farhand.sim.observer import Observer
from farhand.sim.server import Simulator

pytestmark = pytest.mark.process

FORWARD = (0.4, *(0.0,) * (len(spec.AXES) - 1))


@pytest.fixture
def sim() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        path = Path(folder) / "sim.sock"
        simulator = Simulator(path, robot_id="sim-rover", seed=1, has_clock=False)
        thread = threading.Thread(target=simulator.run)
        thread.start()
        yield path
        simulator.stop()
        thread.join()


@pytest.fixture
def driver(sim: Path) -> Iterator[SimDriver]:
    driver = SimDriver(sim)
    driver.connect()
    yield driver
    driver.close()


def drives_until(driver: SimDriver, is_true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        driver.send(FORWARD)
        time.sleep(0.01)
        if is_true():
            return True
    return False


def test_its_limits_are_the_rovers() -> None:
    driver = SimDriver("nowhere")
    by_id = {axis.id: axis for axis in driver.axes}
    assert list(by_id) == [axis.id for axis in spec.AXES]
    linear = by_id["linear.x"]
    assert (linear.minimum, linear.maximum) == (-1.0, 1.0)
    assert driver.device_timeout_s == 0.25


@pytest.mark.parametrize("axis", [0, 1], ids=["linear.x", "angular.z"])
def test_letting_go_at_full_speed_is_standstill_within_300_ms(axis: int) -> None:
    shaper = AxisShaper(SimDriver("nowhere").axes[axis])
    shaper.aim(shaper.maximum)
    for _ in range(3000):
        shaper.step(0.001)
    assert shaper.value == shaper.maximum
    shaper.aim(0)
    for _ in range(300):
        shaper.step(0.001)
    assert shaper.value == 0


def test_without_a_simulator_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="FH-6003") as caught:
        SimDriver(tmp_path / "nobody.sock").connect()
    assert caught.value.retryable


def test_stop_zeroes_the_command(driver: SimDriver, sim: Path) -> None:
    with Observer(sim) as observer:
        assert drives_until(driver, lambda: observer.latest.is_commanded)
        stopped = time.monotonic_ns() // 1000
        driver.stop()
        assert observer.wait_for_standstill(stopped, timeout_s=20) is not None
        assert drives_until(driver, lambda: observer.latest.is_commanded)


def test_a_send_that_hangs_comes_back_when_the_fault_goes(driver: SimDriver, sim: Path) -> None:
    done = threading.Event()

    def send() -> None:
        driver.send(FORWARD)
        driver.send(FORWARD)
        done.set()

    with SimControl(sim) as control:
        control.set_fault("hang-send", is_on=True)
        threading.Thread(target=send).start()
        assert not done.wait(0.3)
        control.set_fault("hang-send", is_on=False)
        assert done.wait(20)


def test_halt_stops_the_rover_while_send_hangs_and_the_device_does_without(
    driver: SimDriver, sim: Path
) -> None:
    with SimControl(sim) as control, Observer(sim) as observer:
        assert drives_until(driver, lambda: observer.latest.is_commanded)
        control.set_fault("hang-send", is_on=True)
        hanging = threading.Thread(target=driver.send, args=(FORWARD,))
        hanging.start()
        halted = time.monotonic_ns() // 1000
        driver.halt()
        assert observer.wait_for_standstill(halted, timeout_s=20) is not None
        driver.close()
        hanging.join(20)
        assert not hanging.is_alive()


def test_a_slow_send_takes_longer_but_less_than_a_tick_of_its_own(
    driver: SimDriver, sim: Path
) -> None:
    with SimControl(sim) as control:
        control.set_fault("slow-send", is_on=True)
        driver.send(FORWARD)
        began = time.monotonic()
        for _ in range(10):
            driver.send(FORWARD)
        assert time.monotonic() - began >= 0.1


def test_a_driver_whose_simulator_is_gone_is_told() -> None:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        simulator = Simulator(Path(folder) / "s", robot_id="r", seed=1, has_clock=False)
        thread = threading.Thread(target=simulator.run)
        thread.start()
        driver = SimDriver(Path(folder) / "s")
        driver.connect()
        simulator.stop()
        thread.join()
        with pytest.raises(DriverError, match="FH-6003"):
            drives_until(driver, lambda: False)
        driver.close()


@pytest.fixture
def deaf() -> Iterator[SimDriver]:
    """A driver that is connected to what never answers."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        path = Path(folder) / "deaf.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            driver = SimDriver(path)
            driver.connect()
            yield driver
            driver.close()


def test_a_simulator_that_is_silent_is_an_error_and_never_a_wait(deaf: SimDriver) -> None:
    began = time.monotonic()
    with pytest.raises(DriverError, match="FH-6003"):
        drives_until(deaf, lambda: False)
    assert time.monotonic() - began < 15


def test_a_pause_of_ones_own_is_no_silence_of_the_simulators(deaf: SimDriver) -> None:
    deaf.send(FORWARD)
    time.sleep(SILENCE_S + 0.1)
    deaf.send(FORWARD)
