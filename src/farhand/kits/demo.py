"""`farhand demo`: everything on this machine, with simulated robots, in one command."""

import contextlib
import json
import os
import sys
import time
import webbrowser
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from farhand import __version__
from farhand.kits.demo_lan import Lan, qr
from farhand.kits.demo_network import DemoNetwork
from farhand.kits.keys_pressed import keys_pressed
from farhand.kits.stack import Options, Robot, Stack, free_port
from farhand.media.bad_network import GOOD, BadNetwork
from farhand.server.console_files import PACKAGED

REFRESH_S = 1.0
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
NAMES = ("sim-rover", "sim-scout", "sim-ranger", "sim-pilot", "sim-porter", "sim-finder")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user asked for."""

    port: int = 8080
    robots: int = 1
    browser: bool = True
    stamp: bool = True
    """Burn the clock into the pictures."""
    lan: bool = False
    """Let others on this network in, by a one-time code."""
    network: BadNetwork = GOOD
    """To begin with; the page has a switch."""


def robot_list(count: int) -> tuple[Robot, ...]:
    """Return ``count`` robots with names of their own."""
    names = [NAMES[i] if i < len(NAMES) else f"sim-{i + 1}" for i in range(count)]
    return tuple(Robot(name, name, seed) for seed, name in enumerate(names, start=1))


def has_display() -> bool:
    """Say whether a browser window can open here."""
    return sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in _DISPLAYS)


def is_built() -> bool:
    """Say whether the package has the console in it."""
    return (PACKAGED / "index.html").is_file()


def stack_for(
    options: DemoOptions, port: int, lan: Lan | None = None, network: DemoNetwork | None = None
) -> Stack:
    """Return the demo's stack, not yet started."""
    clock = "--clock" if options.stamp else "--no-clock"
    stack = Options(robots=robot_list(options.robots), port=port, sim_arguments=[clock])
    if lan is not None:
        stack.server_arguments = lan.server_arguments
        stack.environment = lan.environment
        stack.token = lan.token
    if network is not None:
        stack.agent_arguments = network.agent_arguments
        stack.environment = stack.environment | network.environment
    return Stack(stack)


def run(options: DemoOptions) -> None:
    """Run the demo until Ctrl-C."""
    console = Console(highlight=False)
    port = free_port(options.port)
    reach = "others on this network may join" if options.lan else "nothing leaves this machine"
    console.print(f"[bold]farhand {__version__}[/] — demo ({reach})")
    if port != options.port:
        console.print(f"[yellow]![/] port {options.port} is taken: using {port}")
    lan = Lan(port, robot_list(options.robots)) if options.lan else None
    network = None
    try:
        with console.status("starting …"):
            network = DemoNetwork(port, options.network)
            stack = stack_for(options, port, lan, network)
            stack.start()
        try:
            _welcome(console, stack, options, lan)
            _live(console, stack, lan, network)
        except KeyboardInterrupt:
            console.print("stopping …")
        finally:
            stack.close()
    finally:
        for part in (network, lan):
            if part is not None:
                part.close()


def _welcome(console: Console, stack: Stack, options: DemoOptions, lan: Lan | None) -> None:
    first = stack.options.robots[0]
    page = f"{stack.url}/drive/{first.id}"
    names = ", ".join(robot.id for robot in stack.options.robots)
    if not is_built():
        console.print("[yellow]![/] the console is not built: make console")
    console.print(f"[green]✓[/] server    {stack.url if lan is None else lan.url}")
    console.print(f"[green]✓[/] robots    {names} (simulated)")
    if lan is not None:
        console.print("[green]✓[/] accounts  each code lets one browser in; p: show the code again")
    else:
        console.print("[yellow]![/] no login  whoever uses this machine may drive (not: --lan)")
        if options.browser and has_display():
            webbrowser.open(page)
            console.print(f"[green]✓[/] browser   opened {page}")
        else:
            console.print(f"[bold]→[/] open      [bold]{page}[/]")
    console.print("  Take control, then drive: W A S D or arrows · gamepad · touch")
    console.print("  Look: Q E      STOP: Esc      Quit: Ctrl-C")


def fetch_robots(stack: Stack) -> list[dict[str, Any]]:
    """Return what `GET /v1/robot` says now; empty while the server restarts."""
    try:
        body = json.loads(stack.get("/v1/robot") or b"[]")
    except ValueError:
        return []
    return body if isinstance(body, list) else list(body.get("robots", []))


class Invitation:
    """Shows the code of `--lan` when there is a new one, or when it is asked for.

    Args:
        console: Where.
        lan: Knows the code.

    """

    def __init__(self, console: Console, lan: Lan) -> None:
        self._console = console
        self._lan = lan
        self._shown = ""

    def show(self, *, again: bool = False) -> None:
        """Print the code's page, and its QR code; nothing if it was shown and is not wanted."""
        code = self._lan.code()
        if not code or (code == self._shown and not again):
            return
        self._shown = code
        link = self._lan.link(code)
        if self._console.is_terminal:
            self._console.print(qr(link), markup=False)
        self._console.print(f"[bold]→[/] open      [bold]{link}[/]", soft_wrap=True)
        self._console.print("  within 10 minutes, once; the next code comes by itself")


def _live(console: Console, stack: Stack, lan: Lan | None, network: DemoNetwork) -> None:
    invitation = None if lan is None else Invitation(console, lan)
    said = network.now if network.now.is_good else None
    with keys_pressed() as key, contextlib.ExitStack() as opened:
        live = None
        if console.is_terminal:
            live = opened.enter_context(Live(console=console, refresh_per_second=2, transient=True))
        pressed = ""
        while True:
            if invitation is not None:
                invitation.show(again=pressed == "p")
            if network.now != said:
                said = network.now
                console.print(f"[yellow]![/] {network.line() or 'the network is good again'}")
            if live is not None:
                live.update(Group(status_table(fetch_robots(stack)), network.line()))
            pressed = key(REFRESH_S)


def status_table(robots: list[dict[str, Any]]) -> Table:
    """Return one line for each robot: presence, who drives, where it is, battery."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    if not robots:
        table.add_row("[yellow]server is away, restarting …[/]")
    for robot in robots:
        status = robot.get("status") or {}
        lease, pose, battery = status.get("lease") or {}, status.get("pose"), status.get("battery")
        is_stopped = (status.get("stop") or {}).get("latch") == "stop"
        holder = lease.get("holderName") if lease.get("holder") else ""
        table.add_row(
            time.strftime("%H:%M:%S"),
            escape(str(robot.get("robotId", "?"))),
            "[green]● online[/]" if robot.get("online") else "[red]○ offline[/]",
            "[red]■ STOPPED[/]" if is_stopped else escape(str(status.get("mode", "—"))),
            f"◆ {escape(holder)} drives" if holder else "free",
            f"x {pose['x']:.1f} m  y {pose['y']:.1f} m" if pose else "—",
            f"battery {battery['percent']:.0f} %" if battery else "—",
        )
    return table
