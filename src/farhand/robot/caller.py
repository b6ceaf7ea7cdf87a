"""Calls the robot's program: newest setpoint first, zero by itself when nothing comes any more.

One thread of its own, on which nothing but the program's callbacks runs.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from farhand.drivers import callback_wire as wire

TURN_S = 0.04
"""A longer time between two looks was a pause of our own, and nobody's hang."""
FUTURE_US = 20_000


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the program gives us to call."""

    on_setpoint: Callable[[Mapping[str, float]], object]
    on_stop: Callable[[], object] | None = None
    """In place of a setpoint of zeros."""
    on_halt: Callable[[], object] | None = None
    positions: Callable[[], Sequence[float | None]] | None = None


class Caller:
    """The thread on which the callbacks run.

    Args:
        axes: What the program declares.
        callbacks: See there.
        tell: Called on this thread, or on the caller's of :meth:`look`, with what the gate is to
            know.
        clock: Monotonic seconds.

    """

    def __init__(
        self,
        axes: Sequence[wire.DeclaredAxis],
        callbacks: Callbacks,
        tell: Callable[[wire.Took | wire.Fault], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault = ""
        """Why the program is not called with motion; empty: it is."""
        self.ignored = 0
        """Frames that were too old, or motion where neutral was due: never answered."""
        self._axes = tuple(axes)
        self._callbacks = callbacks
        self._tell = tell
        self._clock = clock
        self._turn = threading.Condition()
        self._newest: wire.Setpoint | wire.Stop | None = None
        self._stop_at: float | None = None
        """When the program is called with zero although no frame says so."""
        self._is_armed = False
        self._is_closing = False
        self._call = 0
        """Number of the call that runs; 0: none."""
        self._calls = 0
        self._watched = (0, 0.0, 0.0)
        self._thread = threading.Thread(target=self._run, name="farhand-callback", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    # --- the gate's side, on any thread ---

    def begin(self) -> bool:
        """Start afresh with a new gate; ``False``: a callback still hangs."""
        with self._turn:
            if self.fault and self._call:
                return False
            self.fault = ""
            self._is_armed = False
            self._newest = None
            return True

    def take(self, frame: wire.Setpoint | wire.Stop) -> None:
        """Call the program with ``frame`` as soon as it is free, unless a newer one comes first."""
        now = self._clock()
        age_us = int(now * 1e6) - frame.sent_us
        is_neutral = isinstance(frame, wire.Stop) or not any(frame.axes)
        with self._turn:
            if self.fault:
                return
            is_timely = -FUTURE_US <= age_us <= wire.MAX_AGE_US
            if not is_timely or not (self._is_armed or is_neutral):
                self.ignored += 1
                return
            self._is_armed = True
            self._newest = frame
            self._stop_at = now - max(age_us, 0) / 1e6 + wire.DEVICE_TIMEOUT_S
            self._turn.notify()

    def stand(self) -> None:
        """Call the program with zero as soon as it is free; motion needs neutral first."""
        with self._turn:
            self._stand(self._clock())
            self._turn.notify()

    def look(self) -> None:
        """Find a callback that hangs. To be called every 20 ms or so while there is a gate."""
        now = self._clock()
        with self._turn:
            number, busy_s, looked_at = self._watched
            if not self._call or self._call != number:
                self._watched = (self._call, 0.0, now)
                return
            busy_s += min(now - looked_at, TURN_S)
            self._watched = (number, busy_s, now)
            if busy_s < wire.HANG_S or self.fault:
                return
            self._fail(f"The callback has not returned for {wire.HANG_S * 1000:.0f} ms.")

    def close(self, timeout_s: float = 0.5) -> None:
        """Call the program with zero a last time and end the thread."""
        with self._turn:
            self._is_closing = True
            self._stand(self._clock())
            self._turn.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    # --- the thread ---

    def _run(self) -> None:
        while True:
            with self._turn:
                while (wait := self._wait_s()) != 0.0:
                    self._turn.wait(wait)
                frame = self._next()
                self._calls += 1
                self._call = self._calls
                began = self._clock()
            answer = self._carry_out(frame)
            with self._turn:
                self._call = 0
                took_s = self._clock() - began
                if isinstance(answer, wire.Took) and took_s > wire.HANG_S and not self.fault:
                    answer = wire.Fault(f"The callback took {took_s * 1000:.0f} ms.")
                if isinstance(answer, wire.Fault):
                    self._fail(answer.text)
                    if frame is None:  # not even zero went through: again, but not at once
                        self._stop_at = self._clock() + wire.DEVICE_TIMEOUT_S
                elif not self.fault:
                    self._tell(answer)
                if self._is_closing and frame is None:
                    return

    def _wait_s(self) -> float | None:
        if self._newest is not None:
            return 0.0
        if self._stop_at is None:
            return None
        return max(0.0, self._stop_at - self._clock())

    def _next(self) -> wire.Setpoint | wire.Stop | None:
        """Return the frame to obey; ``None``: none came in time, stop."""
        frame, self._newest = self._newest, None
        if self._stop_at is not None and self._clock() >= self._stop_at:
            frame = None
        if frame is None:
            self._stop_at = None
        return frame

    def _carry_out(self, frame: wire.Setpoint | wire.Stop | None) -> wire.Took | wire.Fault:
        calls = self._callbacks
        try:
            if isinstance(frame, wire.Setpoint):
                calls.on_setpoint(self._rates(frame.axes))
            elif calls.on_stop is not None:
                calls.on_stop()
            else:
                calls.on_setpoint(self._rates((0.0,) * len(self._axes)))
            positions = () if calls.positions is None else self._read(calls.positions())
        except BaseException as exc:
            # The edge: whatever the program raises, SystemExit too. Without this thread nothing
            # would ever call it with zero.
            return wire.Fault(_text_of(exc)[: wire.MAX_FAULT])
        return wire.Took(0 if frame is None else frame.n, positions)

    def _rates(self, values: Sequence[float]) -> dict[str, float]:
        pairs = zip(self._axes, values, strict=True)
        return {axis.id: max(axis.minimum, min(axis.maximum, value)) for axis, value in pairs}

    def _read(self, positions: Sequence[float | None]) -> tuple[float | None, ...]:
        if len(positions) != len(self._axes):
            raise ValueError(f"{len(positions)} positions for {len(self._axes)} axes")
        found = tuple(None if value is None else float(value) for value in positions)
        if not wire.are_finite([value for value in found if value is not None]):
            raise ValueError("a position is not finite")
        return found

    # --- under the lock ---

    def _stand(self, now: float) -> None:
        self._newest = None
        self._is_armed = False
        self._stop_at = now

    def _fail(self, text: str) -> None:
        if not self.fault:
            self.fault = text
            self._tell(wire.Fault(text))
        self._stand(self._clock())


def _text_of(exc: BaseException) -> str:
    try:
        text = f"The callback raised {type(exc).__name__}: {exc}."
    except Exception:  # its own text raises, too
        text = f"The callback raised {type(exc).__name__}."
    return text.encode(errors="replace").decode()
