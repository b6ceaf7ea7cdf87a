import math
from collections.abc import Callable
from functools import partial

import pytest

from farhand.sim.actuator import TIMEOUT_US, Actuator
from farhand.sim.spec import AXES, WHEEL_TRACK_M

NEUTRAL = (0.0,) * len(AXES)
INDEX = {axis.id: i for i, axis in enumerate(AXES)}


def rates(**by_axis: float) -> tuple[float, ...]:
    """Return a setpoint: rates by axis, ``linear_x`` for ``linear.x``; all others are zero."""
    setpoint = list(NEUTRAL)
    for name, rate in by_axis.items():
        setpoint[INDEX[name] if name in INDEX else INDEX[name.replace("_", ".")]] = rate
    return tuple(setpoint)


FORWARD = rates(linear_x=0.5)
FORWARD_WHEELS = (0.5, 0.5, *NEUTRAL[2:])


def test_the_command_is_zero_exactly_250_ms_after_the_last_setpoint() -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=1_000)
    assert actuator.deadline_us == 251_000
    assert not actuator.expire(250_999)
    assert actuator.command == FORWARD_WHEELS
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


ALL_AT_ONCE = tuple(axis.maximum / 2 for axis in AXES)


@pytest.mark.parametrize("axis", [axis.id for axis in AXES])
def test_every_axis_stops_by_the_same_time_out(axis: str) -> None:
    actuator = Actuator()
    setpoint = list(NEUTRAL)
    setpoint[INDEX[axis]] = 0.05
    actuator.apply(1, setpoint, now_us=0)
    assert any(actuator.command)
    assert actuator.expire(TIMEOUT_US)
    assert actuator.command == NEUTRAL


@pytest.mark.parametrize("end", ["halt", "release", "expire"])
def test_whatever_ends_the_command_ends_it_on_all_axes_at_once(end: str) -> None:
    actuator = Actuator()
    actuator.apply(1, ALL_AT_ONCE, now_us=0)
    assert all(actuator.command)
    assert actuator.arm == 0.8
    ends: dict[str, Callable[[], bool]] = {
        "halt": actuator.halt,
        "release": actuator.release,
        "expire": partial(actuator.expire, TIMEOUT_US),
    }
    assert ends[end]()
    assert actuator.command == NEUTRAL
    assert actuator.arm == 0.0
    assert actuator.deadline_us is None


def test_a_command_of_the_arm_alone_has_a_deadline_too() -> None:
    actuator = Actuator()
    actuator.apply(1, rates(tool_z=-0.1), now_us=0)
    assert actuator.deadline_us == TIMEOUT_US
    assert actuator.arm == 0.1


def test_a_left_turn_runs_the_right_wheel_forward() -> None:
    actuator = Actuator()
    actuator.apply(1, rates(angular_z=1.0), now_us=0)
    assert actuator.right == pytest.approx(WHEEL_TRACK_M / 2)
    assert actuator.left == -actuator.right


def test_a_setpoint_beyond_the_limits_is_cut_to_them() -> None:
    actuator = Actuator()
    actuator.apply(1, rates(linear_x=9.0, pan=-9.0, tilt=9.0, elbow=9.0, gripper=-9.0), now_us=0)
    cut = rates(pan=-1.5, tilt=1.0, elbow=1.2, gripper=-0.06)
    assert actuator.command == (1.0, 1.0, *cut[2:])


@pytest.mark.parametrize(
    "setpoint",
    [
        (math.nan, *NEUTRAL[1:]),
        (*NEUTRAL[:-1], math.inf),
        (0.5,),
        (0.5,) * (len(AXES) - 1),
        (0.5,) * (len(AXES) + 1),
        (),
    ],
)
def test_what_is_no_setpoint_changes_nothing(setpoint: tuple[float, ...]) -> None:
    actuator = Actuator()
    actuator.apply(1, FORWARD, now_us=0)
    assert not actuator.apply(2, setpoint, now_us=1)
    assert actuator.command == FORWARD_WHEELS
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
