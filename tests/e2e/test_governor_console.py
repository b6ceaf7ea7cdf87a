"""The governor on the screen: the limit and its reason on a long link, and why the robot stands."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from farhand.kits.stack import Stack
from farhand.sim.link import SimControl
from tests.e2e.harness import Console, moves, speed, stands, status, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

Open = Callable[..., Console]
NEAR_MS = 1
"""Chromium delays only connections that are made while it emulates a network."""


class Link:
    """The network of one page, as its browser emulates it: delay in each direction."""

    def __init__(self, console: Console) -> None:
        self._session = console.page.context.new_cdp_session(console.page)
        self._session.send("Network.enable")
        self.delay(NEAR_MS)

    def delay(self, ms: int) -> None:
        conditions = {"offline": False, "latency": ms, "packetLoss": 0, "packetQueueLength": 0}
        rates = {"downloadThroughput": -1, "uploadThroughput": -1, "packetReordering": False}
        self._session.send("Network.emulateNetworkConditions", conditions | rates)


@pytest.fixture
def far(open_console: Open) -> Iterator[tuple[Console, Link]]:
    """Return Ana's page, who drives, and her link."""
    ana = open_console("ana", viewport={"width": 1440, "height": 900})
    link = Link(ana)
    ana.drive()
    ana.wait_for_picture()
    ana.take_control()
    yield ana, link
    assert ana.errors == []


def cap(stack: Stack) -> dict[str, Any]:
    """Return the limit in force, as the robot tells everybody."""
    return dict(status(stack).get("cap") or {})


def shown(console: Console, test_id: str) -> str:
    """Return the text, or nothing while it is not there."""
    found = console.page.get_by_test_id(test_id)
    with contextlib.suppress(Exception):  # it went just now
        return str(found.first.inner_text(timeout=500)) if found.count() else ""
    return ""


def test_a_hundred_milliseconds_slow_the_robot_and_the_screen_says_how_much(
    far: tuple[Console, Link], stack: Stack
) -> None:
    ana, link = far
    link.delay(100)
    wait_for("a limit by the loop", lambda: cap(stack).get("reason") == "loop")
    wait_for("the banner", lambda: "Speed limited to" in shown(ana, "speed-banner"))
    assert "Blind distance" in shown(ana, "speed-banner")

    def do_numbers_agree() -> bool:
        script = """() => ['speed-banner', 'hud-cap', 'hud-blind'].map((id) =>
            document.querySelector(`[data-testid=${id}]`)?.textContent ?? '')"""
        banner, limit, blind = ana.page.evaluate(script)
        found = re.fullmatch(r"(\d+) % — loop (\d+ ms|[\d.]+ s)", limit)
        metres = re.match(r"[\d.]+", blind)
        return bool(
            found
            and metres
            and f"limited to {found[1]} %" in banner
            and f"loop {found[2]}" in banner
            and f"{metres[0]} m" in banner
        )

    wait_for("the same numbers in banner and HUD", do_numbers_agree)
    top = 0.0

    def drives_slowly() -> bool:
        nonlocal top
        top = max(top, abs(speed(stack)))
        return top > 0.05

    ana.drive_until("slow motion", drives_slowly, "wa")
    limit = float(cap(stack).get("fraction", 1))
    assert limit < 1
    assert ana.number("speed-allowed") is not None
    ana.release("wa")
    link.delay(NEAR_MS)
    wait_for("no limit", lambda: cap(stack).get("fraction") == 1, 60)
    wait_for("no banner", lambda: shown(ana, "speed-banner") == "")
    ana.release_control()


def test_at_two_hundred_milliseconds_one_way_the_robot_stands_and_the_screen_says_why(
    far: tuple[Console, Link], stack: Stack
) -> None:
    ana, link = far
    ana.drive_until("motion", lambda: moves(stack), "wa")
    link.delay(200)
    wait_for("standstill", lambda: stands(stack))
    why = re.compile(r"commands take (\d+) ms, more than 150 ms")

    def says_why() -> Any:
        found = why.search(shown(ana, "lockout"))
        return found if found and int(found[1]) >= 200 else None

    wait_for("why", says_why)
    wait_for("the same age in the HUD", lambda: (ana.number("hud-age") or 0) >= 200)
    time.sleep(1)
    assert stands(stack)
    ana.release("wa")
    link.delay(NEAR_MS)
    ana.drive_until("motion again: no lock is for ever", lambda: moves(stack), "wa")
    ana.release("wa")
    ana.release_control()


def test_a_frozen_camera_disables_driving_and_says_so(
    far: tuple[Console, Link], stack: Stack
) -> None:
    ana, _ = far
    ana.drive_until("motion", lambda: moves(stack), "wa")
    with SimControl(stack.sim_socket("sim-rover")) as sim:
        sim.set_fault("freeze-camera", is_on=True)
        try:
            wait_for("the lock", lambda: cap(stack).get("reason") == "stale-video")
            wait_for("standstill", lambda: stands(stack))
            wait_for("the banner", lambda: "Drive disabled" in shown(ana, "speed-banner"))
            wait_for("the reason", lambda: "no new picture" in shown(ana, "speed-banner"))
            wait_for("the HUD", lambda: "no new picture" in ana.text("hud-cap"))
        finally:
            sim.set_fault("freeze-camera", is_on=False)
    ana.release("wa")
    ana.drive_until("motion again", lambda: moves(stack), "wa")
    ana.release("wa")
    ana.release_control()


def test_the_predicted_path_is_drawn_while_driving_and_can_be_hidden(
    far: tuple[Console, Link], stack: Stack
) -> None:
    ana, _ = far
    path = ana.page.get_by_test_id("path")
    painted = """(c) => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0, top = c.height, left = 0;
        for (let i = 3; i < d.length; i += 4) if (d[i] > 0) { n += 1;
            const p = (i - 3) / 4, x = p % c.width, y = Math.floor(p / c.width);
            top = Math.min(top, y / c.height); left += x < c.width / 2; }
        return { n, top, left: left / Math.max(1, n) }; }"""
    assert path.evaluate(painted)["n"] == 0, "nothing while nothing is asked for"
    seen: dict[str, float] = {}

    def is_drawn() -> bool:
        if path.get_attribute("data-drawn") != "true":
            return False
        seen.update(path.evaluate(painted))  # reading it back takes its time: once is enough
        return seen["n"] > 100

    ana.drive_until("a path", is_drawn, "w")
    assert seen["top"] > 0.5, "below the horizon"
    assert 0.3 < seen["left"] < 0.7, "straight ahead"
    ana.release("w")
    wait_for("no path", lambda: path.get_attribute("data-drawn") == "false")
    assert path.evaluate(painted)["n"] == 0
    ana.page.get_by_test_id("path-toggle").click()
    wait_for("no canvas", lambda: path.count() == 0)
    ana.page.get_by_test_id("path-toggle").click()
    wait_for("the canvas", lambda: path.count() == 1)
    ana.release_control()
