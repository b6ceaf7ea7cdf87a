"""A farhand server, an agent with a test picture and a browser page, for the media benches."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psutil

from farhand.errors import Code, FarhandError
from farhand.kits.bench.host import BenchHost
from farhand.kits.browser import Page, chromium, playwright
from farhand.kits.stack import Options, Robot, Stack

ROBOT = "bench"
CAMERA = "front=pattern:#1280x720@30"
BITRATE_BPS = 2_500_000
START_TIMEOUT_S = 20.0


class Connectable(Protocol):
    """What the page can connect to."""

    def connect_expression(self) -> str:
        """Return what the page runs to connect."""


@dataclass(slots=True)
class Rig:
    """Everything that a media bench needs."""

    host: BenchHost
    page: Page
    clock_error_ms: float = 0.0
    """Half of the shortest way to the clock and back: how wrong ages can be."""
    browser_version: str = ""

    def call(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; promises are awaited."""
        return self.page.evaluate(expression)

    def connect(self, party: Connectable) -> float:
        """Connect the page to a party; return ms to the first decoded frame."""
        return float(self.call(party.connect_expression()))

    def disconnect(self) -> None:
        """Close the page's connection."""
        self.call("disconnect()")


@contextmanager
def rig() -> Iterator[Rig]:
    """Start the page and set its clock."""
    with BenchHost() as host, playwright() as driver, chromium(driver) as browser:
        page = browser.new_context(viewport={"width": 1300, "height": 760}).new_page()
        page.goto(host.url)
        shortest_us = page.evaluate(f"syncClock({host.clock_url!r})")
        yield Rig(host, page, shortest_us / 2000, browser.browser.version)


def farhand_expression(stack: Stack) -> str:
    """Return what the page runs to connect to the robot of ``stack``."""
    url = f"ws://127.0.0.1:{stack.port}/v1/service/default/ws"
    return f"connectFarhand({url!r}, {ROBOT!r})"


class Farhand:
    """Server and agent as users run them, with the pattern instead of a camera.

    Args:
        host: Whose page may connect.
        cameras: For the agent.
        server_arguments: More of them.

    """

    def __init__(
        self,
        host: BenchHost,
        cameras: Sequence[str] = (CAMERA,),
        server_arguments: Sequence[str] = (),
    ) -> None:
        agent = ["--bitrate", str(BITRATE_BPS)]
        agent += [argument for camera in cameras for argument in ("--camera", camera)]
        robots = (Robot(ROBOT, ROBOT, is_simulated=False),)
        server = ["--origin", host.url, *server_arguments]
        self.stack = Stack(Options(robots, agent_arguments=agent, server_arguments=server))
        self.stack.start()

    def connect_expression(self) -> str:
        """Return what the page runs to connect."""
        return farhand_expression(self.stack)

    def cpu_s(self) -> float:
        """Return the CPU seconds that the robot's side has used: agent and gate."""
        process = self.stack.programs[f"agent-{ROBOT}"].process
        pids = [process.pid if process else None, self.stack.gate_pid(ROBOT)]
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids if pid is not None)

    def close(self) -> None:
        """Stop everything."""
        self.stack.close()


class Peer:
    """A peer as a program of its own.

    Args:
        name: A module of ``peers``.
        arguments: For its command line, see ``peers.serving``.
        prefix: Of its command line.
        host: The address that it listens on.

    Raises:
        FarhandError: It did not start.

    """

    def __init__(
        self, name: str, *arguments: str, prefix: Sequence[str] = (), host: str = "127.0.0.1"
    ) -> None:
        command = [sys.executable, "-m", f"farhand.kits.bench.peers.{name}", "--host", host]
        self._process = subprocess.Popen(
            [*prefix, *command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - it has a pipe
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise FarhandError(Code.INTERNAL, f"The peer {name} did not start.")
        self._address = f"{host}:{int(line)}"

    def connect_expression(self, *, data_only: bool = False) -> str:
        """Return what the page runs to connect."""
        path = "data" if data_only else ""
        return f"connectPeer('ws://{self._address}/{path}')"

    def cpu_s(self) -> float:
        """Return the CPU seconds that the peer and its children have used."""
        process = psutil.Process(self._process.pid)
        family = [process, *process.children(recursive=True)]
        return float(sum(sum(member.cpu_times()[:2]) for member in family))

    def close(self) -> None:
        """Kill it; its children end with their standard input."""
        self._process.kill()
        self._process.communicate()


class Stock(Peer):
    """aiortc as it comes."""

    def __init__(self) -> None:
        super().__init__("aiortc_stock")
