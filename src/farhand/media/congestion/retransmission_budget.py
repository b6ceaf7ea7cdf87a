"""How much of the rate retransmissions may take: a flood of NACKs costs no more than this."""

SHARE = 0.15
"""Of the target: 2 % loss needs 2 %, 10 % loss with lost retransmissions 11 %."""
BURST_US = 500_000
"""How much unused budget is kept: a burst of losses is repaired at once."""
MIN_BURST_BYTES = 4_800
"""Four packets: at 150 kbit/s the share alone would never repair a frame."""


class RetransmissionBudget:
    """Token bucket of bytes, filled with a share of the target rate."""

    def __init__(self) -> None:
        self.refused = 0
        """Packets that were not sent again."""
        self._tokens = float(MIN_BURST_BYTES)
        self._at_us: int | None = None

    def take(self, size: int, now_us: int, target_bps: int) -> bool:
        """Say whether a packet of ``size`` bytes may be sent again now; if so it is counted."""
        per_us = SHARE * target_bps / 8_000_000
        elapsed_us = 0 if self._at_us is None else max(0, now_us - self._at_us)
        self._at_us = now_us
        depth = max(MIN_BURST_BYTES, per_us * BURST_US)
        self._tokens = min(depth, self._tokens + per_us * elapsed_us)
        if size > self._tokens:
            self.refused += 1
            return False
        self._tokens -= size
        return True
