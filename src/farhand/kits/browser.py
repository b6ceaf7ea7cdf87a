"""A headless Chromium of its own process group, for tests and benches: it can be killed or frozen.

The only file that imports playwright (extra ``bench``); the browser is the system's.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from playwright.sync_api import Error as BrowserError

from farhand.errors import Code, FarhandError

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_MS = 60_000
"""A machine that swaps has taken more than 30 s."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # A name that is no secure context, for what the console says then.
    "--host-resolver-rules=MAP robots.example 127.0.0.1",
)

__all__ = [
    "BrowserContext",
    "BrowserError",
    "Chromium",
    "Page",
    "Playwright",
    "chromium",
    "find",
    "playwright",
    "wait_in_page",
]


def find() -> str | None:
    """Return the path of the system's Chromium, or ``None``."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def playwright() -> Iterator[Playwright]:
    """Start playwright's driver."""
    with sync_playwright() as started:
        yield started


class Chromium:
    """A running browser.

    Raises:
        FarhandError: There is no Chromium, or it did not start within 30 s.

    """

    def __init__(self, driver: Playwright) -> None:
        path = find()
        if path is None:
            raise FarhandError(
                Code.CONFIG_INVALID, "No Chromium found.", "Install Debian's chromium."
            )
        self._folder = Path(tempfile.mkdtemp(prefix="fh-chromium-"))
        self.process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={self._folder}", "--remote-debugging-port=0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.browser: Browser = driver.chromium.connect_over_cdp(
                self._address(), timeout=CONNECT_TIMEOUT_MS
            )
        except BaseException:
            self.close()
            raise

    def _address(self) -> str:
        file, deadline = self._folder / "DevToolsActivePort", time.monotonic() + START_TIMEOUT_S
        while not (file.exists() and "\n" in file.read_text()):
            if time.monotonic() > deadline:
                raise FarhandError(Code.INTERNAL, "Chromium did not start.")
            time.sleep(0.02)
        return f"http://127.0.0.1:{file.read_text().splitlines()[0]}"

    def new_context(self, **options: object) -> BrowserContext:
        """Return a context with storage of its own."""
        return self.browser.new_context(**options)  # type: ignore[arg-type]

    def signal(self, signum: int) -> None:
        """Send a signal to every process of the browser."""
        os.killpg(self.process.pid, signum)

    def close(self) -> None:
        """Kill the browser. Idempotent."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def wait_in_page(page: Page, function: str, timeout_s: float = 20.0) -> None:
    """Return when the JavaScript ``function`` answers something truthy.

    Playwright's own ``wait_for_function`` builds code from text in the page, which our
    Content-Security-Policy forbids.

    Raises:
        FarhandError: It did not in time.

    """
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(function):
        if time.monotonic() > deadline:
            raise FarhandError(Code.INTERNAL, f"Not within {timeout_s} s in the page: {function}")
        time.sleep(0.02)


@contextmanager
def chromium(driver: Playwright) -> Iterator[Chromium]:
    """Start a browser and kill it at the end."""
    started = Chromium(driver)
    try:
        yield started
    finally:
        started.close()
