"""Figures that people read: what was sent is what is told."""

import pytest

from farhand.media.congestion.rates import BUCKET_US, SentRate


@pytest.mark.parametrize("phase_us", [0, 1_000, 30_000, 50_000, 99_000])
def test_a_steady_rate_is_told_as_it_is_at_any_moment(phase_us: int) -> None:
    rate = SentRate()
    for now_us in range(7_000_000, 9_000_000 + phase_us + 1, 1_000):
        rate.add(125, now_us)  # 1 Mbit/s
    assert rate.bps(9_000_000 + phase_us) == pytest.approx(1_000_000, rel=0.01)


def test_what_was_sent_more_than_a_second_ago_counts_no_more() -> None:
    rate = SentRate()
    rate.add(1_000, 5_000_000)
    assert rate.bps(5_000_000) == rate.bps(5_950_000) == 8_000
    assert 0 < rate.bps(6_050_000) < 8_000
    assert rate.bps(6_000_000 + BUCKET_US) == 0
    assert rate.bps(100_000_000) == 0
