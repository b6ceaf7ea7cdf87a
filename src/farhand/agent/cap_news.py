"""Tells everybody when the governor lowers or raises the speed."""

from collections.abc import Callable

from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.gate_link import GateState

EVERY_US = 1_000_000
"""One event a second at most; the status always has the newest."""
SETTLE_US = 2_000_000
"""A new driver begins with no picture and no latency: that is no news."""
_CODES: dict[m.CapReason, Code] = {
    "stale-video": Code.VIDEO_STALE,
    "loop-too-long": Code.LOOP_TOO_LONG,
}


class CapNews:
    """Makes events of the gate's states.

    Args:
        announce: Tells everybody of an event.
        clock_us: The robot's clock.

    """

    def __init__(self, announce: Callable[[m.Event], None], clock_us: Callable[[], int]) -> None:
        self._announce = announce
        self._clock_us = clock_us
        self._epoch = 0
        self._told: tuple[m.CapReason, bool] = ("full", False)
        """The reason, and whether less than half of the speed was left."""
        self._quiet_until_us = 0

    def on_gate_state(self, state: GateState) -> None:
        """Tell of another reason, or of a cap that has crossed one half. Call with each state."""
        now_us = self._clock_us()
        if state.epoch != self._epoch:
            self._epoch, self._told = state.epoch, ("full", False)
            self._quiet_until_us = now_us + SETTLE_US
        now = state.cap_reason, state.cap < 0.5
        if not state.epoch or now == self._told or now_us < self._quiet_until_us:
            return
        self._told, self._quiet_until_us = now, now_us + EVERY_US
        code = _CODES.get(state.cap_reason)
        self._announce(m.Event("speed-capped", code=code, text=state.cap_reason))
