import math
import random

import pytest

from farhand.sim import kinematics, spec
from farhand.sim.kinematics import Joints, skeleton, tip_rates

ALL = (True, True, True)
STEP_S = 1e-5


def postures(count: int) -> list[Joints]:
    """Return postures away from the stops and from the stretched and the folded arm."""
    dice = random.Random(4)
    return [
        (
            dice.uniform(-1.8, 1.8),
            dice.uniform(0.2, 2.0),
            dice.uniform(-2.3, -0.6),
            dice.uniform(-1.2, 1.2),
        )
        for _ in range(count)
    ]


def moved(joints: Joints, rates: tuple[float, ...], dt: float) -> Joints:
    pan, lift, elbow, wrist = (a + b * dt for a, b in zip(joints, rates, strict=True))
    return pan, lift, elbow, wrist


def tip_velocity(joints: Joints, rates: tuple[float, ...]) -> tuple[float, ...]:
    before, after = skeleton(joints).tip, skeleton(moved(joints, rates, STEP_S)).tip
    return tuple((b - a) / STEP_S for a, b in zip(before, after, strict=True))


def test_the_stretched_arm_ends_where_its_links_do() -> None:
    reach = spec.UPPER_ARM_M + spec.FOREARM_M + spec.HAND_M
    assert skeleton((0.0, 0.0, 0.0, 0.0)).tip == pytest.approx((reach, 0.0, spec.SHOULDER_M))
    assert skeleton((math.pi / 2, 0.0, 0.0, 0.0)).tip == pytest.approx((0, reach, spec.SHOULDER_M))
    up = skeleton((0.0, math.pi / 2, 0.0, 0.0)).tip
    assert up == pytest.approx((0.0, 0.0, spec.SHOULDER_M + reach))


def test_a_bent_elbow_and_wrist_are_where_geometry_has_them() -> None:
    arm = skeleton((0.0, math.pi / 2, -math.pi / 2, -math.pi / 2))
    assert arm.elbow == pytest.approx((0.0, 0.0, spec.SHOULDER_M + spec.UPPER_ARM_M))
    assert arm.wrist == pytest.approx((spec.FOREARM_M, 0.0, spec.SHOULDER_M + spec.UPPER_ARM_M))
    assert arm.tip[2] == pytest.approx(arm.wrist[2] - spec.HAND_M)


@pytest.mark.parametrize("velocity", [(0.1, 0, 0), (0, 0.1, 0), (0, 0, -0.1), (0.06, -0.05, 0.04)])
def test_the_rates_found_move_the_tip_as_asked(velocity: tuple[float, float, float]) -> None:
    checked = 0
    for joints in postures(200):
        if abs(kinematics.plane(joints).tip[0]) < 0.15:
            continue  # above the first joint's axis, which is another test's
        rates = tip_rates(joints, velocity, ALL)
        assert tip_velocity(joints, rates) == pytest.approx(velocity, abs=0.004)
        assert abs(sum(rates[1:])) < 0.1  # the hand keeps its pitch
        checked += 1
    assert checked > 100


@pytest.mark.parametrize("velocity", [(0.15, 0, 0), (-0.15, 0, 0), (0, 0.15, 0), (0, 0, 0.15)])
@pytest.mark.parametrize(
    "joints",
    [
        (0.3, 0.4, 0.0, 0.0),  # stretched
        (0.3, 0.4, -math.pi, 0.0),  # folded
        (0.0, math.pi / 2, 0.0, 0.0),  # the tip above the first joint's axis
        (0.0, math.pi / 2, 0.0, 1e-9),
    ],
)
def test_no_singularity_asks_for_more_than_bounded_rates(
    joints: Joints, velocity: tuple[float, float, float]
) -> None:
    most = 7.5  # the damping's bound: 0.15 / (2 * 0.01)
    assert all(abs(rate) <= most + 1e-9 for rate in tip_rates(joints, velocity, ALL))


def test_outwards_with_the_arm_stretched_nothing_moves() -> None:
    assert tip_rates((0.0, 0.0, 0.0, 0.0), (0.15, 0.0, 0.0), ALL) == pytest.approx((0,) * 4)


def test_a_joint_that_may_not_move_does_not() -> None:
    rates = tip_rates((0.0, 0.8, -1.4, 0.0), (0.0, 0.0, 0.1), (True, True, False))
    assert rates[3] == 0.0
    assert tip_velocity((0.0, 0.8, -1.4, 0.0), rates) == pytest.approx((0, 0, 0.1), abs=0.002)


def test_what_one_joint_alone_cannot_follow_is_refused() -> None:
    assert tip_rates((0.0, 0.8, -1.4, 0.0), (0.1, 0.0, 0.0), (False, False, True)) == (0,) * 4


def test_no_velocity_is_no_motion() -> None:
    assert tip_rates((0.1, 0.8, -1.4, 0.0), (0.0, 0.0, 0.0), ALL) == (0.0, 0.0, 0.0, 0.0)
