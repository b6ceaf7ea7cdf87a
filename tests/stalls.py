"""How long this process was not run: a promise about time is kept by the program, not the machine.

A test that bounds a duration subtracts what :class:`StallWatch` saw. On a machine that runs what is
ready, that is nothing; where it stalls for a second or two, so do the test and what it watches.
"""

import threading
import time
from types import TracebackType

TURN_S = 0.01
ORDINARY_S = 0.03
"""A turn that takes up to this long is no stall."""


class StallWatch:
    """A thread that does nothing but look at the clock, while the ``with`` block runs."""

    def __init__(self) -> None:
        self._lost_s = 0.0
        self._seen_s = 0.0
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stall-watch", daemon=True)

    def __enter__(self) -> "StallWatch":
        self._seen_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def lost_s(self) -> float:
        """The sum of all turns that were longer than an ordinary one, up to now."""
        with self._lock:
            self._count()
            return self._lost_s

    def _count(self) -> None:
        now = time.monotonic()
        turn_s = now - self._seen_s
        self._seen_s = now
        if turn_s > ORDINARY_S:
            self._lost_s += turn_s

    def _look(self) -> None:
        while not self._is_over.wait(TURN_S):
            with self._lock:
                self._count()
