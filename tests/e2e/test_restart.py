"""The server dies: video and driving go on, and everybody is back in the room within 3 s."""

import time
from collections.abc import Callable

import pytest

from farhand.kits.stack import Stack
from farhand.sim.observer import Observer
from tests.e2e.harness import Console, get, moves, status, wait_for, wait_within

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]


def test_video_and_driving_outlive_the_server(
    open_console: Callable[..., Console], stack: Stack
) -> None:
    ana = open_console("ana")
    ana.drive()
    ana.wait_for_picture()
    # A circle: it can be driven for ever without meeting a wall.
    ana.drive_until("motion", lambda: moves(stack), "wa")
    epoch = status(stack)["lease"]["epoch"]
    server = stack.programs["server"]
    server.restart = False
    stack.kill("server")
    wait_for("the end of the server", lambda: server.process and server.process.poll() is not None)
    with Observer(stack.sim_socket("sim-rover")) as observer:
        gone_us, shown = time.monotonic_ns() // 1000, ana.frames_shown()
        wait_for("frames without a server", lambda: ana.frames_shown() > shown + 20)
        ana.drive_until(
            "a second of driving without a server",
            lambda: sum(step.is_commanded for step in observer.since(gone_us)) > 200,
            "wa",
        )
    assert "IN CONTROL" in ana.text("control-state")
    wait_for("a round trip", lambda: (ana.number("hud-rtt") or 1e9) < 500)
    server.restart = True
    wait_for("a new server", server.is_ready)
    wait_within("both back in the room", lambda: get(stack, "/health")["sessions"] == 1, 3)
    wait_for("the status", lambda: status(stack))
    assert status(stack)["lease"]["epoch"] == epoch, "nobody lost the lease"
    ana.drive_until("driving goes on", lambda: moves(stack), "wa")
    assert status(stack)["lease"]["epoch"] == epoch, "nor asked for it again"
    assert "IN CONTROL" in ana.text("control-state")
    ana.release("wa")
