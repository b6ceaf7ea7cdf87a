"""A link whose rate changes: 8 -> 0.5 -> 8 Mbit/s, and one that wanders between the two."""

import math
import random
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from farhand.kits.bench.link_figures import ANSWER_WITHIN_US, Span, Watch, control, picture
from farhand.kits.bench.link_rig import BASE, LinkRig, Party, now_us

BITRATE_BPS = 8_000_000
"""The most of the camera."""
WIDE_BPS = 8_000_000
NARROW_BPS = 500_000
WIDE = replace(BASE, rate_bps=WIDE_BPS, queue_s=0.2, queue_packets=10_000)
NARROW = replace(WIDE, rate_bps=NARROW_BPS)

SETTLE_S = 8.0
BEFORE_US = 3_000_000
NARROW_S = 10.0
BACK_S = 16.0
SAMPLE_S = 0.05
ADAPTED = 1.1
"""A sender has come down when it offers the link no more than this times its rate."""
OFFER_US = 500_000
"""Over so long a time."""
BACK = 0.8
BACK_US = 1_000_000
SETTLED_US = 2_000_000
"""So long a sender may take to adapt."""
WANDER_STEP_S = 2.0


def measure_steps(link: LinkRig, party: Party) -> Mapping[str, float]:
    """Return how soon a party comes down, how soon it is back, and what control feels of it."""
    with link.watching(party) as watches, _offered(link) as offered:
        link.lab.change(WIDE)
        time.sleep(SETTLE_S)
        down = now_us()
        link.lab.change(NARROW)
        time.sleep(NARROW_S)
        up = now_us()
        link.lab.change(WIDE)
        time.sleep(BACK_S)
        end = now_us()
    watch = watches[0]
    before, narrow, wide = Span(down - BEFORE_US, down), Span(down, up), Span(up, end)
    changing = Span(down, up + SETTLED_US), Span(up + SETTLED_US, end)
    calm = Span(down + SETTLED_US, up)
    usual = _p99(watch, before)
    return {
        "down_s": came_down_s(offered, narrow, NARROW_BPS),
        "back_s": came_back_s(watch, before, wide),
        "kbps_before": watch.kbps(before),
        "kbps_narrow": watch.kbps(calm),
        "kbps_back": watch.kbps(Span(end - BEFORE_US, end)),
        "max_gap": picture(watch, Span(down, end))["max_gap"],
        "freeze_s": picture(watch, Span(down, end))["freeze_s"],
        "control_lost_pct": control(watch, *changing)["control_lost_pct"],
        "control_p99_before": usual,
        "control_p99_change": _p99(watch, *changing) - usual,
        "control_p99_change_calm": _p99(watch, calm) - usual,
    }


def measure_wander(link: LinkRig, party: Party, wander_s: float) -> Mapping[str, float]:
    """Return the longest freeze and the growth of the sender's memory while the rate wanders."""
    memory: list[tuple[float, float]] = []
    with link.watching(party) as watches:
        link.lab.change(WIDE)
        time.sleep(SETTLE_S)
        began = now_us()
        end = time.monotonic() + wander_s
        for rate_bps in wandering():
            left_s = end - time.monotonic()
            if left_s <= 0:
                break
            link.lab.change(replace(WIDE, rate_bps=rate_bps))
            time.sleep(min(left_s, WANDER_STEP_S))
            memory.append((time.monotonic(), party.memory_mb()))
        span = Span(began, now_us())
    watch = watches[0]
    freezes = [freeze.length_us / 1000 for freeze in watch.freezes(span)]
    late = memory[len(memory) // 2 :]
    return {
        **picture(watch, span),
        **control(watch, span),
        "freezes": len(freezes),
        "max_freeze": max(freezes, default=0.0),
        "wander_s": wander_s,
        "rss_first_mb": memory[0][1],
        "rss_half_mb": late[0][1],
        "rss_mb": memory[-1][1],
        "rss_slope_mb_per_min": slope_per_s(late) * 60,
    }


def came_down_s(offered: Sequence[tuple[int, int]], narrow: Span, rate_bps: int) -> float:
    """Return when, after the start of ``narrow``, a sender offered no more than the link takes."""
    inside = [(at, size) for at, size in offered if narrow.has(at)]
    for at, size in inside:
        earlier = [entry for entry in inside if entry[0] <= at - OFFER_US]
        if earlier:
            then, before = earlier[-1]
            if (size - before) * 8e6 / (at - then) <= ADAPTED * rate_bps:
                # The window lies behind us: it was down when the window began.
                return (then - narrow.start_us) / 1e6
    return narrow.length_us / 1e6


def came_back_s(watch: Watch, before: Span, wide: Span) -> float:
    """Return when, after the start of ``wide``, the rate was again 80 % of what it had been."""
    wanted = BACK * watch.kbps(before)
    for at, _ in watch.rates:
        if wide.has(at - BACK_US) and watch.kbps(Span(at - BACK_US, at + 1)) >= wanted:
            return (at - wide.start_us) / 1e6
    return wide.length_us / 1e6


def wandering() -> Iterator[int]:
    """Yield rates, the same each time: a walk in the logarithm, from the narrow to the wide."""
    chance = random.Random(1)  # noqa: S311 - a network, no secret
    low, high = math.log(NARROW_BPS), math.log(WIDE_BPS)
    at = high
    while True:
        at = min(high, max(low, at + chance.gauss(0, 0.7)))
        yield round(math.exp(at))


def slope_per_s(samples: Sequence[tuple[float, float]]) -> float:
    """Return how fast the second value of the samples grows with the first."""
    if len(samples) < 2:
        return 0.0
    times, values = zip(*samples, strict=True)
    return statistics.linear_regression(times, values).slope


def _p99(watch: Watch, *spans: Span) -> float:
    return control(watch, *spans).get("control_rtt_p99", ANSWER_WITHIN_US / 1000)


@contextmanager
def _offered(link: LinkRig) -> Iterator[list[tuple[int, int]]]:
    """Note what the robot has handed to the link, in bytes, every 50 ms."""
    samples: list[tuple[int, int]] = []
    stopped = threading.Event()

    def sample() -> None:
        while not stopped.wait(SAMPLE_S):
            samples.append((now_us(), link.lab.counters().to_operator.received_bytes))

    thread = threading.Thread(target=sample, name="link-counters", daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stopped.set()
        thread.join()
