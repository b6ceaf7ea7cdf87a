"""The figures of the stop bench, from runs that are made up."""

import pytest

from farhand.kits.bench.stop_faults import Run
from farhand.kits.bench.stop_figures import histogram, summary


def test_histogram_has_a_bar_for_each_20_ms_and_one_for_the_rest() -> None:
    bars = histogram([0.0, 19.9, 20.0, 359.0, 360.0, 5000.0])
    assert len(bars) == 19
    assert bars[0] == bars[18] == "█"
    assert bars[1] == bars[17] == "▅"
    assert set(bars[2:17]) == {"·"}


def test_summary_shows_the_worst_run() -> None:
    runs = [Run(float(ms), 5.0) for ms in range(1, 201)]
    figures = summary(runs, [], 3)
    assert figures["max"] == 200.0
    assert figures["p50"] == pytest.approx(100, abs=1)
    assert figures["runs"] == 200
    assert figures["void"] == 3
    assert "held_up_max" not in figures


def test_summary_lists_what_the_observer_could_not_see() -> None:
    figures = summary([Run(10.0, 1.0)], [Run(400.0, 80.0), Run(90.0, 21.0)], 0)
    assert figures["max"] == 10.0
    assert figures["held_up"] == 2
    assert figures["held_up_max"] == 400.0
