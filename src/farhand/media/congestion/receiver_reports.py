"""The rate of viewers that send no transport-wide feedback: receiver reports and REMB.

Coarse, since a report comes once a second and says nothing of delay: the loss-based half of GCC
(draft-ietf-rmcat-gcc-02, section 6) under the limit that the receiver names.
"""

FEW, MANY = 0.02, 0.10
"""Fractions lost below which the rate rises and above which it falls (GCC's)."""
RISE_PER_S = 0.08
"""As in GCC."""
MAX_STEP_US = 2_000_000
"""After a longer pause between two reports the rate rises for no more than this."""


class ReceiverReportRule:
    """What one receiver report makes of the rate."""

    def __init__(self) -> None:
        self.remb_bps: int | None = None
        """The most that the receiver wants."""
        self._at_us: int | None = None

    def next_bps(self, bps: int, loss: float, now_us: int) -> int:
        """Return the rate after a report of ``loss``."""
        elapsed_us = 0 if self._at_us is None else min(now_us - self._at_us, MAX_STEP_US)
        self._at_us = now_us
        if loss > MANY:
            bps = int(bps * (1 - 0.5 * loss))
        elif loss < FEW or self.remb_bps is not None:
            # A receiver that sends REMB watches the delay itself: some losses do no harm.
            bps = int(bps * (1 + RISE_PER_S * max(0, elapsed_us) / 1_000_000))
        return self.limit(bps)

    def limit(self, bps: int) -> int:
        """Return ``bps`` or what the receiver wants, the lower."""
        return bps if self.remb_bps is None else min(bps, self.remb_bps)
