"""Velocity, acceleration and jerk."""

import itertools
import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farhand.core.gate_limits import AxisShaper, Shaper

DT = 0.001
TICK_US = 20_000


@dataclass(frozen=True)
class Limit:
    minimum: float = -0.5
    maximum: float = 1.0
    acceleration: float = 2.0
    deceleration: float = 4.0
    jerk: float = 40.0
    id: str = "linear.x"
    position_minimum: float | None = None
    position_maximum: float | None = None


def settle(axis: AxisShaper, target: float, steps: int = 5000) -> list[float]:
    axis.aim(target)
    values = []
    for _ in range(steps):
        axis.step(DT)
        values.append(axis.value)
    return values


@pytest.mark.parametrize(
    "limit",
    [
        Limit(maximum=math.nan),
        Limit(maximum=math.inf),
        Limit(minimum=0.1),
        Limit(maximum=-0.1),
        Limit(acceleration=0),
        Limit(deceleration=-1),
        Limit(jerk=0),
    ],
)
def test_limits_without_sense_are_refused(limit: Limit) -> None:
    with pytest.raises(ValueError, match=r"limits|zero"):
        AxisShaper(limit)


def test_the_target_is_cut_to_the_range_and_the_cap() -> None:
    axis = AxisShaper(Limit(), cap=0.3)
    axis.aim(7)
    assert axis.target == pytest.approx(0.3)
    axis.aim(-7)
    assert axis.target == pytest.approx(-0.15)


def test_minus_zero_is_zero() -> None:
    axis = AxisShaper(Limit())
    axis.aim(-0.0)
    assert math.copysign(1, axis.target) == 1


@pytest.mark.parametrize("target", [1.0, -0.5, 0.37, -0.001])
def test_a_constant_target_is_met_without_overshoot(target: float) -> None:
    axis = AxisShaper(Limit())
    values = settle(axis, target)
    assert axis.value == pytest.approx(target, abs=1e-12)
    assert axis.rate == 0
    assert max(abs(v) for v in values) <= abs(target) + 1e-12


def test_reversing_passes_through_standstill() -> None:
    axis = AxisShaper(Limit())
    settle(axis, 1.0)
    values = settle(axis, -0.5)
    assert 0.0 in values
    assert values[-1] == pytest.approx(-0.5, abs=1e-12)
    settle(axis, 0.25)
    assert axis.value == pytest.approx(0.25, abs=1e-12)


def test_braking_uses_the_deceleration() -> None:
    axis = AxisShaper(Limit())
    up = settle(axis, 1.0)
    down = settle(axis, 0.0)
    assert max(b - a for a, b in itertools.pairwise(up)) / DT == pytest.approx(2.0)
    assert max(a - b for a, b in itertools.pairwise(down)) / DT == pytest.approx(4.0)


def test_the_range_holds_even_where_the_jerk_limit_would_overshoot() -> None:
    axis = AxisShaper(Limit(jerk=2.0))
    axis.aim(1.0)
    axis.value, axis.rate = 0.9999, 2.0
    axis.step(DT)
    assert axis.value == 1.0


targets = st.lists(
    st.tuples(st.floats(-3, 3, allow_nan=False), st.integers(1, 400)), min_size=1, max_size=12
)


@given(targets, st.floats(0.2, 8), st.floats(0.2, 8), st.floats(1, 200))
def test_no_history_of_targets_breaks_a_limit(
    history: list[tuple[float, int]], acceleration: float, deceleration: float, jerk: float
) -> None:
    axis = AxisShaper(Limit(acceleration=acceleration, deceleration=deceleration, jerk=jerk))
    steepest = max(acceleration, deceleration)
    for target, steps in history:
        axis.aim(target)
        for _ in range(steps):
            value, rate = axis.value, axis.rate
            axis.step(DT)
            assert -0.5 <= axis.value <= 1.0
            assert abs(axis.value - value) <= steepest * DT + 1e-9
            assert abs(axis.rate - rate) <= jerk * DT + 1e-9


def test_zero_is_immediate() -> None:
    shaper = Shaper([Limit(), Limit()])
    shaper.aim((1.0, -0.2), 0)
    assert any(shaper.advance(100_000))
    assert shaper.is_moving
    shaper.zero()
    assert shaper.output == (0, 0)
    assert not shaper.is_moving
    assert shaper.advance(200_000) == (0, 0)


def test_the_profile_does_not_depend_on_who_asks_when() -> None:
    often, seldom = Shaper([Limit()]), Shaper([Limit()])
    for shaper in (often, seldom):
        shaper.aim((1.0,), 0)
    for now in range(0, 20_001, 137):
        often.advance(now)
    assert often.advance(20_000) == seldom.advance(20_000)


def test_a_late_tick_does_not_catch_up() -> None:
    late, punctual = Shaper([Limit()]), Shaper([Limit()])
    for shaper in (late, punctual):
        shaper.aim((1.0,), 0)
    assert late.advance(10_000_000) == punctual.advance(2 * TICK_US)


def test_time_that_goes_back_changes_nothing() -> None:
    shaper = Shaper([Limit()])
    shaper.aim((1.0,), 100_000)
    before = shaper.advance(120_000)
    assert shaper.advance(90_000) == before


def test_is_within_knows_numbers_from_others() -> None:
    shaper = Shaper([Limit()])
    assert shaper.is_within((1.0,))
    assert not shaper.is_within((1.001,))
    assert not shaper.is_within((-0.501,))
    assert not shaper.is_within((math.nan,))


def test_aim_wants_all_axes() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        Shaper([Limit(), Limit()]).aim((0.0,), 0)
