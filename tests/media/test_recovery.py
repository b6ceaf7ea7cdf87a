from itertools import pairwise

from farhand.media.recovery import (
    CALM_US,
    FIRST_PAUSE_US,
    FORGET_US,
    LONGEST_PAUSE_US,
    MEMORY,
    MIN_AGAIN_US,
    MOST_REPEATS,
    KeyFrameBudget,
    Repeats,
)


def test_a_packet_is_not_sent_twice_within_a_round_trip() -> None:
    repeats = Repeats()
    assert repeats.is_due(7, 0, 80_000)
    repeats.sent(7, 0)
    assert not repeats.is_due(7, 79_999, 80_000)
    assert repeats.is_due(7, 80_000, 80_000)
    assert repeats.is_due(8, 0, 80_000)


def test_an_unknown_or_tiny_round_trip_does_not_let_a_flood_through() -> None:
    repeats = Repeats()
    repeats.sent(7, 0)
    assert not repeats.is_due(7, MIN_AGAIN_US - 1, None)
    assert not repeats.is_due(7, MIN_AGAIN_US - 1, 3)
    assert repeats.is_due(7, MIN_AGAIN_US, None)


def test_each_packet_is_repeated_a_few_times_only() -> None:
    repeats = Repeats()
    for turn in range(MOST_REPEATS):
        now_us = turn * MIN_AGAIN_US
        assert repeats.is_due(7, now_us, None)
        assert not repeats.is_exhausted(7, now_us, None)
        repeats.sent(7, now_us)
    assert not repeats.is_exhausted(7, now_us + 50_000, 60_000)
    assert repeats.is_exhausted(7, now_us + 60_000, 60_000)
    assert not repeats.is_due(7, FORGET_US - 1, None)


def test_a_number_that_comes_round_again_begins_anew() -> None:
    repeats = Repeats()
    for _ in range(MOST_REPEATS):
        repeats.sent(7, 0)
    assert not repeats.is_exhausted(7, FORGET_US, None)
    assert repeats.is_due(7, FORGET_US, None)


def test_memory_is_bounded() -> None:
    repeats = Repeats()
    for seq in range(3 * MEMORY):
        repeats.sent(seq, 0)
    assert len(repeats._sent) == MEMORY


def test_the_first_key_frame_is_granted_at_once_and_the_next_after_a_pause() -> None:
    budget = KeyFrameBudget()
    assert not budget.take(0)
    assert budget.want(0)
    assert not budget.want(FIRST_PAUSE_US - 1)
    assert budget.take(FIRST_PAUSE_US)
    assert not budget.take(FIRST_PAUSE_US)


def test_a_viewer_that_always_asks_gets_key_frames_more_and_more_rarely() -> None:
    budget = KeyFrameBudget()
    granted = [t for t in range(0, 60_000_000, 50_000) if budget.want(t)]
    pauses = [b - a for a, b in pairwise(granted)]
    assert pauses == sorted(pauses)
    assert pauses[0] == FIRST_PAUSE_US
    assert pauses[-1] == LONGEST_PAUSE_US
    assert len(granted) <= 60 + 2


def test_after_a_calm_time_requests_are_granted_quickly_again() -> None:
    budget = KeyFrameBudget()
    now_us = 0
    for _ in range(10):
        now_us += LONGEST_PAUSE_US
        assert budget.want(now_us)
    now_us += CALM_US
    assert budget.want(now_us)
    assert budget.want(now_us + FIRST_PAUSE_US)


def test_a_key_frame_for_somebody_else_serves_this_viewer_too() -> None:
    budget = KeyFrameBudget()
    budget.want(0)
    assert not budget.want(1)
    budget.arrived()
    assert not budget.take(FIRST_PAUSE_US)
