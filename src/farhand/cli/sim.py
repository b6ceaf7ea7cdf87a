"""`farhand sim`: the simulated rover, and its fault switches. Hidden: `farhand demo` starts it."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from farhand.errors import Code, ConfigError
from farhand.sim import wire
from farhand.sim.link import SimControl
from farhand.sim.server import Simulator

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SocketOption = Annotated[Path, typer.Option("--socket", help="Unix socket of the simulator.")]


@app.command()
def run(
    socket: SocketOption,
    robot_id: Annotated[str, typer.Option(help="Shown in the pictures.")] = "sim-rover",
    seed: Annotated[int, typer.Option(help="Furnishes the hall.")] = 1,
    clock: Annotated[bool, typer.Option(help="Burn the clock into the pictures.")] = True,
) -> None:
    """Run a simulated rover until SIGINT or SIGTERM."""
    _run_like_hardware()
    simulator = Simulator(socket, robot_id=robot_id, seed=seed, has_clock=clock)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: simulator.stop())
    simulator.run()


def _run_like_hardware() -> None:
    """Ask not to wait for this machine's other work; only root is given that.

    The loop uses some 2 % of a core; the renderer, a child, does not inherit it.
    """
    if hasattr(os, "sched_setscheduler"):
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, policy, os.sched_param(1))


@app.command()
def fault(
    socket: SocketOption,
    name: Annotated[str, typer.Argument(help=", ".join(wire.FAULTS))],
    off: Annotated[bool, typer.Option("--off", help="Switch it off.")] = False,
) -> None:
    """Switch a fault on or off.

    Example: farhand sim fault --socket /run/rover.sock stall-motor
    """
    chosen = next((known for known in wire.FAULTS if known == name), None)
    if chosen is None:
        known = ", ".join(wire.FAULTS)
        raise ConfigError(Code.CONFIG_INVALID, f"No fault is named {name}.", f"Known: {known}.")
    with SimControl(socket) as control:
        report = control.set_fault(chosen, is_on=not off)
    print("faults:", ", ".join(report.faults) or "none")


@app.command()
def report(socket: SocketOption) -> None:
    """Say how the simulator is."""
    with SimControl(socket) as control:
        answer = control.report()
    print(f"robot {answer.robot_id}, seed {answer.seed}")
    print("faults:", ", ".join(answer.faults) or "none")
    print("pictures:", ", ".join(f"{name} {count}" for name, count in answer.frames.items()))
