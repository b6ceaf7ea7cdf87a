import math

import pytest

from farhand.sim import spec
from farhand.sim.arm import Arm
from farhand.sim.kinematics import Point, Skeleton

DT = 0.005
NONE = (0.0, 0.0, 0.0, 0.0)
REST: Point = (0.0, 0.0, 0.0)
READY = (0.0, 1.4, -2.0, 0.0)
"""In the middle of the workspace."""


def ready() -> Arm:
    arm = Arm()
    arm.place(READY)
    return arm


def hold(
    arm: Arm,
    seconds: float,
    joints: tuple[float, ...] = NONE,
    gripper: float = 0.0,
    tool: Point = REST,
) -> None:
    for _ in range(round(seconds / DT)):
        before = arm.joints
        arm.step(joints, gripper, tool, DT)
        for was, now, rate, most in zip(
            before, arm.joints, arm.rates, spec.JOINT_SPEEDS, strict=True
        ):
            assert abs(now - was) <= most * DT + 1e-12
            assert abs(rate) <= most + 1e-12
        ends = zip(spec.JOINT_MINIMA, arm.joints, spec.JOINT_MAXIMA, strict=True)
        assert all(low <= position <= high for low, position, high in ends)


@pytest.mark.parametrize("joint", range(4))
def test_a_joint_follows_its_rate_after_its_time_constant(joint: int) -> None:
    arm = ready()
    command = tuple(0.5 if i == joint else 0.0 for i in range(4))
    hold(arm, spec.ARM_TAU_S, command)
    assert arm.rates[joint] == pytest.approx(0.5 * (1 - math.exp(-1)), rel=1e-6)
    hold(arm, 0.4, command)
    assert arm.joints[joint] - READY[joint] == pytest.approx(0.5 * 0.4, abs=0.03)
    assert [r for i, r in enumerate(arm.rates) if i != joint] == [0.0, 0.0, 0.0]


def test_without_a_command_every_joint_brakes_to_exactly_zero_sooner_than_a_wheel() -> None:
    arm = ready()
    hold(arm, 0.3, spec.JOINT_SPEEDS, gripper=spec.GRIPPER_SPEED)
    assert arm.fastest > 1.2
    wheels_s = 1.0 / spec.BRAKE_MPS2
    hold(arm, wheels_s)
    assert arm.rates == NONE
    assert arm.width_rate == 0.0
    assert arm.fastest == 0.0
    posture = arm.joints
    hold(arm, 1.0)
    assert arm.joints == posture


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("joint", range(4))
def test_a_joint_stops_at_its_hard_stop_and_leaves_it_again(joint: int, side: float) -> None:
    arm = ready()
    speed = spec.JOINT_SPEEDS[joint]
    hold(arm, 5.0, tuple(side * speed if i == joint else 0.0 for i in range(4)))
    stops = spec.JOINT_MAXIMA if side > 0 else spec.JOINT_MINIMA
    assert arm.joints[joint] == stops[joint]
    assert arm.rates[joint] == 0.0
    hold(arm, 0.3, tuple(-side * speed if i == joint else 0.0 for i in range(4)))
    assert (stops[joint] - arm.joints[joint]) * side > 0.2


def test_the_gripper_ends_at_closed_and_at_open() -> None:
    arm = Arm()
    assert arm.width == 0.0
    hold(arm, 3.0, gripper=0.06)
    assert (arm.width, arm.width_rate) == (spec.GRIPPER_MAX_M, 0.0)
    hold(arm, 3.0, gripper=-0.06)
    assert (arm.width, arm.width_rate) == (0.0, 0.0)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_tip_goes_along_a_straight_line(axis: int, side: float) -> None:
    arm = ready()
    start, pitch = arm.tip, arm.pitch
    velocity = tuple(0.1 * side if i == axis else 0.0 for i in range(3))
    hold(arm, 0.8, tool=(velocity[0], velocity[1], velocity[2]))
    away = [b - a for a, b in zip(start, arm.tip, strict=True)]
    assert away[axis] * side == pytest.approx(0.1 * (0.8 - spec.ARM_TAU_S), abs=0.005)
    assert all(abs(part) < 0.008 for i, part in enumerate(away) if i != axis)
    assert arm.pitch == pytest.approx(pitch, abs=0.03)


@pytest.mark.parametrize(
    "tool",
    [
        (0.15, 0.0, 0.0),
        (-0.15, 0.0, 0.0),
        (0.0, 0.15, 0.0),
        (0.0, -0.15, 0.0),
        (0.0, 0.0, 0.15),
        (0.0, 0.0, -0.15),
        (0.1, 0.1, 0.1),
        (-0.1, 0.1, -0.1),
    ],
)
@pytest.mark.parametrize("posture", [READY, spec.STOW, (1.0, 0.3, -0.4, 0.2)])
def test_at_the_edge_of_its_workspace_the_tip_slows_and_stands(
    tool: Point, posture: tuple[float, float, float, float]
) -> None:
    arm = Arm()
    arm.place(posture)
    hold(arm, 15.0, tool=tool)  # asserts speeds and stops at every step
    there = arm.tip
    hold(arm, 1.0, tool=tool)
    assert math.dist(there, arm.tip) < 0.004


def test_even_the_fully_stretched_arm_comes_back_by_its_tip() -> None:
    arm = Arm()
    arm.place((0.0, 0.3, -0.5, 0.0))
    hold(arm, 2.0, (0.0, 0.0, 1.2, 0.0))
    assert arm.joints[2] == spec.JOINT_MAXIMA[2]
    start = arm.tip
    hold(arm, 2.0, tool=(-0.15, 0.0, 0.0))
    assert start[0] - arm.tip[0] > 0.1


def test_after_the_edge_it_comes_back_the_way_it_went() -> None:
    arm = ready()
    hold(arm, 10.0, tool=(0.15, 0.0, 0.0))
    edge = arm.tip
    hold(arm, 1.0, tool=(-0.15, 0.0, 0.0))
    assert edge[0] - arm.tip[0] > 0.08


def test_from_the_stow_pose_the_tip_reaches_the_floor_before_the_rover_and_above() -> None:
    arm = Arm()
    hold(arm, 3.0, tool=(0.15, 0.0, 0.0))
    hold(arm, 2.0, tool=(0.0, 0.0, -0.15))
    assert arm.tip[0] > 0.4
    assert arm.tip[2] < -0.18
    hold(arm, 5.0, tool=(0.0, 0.0, 0.15))
    assert arm.tip[2] > 0.3


def test_joint_and_tip_commands_add() -> None:
    both, tip = ready(), ready()
    hold(both, 0.5, (0.3, 0.0, 0.0, 0.0), tool=(0.0, 0.0, 0.1))
    hold(tip, 0.5, tool=(0.0, 0.0, 0.1))
    assert both.tip[2] == pytest.approx(tip.tip[2], abs=1e-3)
    assert both.joints[0] == pytest.approx(0.3 * (0.5 - spec.ARM_TAU_S), abs=0.01)


def test_what_is_in_the_way_stops_it_and_lets_it_back() -> None:
    def depth(arm: Skeleton) -> float:
        return max(0.0, arm.tip[0] - 0.5)

    arm = ready()
    for _ in range(600):
        arm.step(NONE, 0.0, (0.15, 0.0, 0.0), DT, depth=depth)
    assert arm.is_blocked
    assert arm.rates == NONE
    assert 0.49 < arm.tip[0] <= 0.5
    for _ in range(100):
        arm.step(NONE, 0.0, (-0.15, 0.0, 0.0), DT, depth=depth)
    assert not arm.is_blocked
    assert arm.tip[0] < 0.46


def test_what_is_inside_something_can_be_driven_out_and_not_further_in() -> None:
    def depth(arm: Skeleton) -> float:
        return max(0.0, arm.tip[0] - 0.2)

    arm = ready()
    start = arm.tip[0]
    assert depth(arm.skeleton) > 0.05
    for _ in range(100):
        arm.step(NONE, 0.0, (0.15, 0.0, 0.0), DT, depth=depth)
    assert arm.tip[0] == start
    for _ in range(100):
        arm.step(NONE, 0.0, (-0.15, 0.0, 0.0), DT, depth=depth)
    assert arm.tip[0] < start - 0.04


def test_the_start_is_the_stow_pose_and_in_every_axis_range() -> None:
    arm = Arm()
    measured = (*arm.joints, arm.width, *arm.tip)
    for axis, position in zip(spec.AXES[4:], measured, strict=True):
        assert axis.position_minimum is not None
        assert axis.position_maximum is not None
        assert axis.position_minimum <= position <= axis.position_maximum
