"""The faults of the stop bench: what breaks, and how it is healed for the next run."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from farhand.errors import Code, FarhandError
from farhand.kits.bench.pages import DrivingPage
from farhand.kits.nursery import Nursery, Operator
from farhand.kits.stack import Stack
from farhand.sim.link import SimControl
from farhand.sim.observer import Observer
from farhand.sim.wire import Fault

HELD_UP_US = 20_000
"""One tick. Killing a browser takes the kernel some milliseconds by itself."""


@dataclass(slots=True)
class Run:
    """One fault: when it struck and how long until the zero."""

    stopped_ms: float
    observer_gap_ms: float
    """Longest silence of the observer around it."""
    has_stopped: bool = True
    """Otherwise the time is the limit of the bench."""


@dataclass(slots=True)
class Bench:
    """One robot that is struck again and again."""

    stack: Stack
    robot: str
    observer: Observer
    nursery: Nursery
    operator: Operator | None = None
    page: DrivingPage | None = None
    runs: dict[str, list[Run]] = field(default_factory=dict)
    held_up: dict[str, list[Run]] = field(default_factory=dict)
    """Runs in which the observer itself saw nothing for too long: listed, and made again."""
    void: Counter[str] = field(default_factory=Counter)
    """Runs that say nothing: nobody drove, or nobody knows when the fault struck."""

    def fresh_operator(self) -> Operator:
        """Return an operator that drives."""
        operator = self.operator = self.nursery.bear(self.stack.url, self.robot)
        try:
            operator.hear("ready")
            operator.say("drive")
            operator.hear("driving")
        except FarhandError:
            operator.end()
            raise
        return operator

    def pid(self, program: str) -> int:
        """Return the process id of ``agent`` or ``gate``."""
        if program == "gate":
            found = self.stack.gate_pid(self.robot)
        else:
            process = self.stack.programs[f"{program}-{self.robot}"].process
            found = process.pid if process is not None else None
        if found is None:
            raise FarhandError(Code.INTERNAL, f"No {program} is running.")
        return found

    def sim_fault(self, fault: Fault, *, is_on: bool) -> None:
        """Switch a fault of the simulator."""
        with SimControl(self.stack.sim_socket(self.robot)) as control:
            control.set_fault(fault, is_on=is_on)


def _kill(kill: Callable[[], None]) -> int:
    """Strike, and return when: just before.

    Raises:
        FarhandError: We were held up in between, so nobody knows when it struck: no run.

    """
    struck = time.monotonic_ns() // 1000
    kill()
    if time.monotonic_ns() // 1000 - struck > HELD_UP_US:
        raise FarhandError(Code.INTERNAL, "The bench was held up while it struck.")
    return struck


def _signal(program: str, signum: int) -> Callable[[Bench], int]:
    def inject(bench: Bench) -> int:
        pid = bench.pid(program)
        return _kill(lambda: os.kill(pid, signum))

    return inject


def _operator_signal(signum: int) -> Callable[[Bench], int]:
    def inject(bench: Bench) -> int:
        assert bench.operator is not None  # noqa: S101 - it drives
        operator = bench.operator
        return _kill(lambda: operator.signal(signum))

    return inject


def _close_connection(bench: Bench) -> int:
    struck = time.monotonic_ns() // 1000
    assert bench.operator is not None  # noqa: S101 - it drives
    bench.operator.say("close")
    return struck


def _press_stop(bench: Bench) -> int:
    assert bench.operator is not None  # noqa: S101 - it drives
    bench.operator.say("stop")
    return int(bench.operator.hear("stopped")[0])


def _hang_driver(bench: Bench) -> int:
    struck = time.monotonic_ns() // 1000
    bench.sim_fault("hang-send", is_on=True)
    return struck


def _free_driver(bench: Bench) -> None:
    bench.sim_fault("hang-send", is_on=False)


def _browser_signal(signum: int) -> Callable[[Bench], int]:
    def inject(bench: Bench) -> int:
        assert bench.page is not None  # noqa: S101 - it drives
        browser = bench.page.chromium
        return _kill(lambda: browser.signal(signum))

    return inject


def _blur(bench: Bench) -> int:
    assert bench.page is not None  # noqa: S101 - it drives
    return bench.page.blur()


def _cut_channel(bench: Bench) -> int:
    struck = time.monotonic_ns() // 1000
    assert bench.page is not None  # noqa: S101 - it drives
    bench.page.lose_packets()
    return struck


def _nothing(bench: Bench) -> None:
    pass


def _wake(program: str) -> Callable[[Bench], None]:
    return lambda bench: os.kill(bench.pid(program), signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class FaultCase:
    """One way in which things go wrong."""

    inject: Callable[[Bench], int]
    """Strikes, and returns when (monotonic µs)."""
    heal: Callable[[Bench], None] = _nothing
    by_browser: bool = False
    is_device_timeout: bool = False
    """What stops the robot is the device below the gate."""


CASES = {
    "operator_killed": FaultCase(_operator_signal(signal.SIGKILL)),
    "operator_frozen": FaultCase(_operator_signal(signal.SIGSTOP)),
    "connection_closed": FaultCase(_close_connection),
    "stop_pressed": FaultCase(_press_stop),
    "agent_killed": FaultCase(_signal("agent", signal.SIGKILL)),
    "agent_frozen": FaultCase(_signal("agent", signal.SIGSTOP), _wake("agent")),
    "gate_killed": FaultCase(_signal("gate", signal.SIGKILL), is_device_timeout=True),
    "gate_frozen": FaultCase(
        _signal("gate", signal.SIGSTOP), _wake("gate"), is_device_timeout=True
    ),
    "driver_hangs": FaultCase(_hang_driver, _free_driver, is_device_timeout=True),
    "browser_blurred": FaultCase(_blur, by_browser=True),
    "channel_lost": FaultCase(_cut_channel, by_browser=True),
    "browser_killed": FaultCase(_browser_signal(signal.SIGKILL), by_browser=True),
    "browser_frozen": FaultCase(_browser_signal(signal.SIGSTOP), by_browser=True),
}
