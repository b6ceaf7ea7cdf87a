"""The receiver's clock, made continuous and checked against ours."""

from collections.abc import Sequence

from farhand.media.congestion.feedback import PERIOD_US
from farhand.media.congestion.packet_log import Acked

MAX_DISAGREEMENT_US = 10_000_000
"""More than this between the two clocks' progress is a damaged or forged report: it is more than
any queue holds."""
REANCHOR_AFTER = 5
"""So many reports that agree on nothing but being absurd: the receiver's clock was set anew."""


class ArrivalClock:
    """Unwraps the 24-bit reference time; its zero is the receiver's own and means nothing here."""

    def __init__(self) -> None:
        self.is_new = True
        """The clock was set (anew): what was known of delays is void."""
        self._last_us: int | None = None
        self._skew_us = 0
        self._absurd = 0

    def unwrap(self, arrival_us: int, now_us: int) -> int | None:
        """Return what to add to the times of a report that begins at ``arrival_us``.

        ``None``: the report is absurd, ignore it.
        """
        last_us = self._last_us
        if last_us is None:
            self._anchor(arrival_us, now_us)
            return 0
        step_us = (arrival_us - last_us + PERIOD_US // 2) % PERIOD_US - PERIOD_US // 2
        extended_us = last_us + step_us
        if abs(extended_us - now_us - self._skew_us) > MAX_DISAGREEMENT_US:
            self._absurd += 1
            if self._absurd < REANCHOR_AFTER:
                return None
            self._anchor(extended_us, now_us)
            return extended_us - arrival_us
        self.is_new = False
        self._absurd = 0
        self._last_us = extended_us
        # Follows 100 ppm of drift easily and a forger slowly.
        self._skew_us += (extended_us - now_us - self._skew_us) // 16
        return extended_us - arrival_us

    def shift(self, acked: Sequence[Acked], shift_us: int) -> list[Acked]:
        """Return ``acked`` on the continuous clock, without those that are far from the first."""
        first_us = acked[0].arrival_us
        return [
            Acked(number, sent_us, arrival_us + shift_us, size)
            for number, sent_us, arrival_us, size in acked
            if -MAX_DISAGREEMENT_US < arrival_us - first_us < MAX_DISAGREEMENT_US
        ]

    def _anchor(self, arrival_us: int, now_us: int) -> None:
        self.is_new = True
        self._absurd = 0
        self._last_us = arrival_us
        self._skew_us = arrival_us - now_us
