"""Reads the actuator and nothing else: what the wheels are told and do, step by step.

Independent of the driver, the gate and the agent: it is what stop times are measured with, so it
also measures itself.
"""

import contextlib
import socket
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType

from farhand.errors import RemoteProtocolError
from farhand.sim import wire
from farhand.sim.link import unreachable

HISTORY = 12_000
"""One minute of steps."""


class Observer:
    """Reads the actuator on a thread of its own from :meth:`start` (or ``with``) to :meth:`close`.

    Any number may watch one simulator. All methods may be called from any thread.

    Args:
        socket_path: The simulator's socket.

    """

    def __init__(self, socket_path: Path | str) -> None:
        self._path = socket_path
        self._link: socket.socket | None = None
        self._thread = threading.Thread(target=self._read, name="sim-observer", daemon=True)
        self._news = threading.Condition()
        self._history: deque[wire.Actuation] = deque(maxlen=HISTORY)
        self._read_us = 0
        self._gap_us = 0
        self._stamp_gap_us = 0
        self._is_over = False

    def start(self) -> "Observer":
        """Connect and begin to read; returns when the first step has been seen.

        Raises:
            DriverError: No simulator answers (FH-6003).

        """
        try:
            self._link = wire.dial(self._path)
            self._link.settimeout(None)
            self._link.sendall(wire.pack(wire.Observe()))
        except OSError as exc:
            raise unreachable(self._path) from exc
        self._thread.start()
        with self._news:
            if (
                not self._news.wait_for(lambda: self._history or self._is_over, 2.0)
                or self._is_over
            ):
                raise unreachable(self._path)
        return self

    def close(self) -> None:
        """Stop reading."""
        if self._link is not None:
            with contextlib.suppress(OSError):  # the simulator was first
                self._link.shutdown(socket.SHUT_RDWR)
            self._thread.join(1.0)
            self._link.close()

    def __enter__(self) -> "Observer":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def latest(self) -> wire.Actuation:
        """The newest step. Only after :meth:`start`."""
        with self._news:
            return self._history[-1]

    @property
    def longest_gap_s(self) -> float:
        """Longest time since :meth:`reset_gap` in which this observer saw nothing.

        The greater of two: between two reads on this thread, and between the stamps of two steps.
        """
        with self._news:
            now = time.monotonic_ns() // 1000
            return max(self._gap_us, self._stamp_gap_us, now - self._read_us) / 1e6

    def reset_gap(self) -> None:
        """Begin a new measurement of :attr:`longest_gap_s`."""
        with self._news:
            self._gap_us = self._stamp_gap_us = 0
            self._read_us = time.monotonic_ns() // 1000

    def since(self, stamp_us: int) -> list[wire.Actuation]:
        """Return the steps of the last minute at or after ``stamp_us``, oldest first."""
        with self._news:
            return [step for step in self._history if step.stamp_us >= stamp_us]

    def wait_for_standstill(
        self, since_us: int, *, hold_s: float = 0.1, timeout_s: float = 2.0, wheels: bool = False
    ) -> int | None:
        """Return the stamp from which on both wheels are told to stand still.

        Args:
            since_us: Look no further back.
            hold_s: Only a standstill that lasts this long counts.
            timeout_s: How long to wait for it.
            wheels: Wait until the wheels themselves stand, not only their command.

        Returns:
            Monotonic microseconds, ``since_us`` at the earliest; ``None``: it did not come, or the
            simulator ended.

        """
        found: int | None = None

        def is_found() -> bool:
            nonlocal found
            found = self._standstill(since_us, round(hold_s * 1e6), wheels=wheels)
            return found is not None or self._is_over

        with self._news:
            self._news.wait_for(is_found, timeout_s)
        return found

    def _standstill(self, since_us: int, hold_us: int, *, wheels: bool) -> int | None:
        start: int | None = None
        for step in reversed(self._history):
            if step.is_commanded or (wheels and step.is_turning):
                break
            start = step.stamp_us
            if start < since_us:
                break
        if start is None or self._history[-1].stamp_us - max(start, since_us) < hold_us:
            return None
        return max(start, since_us)

    def _read(self) -> None:
        assert self._link is not None  # noqa: S101 - the thread starts after it
        reader = wire.LinkReader()
        try:
            while data := self._link.recv(65536):
                steps = [wire.decode_from_sim(body) for body in reader.feed(data)]
                self._note([step for step in steps if isinstance(step, wire.Actuation)])
        except (OSError, RemoteProtocolError):
            pass
        with self._news:
            self._is_over = True
            self._news.notify_all()

    def _note(self, steps: list[wire.Actuation]) -> None:
        now = time.monotonic_ns() // 1000
        with self._news:
            if self._read_us:
                self._gap_us = max(self._gap_us, now - self._read_us)
            self._read_us = now
            for step in steps:
                if self._history:
                    gap = step.stamp_us - self._history[-1].stamp_us
                    self._stamp_gap_us = max(self._stamp_gap_us, gap)
                self._history.append(step)
            self._news.notify_all()
