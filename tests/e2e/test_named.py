"""Nothing is silent: each message has a producer in the product and a place on the screen."""

import itertools
import statistics
from collections.abc import Callable
from functools import partial

import pytest

from farhand.kits.stack import Stack
from tests.e2e.harness import Console, get, is_latched, status, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

Open = Callable[..., Console]


def test_every_event_has_a_place_on_the_screen(open_console: Open, stack: Stack) -> None:
    ana, ben = open_console("ana"), open_console("ben")
    ana.drive()
    ana.wait_for_picture()
    ben.drive()
    ben.wait_for_picture()

    def log() -> str:
        return ana.page.get_by_test_id("event-log").first.text_content() or ""

    wait_for("ben joined", lambda: ana.has_event("joined"))
    ben.take_control()
    wait_for("ben took control", lambda: ana.has_event("control-taken"))
    ben.release_control()
    wait_for("ben released control", lambda: ana.has_event("control-released"))
    ben.stop()
    wait_for("ben stopped", lambda: ana.has_event("stopped"))
    wait_for("the latch", lambda: is_latched(stack))
    ana.reset()
    wait_for("ana reset", lambda: ana.has_event("reset"))
    ben.page.close()
    wait_for("ben left", lambda: ana.has_event("left"))
    assert "ben" in log()


def test_status_carries_pose_speed_battery_mode_and_time(open_console: Open, stack: Stack) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    members = {"pose", "speed", "battery", "mode", "stampUs"}
    wait_for("a full status", lambda: members <= status(stack).keys())
    stamps: set[int] = set()

    def has_seven() -> bool:
        stamps.add(status(stack)["stampUs"])
        return len(stamps) == 7

    wait_for("seven measurements", has_seven)
    periods_us = [after - before for before, after in itertools.pairwise(sorted(stamps))]
    assert statistics.median(periods_us) < 550_000, "2 Hz or more"
    for place in ("status-pose", "status-speed", "hud-battery"):
        wait_for(place, partial(ana.shows_number, place))


def test_insecure_origin_names_what_the_browser_withholds(open_console: Open) -> None:
    ana = open_console("ana")
    ana.drive(host="robots.example")
    wait_for("the banner", lambda: ana.sees("insecure-banner"))
    text = ana.text("insecure-banner").lower()
    assert "microphone" in text
    assert "https" in text


def test_localhost_shows_no_such_banner(open_console: Open) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    assert ana.page.get_by_test_id("insecure-banner").count() == 0


def test_fleet_shows_a_card_that_leads_to_the_robot(open_console: Open, stack: Stack) -> None:
    ana = open_console("ana")
    ana.page.goto(f"http://localhost:{stack.port}/")
    wait_for("the card", lambda: ana.sees("robot-card"))
    assert "sim-rover" in ana.text("robot-card")
    wait_for("the battery", lambda: "%" in ana.text("robot-card"))
    card = ana.page.get_by_test_id("robot-card")
    card.get_by_test_id("details").click()
    wait_for("its page", lambda: ana.page.url.endswith("/fleet/sim-rover"))
    ana.page.go_back()
    card.get_by_test_id("drive").click()
    ana.wait_for_picture()


def counts(health: dict[str, int]) -> tuple[int, int, int]:
    return health["robots"], health["clients"], health["sessions"]


def test_health_counts_robots_clients_and_sessions(open_console: Open, stack: Stack) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    health = get(stack, "/health")
    assert health["status"] == "ok"
    assert health["timestamp"].endswith("Z")
    # The members of the test before may be leaving yet.
    wait_for("one of each", lambda: counts(get(stack, "/health")) == (1, 1, 1))
