"""Drives the simulated rover.

The gate's process owns it; the rover's own time-out stands behind it.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from farhand.drivers.base import AxisLimits
from farhand.errors import Code, DriverError, RemoteProtocolError
from farhand.protocol.manifest import StopBehavior
from farhand.sim import wire
from farhand.sim.link import unreachable
from farhand.sim.spec import AXES, DEVICE_TIMEOUT_S

SEND_TIMEOUT_S = 0.015
"""Less than one tick of the gate: a simulator that does not read is an error, never a wait."""
SILENCE_S = 1.0
"""A simulator that answers nothing for so long while it is spoken to is gone."""
TURN_S = 0.1
"""A longer time between two sends is a pause of our own, and no silence of the simulator's."""
SLOW_SEND_S = 0.015
POSITION_AGE_US = 200_000
"""What was measured longer ago is no position any more."""

_DYNAMICS = {
    "linear.x": (2.0, 8.0, 100.0),
    "angular.z": (6.0, 16.0, 200.0),
    "pan": (8.0, 12.0, 100.0),
    "tilt": (8.0, 12.0, 100.0),
    "shoulder_pan": (5.0, 10.0, 120.0),
    "shoulder_lift": (5.0, 10.0, 120.0),
    "elbow": (5.0, 10.0, 120.0),
    "wrist": (6.0, 12.0, 150.0),
    "gripper": (0.5, 1.0, 10.0),
    "tool.x": (0.6, 1.2, 15.0),
    "tool.y": (0.6, 1.2, 15.0),
    "tool.z": (0.6, 1.2, 15.0),
}
"""Acceleration, deceleration and jerk.

Letting go at full speed is standstill within 300 ms, so that a blurred tab is no slower than a dead
one: the neutral command is obeyed through these limits, only a stop is immediate.
"""
_UNKNOWN: tuple[float | None, ...] = (None,) * len(AXES)


class SimDriver:
    """The simulated rover as a :class:`farhand.drivers.base.Driver`.

    Args:
        socket_path: The simulator's socket.

    """

    def __init__(self, socket_path: Path | str) -> None:
        self._path = Path(socket_path)
        self._link: socket.socket | None = None
        self._halt_link: socket.socket | None = None
        self._reader = wire.LinkReader()
        self._fault = wire.SendFault(is_slow=False, is_hung=False)
        self._positions = _UNKNOWN
        self._measured_us = 0
        self._sent = 0
        self._silence_s = 0.0
        self._sent_at = 0.0
        self._is_closed = threading.Event()

    @property
    def axes(self) -> Sequence[AxisLimits]:
        """The rover's axes and limits, in the manifest's order."""
        return [
            AxisLimits(
                axis.id,
                axis.minimum,
                axis.maximum,
                *_DYNAMICS[axis.id],
                axis.position_minimum,
                axis.position_maximum,
            )
            for axis in AXES
        ]

    @property
    def device_timeout_s(self) -> float | None:
        """All motors of the rover stop by themselves 0.25 s after the last setpoint."""
        return DEVICE_TIMEOUT_S

    @property
    def stop_behavior(self) -> StopBehavior:
        """The wheels brake, the arm's joints keep still: all rates are zero."""
        return "zero"

    def positions(self) -> Sequence[float | None]:
        """Return the newest measured position of each axis, once; of the base there is none.

        What was measured more than 0.2 s ago is none any more.
        """
        if self._link is not None:
            # A link that is broken is the next send's to report.
            with contextlib.suppress(OSError, RemoteProtocolError):
                self._hear(self._link)
        age_us = time.monotonic_ns() // 1000 - self._measured_us
        positions, self._positions = self._positions, _UNKNOWN
        return positions if age_us <= POSITION_AGE_US else _UNKNOWN

    def connect(self) -> None:
        """Become the rover's driver, in place of an older one.

        Raises:
            DriverError: No simulator answers (FH-6003).

        """
        self.close()
        try:
            self._link, self._halt_link = wire.dial(self._path), wire.dial(self._path)
            self._link.sendall(wire.pack(wire.Attach()))
        except OSError as exc:
            self.close()
            raise unreachable(self._path) from exc
        self._link.setblocking(False)
        self._halt_link.setblocking(False)
        self._reader = wire.LinkReader()
        self._positions, self._measured_us = _UNKNOWN, 0
        self._silence_s, self._sent_at = 0.0, time.monotonic()
        self._is_closed.clear()

    def send(self, setpoint: Sequence[float]) -> None:
        """Make ``setpoint`` the rover's.

        Waits for nothing, unless the fault ``slow-send`` or ``hang-send`` is on.

        Raises:
            DriverError: The simulator is gone, or answers nothing (FH-6003).

        """
        link = self._link
        if link is None:
            raise unreachable(self._path)
        self._sent += 1
        try:
            self._write(link, wire.pack(wire.Setpoint(self._sent, tuple(setpoint))))
            self._hear(link)
        except (OSError, RemoteProtocolError) as exc:
            raise unreachable(self._path) from exc
        self._misbehave(link)
        now = time.monotonic()
        self._silence_s += min(now - self._sent_at, TURN_S)
        self._sent_at = now
        if self._silence_s > SILENCE_S:
            text = f"The simulator at {self._path} has answered nothing for {SILENCE_S:.0f} s."
            raise DriverError(Code.SIM_UNREACHABLE, text, retryable=True)

    def stop(self) -> None:
        """Zero all axes; the drive brakes."""
        self.send((0.0,) * len(AXES))

    def halt(self) -> None:
        """Zero all motors over a connection of its own.

        Afterwards only a neutral setpoint makes the rover listen again.
        """
        link = self._halt_link
        if link is not None:
            with contextlib.suppress(OSError):
                link.send(wire.pack(wire.Halt()))

    def close(self) -> None:
        """Hang up; the rover then stops. A hanging :meth:`send` comes back."""
        self._is_closed.set()
        for link in (self._link, self._halt_link):
            if link is not None:
                link.close()
        self._link = self._halt_link = None

    @staticmethod
    def _write(link: socket.socket, data: bytes) -> None:
        """Send all of ``data``, or raise :class:`OSError` after 15 ms."""
        while data:
            try:
                data = data[link.send(data) :]
            except BlockingIOError:
                if not select.select([], [link], [], SEND_TIMEOUT_S)[1]:
                    raise TimeoutError from None

    def _hear(self, link: socket.socket) -> None:
        """Take in what has arrived, without waiting."""
        while True:
            try:
                data = link.recv(65536)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionResetError
            for body in self._reader.feed(data):
                message = wire.decode_from_sim(body)
                if isinstance(message, wire.Applied):
                    self._silence_s = 0.0
                    self._note(message)
                elif isinstance(message, wire.SendFault):
                    self._fault = message

    def _note(self, applied: wire.Applied) -> None:
        if len(applied.positions) == len(AXES) and applied.stamp_us > self._measured_us:
            self._positions, self._measured_us = applied.positions, applied.stamp_us

    def _misbehave(self, link: socket.socket) -> None:
        if self._fault.is_slow:
            self._is_closed.wait(SLOW_SEND_S)
        while self._fault.is_hung and not self._is_closed.wait(0.01):
            try:
                self._hear(link)
            except (OSError, RemoteProtocolError) as exc:
                if not self._is_closed.is_set():
                    raise unreachable(self._path) from exc
