import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farhand.media.ladder import Aim, LadderPolicy

FULL = 2_500_000
FLOORS = (691_200, 172_800, 43_200)
TOPS = (2_500_000, 829_440, 207_360)
ENOUGH = 1_000_000
"""For the largest rung, but not twice its floor."""


class Camera:
    """A 720p30 camera's policy on a clock of its own, asked once a frame."""

    def __init__(self, *budgets: int | None) -> None:
        self.now = 100.0
        self.policy = LadderPolicy(fps=30, max_bps=FULL)
        self.policy.set_picture(1280, 720)
        self.aims: dict[int, Aim] = {}
        for viewer, budget in enumerate(budgets):
            self.policy.join(viewer)
            if budget is not None:
                self.policy.set_budget(viewer, budget)

    def at(self, *viewers: int) -> list[int | None]:
        return [self.policy.rung_of(viewer) for viewer in viewers]

    def frame(self) -> dict[int, Aim]:
        self.aims = self.policy.decide(self.now)
        self.now += 1 / 30
        return self.aims

    def settle(self, seconds: float = 10.0) -> dict[int, int]:
        """Let time pass; return each rung's rate."""
        for _ in range(int(seconds * 30)):
            self.frame()
        return {rung: aim.bitrate_bps for rung, aim in self.aims.items()}

    def seconds_until(self, viewer: int, rung: int, most: float = 60.0) -> float:
        began = self.now
        while self.policy.rung_of(viewer) != rung:
            assert self.now - began < most
            self.frame()
        return self.now - began


@pytest.mark.parametrize(
    ("budgets", "rungs", "rates"),
    [
        ([None], [0], {0: FULL}),
        ([None, None], [0, 0], {0: FULL}),
        ([FULL], [0], {0: FULL}),
        ([10**15], [0], {0: FULL}),
        ([1_500_000], [0], {0: 1_500_000}),
        ([FLOORS[0]], [0], {0: FLOORS[0]}),
        ([FLOORS[0] - 1], [1], {1: FLOORS[0] - 1}),
        ([500_000], [1], {1: 500_000}),
        ([150_000], [2], {2: 150_000}),
        ([0], [2], {2: FLOORS[2] // 4}),
        ([-5], [2], {2: FLOORS[2] // 4}),
        # Together within 15 %: at the lower one's rate.
        ([2_400_000, 2_200_000], [0, 0], {0: 2_200_000}),
        # Beyond: the slow one leaves; more than a rung's top is as good as the top.
        ([2_400_000, 2_000_000], [0, 1], {0: 2_400_000, 1: TOPS[1]}),
        ([2_400_000, 2_000_000, 1_200_000], [0, 1, 1], {0: 2_400_000, 1: TOPS[1]}),
        ([2_400_000, 2_000_000, 500_000], [0, 1, 2], {0: 2_400_000, 1: TOPS[1], 2: TOPS[2]}),
        # One of eight behind 500 kbit/s.
        ([FULL] * 7 + [500_000], [0] * 7 + [1], {0: FULL, 1: 500_000}),
        # On the smallest rung there is nowhere to go.
        ([160_000, 70_000], [2, 2], {2: 70_000}),
        # Nobody is moved by a viewer that has not said anything, and it does not lower anybody.
        ([1_200_000, None], [0, 0], {0: 1_200_000}),
        ([500_000, None], [1, 0], {0: FULL, 1: 500_000}),
    ],
)
def test_budgets_place_viewers(
    budgets: list[int | None], rungs: list[int], rates: dict[int, int]
) -> None:
    camera = Camera(*budgets)
    aims = camera.frame()
    assert camera.at(*range(len(budgets))) == rungs
    assert {rung: aim.bitrate_bps for rung, aim in aims.items()} == rates
    assert camera.settle() == rates


def test_down_at_once() -> None:
    camera = Camera(FULL)
    camera.settle()
    camera.policy.set_budget(0, 690_000)
    camera.frame()
    assert camera.at(0) == [1]
    camera.policy.set_budget(0, 100_000)
    camera.frame()
    assert camera.at(0) == [2]


def test_up_only_after_three_seconds_of_15_percent_more_than_the_floor() -> None:
    camera = Camera(500_000)
    camera.settle()
    camera.policy.set_budget(0, int(1.14 * FLOORS[0]))
    camera.settle(20)
    assert camera.at(0) == [1]
    camera.policy.set_budget(0, int(1.16 * FLOORS[0]))
    assert (
        3.0 <= camera.seconds_until(0, 0) <= 3.7
    )  # the middle rung, asked for twice over, comes first


def test_one_bad_moment_begins_the_three_seconds_anew() -> None:
    camera = Camera(500_000)
    camera.settle()
    for _ in range(20):
        camera.policy.set_budget(0, ENOUGH)
        camera.settle(2.8)
        assert camera.at(0) == [1]
        camera.policy.set_budget(0, 500_000)
        camera.frame()


def test_each_rung_has_its_own_three_seconds() -> None:
    camera = Camera(100_000)
    camera.settle()
    camera.policy.set_budget(0, 500_000)
    camera.settle(2.9)
    camera.policy.set_budget(0, FULL)
    camera.settle(0.2)
    assert camera.at(0) == [1]


def test_two_rungs_up_in_one_step() -> None:
    camera = Camera(100_000)
    camera.settle()
    camera.policy.set_budget(0, ENOUGH)
    assert (
        3.0 <= camera.seconds_until(0, 0) <= 3.7
    )  # the middle rung, asked for twice over, comes first


def test_twice_what_is_needed_has_half_a_second_to_prove() -> None:
    camera = Camera(100_000)
    camera.settle()
    camera.policy.set_budget(0, FULL)
    assert 0.5 <= camera.seconds_until(0, 0) <= 0.6


def test_what_did_not_last_is_not_believed_so_soon_again() -> None:
    camera = Camera(100_000)
    camera.settle()
    waits = []
    for _ in range(3):
        camera.policy.set_budget(0, FULL)
        waits.append(round(camera.seconds_until(0, 0), 1))
        camera.policy.set_budget(0, 100_000)
        camera.frame()
    assert waits == pytest.approx([0.5, 6, 12], abs=0.1)


def test_a_viewer_whose_link_is_still_being_found_out_comes_up_at_once() -> None:
    camera = Camera(FULL, 500_000)
    camera.settle(0.3)
    assert camera.at(0, 1) == [0, 1]
    camera.policy.set_budget(1, FULL)
    camera.frame()
    assert camera.at(0, 1) == [0, 0]


def test_who_falls_again_and_again_waits_longer_each_time_and_is_forgiven() -> None:
    camera = Camera(500_000)
    camera.settle()
    waits = []
    for _ in range(6):
        camera.policy.set_budget(0, ENOUGH)
        waits.append(round(camera.seconds_until(0, 0)))
        camera.policy.set_budget(0, 500_000)
        camera.frame()
    assert waits == [3, 6, 12, 24, 24, 24]
    camera.policy.set_budget(0, ENOUGH)
    camera.settle(60)
    camera.policy.set_budget(0, 500_000)
    camera.frame()
    camera.policy.set_budget(0, ENOUGH)
    assert round(camera.seconds_until(0, 0)) == 3


def test_a_fast_viewer_that_comes_up_sends_a_slower_one_down_instead_of_being_lowered() -> None:
    camera = Camera(1_200_000, 500_000)
    camera.settle()
    assert camera.at(0, 1) == [0, 1]
    camera.policy.set_budget(1, FULL)
    # While it waits it is lowered by nobody on the rung where it is.
    assert camera.settle(0.4) == {0: 1_200_000, 1: TOPS[1]}
    assert camera.settle(3) == {0: FULL, 1: TOPS[1]}
    assert camera.at(0, 1) == [1, 0]


def test_an_estimate_that_swings_around_the_limit_does_not_go_to_and_fro() -> None:
    camera = Camera(2_400_000, 2_400_000)
    camera.settle()
    changes = 0
    before = camera.at(1)
    for number in range(60 * 30):
        camera.policy.set_budget(1, 2_200_000 if number // 120 % 2 else 2_000_000)
        camera.frame()
        changes += camera.at(1) != before
        before = camera.at(1)
    assert changes == 1


def test_below_the_smallest_floor_the_frame_rate_is_halved_and_halved_again() -> None:
    camera = Camera(FLOORS[2])
    seen = []
    for budget in (FLOORS[2], FLOORS[2] - 1, FLOORS[2] // 2, FLOORS[2] // 2 - 1, 100, 0):
        camera.policy.set_budget(0, budget)
        seen.append(camera.frame()[2].divisor)
    assert seen == [1, 2, 2, 4, 4, 4]
    for budget, divisor in (
        (FLOORS[2] // 2, 4),
        (FLOORS[2] * 6 // 10, 2),
        (FLOORS[2] * 12 // 10, 1),
    ):
        camera.policy.set_budget(0, budget)
        assert camera.frame()[2].divisor == divisor


def test_a_camera_with_one_size_halves_its_frame_rate_too() -> None:
    policy = LadderPolicy(fps=30, max_bps=200_000)
    policy.set_picture(160, 120)
    policy.join("a")
    policy.set_budget("a", 1)
    assert {rung: aim.divisor for rung, aim in policy.decide(0).items()} == {0: 4}


def test_a_viewer_that_leaves_takes_its_rung_with_it() -> None:
    camera = Camera(FULL, 500_000)
    camera.settle()
    camera.policy.leave(1)
    camera.policy.leave(1)
    camera.policy.set_budget(1, 500_000)
    assert set(camera.frame()) == {0}
    assert camera.at(1) == [None]
    camera.policy.leave(0)
    assert camera.frame() == {}


def test_another_picture_has_other_rungs_and_keeps_the_viewers() -> None:
    camera = Camera(100_000, 60_000)
    camera.settle()
    assert camera.at(0, 1) == [2, 2]
    assert not camera.policy.set_picture(1280, 720)
    assert camera.policy.set_picture(320, 240)
    assert [rung.width for rung in camera.policy.rungs] == [320, 160]
    camera.frame()
    assert camera.at(0, 1) == [1, 1]


BUDGET = st.one_of(
    st.integers(-(10**6), 10**9),
    st.sampled_from([0, *FLOORS, *TOPS, *(f - 1 for f in FLOORS)]),
    st.floats(0, 1).map(lambda x: int(10_000 * 300**x)),
)
STEP = st.one_of(
    st.tuples(st.just("budget"), st.integers(0, 7), BUDGET),
    st.tuples(st.just("join"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("leave"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("wait"), st.just(0), st.integers(0, 4_000)),
)


@settings(max_examples=300)
@given(st.lists(STEP, max_size=60))
def test_whatever_happens_nobody_gets_more_than_its_link_carries_or_loses_by_slower_ones(
    steps: Sequence[tuple[str, int, int]],
) -> None:
    policy = LadderPolicy(fps=30, max_bps=FULL)
    policy.set_picture(1280, 720)
    budgets: dict[int, int | None] = {}
    now = 0.0
    for what, viewer, number in steps:
        if what == "join":
            policy.join(viewer)
            budgets[viewer] = None
        elif what == "leave":
            policy.leave(viewer)
            budgets.pop(viewer, None)
        elif what == "budget":
            policy.set_budget(viewer, number)
            if viewer in budgets:
                budgets[viewer] = max(0, min(number, FULL))
        else:
            now += number / 1000
        aims = policy.decide(now)
        places = {somebody: policy.rung_of(somebody) for somebody in budgets}
        assert set(aims) == set(places.values())
        for somebody, rung in places.items():
            assert rung is not None
            budget, aim = budgets[somebody], aims[rung]
            assert FLOORS[rung] // 4 <= aim.bitrate_bps <= TOPS[rung]
            if budget is None:
                assert rung == 0
            elif rung < 2:
                # Never more than the link carries; never lowered by more than 15 % for another.
                assert FLOORS[rung] <= aim.bitrate_bps <= budget
                assert aim.bitrate_bps >= int(0.85 * min(budget, TOPS[rung]))
            else:
                assert aim.bitrate_bps <= max(budget, FLOORS[2] // 4)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1), BUDGET), min_size=1, max_size=200))
def test_a_slow_viewer_never_moves_a_fast_one(changes: Sequence[tuple[int, int]]) -> None:
    camera = Camera(FULL, FULL, FULL)
    camera.settle(3)
    for viewer, budget in changes:
        camera.policy.set_budget(viewer + 1, budget)
        aims = camera.frame()
        assert camera.at(0) == [0]
        assert aims[0].bitrate_bps >= 0.85 * FULL


@pytest.mark.parametrize("seed", range(10))
def test_budgets_that_flap_change_the_rung_seldom(seed: int) -> None:
    dice = random.Random(seed)
    camera = Camera(FULL)
    camera.settle(3)
    rungs: list[int] = []
    while len(rungs) < 300 * 30:
        high = dice.choice((True, False))
        for _ in range(int(30 * dice.uniform(0.03, 8))):
            camera.policy.set_budget(0, dice.randint(10_000, FULL) if not high else FULL)
            camera.frame()
            rungs += [rung for rung in camera.at(0) if rung is not None]
    rises = sum(after < before for before, after in pairwise(rungs))
    assert 1 <= rises <= 300 / 12


def test_a_flood_of_budgets_is_only_noted() -> None:
    camera = Camera(FULL)
    camera.settle(3)
    for number in range(10_000):
        camera.policy.set_budget(0, number % 2 * FULL)
    assert camera.at(0) == [0]
    assert camera.frame()[0].bitrate_bps == FULL
