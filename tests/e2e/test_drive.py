"""The main job: see, take control, drive, let go; one driver at a time."""

import math
import time
from collections.abc import Callable

import pytest

from farhand.kits.stack import Stack
from tests.e2e.harness import Console, holder, pose, stands, status, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

Open = Callable[..., Console]


def distance(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


def changes(one: list[int], other: list[int]) -> int:
    """Return how many of the 768 cells differ."""
    return sum(abs(a - b) > 10 for a, b in zip(one, other, strict=True))


def test_page_shows_a_moving_picture(open_console: Open) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    first = ana.frames_shown()
    wait_for("more frames", lambda: ana.frames_shown() > first + 15)
    wait_for("VIEWING", lambda: ana.text("control-state").endswith("VIEWING"))
    assert ana.errors == []


def test_holding_w_drives_and_letting_go_stands(open_console: Open, stack: Stack) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    ana.take_control()
    wait_for("who drives in the status", lambda: holder(stack) == "ana")
    before, picture = pose(stack), ana.picture()
    ana.drive_until("the robot to move 0.5 m", lambda: distance(pose(stack), before) > 0.5)
    ana.drive_until("the loop latency", lambda: ana.shows_number("hud-loop"))
    ana.release("w")
    wait_for("standstill", lambda: stands(stack))
    wait_for(
        "the picture that shows that the robot moved", lambda: changes(picture, ana.picture()) > 40
    )
    wait_for("the round trip", lambda: ana.shows_number("hud-rtt"))
    stood = pose(stack)
    time.sleep(0.5)
    assert distance(pose(stack), stood) < 0.01
    ana.release_control()


def test_second_person_asks_the_first_and_gets_it_after_release(
    open_console: Open, stack: Stack
) -> None:
    ana, ben = open_console("ana"), open_console("ben")
    for console in (ana, ben):
        console.drive()
        console.wait_for_picture()
    ana.take_control()
    wait_for("who drives in the status", lambda: holder(stack) == "ana")
    first_epoch = status(stack)["lease"]["epoch"]
    wait_for("ben to see who drives", lambda: "ana" in ben.text("control-state"))
    assert ben.page.get_by_test_id("take-control").count() == 0, "it can only be asked for"
    ben.page.get_by_test_id("request-control").click()
    ben.page.get_by_test_id("ask").click()
    wait_for("the question, with the name", lambda: "ana" in ben.text("waiting"))
    assert holder(stack) == "ana"
    ana.page.get_by_test_id("release-control").click()
    wait_for("the new driver in the status", lambda: holder(stack) == "ben")
    assert status(stack)["lease"]["epoch"] > first_epoch
    ben.release_control()


def test_second_camera_is_a_tile_that_swaps_by_click(open_console: Open) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    width = "() => document.querySelector('[data-testid=main-camera]').videoWidth"
    wait_for("the front camera", lambda: ana.page.evaluate(width) == 640)
    ana.page.get_by_test_id("camera-tile").first.click()
    wait_for("the rear camera in the main view", lambda: ana.page.evaluate(width) == 320)
