"""Feedback to start from, and a controller that takes whatever is made of it: for `make fuzz`."""

from collections.abc import Callable
from typing import Any

from farhand.media.congestion import CongestionController, Kind, parse
from tests.media.congestion.feedback_writer import write

FEEDBACK = [
    write(0, [64_000 + 1_000 * k for k in range(20)], 0),
    write(10, [64_000, None, 70_000, None, None, 60_000, 200_000], 1),
    write(30, [None] * 500 + [1_000_000], 2),
    write(65_530, [(1 << 24) * 64_000 - 1_000, (1 << 24) * 64_000 + 1_000], 255),
]


class Target:
    """One controller that lives through all inputs; its promises are checked after each."""

    def __init__(self) -> None:
        self.now_us = 0
        self.controller = CongestionController(
            start_bps=1_000_000, min_bps=150_000, max_bps=2_500_000, now_us=0
        )

    def feed(self, fci: bytes) -> None:
        for kind in (Kind.MEDIA, Kind.RTX, Kind.PROBE):
            self.controller.on_sent(1200, self.now_us, kind=kind)
        self.now_us += 20_000
        self.controller.on_feedback(fci, self.now_us)
        self.controller.tick(self.now_us)
        self.controller.take_probe(self.now_us)
        assert 150_000 <= self.controller.target_bps <= 2_500_000
        assert 0 < self.controller.pacing_bps <= 60_000_000
        assert self.controller.loss is None or 0 <= self.controller.loss <= 1


def read_feedback(fci: bytes) -> object:
    try:
        return parse(fci)
    except ValueError:
        return None


PARSERS: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "feedback": (read_feedback, FEEDBACK),
    "congestion": (Target().feed, FEEDBACK),
}
"""As in ``tests/protocol/parsers.py``; these raise nothing at all."""
