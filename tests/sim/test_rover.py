import math

import pytest

from farhand.sim import hall
from farhand.sim.rover import Rover
from farhand.sim.spec import (
    AXES,
    BATTERY_SWAP,
    BODY_RADIUS_M,
    BRAKE_MPS2,
    PAN_LIMIT_RAD,
    TILT_LIMIT_RAD,
    WHEEL_TAU_S,
    WHEEL_TRACK_M,
)

DT = 0.005
STILL = (0.0, 0.0, 0.0, 0.0)
Command = tuple[float, float, float, float]
ARM_STILL = (0.0,) * (len(AXES) - len(STILL))


def drive(rover: Rover, command: Command, seconds: float) -> None:
    for _ in range(round(seconds / DT)):
        rover.step((*command, *ARM_STILL), DT)


def trace(seed: int) -> list[tuple[object, ...]]:
    rover = Rover(seed)
    states: list[tuple[object, ...]] = []
    for i in range(2_000):
        arm = [math.sin(i / (60 + 10 * k)) * axis.maximum for k, axis in enumerate(AXES[4:])]
        rover.step((math.sin(i / 90), math.cos(i / 70), 0.2, -0.1, *arm), DT)
        states.append((rover.x, rover.y, rover.yaw, rover.left, rover.charge, rover.pan))
        states.append((rover.arm.joints, rover.arm.width, *rover.blocks.all))
    return states


def test_the_same_seed_and_commands_give_the_same_run_to_the_last_bit() -> None:
    assert trace(3) == trace(3)


def test_another_seed_gives_another_hall() -> None:
    assert hall.furnish(1) == hall.furnish(1)
    assert hall.furnish(1) != hall.furnish(2)


@pytest.mark.parametrize("seed", range(40))
def test_the_start_is_free_in_every_hall(seed: int) -> None:
    x, y, _ = hall.START
    assert hall.is_free(hall.furnish(seed), x, y, BODY_RADIUS_M + 0.3)


def test_a_wheel_reaches_63_percent_of_its_command_after_its_time_constant() -> None:
    rover = Rover()
    drive(rover, (1.0, 1.0, 0.0, 0.0), WHEEL_TAU_S)
    assert rover.left == pytest.approx(1 - math.exp(-1), abs=1e-9)


def test_straight_ahead_is_straight() -> None:
    rover = Rover()
    x, y, yaw = hall.START
    drive(rover, (1.0, 1.0, 0.0, 0.0), 2.0)
    assert (rover.y, rover.yaw) == (y, yaw)
    assert rover.x - x == pytest.approx(2.0 - WHEEL_TAU_S, abs=0.01)
    assert rover.linear == pytest.approx(1.0, abs=1e-6)


def test_opposite_wheels_turn_it_on_the_spot() -> None:
    rover = Rover()
    drive(rover, (-0.22, 0.22, 0.0, 0.0), 1.0)
    assert (rover.x, rover.y) == pytest.approx(hall.START[:2])
    assert rover.angular == pytest.approx(0.44 / WHEEL_TRACK_M, abs=1e-6)
    assert rover.yaw == pytest.approx((1.0 - WHEEL_TAU_S) * 0.44 / WHEEL_TRACK_M, abs=0.02)


def test_an_arc_has_the_radius_of_its_speeds() -> None:
    rover = Rover()
    drive(rover, (0.4, 0.6, 0.0, 0.0), 0.5)  # up to speed
    x, y, yaw = rover.x, rover.y, rover.yaw
    drive(rover, (0.4, 0.6, 0.0, 0.0), 1.0)
    chord = math.hypot(rover.x - x, rover.y - y)
    radius = 0.5 / (0.2 / WHEEL_TRACK_M)
    assert chord == pytest.approx(2 * radius * math.sin((rover.yaw - yaw) / 2), rel=1e-3)


def test_a_zero_command_brakes_both_wheels_to_exactly_zero() -> None:
    rover = Rover()
    drive(rover, (1.0, 1.0, 0.0, 0.0), 1.0)
    drive(rover, STILL, 1.0 / BRAKE_MPS2 + 2 * DT)
    assert (rover.left, rover.right) == (0.0, 0.0)
    x = rover.x
    drive(rover, STILL, 1.0)
    assert rover.x == x


def test_a_wall_stops_it_at_its_own_radius() -> None:
    rover = Rover()
    drive(rover, (-1.0, -1.0, 0.0, 0.0), 5.0)
    assert rover.has_collided
    assert rover.linear == 0.0
    assert BODY_RADIUS_M <= rover.x < BODY_RADIUS_M + 0.006


def test_a_thing_stops_it_before_they_touch() -> None:
    rover = Rover()
    pillar = next(thing for thing in rover.things if thing.skin == "pillar")
    rover.x, rover.y, rover.yaw = pillar.x - 1.5, pillar.y, 0.0
    drive(rover, (0.8, 0.8, 0.0, 0.0), 4.0)
    assert rover.has_collided
    assert 0.0 <= pillar.gap(rover.x, rover.y) - BODY_RADIUS_M < 0.005


def test_after_a_collision_it_can_turn_and_drive_away() -> None:
    rover = Rover()
    drive(rover, (-1.0, -1.0, 0.0, 0.0), 5.0)
    drive(rover, (0.5, 0.5, 0.0, 0.0), 1.0)
    assert not rover.has_collided
    assert rover.x > BODY_RADIUS_M + 0.3


def test_no_drive_however_wild_ends_inside_something() -> None:
    rover = Rover(5)
    for i in range(40):
        drive(rover, (math.sin(i * 1.7), math.sin(i * 2.3 + 1), 0.0, 0.0), 1.0)
        assert hall.is_free(rover.things, rover.x, rover.y, BODY_RADIUS_M)


def test_driving_drains_the_battery_faster_than_standing() -> None:
    standing, driving = Rover(), Rover()
    full = standing.charge
    drive(standing, STILL, 10.0)
    drive(driving, (0.5, -0.5, 0.0, 0.0), 10.0)
    assert full > standing.charge > driving.charge


def test_the_voltage_sags_under_load() -> None:
    rover = Rover()
    idle = rover.voltage
    drive(rover, (1.0, 1.0, 0.0, 0.0), 0.5)
    assert rover.voltage < idle - 0.3


def test_an_empty_battery_is_swapped() -> None:
    rover = Rover()
    rover.charge = BATTERY_SWAP + 1e-9
    drive(rover, STILL, 0.1)
    assert rover.charge == pytest.approx(1.0, abs=1e-4)


def test_a_stalled_motor_does_not_turn_whatever_it_is_told() -> None:
    rover = Rover()
    rover.is_stalled = True
    drive(rover, (1.0, 1.0, 0.0, 0.0), 1.0)
    assert (rover.x, rover.y) == hall.START[:2]
    assert (rover.left, rover.right) == (0.0, 0.0)


def test_the_head_turns_as_told_and_stops_at_its_ends() -> None:
    rover = Rover()
    drive(rover, (0.0, 0.0, 0.5, -0.2), 1.0)
    assert (rover.pan, rover.tilt) == pytest.approx((0.5, -0.2))
    drive(rover, (0.0, 0.0, 1.5, -1.0), 5.0)
    assert (rover.pan, rover.tilt) == (PAN_LIMIT_RAD, -TILT_LIMIT_RAD)


def test_gap_is_the_distance_to_a_turned_box() -> None:
    box = hall.Box(1.0, 1.0, 1.0, 0.5, math.pi / 2, 1.0, "wood")
    assert box.gap(1.0, 1.0) == 0.0
    assert box.gap(1.0, 3.0) == pytest.approx(1.0)
    assert box.gap(2.0, 1.0) == pytest.approx(0.5)
