"""Nothing looks live when it is not, and the numbers on the screen are true."""

import signal
import statistics
import time

import pytest

from farhand.kits.stack import Stack
from farhand.sim.link import SimControl
from tests.e2e.harness import Console, holder, moves, stands, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

# Row 0 of the strip (farhand/sim/clock.py): 4 marking cells, then 36 bits of the stamp in ms.
READ_STAMP = """() => { const v = document.querySelector('[data-testid=main-camera]');
    const c = document.createElement('canvas'); c.width = 320; c.height = 16;
    const g = c.getContext('2d'); g.drawImage(v, 0, 0, 320, 16, 0, 0, 320, 16);
    const at = performance.timeOrigin + performance.now();
    const d = g.getImageData(0, 0, 320, 16).data; let stamp = 0;
    for (let i = 4; i < 40; i++) stamp = stamp * 2 + (d[4 * (4 * 320 + i * 8 + 4) + 1] >= 128);
    return [stamp, at]; }"""


def picture_age_ms(console: Console) -> float:
    """Return how old the picture on the screen is, by the time painted into it."""
    stamp_ms, wall_ms = console.page.evaluate(READ_STAMP)
    return float(wall_ms - time.time() * 1e3 + time.monotonic() * 1e3 - stamp_ms)


def test_video_delay_on_the_hud_is_the_pictures_age(ana: Console) -> None:
    wait_for("the figure", lambda: ana.shows_number("hud-g2g"))

    def is_true() -> bool:
        ages = [picture_age_ms(ana) for _ in range(15)]
        shown = ana.number("hud-g2g")
        # What is on the screen when we look is up to one frame older than when it was shown.
        return shown is not None and -30 < statistics.median(ages) - shown < 80

    wait_for("the age of the picture on the HUD", is_true)


def test_hud_counts_the_pictures(ana: Console) -> None:
    def is_true() -> bool:
        before, began = ana.frames_shown(), time.monotonic()
        time.sleep(2)
        counted = (ana.frames_shown() - before) / (time.monotonic() - began)
        shown = ana.number("hud-fps")
        # The HUD counts the last second, we counted two.
        return counted > 5 and shown is not None and abs(shown - counted) < 5

    wait_for("our count on the HUD", is_true)


def test_a_frozen_camera_is_said_and_locks_driving(ana: Console, stack: Stack) -> None:
    ana.drive_until("motion", lambda: moves(stack), "wa")
    with SimControl(stack.sim_socket("sim-rover")) as sim:
        sim.set_fault("freeze-camera", is_on=True)
        try:
            wait_for("FROZEN", lambda: "FROZEN" in ana.text("frozen").upper())
            wait_for("standstill", lambda: stands(stack))
        finally:
            sim.set_fault("freeze-camera", is_on=False)
    wait_for("a live picture", lambda: ana.page.get_by_test_id("frozen").count() == 0)
    time.sleep(0.5)
    assert stands(stack), "a key that was held all along does not move it"
    ana.release("wa")
    ana.release_control()


def test_a_lost_link_is_said_with_what_the_robot_does(ana: Console, stack: Stack) -> None:
    stack.kill("agent-sim-rover", signal.SIGSTOP)
    try:
        wait_for("LINK LOST", lambda: "LINK LOST" in ana.text("control-state"))
        assert ana.sees("link-state")
    finally:
        stack.kill("agent-sim-rover", signal.SIGCONT)
    wait_for("the link again", lambda: "LINK LOST" not in ana.text("control-state"))


def test_unknown_is_a_dash(ana: Console, stack: Stack) -> None:
    wait_for("nobody drives", lambda: holder(stack) is None)
    assert ana.text("hud-loop").startswith("—")
