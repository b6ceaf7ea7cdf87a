import math

import pytest

from farhand.sim.actuator import TIMEOUT_US, Actuator
from farhand.sim.spec import WHEEL_TRACK_M

FORWARD = (0.5, 0.0, 0.0, 0.0)
NEUTRAL = (0.0, 0.0, 0.0, 0.0)


def test_the_command_is_zero_exactly_250_ms_after_the_last_setpoint() -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=1_000)
    assert actuator.deadline_us == 251_000
    assert not actuator.expire(250_999)
    assert actuator.command == (0.5, 0.5, 0.0, 0.0)
    assert actuator.expire(251_000)
    assert actuator.command == NEUTRAL
    assert actuator.timeouts == 1
    assert actuator.deadline_us is None
    assert not actuator.expire(999_000)


def test_each_setpoint_starts_the_time_out_anew_even_an_equal_one() -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=0)
    assert not actuator.apply(2, FORWARD, now_us=200_000)
    assert actuator.deadline_us == 200_000 + TIMEOUT_US
    assert actuator.applied == 2


def test_the_head_stops_by_the_same_time_out() -> None:
    actuator = Actuator()
    actuator.apply(1, (0.0, 0.0, 0.4, -0.3), now_us=0)
    assert actuator.command == (0.0, 0.0, 0.4, -0.3)
    assert actuator.expire(TIMEOUT_US)
    assert actuator.command == NEUTRAL


def test_a_left_turn_runs_the_right_wheel_forward() -> None:
    actuator = Actuator()
    actuator.apply(1, (0.0, 1.0, 0.0, 0.0), now_us=0)
    assert actuator.right == pytest.approx(WHEEL_TRACK_M / 2)
    assert actuator.left == -actuator.right


def test_a_setpoint_beyond_the_limits_is_cut_to_them() -> None:
    actuator = Actuator()
    actuator.apply(1, (9.0, 0.0, -9.0, 9.0), now_us=0)
    assert actuator.command == (1.0, 1.0, -1.5, 1.0)


@pytest.mark.parametrize(
    "setpoint", [(math.nan, 0.0, 0.0, 0.0), (0.0, math.inf, 0.0, 0.0), (0.5,), (0.5,) * 5, ()]
)
def test_what_is_no_setpoint_changes_nothing(setpoint: tuple[float, ...]) -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=0)
    assert not actuator.apply(2, setpoint, now_us=1)
    assert actuator.command == (0.5, 0.5, 0.0, 0.0)
    assert actuator.applied == 1
    assert actuator.deadline_us == TIMEOUT_US


def test_after_a_halt_motion_needs_a_neutral_setpoint_first() -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=0)
    assert actuator.halt()
    assert actuator.command == NEUTRAL
    assert not actuator.apply(2, FORWARD, now_us=1)
    assert actuator.command == NEUTRAL
    actuator.apply(3, NEUTRAL, now_us=2)
    assert actuator.apply(4, FORWARD, now_us=3)
    assert actuator.left == 0.5


def test_the_fault_drop_control_leaves_the_wheels_to_the_time_out() -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=0)
    actuator.is_dropping = True
    assert not actuator.apply(2, FORWARD, now_us=200_000)
    assert actuator.expire(TIMEOUT_US)


def test_losing_its_driver_zeroes_the_command_without_a_latch() -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=0)
    assert actuator.release()
    assert actuator.apply(2, FORWARD, now_us=1)
