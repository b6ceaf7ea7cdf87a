"""What a viewer's requests for repair may cost. Pure: ``now_us`` is an argument.

A viewer says which packets it lost (NACK) and that it needs a key frame (PLI, FIR). Both cost
others something: retransmissions take the place of new frames, and a key frame goes to everybody
on the same rung.
"""

from collections import OrderedDict

MOST_REPEATS = 4
"""How often one packet is sent again. libwebrtc's receiver asks up to ten times."""
MIN_AGAIN_US = 10_000
"""From one repetition to the next at least, however short the round trip is said to be."""
MEMORY = 2_048
"""Packets whose repetitions are remembered."""
FORGET_US = 5_000_000
"""Then the number may belong to another packet."""

FIRST_PAUSE_US = 500_000
"""After a key frame: what the encoder allows at most."""
LONGEST_PAUSE_US = 1_000_000
"""A viewer that needs one stands still meanwhile: no longer than that."""
CALM_US = 8_000_000
"""So long without a request, and the next ones are granted quickly again."""


class Repeats:
    """Which packets of one stream may be sent again, and when."""

    def __init__(self) -> None:
        self._sent: OrderedDict[int, tuple[int, int]] = OrderedDict()

    def is_exhausted(self, seq: int, now_us: int, rtt_us: int | None) -> bool:
        """Say whether ``seq`` was sent again as often as it ever will be, and in vain."""
        count, last_us = self._known(seq, now_us)
        return count >= MOST_REPEATS and _is_answer(now_us - last_us, rtt_us)

    def is_due(self, seq: int, now_us: int, rtt_us: int | None) -> bool:
        """Say whether ``seq`` may be sent again now.

        A second request within one round trip was written before the answer to the first one came.
        """
        count, last_us = self._known(seq, now_us)
        return not count or (count < MOST_REPEATS and _is_answer(now_us - last_us, rtt_us))

    def sent(self, seq: int, now_us: int) -> None:
        """Note that ``seq`` leaves again."""
        count = self._known(seq, now_us)[0]
        self._sent.pop(seq, None)
        self._sent[seq] = count + 1, now_us
        if len(self._sent) > MEMORY:
            self._sent.popitem(last=False)

    def _known(self, seq: int, now_us: int) -> tuple[int, int]:
        count, last_us = self._sent.get(seq, (0, 0))
        return (count, last_us) if now_us - last_us < FORGET_US else (0, 0)


def _is_answer(since_us: int, rtt_us: int | None) -> bool:
    """Say whether a request can be an answer to what was sent ``since_us`` ago."""
    return since_us >= max(MIN_AGAIN_US, rtt_us or 0)


class KeyFrameBudget:
    """How often one viewer gets a key frame: at once, then once a second while it goes on.

    Without it a viewer that loses packets all the time would force two key frames per second on
    everybody who shares its rung. A request that came too early is kept.
    """

    def __init__(self) -> None:
        self._pause_us = FIRST_PAUSE_US
        self._last_us: int | None = None
        self._is_wanted = False

    def want(self, now_us: int) -> bool:
        """Take a request; ``True``: ask the encoder now."""
        self._is_wanted = True
        return self.take(now_us)

    def take(self, now_us: int) -> bool:
        """Say whether a request that waited is due now; it is taken with that."""
        if not self._is_wanted:
            return False
        if self._last_us is not None:
            since_us = now_us - self._last_us
            if since_us < self._pause_us:
                return False
            self._pause_us = (
                FIRST_PAUSE_US if since_us >= CALM_US else min(self._pause_us * 2, LONGEST_PAUSE_US)
            )
        self._last_us = now_us
        self._is_wanted = False
        return True

    def arrived(self) -> None:
        """Note that a key frame goes to this viewer: nothing is wanted any more."""
        self._is_wanted = False
