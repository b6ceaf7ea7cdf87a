"""Programs die: every loss is told on the screen, with what the robot does meanwhile."""

import os
import signal

import pytest

from farhand.kits.stack import Stack
from tests.e2e.harness import Console, status, wait_for, wait_within

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]


def gate_state(stack: Stack) -> str:
    return str(status(stack).get("gate", "ok"))


def test_a_dead_gate_is_said_and_comes_back(ana: Console, stack: Stack) -> None:
    gate = stack.gate_pid("sim-rover")
    assert gate is not None
    os.kill(gate, signal.SIGKILL)
    wait_for("GATE LOST", lambda: ana.has_event("gate-lost"))
    wait_for("the gate back", lambda: ana.has_event("gate-back"))
    wait_for("the gate back in the status", lambda: gate_state(stack) == "ok")


def test_a_frozen_gate_is_said_within_a_second(ana: Console, stack: Stack) -> None:
    gate = stack.gate_pid("sim-rover")
    assert gate is not None
    os.kill(gate, signal.SIGSTOP)
    try:
        wait_within("gate lost in the status", lambda: gate_state(stack) == "lost", 1.0)
    finally:
        os.kill(gate, signal.SIGCONT)
    wait_for("the gate back", lambda: gate_state(stack) == "ok")


def test_a_dead_agent_is_told_and_the_picture_returns(ana: Console, stack: Stack) -> None:
    shown = ana.frames_shown()
    stack.kill("agent-sim-rover")
    wait_for("robot offline", lambda: ana.has_event("robot-offline"))
    wait_for("robot online", lambda: ana.has_event("robot-online"))
    wait_for("the picture again", lambda: ana.frames_shown() > shown + 10)


def test_a_server_that_goes_away_says_so_on_the_screen(ana: Console, stack: Stack) -> None:
    stack.kill("server", signal.SIGTERM)
    wait_for("the notice", lambda: "FH-" in ana.text("system-notice"))
    wait_for("another server", lambda: stack.programs["server"].restarts > 0)
    stack.wait_until_online("sim-rover")
