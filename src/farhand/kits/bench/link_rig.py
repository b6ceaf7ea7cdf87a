"""A robot behind a bad link: farhand and its peers there, a page that watches them here."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil

from farhand.kits.bench.link_figures import Watch
from farhand.kits.bench.rig import CAMERA, ROBOT, Connectable, Peer, Rig, farhand_expression, rig
from farhand.kits.lab.lab import Lab
from farhand.kits.lab.line import Impairment
from farhand.kits.stack import Options, Robot, Stack, free_port

BASE = Impairment(delay_s=0.01)
"""The link when nothing is wrong with it."""
HZ = 50
SCRIPT = Path(__file__).with_name("link.js")

_REACHABLE = ("--host", "0.0.0.0", "--insecure")  # noqa: S104 - in a namespace of its own


class Party(Connectable, Protocol):
    """Who sends from the robot's place."""

    needs_lease: bool

    def memory_mb(self) -> float:
        """Return the resident memory of the sender."""

    def close(self) -> None:
        """Stop it."""


class LinkRig:
    """The link and the page at the operator's end."""

    def __init__(self, lab: Lab, page: Rig) -> None:
        self.lab, self.page = lab, page
        self.watches: list[Watch] = []
        """What was seen so far."""

    @contextmanager
    def watching(self, party: Party) -> Iterator[list[Watch]]:
        """Connect to ``party`` over the good link and watch; the list has the watch at the end."""
        watches: list[Watch] = []
        self.lab.change(BASE)
        self.page.connect(party)
        self.page.call(f"startWatch({HZ}, {str(party.needs_lease).lower()})")
        try:
            yield watches
            watches.append(Watch.of(self.page.call("stopWatch()")))
            self.watches += watches
        finally:
            self.lab.change(BASE)
            self.page.disconnect()


@contextmanager
def link_rig() -> Iterator[LinkRig]:
    """Make the lab and put this thread at the operator's end, with a page.

    Raises:
        FarhandError: There can be no lab on this machine.

    """
    with Lab(BASE) as lab, lab.operator.entered(), rig() as page:
        page.page.add_script_tag(content=SCRIPT.read_text())
        yield LinkRig(lab, page)


class LabFarhand:
    """Server at the operator's end, agent at the robot's: it dials through the link.

    Args:
        link: Where.
        bitrate_bps: The most of the camera.

    """

    needs_lease = True

    def __init__(self, link: LinkRig, bitrate_bps: int) -> None:
        port, host = free_port(), link.lab.operator.address
        agent = ["--server", f"http://{host}:{port}", "--camera", CAMERA]
        agent += ["--bitrate", str(bitrate_bps)]
        self.stack = Stack(
            Options(
                (Robot(ROBOT, ROBOT, is_simulated=False),),
                port=port,
                server_arguments=[*_REACHABLE, "--origin", link.page.host.url],
                agent_arguments=agent,
                agent_prefix=link.lab.robot.prefix,
            )
        )
        self.stack.start()

    def connect_expression(self) -> str:
        """Return what the page runs to connect."""
        return farhand_expression(self.stack)

    def memory_mb(self) -> float:
        """Return the resident memory of the agent."""
        process = self.stack.programs[f"agent-{ROBOT}"].process
        return psutil.Process(process.pid).memory_info().rss / 1e6 if process else 0.0

    def last_words(self) -> str:
        """Return the end of the agent's log."""
        return self.stack.last_words(f"agent-{ROBOT}")

    def close(self) -> None:
        """Stop everything."""
        self.stack.close()


class LabPeer(Peer):
    """A peer at the robot's end."""

    needs_lease = False

    def __init__(self, link: LinkRig, name: str, arguments: Sequence[str] = ()) -> None:
        robot = link.lab.robot
        super().__init__(name, *arguments, prefix=robot.prefix, host=robot.address)

    def memory_mb(self) -> float:
        """Return the resident memory of the peer."""
        return psutil.Process(self._process.pid).memory_info().rss / 1e6


def now_us() -> int:
    """Return the machine's monotonic clock."""
    return time.monotonic_ns() // 1000
