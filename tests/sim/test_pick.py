"""A block is picked up, carried and put down: through the actuator, as the gate would."""

import math

import pytest

from farhand.sim import hall
from farhand.sim.actuator import TIMEOUT_US, Actuator
from farhand.sim.blocks import HALF_M, START, Block, Blocks, Hand
from farhand.sim.rover import DECK, Rover
from farhand.sim.spec import ARM_MOUNT, AXES, BLOCK_M
from tests.sim.picking import APPROACH, CARRY, CLOSE, LIFT, OPEN, Move, perform

STEP_US = 5_000
DT = STEP_US / 1e6
RED = 0


class Rig:
    """A rover with its actuator, on a clock of its own."""

    def __init__(self) -> None:
        self.rover = Rover()
        self.actuator = Actuator()
        self.now_us = 0
        self.trace: list[tuple[object, ...]] = []

    def position(self, axis: str) -> float:
        arm = self.rover.arm
        names = (axis.id for axis in AXES[4:])
        return dict(zip(names, (*arm.joints, arm.width, *arm.tip), strict=True))[axis]

    def hold(self, axis: str, side: float) -> None:
        """Command one axis for 20 ms, or all to stand until they do."""
        setpoint = [side * a.maximum if a.id == axis else 0.0 for a in AXES]
        self.actuator.apply(1, setpoint, self.now_us)
        self.run(0.02 if side else 0.1)

    def drive(self, linear: float, angular: float, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            rest = [0.0] * (len(AXES) - 2)
            self.actuator.apply(1, (linear, angular, *rest), self.now_us)
            self.run(0.1)
        self.actuator.apply(1, [0.0] * len(AXES), self.now_us)
        self.run(0.2)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / DT)):
            self.now_us += STEP_US
            self.actuator.expire(self.now_us)
            self.rover.step(self.actuator.command, DT)
            arm, blocks = self.rover.arm, self.rover.blocks
            self.trace.append((arm.joints, arm.rates, arm.width, blocks.held, *blocks.all))

    def perform(self, *moves: Move) -> None:
        perform(moves, self.position, self.hold)

    @property
    def red(self) -> Block:
        return self.rover.blocks.all[RED]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def picked() -> Rig:
    rig = Rig()
    rig.perform(*APPROACH, CLOSE)
    return rig


def test_a_block_is_picked_up_carried_and_put_down(rig: Rig) -> None:
    rig.perform(*APPROACH)
    assert rig.red == START[RED]
    rig.perform(CLOSE)
    assert rig.rover.blocks.held == RED
    assert rig.position("gripper") == BLOCK_M
    rig.perform(LIFT)
    assert rig.red.z > 0.17
    rig.perform(*CARRY)
    x, y = rig.red.x, rig.red.y
    assert math.hypot(x - START[RED].x, y - START[RED].y) > 0.1
    rig.perform(OPEN)
    assert rig.rover.blocks.held is None
    rig.perform(Move("tool.z", 0.0))
    assert (rig.red.x, rig.red.y) == pytest.approx((x, y), abs=1e-3)
    assert (rig.red.z, rig.red.pitch) == (HALF_M, 0.0)
    assert rig.rover.blocks.all[1:] == list(START[1:])


def test_the_same_commands_give_the_same_run_to_the_last_bit() -> None:
    one, other = picked(), picked()
    assert len(one.trace) > 500
    assert one.trace == other.trace


def test_while_it_holds_a_block_the_gripper_closes_no_further() -> None:
    rig = picked()
    for _ in range(50):
        rig.hold("gripper", -1.0)
    assert rig.position("gripper") == BLOCK_M
    assert rig.rover.arm.width_rate == 0.0


def test_without_a_block_the_gripper_closes_all_the_way(rig: Rig) -> None:
    rig.perform(OPEN, Move("gripper", 0.0))
    assert rig.position("gripper") == 0.0
    assert rig.rover.blocks.held is None


def test_fingers_that_are_closed_already_grasp_nothing(rig: Rig) -> None:
    rig.perform(OPEN, Move("gripper", 0.03), *APPROACH[1:])
    rig.perform(Move("gripper", 0.0))
    assert rig.rover.blocks.held is None


def test_next_to_the_block_there_is_nothing_to_grasp(rig: Rig) -> None:
    rig.perform(*APPROACH[:-3], Move("tool.y", 0.16), *APPROACH[-2:])
    rig.perform(Move("gripper", 0.0))
    assert rig.rover.blocks.held is None
    assert rig.red == START[RED]


def test_a_block_let_go_in_the_air_falls_to_the_floor() -> None:
    rig = picked()
    rig.perform(LIFT, Move("gripper", 0.05))
    rig.run(0.5)
    assert (rig.red.z, rig.red.pitch) == (HALF_M, 0.0)


def test_it_falls_as_things_fall() -> None:
    blocks = Blocks(())
    blocks.all[RED] = START[RED]._replace(z=1.0)
    hand = Hand(0.0, 0.0, 1.0, 0.0, 0.0)
    for _ in range(60):
        blocks.step(hand, 0.08, 0.08, DT)
    assert blocks.all[RED].z == pytest.approx(1.0 - 9.81 * 0.3**2 / 2, abs=0.01)


def test_a_block_comes_along_when_the_rover_drives_and_turns() -> None:
    rig = picked()
    rig.perform(LIFT)
    before = rig.red
    rig.drive(0.4, 0.5, 1.0)
    tip, rover = rig.rover.hand, rig.rover
    assert math.dist(rig.red[:3], (tip.x, tip.y, tip.z)) < 0.03
    assert math.hypot(rig.red.x - before.x, rig.red.y - before.y) > 0.2
    assert rover.blocks.held == RED


def test_a_block_comes_to_rest_on_another_and_falls_when_that_is_taken() -> None:
    blocks = Blocks(())
    x, y = START[RED].x, START[RED].y
    blocks.all[1] = Block(x + 0.01, y, 0.2, 0.0, 0.0)
    far = Hand(0.0, 0.0, 1.0, 0.0, 0.0)
    for _ in range(100):
        blocks.step(far, 0.08, 0.08, DT)
    assert blocks.all[1].z == pytest.approx(BLOCK_M + HALF_M)
    over = Hand(x, y, HALF_M, START[RED].yaw, -math.pi / 2)
    assert blocks.step(over, 0.08, 0.035, DT) == BLOCK_M
    assert blocks.held == RED
    for i in range(100):
        blocks.step(Hand(x + i * 0.005, y, 0.4, 0.0, -math.pi / 2), BLOCK_M, BLOCK_M, DT)
    assert blocks.all[1].z == HALF_M


def test_a_block_comes_to_rest_on_a_thing() -> None:
    bench = hall.Box(3.0, 4.55, 0.3, 0.3, 0.0, 0.42, "bench")
    blocks = Blocks((bench,))
    blocks.all[RED] = START[RED]._replace(z=0.8)
    for _ in range(200):
        blocks.step(Hand(0.0, 0.0, 1.0, 0.0, 0.0), 0.08, 0.08, DT)
    assert blocks.all[RED].z == pytest.approx(0.42 + HALF_M)


@pytest.mark.parametrize("seed", range(20))
def test_the_blocks_lie_free_in_every_hall(seed: int) -> None:
    things = hall.furnish(seed)
    assert all(hall.is_free(things, block.x, block.y, 0.2) for block in START)


# --- what holds the arm ---


@pytest.mark.parametrize("move", ["tool.z", "wrist", "shoulder_lift"])
def test_the_floor_stops_the_arm_and_lets_it_up_again(rig: Rig, move: str) -> None:
    rig.perform(*APPROACH[:-1])
    for _ in range(200):
        rig.hold(move, -1.0)
    assert rig.rover.arm.tip[2] + ARM_MOUNT[2] >= 0.0
    low = rig.rover.arm.tip[2]
    for _ in range(30):
        rig.hold("tool.z", 1.0)
    assert rig.rover.arm.tip[2] > low + 0.03


def test_the_deck_stops_the_arm(rig: Rig) -> None:
    for _ in range(200):
        rig.hold("wrist", -1.0)
        rig.hold("tool.z", -1.0)
    x, _, z = (a + b for a, b in zip(rig.rover.arm.tip, ARM_MOUNT, strict=True))
    assert x < DECK[0][1]
    assert DECK[2] <= z < DECK[2] + 0.01
    assert rig.rover.arm.is_blocked


def test_a_wall_stops_the_rover_at_the_arm_that_it_holds_out(rig: Rig) -> None:
    rover = rig.rover
    wall = [thing for thing in rover.things if thing.skin == "partition"][1]
    rover.x, rover.y = 7.9, 6.25
    rig.perform(Move("tool.x", 0.5))
    rig.drive(0.5, 0.0, 4.0)
    assert 0.02 < wall.gap(rover.hand.x, rover.hand.y) < 0.06
    yaw = rover.yaw
    rig.drive(0.0, 1.0, 0.3)
    rig.drive(-0.4, 0.0, 1.0)
    rig.drive(0.0, 1.0, 1.0)
    assert rover.yaw > yaw + 0.5


# --- what stops it ---


@pytest.mark.parametrize("axis", [axis.id for axis in AXES[4:]])
def test_without_setpoints_the_arm_stands_after_the_devices_time_out(axis: str) -> None:
    rig = Rig()
    rig.perform(OPEN, *APPROACH[1:3])
    setpoint = [-a.maximum if a.id == axis else 0.0 for a in AXES]
    rig.actuator.apply(1, setpoint, rig.now_us)
    rig.run(TIMEOUT_US / 1e6 - DT)
    assert rig.rover.arm.fastest > 0.01
    rig.run(0.1)  # the wheels' braking takes 83 ms
    assert rig.actuator.arm == 0.0
    assert rig.rover.arm.fastest == 0.0


def test_a_halt_holds_the_arm_until_a_neutral_setpoint(rig: Rig) -> None:
    rig.hold("tool.x", 1.0)
    rig.actuator.halt()
    rig.run(0.1)
    posture = rig.rover.arm.joints
    for _ in range(20):
        rig.hold("tool.x", 1.0)
    assert rig.rover.arm.joints == posture
    rig.hold("tool.x", 0.0)
    rig.hold("tool.x", 1.0)
    assert rig.rover.arm.joints != posture
