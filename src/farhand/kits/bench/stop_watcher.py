"""STOP by somebody who only watches: the robot's uplink is full of video and loses packets.

The robot sits in a network namespace of its own, behind a link (`kits.lab`) that takes less than
its cameras would send; a viewer, the driver and the watcher are at the other end. What is
measured: from the press until the wheels are told to stand still.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from farhand.errors import FarhandError
from farhand.kits.bench.pages import PICTURE
from farhand.kits.bench.stop_faults import Run
from farhand.kits.bench.stop_figures import summary
from farhand.kits.browser import BrowserError, chromium, playwright, wait_in_page
from farhand.kits.lab.lab import Lab
from farhand.kits.lab.line import Impairment
from farhand.kits.nursery import Nursery, Operator
from farhand.kits.stack import Options, Robot, Stack, free_port
from farhand.sim.observer import Observer

ROBOT = "sim-1"
CALM = Impairment(delay_s=0.01)
FULL = replace(CALM, rate_bps=500_000, queue_s=0.2, queue_packets=10_000)
"""The robot's uplink: a third of what its camera would send."""
LOSSES = (0.05, 0.2)
SETTLE_S = 4.0
LIMIT_S = 5.0
HELD_UP_MS = 20.0
FAILURES = 10
DRIVES_WITHIN_S = 1.5
DRIVING_S = 0.1


def measure_watchers(*, runs: int) -> dict[str, Mapping[str, Any]]:
    """Return the figures by loss, and what could not be measured here."""
    figures: dict[str, Any] = {}
    try:
        with _place() as (lab, stack, nursery, observer), _viewer(stack):
            for loss in LOSSES:
                name = f"watcher, full uplink, {loss:.0%} loss"
                figures[name] = _measure(lab, stack, nursery, observer, loss, runs)
    except (FarhandError, BrowserError) as exc:
        return {"figures": figures, "left_out": {"watcher": str(exc)}}
    return {"figures": figures, "left_out": {}}


@contextmanager
def _place() -> Iterator[tuple[Lab, Stack, Nursery, Observer]]:
    with Lab(CALM) as lab, lab.operator.entered():
        port, host = free_port(), lab.operator.address
        options = Options(
            (Robot(ROBOT, ROBOT),),
            port=port,
            server_arguments=["--host", "0.0.0.0", "--insecure"],  # noqa: S104 - in a namespace
            agent_arguments=["--server", f"http://{host}:{port}"],
            agent_prefix=lab.robot.prefix,
            governor={"blind_cap": 1.0},
        )
        with (
            Stack(options) as stack,
            Nursery() as nursery,
            Observer(stack.sim_socket(ROBOT)) as observer,
        ):
            stack.wait_until_online(ROBOT)
            yield lab, stack, nursery, observer


@contextmanager
def _viewer(stack: Stack) -> Iterator[None]:
    """Have somebody watch the cameras in Chromium, which takes all that the link gives."""
    with playwright() as driver, chromium(driver) as browser:
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{stack.port}/drive/{ROBOT}?view=1")
        wait_in_page(page, PICTURE)
        yield


def _measure(  # noqa: PLR0917 - the parts of the place
    lab: Lab, stack: Stack, nursery: Nursery, observer: Observer, loss: float, runs: int
) -> dict[str, Any]:
    kept: list[Run] = []
    held_up: list[Run] = []
    void = 0
    lab.change(CALM)
    watcher = _born(nursery, stack, "watch")
    driver = _born(nursery, stack, "")
    try:
        lab.change(replace(FULL, loss=loss), replace(CALM, loss=loss))
        time.sleep(SETTLE_S)
        before, began = lab.counters().to_operator.received_bytes, time.monotonic()
        while len(kept) < runs and void < FAILURES + 4 * runs and len(held_up) < FAILURES + runs:
            try:
                run = _press(driver, watcher, observer)
            except FarhandError:
                void += 1  # packets were lost, the watchdog was first: say it again
                continue
            (held_up if run.observer_gap_ms > HELD_UP_MS else kept).append(run)
        offered = lab.counters().to_operator.received_bytes - before
        kbps = offered * 8 / 1000 / (time.monotonic() - began)
    finally:
        for operator in (watcher, driver):
            operator.end()
        lab.change(CALM)
    return summary(kept, held_up, void) | {"uplink_kbps": round(kbps)}


def _born(nursery: Nursery, stack: Stack, word: str) -> Operator:
    operator = nursery.bear(stack.url, ROBOT)
    operator.hear("ready")
    if word:
        operator.say(word)
        operator.hear(f"{word}ing")
    return operator


def _press(driver: Operator, watcher: Operator, observer: Observer) -> Run:
    from farhand.kits.bench.stop import wait_until_driving  # noqa: PLC0415 - a circle

    driver.say("drive")
    driver.hear("driving")
    wait_until_driving(observer, DRIVING_S, timeout_s=DRIVES_WITHIN_S)
    observer.reset_gap()
    watcher.say("stop")
    heard: list[list[str]] = []
    listening = threading.Thread(target=lambda: heard.append(watcher.hear("stopped")))
    listening.start()
    began_us = time.monotonic_ns() // 1000
    stopped_us = observer.wait_for_standstill(began_us, timeout_s=LIMIT_S)
    gap_ms = observer.longest_gap_s * 1000
    listening.join()
    pressed_us = int(heard[0][0])
    if stopped_us is None:
        return Run(LIMIT_S * 1000, gap_ms, has_stopped=False)
    return Run((stopped_us - pressed_us) / 1000, gap_ms)
