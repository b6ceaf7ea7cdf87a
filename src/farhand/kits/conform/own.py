"""The kit against our own programs: a server and a simulated robot on this machine."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from farhand.kits.conform import runner
from farhand.kits.conform.model import Case, Report, Result, Unable
from farhand.kits.conform.options import Options
from farhand.kits.stack import Stack

ACCELERATION = 2.0
"""Of the simulated rover's first axis, m/s²."""


def options_of(stack: Stack) -> Options:
    """Return what the kit may do to the first robot of a stack: everything."""
    robot = stack.options.robots[0].id
    return Options(
        url=stack.url,
        robot=robot,
        observer=f"sim:{stack.sim_socket(robot)}",
        acceleration=ACCELERATION,
        programs={
            "agent": _process(stack, f"agent-{robot}"),
            "server": _process(stack, "server"),
            "gate": _gate(stack, robot),
        },
    )


def run(
    cases: Sequence[Case], tell: Callable[[Result], None], *, is_slow_too: bool = False
) -> Report:
    """Start the programs, run ``cases`` against them, and leave nothing behind."""
    with Stack() as stack:
        options = replace(options_of(stack), is_slow_too=is_slow_too)
        return runner.run_to_end(options, cases, tell)


def _process(stack: Stack, name: str) -> Callable[[], int]:
    def read() -> int:
        process = stack.programs[name].process
        if process is None or process.poll() is not None:
            raise Unable(f"{name} is not running.")
        return process.pid

    return read


def _gate(stack: Stack, robot: str) -> Callable[[], int]:
    def read() -> int:
        pid = stack.gate_pid(robot)
        if pid is None:
            raise Unable("No gate is running.")
        return pid

    return read
