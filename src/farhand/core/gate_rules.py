"""When a command moves the robot: what the gate knows, and each rule as a method of its own."""

import math
from collections.abc import Sequence

from farhand.core.clock_sync import ClockSync
from farhand.core.gate_config import FUTURE_US, GateConfig
from farhand.core.gate_effects import Arrival, Rule
from farhand.core.gate_latch import Latch, LatchRecord
from farhand.core.gate_limits import Limits, Shaper
from farhand.core.governor import Governor
from farhand.errors import Code


class GateRules:
    """The facts that decide about a command, and the rules.

    Args:
        config: The robot's own settings.
        limits: One for each axis, in the manifest's order.
        record: What the latch file said.

    """

    def __init__(self, config: GateConfig, limits: Sequence[Limits], record: LatchRecord) -> None:
        self.config = config
        self.shaper = Shaper(limits, config.speed_cap)
        self.latch = Latch(record)
        self.clock = ClockSync(max_rtt_us=2 * config.max_age_us)
        self.governor: Governor | None = None
        """Of the driver; ``None``: nobody drives."""
        self.holder: int | None = None
        """Number of the member that holds the lease."""
        self.epoch = 0
        """Of the grant in force, 0 = none."""
        self.seq = -1
        self.is_armed = False
        """Neutral was seen since whatever stopped us last."""
        self._rules: tuple[tuple[Code, Rule], ...] = (
            (Code.BAD_FRAME, self.has_all_axes),
            (Code.NOT_HOLDER, self.is_from_holder),
            (Code.LATCHED, self.is_unlatched),
            (Code.REPLAYED, self.is_new),
            (Code.CLOCK_UNKNOWN, self.has_known_clock),
            (Code.FROM_THE_FUTURE, self.is_past),
            (Code.TOO_OLD, self.is_young),
            (Code.BEAT_TOO_OLD, self.has_heard_lately),
            (Code.NOT_FINITE, self.is_finite),
        )
        """What a frame must be, in this order."""
        self._observed_rules: tuple[tuple[Code, Rule], ...] = (
            (Code.VIDEO_STALE, self.has_new_video),
            (Code.LOOP_TOO_LONG, self.has_short_loop),
            (Code.NEUTRAL_FIRST, self.is_neutral_or_armed),
        )
        """What must be true beside, once the governor has seen the frame."""

    def has_all_axes(self, arrival: Arrival) -> bool:
        """One number for each axis."""
        return len(arrival.frame.axes) == len(self.shaper.axes)

    def is_from_holder(self, arrival: Arrival) -> bool:
        """From the member that holds the lease, under the epoch granted now."""
        return arrival.member == self.holder and arrival.frame.epoch == self.epoch

    def is_unlatched(self, _arrival: Arrival) -> bool:
        """No latch holds the robot."""
        return self.latch.kind is None

    def is_new(self, arrival: Arrival) -> bool:
        """Its number is above that of the last one applied."""
        return arrival.frame.seq > self.seq

    def has_known_clock(self, arrival: Arrival) -> bool:
        """The member's clock has been measured."""
        return arrival.sent_us is not None

    def is_past(self, arrival: Arrival) -> bool:
        """Not from the future, by more than an estimate may be wrong."""
        return arrival.age_us >= -FUTURE_US

    def is_young(self, arrival: Arrival) -> bool:
        """Not older than ``max_age``, by estimate."""
        return arrival.age_us <= self.config.max_age_us

    def has_heard_lately(self, arrival: Arrival) -> bool:
        """Its sender has heard a beat that we sent lately: no stamp can fake this."""
        sent_us = self.clock.sent_at(arrival.frame.heard)
        bound_us = self.config.relayed_heard_us if arrival.is_relayed else self.config.heard_us
        return sent_us is not None and arrival.now_us - sent_us <= bound_us

    def is_finite(self, arrival: Arrival) -> bool:
        """Every axis is a number. Comes before any limit: a clamp turns NaN into full speed."""
        return all(map(math.isfinite, arrival.frame.axes))

    def has_new_video(self, _arrival: Arrival) -> bool:
        """Who steers by video has been shown something new lately."""
        return self.governor is None or self.governor.lock is not Code.VIDEO_STALE

    def has_short_loop(self, _arrival: Arrival) -> bool:
        """What a command does is seen soon enough."""
        return self.governor is None or self.governor.lock is not Code.LOOP_TOO_LONG

    def is_neutral_or_armed(self, arrival: Arrival) -> bool:
        """All zeros, or all zeros came before."""
        return self.is_armed or not any(arrival.frame.axes)
