"""`farhand demo`: one command, a picture, nothing left behind."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from farhand.kits.browser import Playwright, chromium, wait_in_page
from tests import evidence
from tests.e2e.harness import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]


class Demo:
    """A running `farhand demo` and what it printed."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "farhand", "demo", "--no-browser", *arguments],
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def url(self) -> str:
        found = wait_for(
            "the URL",
            lambda: re.search(r"http://localhost:\d+/drive/\S+", self.log.read_text()),
            60,
        )
        return str(found.group())

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def evidence(self) -> Iterator[tuple[str, str]]:
        """Return what it printed."""
        yield "the demo", evidence.tail(self.log.read_text())


Start = Callable[..., Demo]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Start]:
    """Start the demo; it is gone after the test."""
    started: list[Demo] = []

    def start(*arguments: str) -> Demo:
        started.append(Demo(tmp_path / "demo.log", *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_demo_shows_a_picture_and_ctrl_c_leaves_nothing(
    demo: Start, playwright: Playwright, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    shown = demo("--port", "18080")
    url = shown.url()
    with chromium(playwright) as browser:
        page = browser.browser.new_page()
        page.goto(url)
        script = """() => { const v = document.querySelector('[data-testid=main-camera]');
            return v && v.videoWidth && v.getVideoPlaybackQuality().totalVideoFrames > 5; }"""
        wait_in_page(page, script, 30)
        record_property("start_to_picture_s", round(time.monotonic() - started, 2))
    assert "0.0.0.0" not in shown.log.read_text()
    family = shown.family()
    gates = [process for process in family if _is_gate(process)]
    assert gates, "the gate is a process of its own"
    shown.process.send_signal(signal.SIGINT)
    assert shown.process.wait(30) in {0, 130}
    assert not [process for process in family if _alive(process)]


def test_demo_takes_the_next_port_and_says_so(demo: Start) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = demo("--port", str(port))
        assert f":{port}/" not in other.url()
        assert f"port {port} is taken" in other.log.read_text()


def test_killing_the_demo_kills_its_programs(demo: Start) -> None:
    killed = demo("--port", "18090")
    killed.url()
    family = killed.family()
    assert len(family) >= 3
    killed.process.kill()
    killed.process.wait()
    wait_for("no program left", lambda: not any(_alive(p) for p in family))


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_gate(process: psutil.Process) -> bool:
    try:
        return "farhand gate run" in " ".join(process.cmdline())
    except psutil.Error:
        return False
