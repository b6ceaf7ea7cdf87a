"""Position limits: no axis goes where it may not, and none goes that does not know where it is."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farhand.core.gate import Gate
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.core.gate_limits import Shaper
from farhand.core.gate_positions import Positions, gaps

MS = 1000
TICK_US = 20 * MS


@dataclass(frozen=True)
class Joint:
    minimum: float = -1.0
    maximum: float = 1.0
    acceleration: float = 3.0
    deceleration: float = 4.0
    jerk: float = 40.0
    id: str = "elbow"
    position_minimum: float | None = -0.5
    position_maximum: float | None = 0.5


class World:
    """One limited joint, one free axis, and a motor that follows a tick late."""

    def __init__(self, joint: Joint | None = None, sensor_late: int = 1) -> None:
        joint = joint or Joint()
        self.free = Joint(position_minimum=None, position_maximum=None)
        self.shaper = Shaper([self.free, joint])
        self.positions = Positions([self.free, joint], self.shaper)
        self.now = 1_000_000
        self.history = [0.0] * (sensor_late + 1)
        self.sensor_late = sensor_late
        self.commanded = [0.0, 0.0]
        self.is_away = False
        self.shaper.aim((0.0, 0.0), self.now)

    @property
    def position(self) -> float:
        return self.history[-1]

    def run(self, ms: int, wanted: float) -> None:
        for _ in range(ms // 20):
            self.now += TICK_US
            if not self.is_away:
                self.positions.locate((None, self.history[-1 - self.sensor_late]), self.now)
            self.positions.hold(self.now)
            self.shaper.aim((wanted, wanted), self.now)
            output = self.shaper.advance(self.now)
            assert self.positions.is_within(output, self.now)
            self.commanded.append(output[1])
            self.history.append(self.position + self.commanded[-2] * 0.02)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_an_axis_stops_at_its_limit_and_goes_back(side: float) -> None:
    world = World()
    world.run(3000, side)
    assert abs(world.position) <= 0.5
    assert world.position * side > 0.48
    assert world.positions.at_limit() == (1,)
    assert world.shaper.output[0] == side, "the other axis is free"
    world.run(500, -side)
    assert world.position * side < 0.4
    assert world.positions.at_limit() == ()


def test_it_is_fast_far_from_its_limit() -> None:
    world = World(Joint(position_minimum=-10, position_maximum=10))
    world.run(1000, 1.0)
    assert world.shaper.output[1] == 1.0
    assert world.positions.at_limit() == ()


def test_one_sided_limits() -> None:
    world = World(Joint(position_minimum=None, position_maximum=0.2))
    world.run(1500, -1.0)
    assert world.shaper.output[1] == -1.0
    world.run(4000, 1.0)
    assert 0.18 < world.position <= 0.2


def test_an_axis_beyond_its_limit_only_comes_back() -> None:
    world = World()
    world.history = [0.7] * 3
    world.run(400, 1.0)
    assert set(world.commanded) == {0.0}
    world.run(600, -1.0)
    assert world.position < 0.5


def test_a_position_that_jumps_to_the_limit_stops_the_axis_at_once() -> None:
    world = World(Joint(position_minimum=-5, position_maximum=5))
    world.run(600, 1.0)
    assert world.shaper.output[1] > 0.9
    world.history = [5.0] * 3
    world.run(20, 1.0)
    assert world.shaper.output[1] == 0.0


def test_an_axis_whose_position_is_not_known_stands() -> None:
    world = World()
    world.is_away = True
    world.run(300, 1.0)
    assert set(world.commanded) == {0.0}
    assert world.positions.at_limit() == (1,)
    assert world.shaper.output[0] > 0.5, "the other axis is free"
    world.is_away = False
    world.run(300, 1.0)
    assert world.shaper.output[1] > 0.3


def test_a_position_is_good_for_200_ms() -> None:
    world = World(Joint(position_minimum=-5, position_maximum=5))
    world.run(600, 1.0)
    world.is_away = True
    world.run(200, 1.0)
    assert world.shaper.output[1] > 0.9
    world.run(20, 1.0)
    assert world.shaper.output[1] == 0.0


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_known(value: float | None) -> None:
    world = World()
    world.positions.locate((0.0, value), world.now)
    world.positions.hold(world.now)
    assert world.positions.at_limit() == (1,)


def test_too_few_positions_are_refused() -> None:
    with pytest.raises(ValueError, match="positions"):
        World().positions.locate((0.0,), 0)


def test_a_robot_without_limits_needs_no_positions() -> None:
    free = Joint(position_minimum=None, position_maximum=None)
    shaper = Shaper([free])
    positions = Positions([free], shaper)
    positions.locate((), 0)
    assert positions.places == []
    assert positions.is_within((1.0,), 0)


def test_gaps() -> None:
    assert gaps(Joint(), 0.2) == pytest.approx((0.7, 0.3))
    assert gaps(Joint(position_minimum=None, position_maximum=None), 0.2) == (math.inf, math.inf)


pushes = st.lists(
    st.tuples(st.floats(-1, 1), st.integers(1, 60), st.booleans()), min_size=1, max_size=15
)


@settings(max_examples=150)
@given(
    pushes,
    st.floats(1, 8),
    st.floats(1, 8),
    st.floats(10, 200),
    st.integers(0, 2),
)
def test_no_history_takes_an_axis_beyond_its_limit(
    history: list[tuple[float, int, bool]],
    acceleration: float,
    deceleration: float,
    jerk: float,
    sensor_late: int,
) -> None:
    joint = Joint(acceleration=acceleration, deceleration=deceleration, jerk=jerk)
    world = World(joint, sensor_late)
    for wanted, ticks, is_away in history:
        world.is_away = is_away
        for _ in range(ticks):
            world.run(20, math.copysign(1.0, wanted))
            # A sensor of 40 ms before is one too slow for this.
            assert abs(world.position) <= 0.5 + (2e-3 if sensor_late == 2 else 1e-6)


def gate() -> Gate:
    axes = (Joint(position_minimum=None, position_maximum=None), Joint())
    made = Gate(GateConfig(unlatch_on_grant=True), axes, LatchRecord(0, is_stopped=False), 0)
    made.latch.open_start()
    made.grant(1, 1, 0, "local")
    made.is_armed = True
    return made


def test_the_gate_reports_an_unknown_position_also_while_it_stands() -> None:
    one = gate()
    one.stand()
    assert one.setpoint(TICK_US) is None
    assert one.state().at_limit == (1,)
    one.locate((None, 0.0), TICK_US)
    one.setpoint(TICK_US + 310 * MS)
    one.locate((None, 0.0), 700 * MS)
    one.setpoint(700 * MS)
    assert one.state().at_limit in {(), (1,)}
    one.locate((None, 0.0), 1200 * MS)
    one.setpoint(1200 * MS)
    assert one.state().at_limit == ()


def test_motion_of_an_axis_without_a_position_is_a_violation() -> None:
    one = gate()
    one.positions.hold = lambda now_us: None  # type: ignore[method-assign]
    one.shaper.axes[1].value = 0.5
    one.fresh_us = one.pulse_us = 500 * MS
    assert one.setpoint(500 * MS) is None
    assert set(one.violations) == {"I14"}
    assert one.latch.kind == "stop"
