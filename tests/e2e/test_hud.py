"""The HUD shows what the robot's sender does, and a freeze is noticed at both ends."""

import re
import signal
import time
from collections.abc import Callable

import pytest

from farhand.kits.stack import Stack
from farhand.sim.link import SimControl
from tests.e2e.harness import Console, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

WORDS = {"Starting", "Probed", "Rising", "Queueing", "Loss", "Silence", "Full rate"}
FIGURES = ("hud-target", "hud-sent", "hud-resolution", "hud-reason")

# A stream that changes its size as the ladder does, in the place of the robot's.
SWITCH_SIZES = """async (sizes) => {
    const video = document.querySelector('[data-testid=main-camera]');
    const camera = video.closest('.camera');
    const seen = new Set();
    new MutationObserver(() => seen.add(camera.dataset.picture))
        .observe(camera, { attributeFilter: ['data-picture'] });
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    let n = 0;
    const timer = setInterval(() => {
        context.fillStyle = `rgb(${n++ % 256} 90 120)`;
        context.fillRect(0, 0, canvas.width, canvas.height);
    }, 30);
    const boxes = [];
    const note = () => {
        const { x, y, width, height } = video.getBoundingClientRect();
        boxes.push([x, y, width, height].join(' '));
    };
    note();
    video.srcObject = canvas.captureStream(30);
    for (const [width, height] of sizes) {
        canvas.width = width;
        canvas.height = height;
        const until = performance.now() + 20000;
        while (video.videoWidth !== width && performance.now() < until) {
            await new Promise((done) => requestAnimationFrame(done));
            note();
        }
        if (video.videoWidth !== width) throw new Error(`never ${width} wide`);
    }
    clearInterval(timer);
    return { boxes: [...new Set(boxes)], pictures: [...seen],
        fit: getComputedStyle(video).objectFit };
}"""


def test_the_hud_shows_what_the_sender_does(ana: Console) -> None:
    wait_for("a target", lambda: ana.shows_number("hud-target"))
    wait_for("a resolution", lambda: re.fullmatch(r"\d+×\d+", ana.text("hud-resolution")))
    wait_for("a reason", lambda: ana.text("hud-reason") in WORDS)
    # A link without a limit carries the camera's own size.
    wait_for("the full size", lambda: ana.text("hud-resolution") == "640×480")

    def are_rates_alike() -> bool:
        sent, received = ana.number("hud-sent"), ana.number("hud-bitrate")
        return sent is not None and received is not None and received / 2 < sent < received * 4

    # Sent: both cameras, headers and probes; received: the pictures of the large one.
    wait_for("what was sent is about what is received", are_rates_alike)


def test_figures_of_a_sender_that_is_gone_are_dashes(ana: Console, stack: Stack) -> None:
    wait_for("figures", lambda: all(ana.text(figure) != "—" for figure in FIGURES))
    stack.kill("agent-sim-rover", signal.SIGSTOP)
    try:
        wait_for("dashes", lambda: [ana.text(figure) for figure in FIGURES] == ["—"] * 4)
    finally:
        stack.kill("agent-sim-rover", signal.SIGCONT)
    wait_for("figures again", lambda: ana.shows_number("hud-sent"))


@pytest.mark.parametrize("viewport", [(1440, 900), (390, 844), (844, 390)])
def test_a_change_of_resolution_moves_nothing_and_is_no_freeze(
    viewport: tuple[int, int], open_console: Callable[..., Console]
) -> None:
    ana = open_console("ana", viewport=dict(zip(("width", "height"), viewport, strict=True)))
    ana.drive()
    ana.wait_for_picture()
    sizes = [(640, 480), (320, 240), (160, 120), (640, 480)]
    for _ in range(3):  # a page that was held up is right to say so
        found = ana.page.evaluate(SWITCH_SIZES, sizes)
        assert len(found["boxes"]) == 1, found["boxes"]
        assert found["fit"] == "contain"
        if "frozen" not in found["pictures"]:
            return
    raise AssertionError(found["pictures"])


def test_a_freeze_is_noticed_by_page_and_robot_and_so_is_its_end(
    ana: Console, stack: Stack
) -> None:
    ana.take_control()
    events = ana.page.get_by_test_id("event-log")
    with SimControl(stack.sim_socket("sim-rover")) as sim:
        time.sleep(1)
        sim.set_fault("freeze-camera", is_on=True)
        try:
            wait_for("FROZEN", lambda: ana.page.get_by_test_id("frozen").count() == 1)
            frozen = events.locator('[data-kind="video-frozen"]').first
            frozen.wait_for(timeout=20_000)
            said = frozen.inner_text()
            assert "Picture frozen at ana (you) — the screen shows no new picture" in said
        finally:
            sim.set_fault("freeze-camera", is_on=False)
    back = events.locator('[data-kind="video-back"]').first
    back.wait_for(timeout=20_000)
    assert re.search(r"Picture is back at ana \(you\) after \d+\.\d s", back.inner_text())
    ana.release_control()
