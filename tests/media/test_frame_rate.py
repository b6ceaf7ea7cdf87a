import random

from farhand.media.frame_rate import FrameRate


def fed(expected: float, intervals_us: list[int]) -> float:
    rate, stamp_us = FrameRate(expected), 7_000_000
    rate.note(stamp_us)
    for interval_us in intervals_us:
        stamp_us += interval_us
        rate.note(stamp_us)
    return rate.fps


def test_until_it_knows_better_and_near_it_the_rate_is_the_expected_one() -> None:
    jitter = random.Random(1)
    assert fed(30, []) == 30
    assert fed(30, [66_667] * 13) == 30
    assert fed(30, [33_333 + jitter.randint(-15_000, 15_000) for _ in range(300)]) == 30


def test_a_camera_that_gives_half_is_known_within_two_seconds() -> None:
    assert 14.5 < fed(30, [66_667] * 60) < 16.5
    assert 55 < fed(30, [16_667] * 120) < 61


def test_nonsense_stays_within_bounds() -> None:
    assert fed(30, [1] * 500) <= 60.1
    assert fed(30, [-40_000] * 500) <= 60.1
    assert fed(30, [10**12] * 500) >= 30 / 8 - 0.1


def test_one_long_pause_is_no_rate() -> None:
    assert fed(30, [33_333] * 100 + [20_000_000] + [33_333] * 45) == 30
