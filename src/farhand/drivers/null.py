"""A driver that moves nothing and remembers everything, with faults on request."""

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from farhand.drivers.base import AxisLimits
from farhand.errors import Code, DriverError
from farhand.protocol.manifest import StopBehavior

AXES = ("linear.x", "angular.z", "pan", "tilt")
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class NullOptions:
    """How the driver behaves. Faults count the setpoints that are not zero."""

    axes: int = 4
    device_timeout_s: float | None = 0.25
    log: str = ""
    """File that gets one line for each call: time in µs, name of the call, setpoint."""
    hang_at: int = 0
    """``send`` does not return from this setpoint on, 0 = never."""
    raise_at: int = 0
    """``send`` raises at this one setpoint, 0 = never."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the driver."""

    at_us: int
    name: str
    setpoint: tuple[float, ...] = ()


class NullDriver:
    """A robot of ``options.axes`` axes that exists on paper only."""

    def __init__(self, options: NullOptions | None = None) -> None:
        self.options = options or NullOptions()
        self.axes: Sequence[AxisLimits] = [
            AxisLimits(_name(i), -1.0, 1.0, acceleration=5.0, deceleration=10.0, jerk=100.0)
            for i in range(self.options.axes)
        ]
        self.device_timeout_s = self.options.device_timeout_s
        self.stop_behavior: StopBehavior = "zero"
        self.calls: deque[Call] = deque(maxlen=REMEMBERED)
        """The newest calls."""
        self._moved = 0
        self._file: int | None = None
        self._is_open = False

    def positions(self) -> Sequence[float | None]:
        """Return nothing: a robot on paper is nowhere."""
        return (None,) * len(self.axes)

    def connect(self) -> None:
        """Open the log."""
        if self.options.log:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._file = os.open(Path(self.options.log), flags, 0o600)
        self._is_open = True
        self._note("connect")

    def send(self, setpoint: Sequence[float]) -> None:
        """Remember ``setpoint``, or behave badly."""
        if not self._is_open:
            raise DriverError(Code.DRIVER_FAULT, "The device is not open.", retryable=True)
        self._note("send", tuple(setpoint))
        if any(setpoint):
            self._moved += 1
            if self._moved == self.options.raise_at:
                raise DriverError(Code.DRIVER_FAULT, "The device refused.", retryable=True)
            if self._moved == self.options.hang_at:
                threading.Event().wait()

    def stop(self) -> None:
        """Remember a stop."""
        if not self._is_open:
            raise DriverError(Code.DRIVER_FAULT, "The device is not open.", retryable=True)
        self._note("stop")

    def halt(self) -> None:
        """Remember a halt."""
        self._note("halt")

    def close(self) -> None:
        """Close the log."""
        self._note("close")
        self._is_open = False
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _note(self, name: str, setpoint: tuple[float, ...] = ()) -> None:
        call = Call(time.monotonic_ns() // 1000, name, setpoint)
        self.calls.append(call)
        if self._file is not None:
            os.write(self._file, " ".join(map(str, (call.at_us, name, *setpoint))).encode() + b"\n")


def _name(index: int) -> str:
    return AXES[index] if index < len(AXES) else f"axis-{index + 1}"
