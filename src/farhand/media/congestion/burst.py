"""How fast the packets of one frame may follow each other."""

SPREAD_FACTOR = 1.25
"""Of the target near the capacity: a usual frame takes 26 ms of its 33."""
CONGESTED_FACTOR = 1.05
START_BPS = 12_000_000
"""Before anything is known: the first key frame (20 kB) is out in 13 ms."""
MAX_BPS = 60_000_000
CLEAR_US, SPREAD_US = 4_000, 8_000
RISE = 1.3


class BurstRate:
    """A rate that rises while bursts pass unspread and falls to the floor when they do not."""

    def __init__(self) -> None:
        self._bps = float(START_BPS)

    def update(self, spread_us: int) -> None:
        """Take the delay of a burst's slowest packet over its fastest, once for each report."""
        if spread_us < CLEAR_US:
            self._bps = min(self._bps * RISE, MAX_BPS)
        elif spread_us > SPREAD_US:
            self._bps = 0.0

    def bps(self, target_bps: int, *, is_congested: bool) -> int:
        """Return what the pacer may send at."""
        if is_congested:
            return int(target_bps * CONGESTED_FACTOR)
        floor = target_bps * SPREAD_FACTOR
        self._bps = max(self._bps, floor)
        return int(self._bps)
