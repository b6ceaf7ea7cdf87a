"""How long from a fault until the wheels are told to stand still.

An observer reads nothing but the simulated actuator. Every run: an operator drives, one fault, the
first zero command after it. Where the gate itself is struck, what stops the robot is the device
below it.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from farhand.errors import Code, FarhandError
from farhand.kits.bench.common import percentile
from farhand.kits.bench.pages import DrivingPage
from farhand.kits.bench.stop_faults import CASES, ROBOT, Bench, Run
from farhand.kits.browser import BrowserError, Chromium, Playwright, playwright
from farhand.kits.stack import Options, Stack
from farhand.sim.observer import Observer

RUNS = 50
QUICK_RUNS = 2
QUICK_BROWSER_RUNS = 1
LIMIT_S = 5.0
"""A run that takes longer has failed; it counts as this long."""
DRIVING_S = 0.25
SETUP_FAILURES = 5


def wait_until_driving(observer: Observer, for_s: float, timeout_s: float = 15.0) -> None:
    """Return when the wheels have been told to turn for ``for_s`` without a break.

    Raises:
        FarhandError: They did not within ``timeout_s``.

    """
    deadline, span_us = time.monotonic() + timeout_s, int(for_s * 1e6)
    while time.monotonic() < deadline:
        steps = observer.since(time.monotonic_ns() // 1000 - span_us)
        covers = steps and steps[-1].stamp_us - steps[0].stamp_us > span_us * 0.8
        if covers and all(step.is_commanded for step in steps):
            return
        time.sleep(0.002)
    raise FarhandError(Code.INTERNAL, "The robot does not drive.")


def strike(bench: Bench, name: str) -> Run:
    """Carry out one run of the fault; the robot drives when this is called."""
    case = CASES[name]
    wait_until_driving(bench.observer, DRIVING_S)
    bench.observer.reset_gap()
    try:
        struck_us = case.inject(bench)
    except FarhandError:
        case.heal(bench)
        raise
    stopped_us = bench.observer.wait_for_standstill(struck_us, timeout_s=LIMIT_S)
    gap_ms = bench.observer.longest_gap_s * 1000
    case.heal(bench)
    if stopped_us is None:
        return Run(LIMIT_S * 1000, gap_ms, has_stopped=False)
    return Run((stopped_us - struck_us) / 1000, gap_ms)


def run_case(bench: Bench, name: str, runs: int, browsers: "Browsers") -> None:
    """Strike ``runs`` times, each time with a driver who has just started.

    Where nobody came to drive, or the fault's instant is not known, the run is void: it is counted
    and another one made. After too many of them the case ends with the runs it has.

    Raises:
        FarhandError: Not one run came about.

    """
    kept = bench.runs.setdefault(name, [])
    while len(kept) < runs:
        try:
            kept.append(_run_once(bench, name, browsers))
        except (FarhandError, BrowserError):
            bench.void[name] += 1
            if bench.void[name] > SETUP_FAILURES:
                if not kept:
                    raise
                return
        bench.stack.wait_until_online(ROBOT)


def _run_once(bench: Bench, name: str, browsers: "Browsers") -> Run:
    if not CASES[name].by_browser:
        operator = bench.fresh_operator()
        try:
            return strike(bench, name)
        finally:
            operator.end()
    bench.page = browsers.driving_page(bench.stack)
    try:
        return strike(bench, name)
    finally:
        bench.page.chromium.close()
        bench.page = None


class Browsers:
    """Starts browsers that drive; one playwright for all."""

    def __init__(self) -> None:
        self._driver: Playwright | None = None
        self._entered: AbstractContextManager[Playwright] | None = None

    def driving_page(self, stack: Stack) -> DrivingPage:
        """Return a page in a browser of its own that holds W."""
        if self._driver is None:
            self._entered = playwright()
            self._driver = self._entered.__enter__()
        browser = Chromium(self._driver)
        try:
            return DrivingPage(browser, stack.url, ROBOT)
        except BaseException:
            browser.close()
            raise

    def close(self) -> None:
        """End playwright."""
        if self._entered is not None:
            self._entered.__exit__(None, None, None)


@contextmanager
def prepared() -> Iterator[Bench]:
    """Start the programs and the observer."""
    with Stack(Options()) as stack, Observer(stack.sim_socket(ROBOT)) as observer:
        bench = Bench(stack, observer)
        try:
            yield bench
        finally:
            bench.close()


def summary(runs: list[Run], void: int) -> dict[str, float]:
    """Return the figures of one fault."""
    times = [run.stopped_ms for run in runs]
    return {
        "p50": round(percentile(times, 50), 1),
        "p99": round(percentile(times, 99), 1),
        "max": round(max(times), 1),
        "runs": len(times),
        "void": void,
        "observer_gap_max": round(max(run.observer_gap_ms for run in runs), 1),
    }


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure every fault; ``rounds`` is the number of runs of each (default 50)."""
    browsers = Browsers()
    try:
        with prepared() as bench:
            for name, case in CASES.items():
                quick_runs = QUICK_BROWSER_RUNS if case.by_browser else QUICK_RUNS
                run_case(bench, name, quick_runs if quick else rounds or RUNS, browsers)
            return {
                "farhand": {
                    name: summary(runs, bench.void[name]) for name, runs in bench.runs.items()
                },
                "peers": {},
            }
    finally:
        browsers.close()
