"""The rate: what the link carries for us, as far as it is known.

Up by 8 %/s while nothing queues (slowly near the rate at which it last did), down to 0.9 of the
arrival rate when a queue stands, then lower for as long as it takes to empty. Losses: see loss.py.
"""

from farhand.media.congestion.loss import HEAVY
from farhand.protocol.types import RateReason

HIGH_US, CLEAR_US, EMPTY_US = 25_000, 15_000, 10_000
"""A standing queue above the first is congestion, below the second the rate may rise, below the
third it is taken for empty after a cut."""
PACKET_BITS = 9_600
HIGH_PACKETS, CLEAR_PACKETS, EMPTY_PACKETS = 1.5, 1.25, 1.0
"""Or so many packets' time at the present rate, if that is more: on a slow link the packet itself
takes longer than it did when the least delay was seen."""
BETA = 0.9
"""Of the arrival rate, which while a queue stands is the link's: GCC takes 0.85, without draining
first."""
DRAIN_US = 400_000
"""The rate is lowered by what empties the queue in about this time,"""
MIN_DRAIN = 0.25
"""but never to less than this: it empties a queue of seconds, which delays control too."""
RISE_PER_S, LEAST_RISE_BPS_PER_S = 0.08, 25_000
NEAR_BPS_PER_S = 40_000
NEAR_SHARE_PER_S = 0.01
NEAR = (0.75, 1.15)
CEILING_US = 10_000_000
"""How long the rate at which a queue stood is remembered. GCC rises slowly near it too."""
OVER_ACKED = 1.5
HOLD_US = 200_000
FLAT_US, FLAT_BAND_US = 600_000, 8_000
"""A queue that stays the same for so long although we send less is a longer way."""
STUCK_US, STUCK_SHARE = 3_000_000, 0.6
"""One that does not fall for so long, at this share of the rate, is somebody else's."""
LOSS_FACTOR = 0.5
"""Of the lost fraction, as in GCC."""


class RateEstimator:
    """Additive and multiplicative increase, decrease to the arrival rate."""

    def __init__(self, *, start_bps: int, min_bps: int, max_bps: int) -> None:
        self.min_bps = min_bps
        self.max_bps = max_bps
        self.bps = max(min_bps, min(start_bps, max_bps))
        """The estimate."""
        self.reason: RateReason = "start"
        """Why the estimate or the target last changed."""
        self.is_congested = False
        """A queue stands and is being emptied."""
        self.was_congested = False
        """The link's limit has been met once."""
        self._drain = 1.0
        self._ceiling_bps = 0
        self._ceiling_us = 0
        self._hold_until_us = 0
        self.before_bps = self.bps
        """The estimate before the queue that stands, or the last one that did."""
        self._low_us = 0
        self._low_queue_us = 0
        self._flat_us: int | None = None
        self._flat_queue_us = 0

    @property
    def target_bps(self) -> int:
        """What may be sent now: the estimate, or less while a queue is emptied."""
        return max(self.min_bps, min(int(self.bps * self._drain), self.max_bps))

    def set_bps(self, bps: int, reason: RateReason) -> None:
        """Take ``bps`` within the limits."""
        bps = max(self.min_bps, min(int(bps), self.max_bps))
        if bps != self.bps:
            self.bps, self.reason = bps, reason

    def on_queue(
        self, queue_us: int, arrival_bps: int | None, *, rtt_us: int, is_lossy: bool, now_us: int
    ) -> bool:
        """Judge the standing queue; ``True``: it is no queue but the way, the route has changed."""
        if self.is_congested and queue_us < self._at_least(EMPTY_US, EMPTY_PACKETS):
            self.resume()
        is_high = self.is_high(queue_us)
        if is_high:
            if not self.is_congested:
                self.before_bps = self.bps
                self._low_us, self._low_queue_us = now_us, queue_us
            if arrival_bps is not None and now_us >= self._hold_until_us:
                self._cut(arrival_bps, rtt_us, now_us)
        if not self.is_congested:
            return False
        self._drain = max(MIN_DRAIN, 1 - queue_us / DRAIN_US)
        return is_high and not is_lossy and self._is_way(queue_us, now_us)

    def is_high(self, queue_us: int) -> bool:
        """Say whether a standing queue is congestion."""
        return queue_us > self._at_least(HIGH_US, HIGH_PACKETS)

    def is_clear(self, queue_us: int) -> bool:
        """Say whether the rate may rise."""
        return not self.is_congested and queue_us < self._at_least(CLEAR_US, CLEAR_PACKETS)

    def on_loss(self, loss: float, arrival_bps: int | None, *, rtt_us: int, now_us: int) -> None:
        """Lower the rate for losses that the loss rule found to be congestion."""
        if now_us < self._hold_until_us:
            return
        self._hold_until_us = now_us + HOLD_US + rtt_us
        bps = int(self.bps * (1 - LOSS_FACTOR * loss))
        if loss > HEAVY and arrival_bps is not None:
            # A buffer too short to delay: what gets through is known.
            bps = min(bps, arrival_bps)
            self.was_congested = True
            self._note_ceiling(bps, now_us)
        self.set_bps(bps, "loss")

    def on_probe(self, bps: int, *, is_carried: bool, now_us: int) -> bool:
        """Take what a probe found; say whether the rate rose by it."""
        if bps <= 0:
            return False  # it measured nothing
        if not is_carried:
            self._note_ceiling(bps, now_us)
            bps = int(bps * BETA)
        if self.is_congested or bps <= self.bps:
            return False
        self.set_bps(bps, "probe")
        return True

    def resume(self) -> None:
        """The link is back after a silence: the queue of before is gone."""
        self.is_congested, self._drain, self._flat_us = False, 1.0, None

    def grow(self, elapsed_us: int, acked_bps: int, now_us: int) -> None:
        """Rise for ``elapsed_us`` in which nothing queued; at most to 1.5 of what arrives."""
        low, high = (n * self._ceiling_bps for n in NEAR)
        step = max(self.bps * RISE_PER_S, LEAST_RISE_BPS_PER_S)
        if low < self.bps < high and now_us - self._ceiling_us < CEILING_US:
            step = min(step, max(NEAR_BPS_PER_S, self.bps * NEAR_SHARE_PER_S))
        wanted = self.bps + max(1, int(step * elapsed_us / 1_000_000))
        allowed = max(self.bps, min(wanted, int(acked_bps * OVER_ACKED)))
        if self.bps >= self.max_bps:
            self.reason = "limit"
        self.set_bps(allowed, "clear")

    def _at_least(self, us: int, packets: float) -> float:
        return max(us, packets * PACKET_BITS * 1_000_000 / self.bps)

    def _cut(self, arrival_bps: int, rtt_us: int, now_us: int) -> None:
        self._note_ceiling(arrival_bps, now_us)
        self.is_congested = self.was_congested = True
        self._hold_until_us = now_us + HOLD_US + rtt_us
        self.reason = "delay"
        self.set_bps(min(self.bps, int(arrival_bps * BETA)), "delay")

    def _note_ceiling(self, bps: int, now_us: int) -> None:
        self._ceiling_bps, self._ceiling_us = bps, now_us

    def _is_way(self, queue_us: int, now_us: int) -> bool:
        """A queue that we feed falls when we send less; if this one does not, it is not ours."""
        if self._flat_us is None or abs(queue_us - self._flat_queue_us) > FLAT_BAND_US:
            self._flat_us, self._flat_queue_us = now_us, queue_us
        if queue_us < 0.9 * self._low_queue_us:
            self._low_us, self._low_queue_us = now_us, queue_us
        is_flat = now_us - self._flat_us >= FLAT_US
        is_stuck = now_us - self._low_us >= STUCK_US and self.bps < STUCK_SHARE * self.before_bps
        if is_flat or is_stuck:
            self.resume()
        return is_flat or is_stuck
