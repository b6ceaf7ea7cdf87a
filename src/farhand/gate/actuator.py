"""The two threads beside the gate's main loop: one feeds the driver, one watches everything else.

Whatever hangs (the main loop, ``send``, the lock itself), the watchdog thread goes on and ends it.
"""

import contextlib
import threading
import time
from collections.abc import Callable

import structlog

from farhand.core.gate import Gate
from farhand.drivers.base import Driver

log = structlog.get_logger(__name__)

TICK_US = 20_000
"""Period of the setpoint."""
WATCH_US = 5_000
"""Period of the watchdog."""
OWN_PAUSE_US = 20_000
"""More than this between two turns of the watchdog was its own pause (SIGSTOP), nobody's fault."""
SEND_US = 100_000
"""``send`` not back after this long is dead."""
STOP_US = TICK_US
"""A stop that waits this long behind a ``send`` is taken past it."""
LOCK_S = 0.1
HUNG_US = 5_000_000
"""A main loop that hangs this long (the robot stands since 100 ms) does not come back."""
RECONNECT_US = 1_000_000


def now_us() -> int:
    """Return the robot's monotonic clock."""
    return time.monotonic_ns() // 1000


class Actuator:
    """Feeds the driver with the gate's setpoint and ends the process if that cannot be done.

    Args:
        gate: Only ever touched under ``lock``.
        driver: Connected.
        lock: Guards the gate.
        on_change: Called on any thread when the gate's state changed by itself.
        die: Called on the watchdog's thread with the reason: latch, halt, exit.

    """

    def __init__(
        self,
        gate: Gate,
        driver: Driver,
        lock: threading.Lock,
        *,
        on_change: Callable[[], None],
        die: Callable[[str], None],
    ) -> None:
        self.gate = gate
        self.driver = driver
        self.lock = lock
        self._on_change = on_change
        self._die = die
        self._poked = threading.Event()
        self._closing = threading.Event()
        self._delivered = threading.Condition()
        self._begun = 0
        self._done = 0
        self._is_sending_motion = False
        self._reconnect_at: int | None = None
        self._watch = _Watch()
        self._threads = (
            threading.Thread(target=self._feed, name="setpoint", daemon=True),
            threading.Thread(target=self._guard, name="watchdog", daemon=True),
        )

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def poke(self) -> None:
        """Deliver the setpoint now rather than at the next tick."""
        self._poked.set()

    def wait_delivered(self, timeout_s: float) -> bool:
        """Wait until a setpoint of after this call was delivered; ``False``: it was not in time."""
        with self.lock:
            wanted = self._begun + 1
        self.poke()
        with self._delivered:
            return self._delivered.wait_for(lambda: self._done >= wanted, timeout_s)

    def close(self) -> None:
        """Stop both threads; the driver is then the caller's again."""
        self._closing.set()
        self.poke()
        for thread in self._threads:
            thread.join(SEND_US / 1e6)

    # --- the setpoint's thread ---

    def _feed(self) -> None:
        due = now_us()
        while not self._closing.is_set():
            self._poked.wait(max(0, due - now_us()) / 1e6)
            self._poked.clear()
            due = now_us() + TICK_US
            self._deliver()

    def _deliver(self) -> None:
        now = now_us()
        with self.lock:
            was_armed = self.gate.is_armed
            setpoint = self.gate.setpoint(now)
            # This thread may be the first to see that the time is over: then it must tell.
            has_stopped = was_armed and not self.gate.is_armed
            self._is_sending_motion = setpoint is not None
            self._begun += 1
        try:
            if self._reconnect_at is not None:
                self._reconnect(now)
            elif setpoint is None:
                self.driver.stop()
            else:
                self.driver.send(setpoint)
            self._locate()
        except Exception as exc:  # the edge: whatever a driver raises, the robot stands
            self._failed(exc)
        finally:
            with self._delivered:
                self._done = self._begun
                self._delivered.notify_all()
        if has_stopped:
            self._on_change()

    def _locate(self) -> None:
        # Here, where a driver that hangs is noticed; the gate counts the tick that it is old.
        if self.gate.positions.places and self._reconnect_at is None:
            positions = self.driver.positions()
            with self.lock:
                self.gate.locate(positions, now_us())

    def _failed(self, exc: Exception) -> None:
        is_new = self._reconnect_at is None
        self._reconnect_at = now_us() + RECONNECT_US
        with self.lock:
            self.gate.driver_failed(str(exc)[:80] or type(exc).__name__)
        if is_new:
            log.error("driver failed", error=str(exc), next="reset when the device works again")
        with contextlib.suppress(Exception):
            self.driver.halt()
        self._on_change()

    def _reconnect(self, now: int) -> None:
        if self._reconnect_at is None or now < self._reconnect_at:
            return
        with contextlib.suppress(Exception):
            self.driver.close()
        self.driver.connect()
        self.driver.stop()
        self._reconnect_at = None
        with self.lock:
            self.gate.driver_works()
        log.info("driver works again")
        self._on_change()

    # --- the watchdog's thread ---

    def _guard(self) -> None:
        last = now_us()
        while not self._closing.wait(WATCH_US / 1e6):
            now = now_us()
            reason = self._look(now, min(now - last, OWN_PAUSE_US))
            last = now
            if reason:
                self._die(reason)
                return

    def _look(self, now: int, step: int) -> str:
        if not self.lock.acquire(timeout=LOCK_S):
            return "gate: its lock is held"
        try:
            has_stopped = self.gate.tick(now)
            is_still, is_hung = not self.gate.is_armed, self.gate.is_hung(now)
            number = self._begun if self._begun != self._done else 0
        finally:
            self.lock.release()
        if has_stopped:
            self.poke()
            self._on_change()
        watch = self._watch
        watch.count(number, step, is_late=is_still and self._is_sending_motion, is_hung=is_hung)
        if watch.late_us >= STOP_US and not watch.is_halted:
            watch.is_halted = True
            with contextlib.suppress(Exception):
                self.driver.halt()
        if watch.busy_us >= SEND_US and self._reconnect_at is None:
            return "driver: send did not return"
        if not self._threads[0].is_alive() and not self._closing.is_set():
            return "gate: the setpoint's thread is gone"
        return "gate: the main loop hangs" if watch.hung_us >= HUNG_US else ""


class _Watch:
    """How long what has been going on, in the watchdog's turns: a SIGSTOP counts for nothing."""

    def __init__(self) -> None:
        self.number = 0
        self.busy_us = 0
        self.late_us = 0
        self.hung_us = 0
        self.is_halted = False

    def count(self, number: int, step: int, *, is_late: bool, is_hung: bool) -> None:
        if number != self.number or not number:
            self.number, self.busy_us, self.late_us, self.is_halted = number, 0, 0, False
        else:
            self.busy_us += step
            self.late_us = self.late_us + step if is_late else 0
        self.hung_us = self.hung_us + step if is_hung else 0
