"""When losses mean congestion.

Random losses say nothing about the rate, so they count only above 10 % (as in GCC,
draft-ietf-rmcat-gcc-02 section 6), only when most fifths of a second have them, so that a burst is
no congestion, and not when a cut did not lessen them.
"""

from collections import deque
from statistics import median

WINDOW_US = 200_000
WINDOWS = 5
MIN_PACKETS = 10
TOLERATED = 0.10
HEAVY = 0.30
"""Two windows above this are enough."""
MAX_TOLERATED = 0.40
FORGET_US = 30_000_000
"""What was learned of a link's own losses is dropped after this long."""


class LossRule:
    """Fraction of packets lost, and whether the rate is to blame."""

    def __init__(self) -> None:
        self.loss: float | None = None
        """Of about the last second."""
        self.tolerated = TOLERATED
        self._windows: deque[tuple[int, int]] = deque(maxlen=WINDOWS)
        self._received = 0
        self._lost = 0
        self._since_us: int | None = None
        self._cut_loss: float | None = None
        self._learned_us = 0

    def add(self, received: int, lost: int, now_us: int) -> None:
        """Count packets of one report; ``lost`` is negative when some arrived after all."""
        if self._since_us is None:
            self._since_us = now_us
        self._received += received
        self._lost = max(0, self._lost + lost)
        total = self._received + self._lost
        if now_us - self._since_us >= WINDOW_US and total >= MIN_PACKETS:
            self._windows.append((self._received, self._lost))
            self._received = self._lost = 0
            self._since_us = now_us
            all_lost = sum(w[1] for w in self._windows)
            self.loss = all_lost / sum(sum(w) for w in self._windows)

    def is_congested(self, now_us: int) -> bool:
        """Say whether losses call for a lower rate; then call :meth:`cut`."""
        if self.tolerated > TOLERATED and now_us - self._learned_us > FORGET_US:
            self.tolerated = TOLERATED
        fractions = [lost / (received + lost) for received, lost in self._windows]
        if len(fractions) == WINDOWS:
            typical = median(fractions)
            if self._cut_loss is not None and typical >= 0.75 * self._cut_loss:
                # A lower rate did not help: these losses are the link's own.
                self.tolerated = min(1.3 * typical, MAX_TOLERATED)
                self._learned_us = now_us
            self._cut_loss = None
            return typical > self.tolerated
        return len(fractions) >= 2 and min(fractions[-2:]) > max(HEAVY, self.tolerated)

    def cut(self) -> float:
        """Note that the rate was lowered for the losses; return their fraction."""
        loss = self.loss or 0.0
        self._cut_loss = loss
        self.forget()
        return loss

    def forget(self) -> None:
        """Drop what was counted: those packets were sent at another rate, or into nothing."""
        self._windows.clear()
        self._received = self._lost = 0
        self._since_us = None
