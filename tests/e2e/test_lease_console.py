"""Control changes hands on two screens: ask, answer, give, idle, STOP by a watcher."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from farhand.kits.browser import Chromium
from farhand.kits.stack import Options, Stack
from tests.e2e.harness import (
    Console,
    holder,
    is_latched,
    moves,
    stands,
    status,
    wait_for,
)
from tests.e2e.test_accessibility import TOPMOST, violations

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

Open = Callable[..., Console]
ASK_S = 3
"""So long a holder may think where nobody has patience; silence is a refusal."""


@pytest.fixture
def two(open_console: Open, stack: Stack) -> Iterator[tuple[Console, Console]]:
    """Return Ana's page, who drives, and Ben's, who sees it."""
    ana, ben = open_console("ana"), open_console("ben")
    for console in (ana, ben):
        console.drive()
        console.wait_for_picture()
    ana.take_control()
    wait_for("ana in the status", lambda: holder(stack) == "ana")
    wait_for("ben to see who drives", lambda: "HELD BY ana" in ben.text("control-state"))
    yield ana, ben
    assert [*ana.errors, *ben.errors] == []


def ask(console: Console, reason: str = "my shift") -> None:
    """Ask for control as a person does."""
    page = console.page
    if not page.get_by_test_id("request-form").count():
        page.get_by_test_id("request-control").click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_test_id("ask").click()


def asked(console: Console) -> bool:
    """Say whether the question is on the holder's screen."""
    return bool(console.page.get_by_test_id("asked").first.is_visible())


def since_s(console: Console) -> int:
    """Return since when somebody drives, as a time of day in seconds."""
    found = re.search(r"since (\d+):(\d+):(\d+)", console.text("holder"))
    assert found
    hours, minutes, seconds = map(int, found.groups())
    return (hours * 60 + minutes) * 60 + seconds


def asking(stack: Stack) -> Any:
    """Return the question that everybody sees."""
    return status(stack)["lease"].get("asking")


def test_a_question_is_answered_with_yes_while_the_keys_go_on_driving(
    two: tuple[Console, Console], stack: Stack
) -> None:
    ana, ben = two
    epoch = status(stack)["lease"]["epoch"]
    ana.drive_until("motion", lambda: moves(stack), "wa")
    ask(ben)
    wait_for("the wait, with seconds", lambda: re.search(r"\d s", ben.text("waiting")))
    assert "REQUESTING" in ben.text("control-state")
    wait_for("the question", lambda: asked(ana))
    shown = ana.text("asked")
    assert "ben (operator) asks for control" in shown
    assert "my shift" in shown
    assert ana.page.get_by_role("dialog").count() == 0
    assert moves(stack), "the question does not cut the keys"
    assert violations(ana) == []
    assert ana.page.evaluate(TOPMOST)["covered"] == 0
    ana.page.get_by_test_id("asked-accept").click()
    wait_for("ben in control", lambda: "IN CONTROL" in ben.text("control-state"))
    wait_for("ben in the status", lambda: holder(stack) == "ben")
    assert status(stack)["lease"]["epoch"] > epoch
    wait_for("standstill, though ana still holds her keys", lambda: stands(stack))
    wait_for("why ana lost it", lambda: "handed over" in ana.text("control-lost"))
    assert not asked(ana)
    time.sleep(0.5)
    assert stands(stack)
    ana.release("wa")
    ben.drive_until("ben's motion", lambda: moves(stack), "wa")
    ben.release("wa")
    ben.release_control()


def test_no_keeps_control_and_the_focus_for_the_keys(
    two: tuple[Console, Console], stack: Stack
) -> None:
    ana, ben = two
    ask(ben)
    wait_for("the question", lambda: asked(ana))
    ana.page.get_by_test_id("asked-deny").click()
    wait_for("the refusal", lambda: ben.text("denied") == "Refused: ana keeps control.")
    assert ben.page.get_by_test_id("denied").get_attribute("data-code") == "FH-7018"
    wait_for("ben's event", lambda: ben.has_event("control-refused"))
    wait_for("the end of the question", lambda: asking(stack) is None)
    assert holder(stack) == "ana"
    on_stage = "() => document.activeElement.closest('.stage') !== null"
    assert ana.page.evaluate(on_stage), "keys drive on without a click"
    ana.drive_until("motion", lambda: moves(stack), "wa")
    ana.release("wa")
    ana.release_control()


def test_a_question_is_taken_back_and_arms_nothing_later(
    two: tuple[Console, Console], stack: Stack
) -> None:
    ana, ben = two
    ask(ben)
    wait_for("the question", lambda: asked(ana))
    ben.page.get_by_test_id("cancel-request").click()
    wait_for("the question to go", lambda: not asked(ana))
    ana.release_control()
    time.sleep(1)
    assert holder(stack) is None
    assert "VIEWING" in ben.text("control-state")


def test_control_is_given_to_a_person_by_name(two: tuple[Console, Console], stack: Stack) -> None:
    ana, ben = two
    ana.page.get_by_test_id("give-control").click()
    ana.page.get_by_test_id("give-to").filter(has_text="ben").click()
    wait_for("ben in control", lambda: "IN CONTROL" in ben.text("control-state"))
    assert "ana has given you control" in ben.text("given")
    wait_for("ana to see it", lambda: "HELD BY ben" in ana.text("control-state"))
    assert ana.text("control-lost") == "", "she knows: she gave it"
    ben.release_control()


def test_everybody_sees_since_when_somebody_drives_and_who_watches(
    two: tuple[Console, Console], open_console: Open, stack: Stack
) -> None:
    ana, ben = two
    time.sleep(5)
    wait_for("since when", lambda: re.search(r"since \d\d:\d\d:\d\d", ben.text("holder")))
    chi = open_console("chi")
    chi.drive(query="?view=1")
    chi.wait_for_picture()
    # A page that has only just come counts from the robot's word, not from its own first sight.
    wait_for("the time", lambda: "since" in chi.text("holder"))
    # A page that is busy with starting reads a status late, but not as late as it came.
    assert abs(since_s(ben) - since_s(chi)) <= 3
    wait_for("ana's watchers", lambda: ana.text("watchers") == "Watching: ben, chi")
    ana.release_control()


def test_a_watcher_stops_the_robot_and_everybody_reads_who(
    two: tuple[Console, Console], stack: Stack
) -> None:
    ana, ben = two
    ask(ben)
    wait_for("the question", lambda: asked(ana))
    ana.drive_until("motion", lambda: moves(stack), "wa")
    ben.stop()
    wait_for("standstill", lambda: stands(stack))
    wait_for(
        "the confirmation",
        lambda: re.search(r"confirmed by sim-rover in \d+ ms", ben.text("stop-state")),
    )
    wait_for("who", lambda: "STOPPED — by ben" in ana.text("stop-state"))
    assert is_latched(stack)
    assert not asked(ana), "STOP ends the question"
    assert "REQUESTING" not in ben.text("control-state")
    ana.release("wa")
    ana.press_reset_briefly()
    assert is_latched(stack), "a reset is held for 1.5 s"
    ana.reset()


@pytest.fixture(scope="module")
def impatient() -> Iterator[Stack]:
    rules = {"ASK_S": str(ASK_S), "IDLE_RELEASE_S": "12", "IDLE_WARNING_S": "6"}
    environment = {f"FARHAND_AGENT__LEASE__{name}": value for name, value in rules.items()}
    with Stack(Options(environment=environment)) as started:
        started.wait_until_online("sim-rover")
        yield started


@pytest.fixture
def pages(shared_browser: Chromium, impatient: Stack) -> Iterator[list[Console]]:
    """Return pages of Ana and Ben where nobody has patience; Ana drives."""
    contexts = [shared_browser.new_context() for _ in range(2)]
    consoles = [
        Console(context, impatient, name)
        for context, name in zip(contexts, ("ana", "ben"), strict=True)
    ]
    for console in consoles:
        console.drive()
        console.wait_for_picture()
    consoles[0].take_control()
    yield consoles
    for context in contexts:
        context.close()


def test_silence_is_a_refusal(pages: list[Console], impatient: Stack) -> None:
    ana, ben = pages
    wait_for("ben to see who drives", lambda: "HELD BY ana" in ben.text("control-state"))
    ask(ben)
    wait_for("the question", lambda: asked(ana) and "you keep it" in ana.text("asked"))
    wait_for("the refusal", lambda: ben.text("denied") == "Refused: ana keeps control.")
    wait_for("the question to go", lambda: not asked(ana))
    assert holder(impatient) == "ana"


def test_who_does_nothing_is_warned_and_loses_control(
    pages: list[Console], impatient: Stack
) -> None:
    ana, _ = pages
    wait_for("the warning", lambda: ana.page.get_by_test_id("idle-warning").count())
    assert re.search(r"released in [1-6] s", ana.text("idle-warning"))
    ana.drive_until("motion", lambda: moves(impatient), "wa")
    ana.release("wa")
    wait_for("its end", lambda: not ana.page.get_by_test_id("idle-warning").count())
    wait_for("why it went", lambda: "nothing was moved" in ana.text("control-lost"))
    wait_for("nobody drives", lambda: holder(impatient) is None)
