"""The setpoint's and the watchdog's threads, with nothing else alive around them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from farhand.core.gate import Gate
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.drivers.null import NullDriver, NullOptions
from farhand.errors import Code, DriverError
from farhand.gate.actuator import Actuator, now_us
from tests.core.gate_rig import MS
from tests.gate.harness import wait_for
from tests.stalls import StallWatch


class Bench:
    """A gate that moves, and its actuator; nobody runs a main loop."""

    def __init__(self, driver: NullDriver) -> None:
        self.driver = driver
        self.lock = threading.Lock()
        self.reasons: list[str] = []
        self.changes = 0
        self.gate = Gate(GateConfig(), driver.axes, LatchRecord(0, is_stopped=False), now_us())
        driver.connect()
        self.actuator = Actuator(
            self.gate,
            driver,
            self.lock,
            on_change=self._changed,
            die=self.reasons.append,
        )

    def _changed(self) -> None:
        self.changes += 1

    def move(self) -> None:
        """Put the gate in motion as of now, as an applied command would."""
        with self.lock:
            now = now_us()
            self.gate.latch.open_start()
            self.gate.grant(1, self.gate.highest_epoch + 1, now, "local")
            self.gate.fresh_us = self.gate.pulse_us = now
            self.gate.is_armed = True
            self.gate.shaper.aim((1.0,) * len(self.driver.axes), now)
        self.actuator.poke()

    def move_until(self, is_so: Callable[[], object]) -> None:
        """Move until ``is_so``; a stall of the machine stops the gate, as it must."""

        def is_there() -> bool:
            if is_so():
                return True
            if not self.gate.is_armed:
                self.move()
            return False

        wait_for(is_there)

    def renew(self, *, pulse: bool = True, fresh: bool = True) -> None:
        with self.lock:
            self.gate.pulse_us = now_us() if pulse else self.gate.pulse_us
            self.gate.fresh_us = now_us() if fresh else self.gate.fresh_us

    def names(self) -> list[str]:
        return [call.name for call in list(self.driver.calls)]

    def is_moving(self) -> bool:
        calls = list(self.driver.calls)
        return bool(calls) and any(calls[-1].setpoint)


class Stuck(NullDriver):
    """``send`` waits until ``go``."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def send(self, setpoint: Sequence[float]) -> None:
        super().send(setpoint)
        if any(setpoint):
            self.go.wait(20)


@pytest.fixture
def bench() -> Iterator[Callable[[NullDriver], Bench]]:
    made: list[Bench] = []

    def make(driver: NullDriver) -> Bench:
        made.append(Bench(driver))
        made[-1].actuator.start()
        return made[-1]

    yield make
    for one in made:
        one.actuator.close()


Make = Callable[[NullDriver], Bench]


def test_standing_still_is_the_drivers_own_stop_each_tick(bench: Make) -> None:
    one = bench(NullDriver())
    wait_for(lambda: one.names().count("stop") >= 21)
    calls = [call.at_us for call in one.driver.calls if call.name == "stop"]
    assert (calls[-1] - calls[0]) / (len(calls) - 1) > 15 * MS


def test_silence_stops_the_driver_without_any_main_loop(bench: Make) -> None:
    one = bench(NullDriver())
    pauses = -1

    def is_stopped_by_watchdog() -> bool:
        nonlocal pauses
        if one.gate.pauses > pauses:  # where the machine stalls, that is what stops it
            pauses = one.gate.pauses
            one.move()
        one.renew(fresh=False)
        return one.gate.watchdog > 0

    wait_for(is_stopped_by_watchdog)
    assert any(any(call.setpoint) for call in list(one.driver.calls))
    wait_for(lambda: one.names()[-1] == "stop")
    wait_for(lambda: one.changes >= 1)


def test_a_main_loop_that_hangs_stops_the_driver(bench: Make) -> None:
    one = bench(NullDriver())
    with StallWatch() as watch:
        one.move()
        wait_for(lambda: one.gate.pauses == 1)
        wait_for(lambda: one.names()[-1] == "stop")
        assert one.gate.watchdog == 0 or watch.lost_s > 0.1  # after a stall, both times are over
    assert not one.reasons


def test_a_stop_does_not_wait_behind_a_send(bench: Make) -> None:
    driver = Stuck()
    one = bench(driver)
    one.move_until(one.is_moving)
    with one.lock:
        one.gate.revoke()
    wait_for(lambda: "halt" in one.names())
    driver.go.set()


def test_a_send_that_hangs_is_the_end(bench: Make) -> None:
    driver = Stuck()
    one = bench(driver)
    one.move_until(lambda: one.reasons)
    driver.go.set()
    assert one.reasons == ["driver: send did not return"]


def test_a_lock_that_is_held_is_the_end(bench: Make) -> None:
    one = bench(NullDriver())
    with one.lock:
        wait_for(lambda: bool(one.reasons))
    assert one.reasons == ["gate: its lock is held"]


def test_delivery_can_be_waited_for(bench: Make) -> None:
    driver = Stuck()
    one = bench(driver)
    assert one.actuator.wait_delivered(20)
    one.move_until(one.is_moving)
    assert not one.actuator.wait_delivered(0.01)
    driver.go.set()
    assert one.actuator.wait_delivered(20)


def test_a_driver_that_fails_is_latched_and_opened_again(bench: Make) -> None:
    one = bench(NullDriver(NullOptions(raise_at=1)))
    one.move_until(lambda: one.gate.latch.kind == "stop")
    assert one.gate.fault == "driver: FH-6001 The device refused."
    wait_for(lambda: not one.gate.fault)
    assert one.names().count("connect") == 2
    assert one.gate.latch.kind == "stop"


class Joint(NullDriver):
    """One axis that goes where it is told, from -1 to 1 rad; its sensor can fail."""

    def __init__(self, axes: int = 1) -> None:
        super().__init__(NullOptions(axes=axes))
        self.axes = [
            replace(axis, position_minimum=-1.0, position_maximum=1.0) for axis in self.axes
        ]
        self.at = 0.9
        self.is_lost = False
        self.is_broken = False
        self.told = 1
        self.sent_us = now_us()

    def send(self, setpoint: Sequence[float]) -> None:
        super().send(setpoint)
        now = now_us()
        self.at += setpoint[0] * min(now - self.sent_us, 20 * MS) / 1e6
        self.sent_us = now

    def positions(self) -> Sequence[float | None]:
        if self.is_broken:
            raise DriverError(Code.DRIVER_FAULT, "no sensor", retryable=True)
        return (None if self.is_lost else self.at,) * self.told


def test_an_axis_is_held_at_the_limit_that_its_driver_measures(bench: Make) -> None:
    joint = Joint()
    one = bench(joint)
    wait_for(lambda: one.gate.positions.places[0].at_us > 0)

    def is_held() -> bool:
        one.renew()
        return one.gate.state().at_limit == (0,) and joint.at > 0.98

    one.move_until(is_held)
    for _ in range(50):
        one.renew()
        threading.Event().wait(0.01)
    assert 0.98 < joint.at <= 1.0
    assert not one.gate.violations


def test_an_axis_whose_sensor_fails_stands(bench: Make) -> None:
    joint = Joint()
    joint.at = -0.9
    one = bench(joint)

    def moves() -> bool:
        one.renew()
        return one.is_moving()

    one.move_until(moves)
    joint.is_lost = True
    lost_us = now_us()

    def stands() -> bool:
        one.renew()
        return now_us() - lost_us > 400 * MS and one.gate.is_armed and not one.is_moving()

    one.move_until(stands)
    assert one.gate.state().at_limit == (0,)
    assert not one.gate.violations


@pytest.mark.parametrize("fault", ["raises", "too few"])
def test_a_driver_that_cannot_say_where_it_is_is_a_fault(bench: Make, fault: str) -> None:
    joint = Joint()
    one = bench(joint)
    wait_for(lambda: one.gate.positions.places[0].at_us > 0)
    joint.is_broken, joint.told = fault == "raises", 0
    wait_for(lambda: one.gate.latch.kind == "stop")
    assert one.gate.fault.startswith("driver: ")


def test_a_driver_without_limits_is_not_asked_where_it_is(bench: Make) -> None:
    class Nowhere(NullDriver):
        def positions(self) -> Sequence[float | None]:
            raise AssertionError

    one = bench(Nowhere())
    wait_for(lambda: one.names().count("stop") >= 5)
    assert one.gate.latch.kind == "start"
