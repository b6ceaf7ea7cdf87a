"""Every fault of the stop bench once: the wheels are told to stand still, read at the actuator.

The promise is 300 ms and a tick (``farhand bench stop`` measures it); here the limit is 1 s, so
that a busy machine does not fail the tests.
"""

import math
from collections.abc import Iterator

import pytest

from farhand.kits.bench.pages import Browsers
from farhand.kits.bench.stop import prepared, run_case
from farhand.kits.bench.stop_faults import CASES, Bench, Run
from tests.conftest import require

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.timeout(300),  # a void run is made again, up to six times
]

LIMIT_MS = 1000


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with prepared() as started:
        yield started[0]


@pytest.fixture
def browsers() -> Iterator[Browsers]:
    started = Browsers()
    yield started
    started.close()


def assert_stood(run: Run) -> None:
    """Check the promise; while the observer saw nothing, the machine stalled."""
    assert run.has_stopped
    assert run.stopped_ms - run.observer_gap_ms < LIMIT_MS


@pytest.mark.parametrize("fault", [name for name, case in CASES.items() if not case.by_browser])
def test_robot_stands_after(fault: str, bench: Bench, browsers: Browsers) -> None:
    run_case(bench, fault, 1, browsers, believes_ms=math.inf)
    assert_stood(bench.runs[fault][-1])


@pytest.mark.parametrize("fault", [name for name, case in CASES.items() if case.by_browser])
def test_robot_stands_after_the_browsers(fault: str, bench: Bench, browsers: Browsers) -> None:
    require("chromium")
    run_case(bench, fault, 1, browsers, believes_ms=math.inf)
    assert_stood(bench.runs[fault][-1])
