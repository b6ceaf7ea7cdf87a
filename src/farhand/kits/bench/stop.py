"""How long from a fault until the wheels are told to stand still.

Observers read nothing but the simulated actuators. Every run: an operator drives, one fault, the
first zero command after it. Where the gate itself is struck, what stops the robot is the device
below it. Several robots are struck at once, each by a thread of its own: most of a run is waiting
for the lease of a dead driver to end. Once with nothing else to do, once with both cores busy.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from farhand.errors import Code, FarhandError
from farhand.kits.bench.burners import burning
from farhand.kits.bench.pages import Browsers
from farhand.kits.bench.stop_faults import CASES, Bench, Run
from farhand.kits.bench.stop_figures import figures
from farhand.kits.bench.stop_watcher import measure_watchers
from farhand.kits.browser import BrowserError
from farhand.kits.nursery import Nursery
from farhand.kits.stack import Options, Robot, Stack
from farhand.sim.observer import Observer

RUNS = 200
BROWSER_RUNS = 20
QUICK_RUNS = 4
QUICK_BROWSER_RUNS = 1
ROBOTS = 6
BUSY_ROBOTS = 3
"""More of them would only keep each other waiting."""
LIMIT_S = 5.0
"""A run that takes longer has failed; it counts as this long."""
DRIVING_S = 0.25
SETUP_FAILURES = 5
HELD_UP_MS = 20.0
"""An observer that saw nothing for longer cannot be believed."""
BLIND_AT_FULL_SPEED = {"blind_cap": 1.0}
"""The operators look at no pictures: the governor would let them creep."""


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
        time.sleep(0.005)
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


def run_case(
    bench: Bench, name: str, runs: int, browsers: Browsers, *, believes_ms: float = HELD_UP_MS
) -> None:
    """Strike ``runs`` times, each time with a driver who has just started.

    Where nobody came to drive, or the fault's instant is not known, the run is void; where the
    observer was held up, it is listed. Both are made again. After too many of them the case ends
    with the runs it has.

    Raises:
        FarhandError: Not one run came about.

    """
    kept, held_up = bench.runs.setdefault(name, []), bench.held_up.setdefault(name, [])
    while len(kept) < runs and len(held_up) < max(runs, SETUP_FAILURES):
        try:
            bench.stack.wait_until_online(bench.robot)
            run = _run_once(bench, name, browsers)
            (held_up if run.observer_gap_ms > believes_ms else kept).append(run)
        except (FarhandError, BrowserError):
            bench.void[name] += 1
            if bench.void[name] > max(SETUP_FAILURES, runs // 5):
                if not kept:
                    raise
                return


def _run_once(bench: Bench, name: str, browsers: Browsers) -> Run:
    if not CASES[name].by_browser:
        operator = bench.fresh_operator()
        try:
            return strike(bench, name)
        finally:
            operator.end()
    bench.page = browsers.driving_page(bench.stack, bench.robot)
    try:
        return strike(bench, name)
    finally:
        bench.page.chromium.close()
        bench.page = None


@contextmanager
def prepared(robots: int = 1) -> Iterator[list[Bench]]:
    """Start the programs and an observer for each robot."""
    names = [f"sim-{number}" for number in range(1, robots + 1)]
    options = Options(
        tuple(Robot(name, name, seed) for seed, name in enumerate(names, start=1)),
        governor=BLIND_AT_FULL_SPEED,
    )
    with ExitStack() as opened:
        stack = opened.enter_context(Stack(options))
        nursery = opened.enter_context(Nursery())
        benches = []
        for name in names:
            observer = opened.enter_context(Observer(stack.sim_socket(name)))
            benches.append(Bench(stack, name, observer, nursery))
        yield benches


def run_cases(benches: Sequence[Bench], runs: int, names: Sequence[str]) -> None:
    """Strike each robot with each fault, all robots at once; ``runs`` are shared out."""
    share, rest = divmod(runs, len(benches))
    nobody = Browsers()

    def work(number: int) -> None:
        for name in names:
            run_case(benches[number], name, share + (number < rest), nobody)

    with ThreadPoolExecutor(len(benches)) as threads:
        for done in [threads.submit(work, number) for number in range(len(benches))]:
            done.result()


def measure(*, runs: int, browser_runs: int, robots: int) -> tuple[dict[str, Any], str]:
    """Return the figures of each fault, and the gate's scheduler."""
    by_program = [name for name, case in CASES.items() if not case.by_browser]
    by_browser = [name for name, case in CASES.items() if case.by_browser]
    browsers = Browsers()
    try:
        with prepared(robots) as benches:
            scheduler = scheduler_of(benches[0].pid("gate"))
            run_cases(benches, runs, by_program)
            for name in by_browser:  # playwright lives on this thread
                run_case(benches[0], name, browser_runs, browsers)
            return {name: figures(benches, name) for name in CASES}, scheduler
    finally:
        browsers.close()


def scheduler_of(pid: int) -> str:
    """Return the scheduler of a process and its priority there."""
    policy = os.sched_getscheduler(pid) & ~getattr(os, "SCHED_RESET_ON_FORK", 0)
    if policy in {os.SCHED_FIFO, os.SCHED_RR}:
        return f"SCHED_FIFO {os.sched_getparam(pid).sched_priority}"
    return "default"


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure every fault; ``rounds`` is the number of runs of each (default 200, browsers 20)."""
    runs = QUICK_RUNS if quick else rounds or RUNS
    browser_runs = QUICK_BROWSER_RUNS if quick else min(runs, BROWSER_RUNS)
    idle, scheduler = measure(runs=runs, browser_runs=browser_runs, robots=ROBOTS)
    with burning(os.cpu_count() or 1):
        busy, _ = measure(runs=runs, browser_runs=browser_runs, robots=BUSY_ROBOTS)
    watchers: Mapping[str, Any] = measure_watchers(runs=runs // 2)
    every = {f"{name} (idle)": found for name, found in idle.items()}
    every |= {f"{name} (busy)": found for name, found in busy.items()}
    return {
        "farhand": every | watchers["figures"],
        "peers": {},
        "left_out": watchers["left_out"],
        "versions": {"gate's scheduler": scheduler},
    }
