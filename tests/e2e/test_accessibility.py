"""axe finds nothing to complain about, and nothing ever covers STOP."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import Console, is_latched, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

AXE = Path("web/node_modules/axe-core/axe.min.js")
SIZES = {
    "desktop": {"width": 1440, "height": 900},
    "portrait": {"width": 390, "height": 844},
    "landscape": {"width": 844, "height": 390},
}
TOPMOST = """() => { const stop = document.querySelector('[data-testid=stop]');
    const box = stop.getBoundingClientRect();
    const points = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.8]].map(([x, y]) =>
        document.elementFromPoint(box.x + x * box.width, box.y + y * box.height));
    return { covered: points.filter((p) => !stop.contains(p)).length,
        width: box.width, height: box.height,
        sideways: document.documentElement.scrollWidth > innerWidth }; }"""


def violations(console: Console) -> list[str]:
    console.page.evaluate(AXE.read_text())
    found = console.page.evaluate("() => axe.run().then((r) => r.violations)")
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_drive_view_has_no_violations_and_a_free_stop(
    size: str, theme: str, open_console: Callable[..., Console]
) -> None:
    ana = open_console("ana", viewport=SIZES[size], color_scheme=theme)
    ana.drive()
    ana.wait_for_picture()
    stop = ana.page.evaluate(TOPMOST)
    assert stop["covered"] == 0
    assert min(stop["width"], stop["height"]) >= (64 if size == "desktop" else 72)
    assert not stop["sideways"], "no horizontal scroll"
    assert violations(ana) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_fleet_has_no_violations(theme: str, open_console: Callable[..., Console]) -> None:
    ana = open_console("ana", color_scheme=theme)
    ana.page.goto(f"http://localhost:{ana.stack.port}/fleet")
    wait_for("the card", lambda: ana.sees("robot-card"))
    assert violations(ana) == []


def test_stop_is_free_while_stopped(open_console: Callable[..., Console]) -> None:
    ana = open_console("ana", viewport=SIZES["portrait"])
    ana.drive()
    ana.wait_for_picture()
    ana.stop()
    wait_for("the latch", lambda: is_latched(ana.stack))
    try:
        wait_for("STOPPED", lambda: "STOPPED" in ana.text("control-state"))
        assert ana.page.evaluate(TOPMOST)["covered"] == 0
        assert violations(ana) == []
    finally:
        ana.reset()


@pytest.mark.parametrize("size", ["portrait", "landscape"])
def test_settings_do_not_cover_stop(size: str, open_console: Callable[..., Console]) -> None:
    ana = open_console("ana", viewport=SIZES[size], has_touch=True)
    ana.drive()
    ana.wait_for_picture()
    ana.page.locator("button.person").first.click()
    wait_for("the settings", lambda: ana.page.get_by_role("dialog").count() > 0)
    assert ana.page.evaluate(TOPMOST)["covered"] == 0
