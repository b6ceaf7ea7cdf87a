"""What the bench `link` makes of what a page saw; no browser, no network."""

import pytest

from farhand.kits.bench.link_figures import (
    Span,
    Watch,
    control,
    picture,
    recovered,
)
from farhand.kits.bench.link_steps import (
    NARROW_BPS,
    WIDE_BPS,
    came_back_s,
    came_down_s,
    slope_per_s,
    wandering,
)

FRAME_US = 33_333
S = 1_000_000


def watch_of(*times_us: int, width: int = 1280) -> Watch:
    return Watch([(at, width, 20_000) for at in times_us], [], [])


def steady(start_us: int, end_us: int, every_us: int = FRAME_US) -> list[int]:
    return list(range(start_us, end_us, every_us))


def test_a_steady_picture_has_no_freeze_and_a_gap_of_one_frame() -> None:
    seen = picture(watch_of(*steady(0, 10 * S)), Span(2 * S, 8 * S))
    assert seen["freeze_s"] == 0
    assert seen["max_gap"] == pytest.approx(33.3, abs=0.1)
    assert seen["fps"] == pytest.approx(30, abs=0.3)
    assert (seen["width"], seen["age_p50"]) == (1280, 20)


def test_a_picture_without_a_legible_stamp_is_counted() -> None:
    watch = Watch([(at, 1280, None if at % 4 else 1000) for at in range(100)], [], [])
    seen = picture(watch, Span(0, 100))
    assert (seen["illegible_pct"], seen["age_p50"]) == (75, 1)


def test_a_long_gap_is_a_freeze_and_its_whole_length_counts() -> None:
    watch = watch_of(*steady(0, 4 * S), *steady(5 * S, 8 * S))
    seen = picture(watch, Span(2 * S, 8 * S))
    assert seen["freeze_s"] == pytest.approx(1.0, abs=0.04)
    assert seen["max_gap"] == pytest.approx(1000, abs=34)


@pytest.mark.parametrize(("gap_us", "is_freeze"), [(183_000, False), (184_000, True)])
def test_a_freeze_is_the_average_and_150_ms_more(gap_us: int, is_freeze: bool) -> None:
    times = steady(0, 2 * S)
    watch = watch_of(*times, *steady(times[-1] + gap_us, 4 * S))
    assert bool(watch.freezes(Span(0, 4 * S))) == is_freeze


def test_a_slow_picture_is_frozen_only_by_three_times_its_interval() -> None:
    slow = steady(0, 10 * S, every_us=200_000)
    times = [*slow, slow[-1] + 550_000, slow[-1] + 550_000 + 650_000]
    freezes = watch_of(*times).freezes(Span(0, times[-1]))
    assert [freeze.length_us for freeze in freezes] == [650_000]


def test_a_picture_that_never_comes_back_is_frozen_to_the_end() -> None:
    watch = watch_of(*steady(0, 4 * S))
    seen = picture(watch, Span(3 * S, 9 * S))
    assert seen["freeze_s"] == pytest.approx(5.0, abs=0.04)
    assert seen["max_gap"] == pytest.approx(5000, abs=34)
    assert recovered(watch, Span(3 * S, 9 * S)) == 6000


def test_a_gap_that_began_earlier_counts_from_the_start_of_the_span() -> None:
    watch = watch_of(*steady(0, 2 * S), *steady(5 * S, 8 * S))
    assert picture(watch, Span(3 * S, 8 * S))["freeze_s"] == 2.0


def test_no_frame_at_all_is_one_gap() -> None:
    seen = picture(watch_of(), Span(0, 3 * S))
    assert (seen["max_gap"], seen["freeze_s"], seen["fps"], seen["width"]) == (3000, 3, 0, 0)


def test_the_picture_is_back_with_the_first_frame_that_others_follow() -> None:
    watch = watch_of(*steady(0, 2 * S), 5 * S, *steady(6 * S, 8 * S))
    assert watch.moving_since(5 * S) == 6 * S
    assert watch.moving_since(8 * S) is None


def test_the_picture_has_recovered_when_it_moves_for_two_seconds() -> None:
    times = [
        *steady(0, 3 * S),
        *steady(4 * S, 5 * S),
        *steady(6 * S, 9 * S),
        *steady(10 * S, 12 * S),
    ]
    watch = watch_of(*times)
    assert recovered(watch, Span(2 * S, 12 * S)) == pytest.approx(4000, abs=1)
    assert recovered(watch, Span(6 * S + FRAME_US, 12 * S)) == 0
    assert recovered(watch, Span(10 * S + FRAME_US, 12 * S)) == pytest.approx(1967, abs=1)


def test_control_counts_late_answers_as_lost() -> None:
    watch = Watch([], [(0, 10_000), (1, 30_000), (2, None), (3, 1_000_001), (S, None)], [])
    figures = control(watch, Span(0, S))
    assert figures == {"control_lost_pct": 50, "control_rtt_p50": 10, "control_rtt_p99": 30}


def test_control_without_an_answer_is_all_lost() -> None:
    assert control(Watch([], [(0, None)], []), Span(0, S)) == {"control_lost_pct": 100}
    assert control(Watch([], [], []), Span(0, S)) == {"control_lost_pct": 100}


def test_the_rate_is_what_arrived_in_the_span() -> None:
    rates = [(at, at // 8) for at in steady(0, 4 * S, 100_000)]
    watch = Watch([], [], rates)
    assert watch.kbps(Span(S, 3 * S)) == pytest.approx(1000)
    assert watch.kbps(Span(S, S)) == 0


def offering(*stretches: tuple[int, int]) -> list[tuple[int, int]]:
    """Samples of every 50 ms, for stretches of (µs, bit/s)."""
    samples, at, size = [], 0, 0
    for length_us, rate_bps in stretches:
        for _ in range(length_us // 50_000):
            samples.append((at, size))
            at, size = at + 50_000, size + rate_bps // 160
    return samples


def test_a_sender_has_come_down_when_it_offers_what_the_link_takes() -> None:
    samples = offering((2 * S, WIDE_BPS), (S, WIDE_BPS), (5 * S, NARROW_BPS))
    assert came_down_s(samples, Span(2 * S, 8 * S), NARROW_BPS) == pytest.approx(1.0, abs=0.1)


def test_a_sender_that_does_not_come_down_is_given_the_whole_time() -> None:
    samples = offering((8 * S, WIDE_BPS))
    assert came_down_s(samples, Span(2 * S, 8 * S), NARROW_BPS) == 6


def test_a_sender_is_back_at_four_fifths() -> None:
    samples = offering((2 * S, WIDE_BPS), (5 * S, NARROW_BPS), (5 * S, WIDE_BPS * 82 // 100))
    watch = Watch([], [], samples)
    before = Span(0, 2 * S)
    assert came_back_s(watch, before, Span(7 * S, 12 * S)) == pytest.approx(1.0, abs=0.15)
    assert came_back_s(watch, before, Span(2 * S, 6 * S)) == 4


def test_the_rate_wanders_within_its_bounds_and_the_same_way_each_time() -> None:
    first, again = ([next(walk) for _ in range(300)] for walk in (wandering(), wandering()))
    assert first == again
    assert NARROW_BPS - 1 <= min(first) < 1_000_000
    assert 6_000_000 < max(first) <= WIDE_BPS + 1


def test_the_slope_is_that_of_the_samples() -> None:
    assert slope_per_s([(0, 5), (1, 7), (2, 9)]) == pytest.approx(2)
    assert slope_per_s([(0, 5)]) == 0
