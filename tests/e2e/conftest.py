"""One playwright, one browser and one stack for each test module."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from farhand.kits import browser
from farhand.kits.browser import BrowserContext, Chromium, Playwright, chromium
from farhand.kits.stack import Options, Stack
from tests import evidence
from tests.conftest import require
from tests.e2e.harness import Console, get, wait_for


@pytest.fixture(scope="module")  # its loop would break the asyncio tests of other modules
def playwright() -> Iterator[Playwright]:
    require("chromium")
    with browser.playwright() as started:
        yield started


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    # An open server takes only names that it knows for its own: one test comes by this one.
    named = ["--origin", "http://robots.example"]
    with Stack(Options(sim_arguments=["--clock"], server_arguments=named)) as started:
        yield started


@pytest.fixture
def stack(programs: Stack) -> Stack:
    """Return the programs when all are back that the test before has killed."""
    programs.wait_until_online("sim-rover")
    return programs


@pytest.fixture(scope="module")
def shared_browser(playwright: Playwright) -> Iterator[Chromium]:
    with chromium(playwright) as started:
        yield started


class Consoles:
    """Opens pages of the console as somebody; each has storage of its own."""

    def __init__(self, chromium: Chromium, stack: Stack, folder: Path) -> None:
        self._chromium = chromium
        self._stack = stack
        self._folder = folder
        self._contexts: list[BrowserContext] = []
        self._consoles: list[Console] = []

    def __call__(self, name: str = "ana", **options: Any) -> Console:
        """Open a page."""
        context = self._chromium.new_context(**options)
        self._contexts.append(context)
        self._consoles.append(Console(context, self._stack, name))
        return self._consoles[-1]

    def evidence(self) -> Iterator[evidence.Section]:
        """Return what each page said, and where its picture is."""
        for number, console in enumerate(self._consoles):
            yield from console.evidence(self._folder / f"{number}-{console.name}.png")

    def close(self) -> None:
        """Close the pages, and wait until the server has seen them go."""
        for context in self._contexts:
            context.close()
        with contextlib.suppress(AssertionError, OSError):  # a test may have killed the server
            wait_for("nobody there", lambda: get(self._stack, "/health")["clients"] == 0, 5)


@pytest.fixture
def open_console(
    shared_browser: Chromium, stack: Stack, tmp_path: Path
) -> Iterator[Callable[..., Console]]:
    """Open a page as somebody; each has storage of its own. Pages close at the end."""
    consoles = Consoles(shared_browser, stack, tmp_path)
    yield consoles
    consoles.close()


@pytest.fixture
def ana(open_console: Callable[..., Console]) -> Console:
    """Return Ana's page of the robot, with its picture."""
    console = open_console("ana")
    console.drive()
    console.wait_for_picture()
    return console
