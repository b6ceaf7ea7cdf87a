"""Drives a robot by a callback in its own program.

The gate's process owns this driver; the program listens, through :mod:`farhand.robot`.
"""

import contextlib
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from farhand.drivers import callback_wire as wire
from farhand.drivers.base import AxisLimits
from farhand.errors import Code, DriverError, RemoteProtocolError
from farhand.protocol.manifest import StopBehavior

ANSWER_S = 0.5
"""So long a program may take to say what moves."""
SILENCE_S = 0.25
"""A program that takes nothing for so long while it is spoken to is gone or frozen."""
TURN_S = 0.1
"""A longer time between two sends is a pause of our own, and no silence of the program's."""
ASK_EVERY_S = 0.1


class CallbackDriver:
    """A robot's own program as a :class:`farhand.drivers.base.Driver`.

    Args:
        path: The socket on which the program listens.

    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._declared: wire.Declaration | None = None
        self._link: socket.socket | None = None
        self._halt_link: socket.socket | None = None
        self._reader = wire.LinkReader()
        self._positions: tuple[float | None, ...] = ()
        self._sent = 0
        self._silence_s = 0.0
        self._sent_at = 0.0

    @property
    def axes(self) -> Sequence[AxisLimits]:
        """The axes and limits that the program declares; it is asked when it was not yet.

        Raises:
            DriverError: It does not answer (FH-6001).

        """
        return [_limits(axis) for axis in self._declaration().axes]

    @property
    def device_timeout_s(self) -> float | None:
        """The program's runtime calls it with zero 0.1 s after the last setpoint."""
        return wire.DEVICE_TIMEOUT_S

    @property
    def stop_behavior(self) -> StopBehavior:
        """What the program declares."""
        return self._declaration().stop_behavior

    def positions(self) -> Sequence[float | None]:
        """Return what the program has read since the last call: a slow callback brings less."""
        positions, self._positions = self._positions, ()
        return positions or (None,) * len(self._declaration().axes)

    def connect(self) -> None:
        """Become the program's gate, in place of an older one.

        Raises:
            DriverError: It does not answer, a callback hangs, or it now declares other axes than
                this driver began with (FH-6001).

        """
        self.close()
        try:
            self._halt_link = wire.dial(self._path, ANSWER_S)
            link = wire.dial(self._path, ANSWER_S)
            self._link = link
            declared = _question(link, wire.Attach())
            link.setblocking(False)
            self._halt_link.setblocking(False)
        except (OSError, RemoteProtocolError) as exc:
            self.close()
            raise _unreachable(self._path, exc) from exc
        except DriverError:
            self.close()
            raise
        if self._declared not in (None, declared):
            self.close()
            text = "The robot's program declares other axes than before: restart agent and gate."
            raise DriverError(Code.DRIVER_FAULT, text)
        self._declared = declared
        self._reader = wire.LinkReader()
        self._positions = ()
        self._silence_s, self._sent_at = 0.0, time.monotonic()

    def send(self, setpoint: Sequence[float]) -> None:
        """Hand ``setpoint`` to the program; its callback runs there, later.

        Raises:
            DriverError: The program is gone or takes nothing, or a callback raised or hangs
                (FH-6001).

        """
        self._sent += 1
        self._hand_over(wire.Setpoint(self._sent, _now_us(), tuple(setpoint)))

    def stop(self) -> None:
        """Have the program stop: zero, hold or land, as it declares."""
        self._sent += 1
        self._hand_over(wire.Stop(self._sent, _now_us()))

    def halt(self) -> None:
        """Stop over a connection of its own; only neutral makes the program listen again."""
        link = self._halt_link
        if link is not None:
            with contextlib.suppress(OSError):
                link.send(wire.pack(wire.Halt()))

    def close(self) -> None:
        """Hang up; the program's runtime then stops it at once."""
        for link in (self._link, self._halt_link):
            if link is not None:
                link.close()
        self._link = self._halt_link = None

    def _declaration(self) -> wire.Declaration:
        if self._declared is None:
            self._declared = ask(self._path)
        return self._declared

    def _hand_over(self, message: wire.Setpoint | wire.Stop) -> None:
        link = self._link
        if link is None:
            raise _unreachable(self._path, "not connected")
        try:
            wire.write(link, wire.pack(message))
            self._hear(link)
        except (OSError, RemoteProtocolError) as exc:
            raise _unreachable(self._path, exc) from exc
        now = time.monotonic()
        self._silence_s += min(now - self._sent_at, TURN_S)
        self._sent_at = now
        if self._silence_s > SILENCE_S:
            text = f"The robot's program has taken nothing for {SILENCE_S * 1000:.0f} ms."
            raise DriverError(Code.DRIVER_FAULT, text, retryable=True)

    def _hear(self, link: socket.socket) -> None:
        """Take in what has arrived, without waiting."""
        while True:
            try:
                data = link.recv(65536)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionResetError("it has hung up")
            for body in self._reader.feed(data):
                message = wire.decode_from_program(body)
                if isinstance(message, wire.Fault):
                    raise DriverError(Code.DRIVER_FAULT, message.text, retryable=True)
                if isinstance(message, wire.Took):
                    self._silence_s = 0.0
                    self._positions = self._checked(message.positions)

    def _checked(self, positions: tuple[float | None, ...]) -> tuple[float | None, ...]:
        if positions and len(positions) != len(self._declaration().axes):
            raise RemoteProtocolError(Code.MALFORMED, f"{len(positions)} positions.")
        return positions


def ask(path: Path | str, timeout_s: float = ANSWER_S) -> wire.Declaration:
    """Return what the program at ``path`` declares; wait for one that is about to come up.

    Raises:
        DriverError: It does not answer within ``timeout_s`` (FH-6001).

    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with wire.dial(path, ANSWER_S) as link:
                return _question(link, wire.Ask())
        except (OSError, RemoteProtocolError) as exc:
            if time.monotonic() >= deadline:
                raise _unreachable(Path(path), exc) from exc
        time.sleep(ASK_EVERY_S)


def _question(link: socket.socket, message: wire.Ask | wire.Attach) -> wire.Declaration:
    link.sendall(wire.pack(message))
    reader = wire.LinkReader()
    deadline = time.monotonic() + ANSWER_S
    while data := link.recv(65536):
        if time.monotonic() > deadline:
            raise TimeoutError("it talks, but does not answer")
        for body in reader.feed(data):
            answer = wire.decode_from_program(body)
            if isinstance(answer, wire.Fault):
                raise DriverError(Code.DRIVER_FAULT, answer.text, retryable=True)
            if isinstance(answer, wire.Declaration):
                return answer
    raise ConnectionResetError("it has hung up")


def _limits(axis: wire.DeclaredAxis) -> AxisLimits:
    return AxisLimits(
        axis.id,
        axis.minimum,
        axis.maximum,
        axis.acceleration,
        axis.deceleration,
        axis.jerk,
        axis.position_minimum,
        axis.position_maximum,
    )


def _now_us() -> int:
    return time.monotonic_ns() // 1000


def _unreachable(path: Path, reason: object) -> DriverError:
    text = f"The robot's program does not answer at {path}: {reason}."
    return DriverError(Code.DRIVER_FAULT, text, retryable=True)
