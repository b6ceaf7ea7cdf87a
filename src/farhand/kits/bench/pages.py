"""Pages of the console that drive, for faults that strike the browser."""

import time
from contextlib import AbstractContextManager

from farhand.kits.browser import Chromium, Playwright, playwright, wait_in_page
from farhand.kits.stack import Stack

_DRIVING = """() => document.querySelector('[data-testid=control-state]')
    ?.textContent.includes('IN CONTROL')"""
_BLUR = """() => { const at = performance.timeOrigin + performance.now();
    window.dispatchEvent(new Event('blur')); return at; }"""
PICTURE = """() => document.querySelector('[data-testid=main-camera]')
    ?.getVideoPlaybackQuality().totalVideoFrames > 3"""
"""Holds when the console shows a live picture."""


class DrivingPage:
    """The console in a browser of its own, in control and holding W and A: a circle.

    Args:
        chromium: The browser; closed by whoever made it.
        url: The server.
        robot_id: Whom to drive.

    """

    def __init__(self, chromium: Chromium, url: str, robot_id: str) -> None:
        self.chromium = chromium
        self.page = chromium.new_context().new_page()
        # Ready beforehand, since Chromium only meddles with sockets that it made while meddling.
        self._network = self.page.context.new_cdp_session(self.page)
        self._network.send("Network.enable")
        self._emulate(packet_loss=0)
        self.page.goto(f"{url}/drive/{robot_id}")
        wait_in_page(self.page, PICTURE)
        reset = self.page.get_by_test_id("reset")
        if reset.count() and reset.is_visible():
            reset.click(delay=1700)
        self.page.get_by_test_id("take-control").click()
        wait_in_page(self.page, _DRIVING)
        self.page.keyboard.down("w")
        self.page.keyboard.down("a")

    def blur(self) -> int:
        """Take the window's focus away, as another window does; return when (monotonic µs)."""
        wall_ms = self.page.evaluate(_BLUR)
        return int(wall_ms * 1000 - time.time() * 1e6) + time.monotonic_ns() // 1000

    def lose_packets(self) -> None:
        """Lose every WebRTC packet of the page from now on; its WebSocket stays."""
        self._emulate(packet_loss=100)

    def _emulate(self, *, packet_loss: float) -> None:
        unlimited = {"downloadThroughput": -1, "uploadThroughput": -1}
        conditions = {"offline": False, "latency": 1, "packetLoss": packet_loss, **unlimited}
        self._network.send("Network.emulateNetworkConditions", conditions)


class Browsers:
    """Starts browsers that drive; one playwright for all, on the thread that asks first."""

    def __init__(self) -> None:
        self._driver: Playwright | None = None
        self._entered: AbstractContextManager[Playwright] | None = None

    def driving_page(self, stack: Stack, robot_id: str) -> DrivingPage:
        """Return a page in a browser of its own that holds W."""
        if self._driver is None:
            self._entered = playwright()
            self._driver = self._entered.__enter__()
        browser = Chromium(self._driver)
        try:
            return DrivingPage(browser, stack.url, robot_id)
        except BaseException:
            browser.close()
            raise

    def close(self) -> None:
        """End playwright."""
        if self._entered is not None:
            self._entered.__exit__(None, None, None)
