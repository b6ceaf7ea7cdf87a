"""STOP stops it, whoever presses; it stays stopped until somebody resets it on purpose."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from farhand.kits.stack import Stack
from tests.e2e.harness import Console, is_latched, moves, pose, stands, status, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

Open = Callable[..., Console]


def drives(console: Console, stack: Stack) -> None:
    console.drive_until("motion", lambda: moves(stack))


@pytest.fixture
def ana(ana: Console) -> Console:
    if is_latched(ana.stack):  # a test before failed
        ana.reset()
    return ana


def test_drivers_stop_latches_and_reset_needs_neutral(ana: Console, stack: Stack) -> None:
    drives(ana, stack)
    ana.stop()
    wait_for("the latch", lambda: is_latched(stack))
    wait_for("standstill", lambda: stands(stack))
    wait_for("confirmation on screen", lambda: "confirmed" in ana.text("stop-state").lower())
    wait_for("STOPPED", lambda: "STOPPED" in ana.text("control-state"))
    ana.reset()
    ana.take_control()
    stood = pose(stack)
    time.sleep(0.5)
    assert pose(stack) == stood, "the key has been down all the time"
    drives(ana, stack)
    assert pose(stack) != stood
    ana.release("w")
    ana.release_control()


def test_escape_is_stop_while_in_control(ana: Console, stack: Stack) -> None:
    drives(ana, stack)
    ana.page.keyboard.press("Escape")
    wait_for("the latch", lambda: is_latched(stack))
    ana.release("w")
    ana.reset()


def test_watchers_stop_is_confirmed_and_survives_kill_9_of_the_gate(
    ana: Console, open_console: Open, stack: Stack
) -> None:
    ben = open_console("ben")
    ben.drive(query="?view=1")
    ben.wait_for_picture()
    drives(ana, stack)
    ben.stop()
    wait_for("the latch", lambda: is_latched(stack))
    wait_for("ben sees it confirmed", lambda: "confirmed" in ben.text("stop-state").lower())
    wait_for("ana sees who stopped", lambda: "ben" in ana.text("stop-state"))
    ana.release("w")
    gate = stack.gate_pid("sim-rover")
    assert gate is not None
    os.kill(gate, signal.SIGKILL)
    wait_for("a new gate", lambda: stack.gate_pid("sim-rover") not in {None, gate})
    wait_for("what the new gate says", lambda: ana.has_event("gate-back"))
    wait_for("the gate in the status", lambda: status(stack).get("gate", "ok") == "ok")
    assert is_latched(stack)
    assert ana.page.get_by_test_id("take-control").is_disabled()
    ana.reset()
    drives(ana, stack)
    ana.release("w")
    ana.release_control()


def test_a_short_press_does_not_reset(ana: Console, stack: Stack) -> None:
    drives(ana, stack)
    ana.stop()
    wait_for("the latch", lambda: is_latched(stack))
    ana.release("w")
    ana.press_reset_briefly()
    time.sleep(2)  # longer than the button must be held
    assert is_latched(stack)
    ana.reset()
