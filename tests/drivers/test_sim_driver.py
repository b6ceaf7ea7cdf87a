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
from farhand.sim import spec, wire
from farhand.sim.kinematics import skeleton
from farhand.sim.link import SimControl
from farhand.sim.observer import Observer
from farhand.sim.server import Simulator

pytestmark = pytest.mark.process

FORWARD = (0.4, *(0.0,) * (len(spec.AXES) - 1))


STOWED_TIP = skeleton(spec.STOW).tip


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


def wait_until(is_true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(0.01)
    return is_true()


def test_its_limits_are_the_rovers() -> None:
    driver = SimDriver("nowhere")
    by_id = {axis.id: axis for axis in driver.axes}
    assert list(by_id) == [axis.id for axis in spec.AXES]
    linear = by_id["linear.x"]
    assert (linear.minimum, linear.maximum) == (-1.0, 1.0)
    assert driver.device_timeout_s == 0.25


def test_it_tells_the_gate_where_each_axis_must_end() -> None:
    for limits, axis in zip(SimDriver("nowhere").axes, spec.AXES, strict=True):
        assert limits.position_minimum == axis.position_minimum
        assert limits.position_maximum == axis.position_maximum
        assert (limits.position_minimum is None) == (axis.group == "base")


@pytest.mark.parametrize("axis", range(len(spec.AXES)), ids=[axis.id for axis in spec.AXES])
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


def test_stop_halts_the_arm_with_the_wheels(driver: SimDriver, sim: Path) -> None:
    arm = (0.0, 0.0, 0.0, 0.0, *(axis.maximum / 2 for axis in spec.AXES[4:]))
    with Observer(sim) as observer:

        def is_moving() -> bool:
            driver.send(arm)
            return observer.latest.command_arm > 0 and observer.latest.rate_arm > 0.1

        assert wait_until(is_moving)
        assert observer.latest.is_commanded
        assert observer.latest.is_turning
        assert observer.latest.command_left == 0.0
        stopped = time.monotonic_ns() // 1000
        driver.stop()
        assert observer.wait_for_standstill(stopped, timeout_s=20, wheels=True) is not None
        assert (observer.latest.command_arm, observer.latest.rate_arm) == (0.0, 0.0)


def test_positions_are_known_while_it_sends_and_follow(driver: SimDriver) -> None:

    def is_stowed() -> bool:
        driver.stop()  # each answer brings positions
        return driver.positions()[2:] == (0.0, 0.0, *spec.STOW, 0.0, *STOWED_TIP)

    assert wait_until(is_stowed)
    assert driver.positions()[:2] == (None, None)
    pan = (0.0, 0.0, 1.0, *(0.0,) * (len(spec.AXES) - 3))

    def has_turned() -> bool:
        driver.send(pan)
        angle = driver.positions()[2]
        return angle is not None and angle > 0.05

    assert wait_until(has_turned)


def test_without_a_connection_no_position_is_known(driver: SimDriver) -> None:
    assert set(SimDriver("nowhere").positions()) == {None}

    def is_known() -> bool:
        driver.stop()
        return driver.positions()[2] == 0.0

    assert wait_until(is_known)
    driver.close()
    time.sleep(0.3)
    assert set(driver.positions()) == {None}
    driver.connect()
    assert driver.positions()[2] in (None, 0.0)


@pytest.mark.parametrize(("age_us", "is_known"), [(0, True), (150_000, True), (201_000, False)])
def test_what_was_measured_too_long_ago_is_no_position(age_us: int, is_known: bool) -> None:
    positions = tuple(0.1 * i for i in range(len(spec.AXES)))
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        path = Path(folder) / "old.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            driver = SimDriver(path)
            driver.connect()
            link, _ = listener.accept()
            for _ in range(20):  # a stall of ours may age it beyond what it is
                stamp = time.monotonic_ns() // 1000 - age_us
                link.sendall(wire.pack(wire.Applied(0, stamp, positions)))
                link.sendall(wire.pack(wire.Applied(0, stamp + 10_000_000, (1.0,))))  # no rover's
                found = driver.positions()
                assert set(driver.positions()) == {None}, "each only once"
                link.sendall(wire.pack(wire.Applied(0, stamp, positions)))
                assert set(driver.positions()) == {None}, "it was not measured anew"
                if (found == positions) == is_known:
                    break
            assert (found == positions) == is_known
            link.close()
            driver.close()


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
