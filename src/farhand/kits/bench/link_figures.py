"""From what a page saw on a bad link to figures. Pure; times are integer microseconds.

A freeze is what the W3C says one is: an interval between two frames longer than three times the
average and than the average plus 150 ms, the average taken over the 30 intervals before it
(webrtc-stats, `freezeCount`). Here the frames are the decoded ones, and an interval that has not
ended counts as if it ended with the measurement.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from farhand.kits.bench.common import percentile

AVERAGED = 30
LEAST_AVERAGED = 5
"""Chromium calls nothing a freeze before it knows so many intervals."""
FREEZE_FACTOR = 3
FREEZE_EXTRA_US = 150_000
ANSWER_WITHIN_US = 1_000_000
"""A control frame whose answer takes longer counts as lost: nobody steers by it."""
MOVING_US = 250_000
STEADY_US = 2_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        """How long it is."""
        return self.end_us - self.start_us

    def has(self, at_us: int) -> bool:
        """Say whether ``at_us`` lies in it."""
        return self.start_us <= at_us < self.end_us

    def overlap_us(self, other: "Span") -> int:
        """Return how much of ``other`` lies in it."""
        return max(0, min(self.end_us, other.end_us) - max(self.start_us, other.start_us))


@dataclass(frozen=True, slots=True)
class Watch:
    """What the page saw."""

    frames: Sequence[tuple[int, int, int | None]]
    """Each decoded frame: when, its width, its age in µs where the stamp was legible."""
    control: Sequence[tuple[int, int | None]]
    """Each control frame: when it was sent, and after how many µs its answer came."""
    rates: Sequence[tuple[int, int]]
    """Every 100 ms: when, and how many bytes of video had arrived for the first time."""
    states: Sequence[tuple[int, Mapping[str, Any]]] = ()
    """What farhand's sender said: when it arrived, and the `video-state`."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Watch":
        """Return the watch that the page's ``stopWatch`` answered."""
        frames = [(at, width, age) for at, width, age in raw["frames"]]
        control = [(sent, rtt) for sent, rtt in raw["control"]]
        rates = [(at, size) for at, size in raw["rates"]]
        return cls(frames, control, rates, [(at, state) for at, state in raw["states"]])

    def gaps(self, span: Span) -> list[Span]:
        """Return the intervals between frames that reach into ``span``, cut to its length."""
        return [
            Span(max(gap.start_us, span.start_us), min(gap.end_us, span.end_us))
            for gap in self._intervals(span.end_us)
            if span.overlap_us(gap)
        ]

    def freezes(self, span: Span) -> list[Span]:
        """Return those of the intervals that are freezes."""
        return [
            Span(max(gap.start_us, span.start_us), min(gap.end_us, span.end_us))
            for gap in self._frozen(span.end_us)
            if span.overlap_us(gap)
        ]

    def kbps(self, span: Span) -> float:
        """Return the rate of the video that arrived in ``span``."""
        inside = [(at, size) for at, size in self.rates if span.has(at)]
        if len(inside) < 2:
            return 0.0
        (first_us, first), (last_us, last) = inside[0], inside[-1]
        return (last - first) * 8_000 / (last_us - first_us)

    def moving_since(self, at_us: int) -> int | None:
        """Return when the first frame after ``at_us`` came that another one followed soon."""
        times = [at for at, *_ in self.frames if at >= at_us]
        pairs = pairwise(times)
        return next((first for first, second in pairs if second - first <= MOVING_US), None)

    def answers(self, spans: Sequence[Span]) -> list[int | None]:
        """Return the round trips of the control frames sent then; ``None``: lost."""
        return [
            rtt if rtt is not None and rtt <= ANSWER_WITHIN_US else None
            for sent, rtt in self.control
            if any(span.has(sent) for span in spans)
        ]

    def told(self, span: Span) -> str:
        """Return what farhand's sender said in ``span``, a line for each state, to read."""
        lines = []
        for at, state in self.states:
            if span.has(at):
                names = ("targetBps", "sentBps", "reason", "loss", "rttMs", "queueMs")
                words = " ".join(f"{name}={state.get(name)}" for name in names)
                widths = [camera["width"] for camera in state.get("cameras", ())]
                lines.append(f"{(at - span.start_us) / 1e6:6.2f} s {words} width={widths}")
        return "\n".join(lines)

    def _intervals(self, end_us: int) -> Iterator[Span]:
        times = [at for at, *_ in self.frames if at < end_us]
        for first, second in pairwise([*times, end_us]):
            yield Span(first, second)

    def _frozen(self, end_us: int) -> Iterator[Span]:
        before: list[int] = []
        for gap in self._intervals(end_us):
            if len(before) >= LEAST_AVERAGED:
                average = sum(before) / len(before)
                if gap.length_us > max(FREEZE_FACTOR * average, average + FREEZE_EXTRA_US):
                    yield gap
            before = [*before, gap.length_us][-AVERAGED:]


def picture(watch: Watch, span: Span) -> dict[str, float]:
    """Return what the picture did in ``span``."""
    frames = [frame for frame in watch.frames if span.has(frame[0])]
    freezes = watch.freezes(span) if watch.frames else [span]
    ages = [age / 1000 for *_, age in frames if age is not None]
    return {
        "max_gap": max((gap.length_us for gap in watch.gaps(span)), default=span.length_us) / 1000,
        "freeze_s": sum(freeze.length_us for freeze in freezes) / 1e6,
        "fps": len(frames) / span.length_us * 1e6,
        "width": percentile([width for _, width, _ in frames], 50) if frames else 0,
        "age_p50": percentile(ages, 50) if ages else 0.0,
        "illegible_pct": 100 * (1 - len(ages) / len(frames)) if frames else 0.0,
        "kbps": watch.kbps(span),
    }


def control(watch: Watch, *spans: Span) -> dict[str, float]:
    """Return how the control frames of ``spans`` fared."""
    answers = watch.answers(spans)
    rtts = [rtt / 1000 for rtt in answers if rtt is not None]
    figures = {"control_lost_pct": 100 * (1 - len(rtts) / len(answers)) if answers else 100.0}
    if rtts:
        figures["control_rtt_p50"] = percentile(rtts, 50)
        figures["control_rtt_p99"] = percentile(rtts, 99)
    return figures


def recovered(watch: Watch, span: Span) -> float:
    """Return after how many ms of ``span`` the picture moved for two seconds without a freeze.

    0: at once; all of its length: never.
    """
    freezes = watch.freezes(span) if watch.frames else [span]
    for at_us in (span.start_us, *(freeze.end_us for freeze in freezes)):
        steady = Span(at_us, at_us + STEADY_US)
        if steady.end_us <= span.end_us and not any(map(steady.overlap_us, freezes)):
            return (at_us - span.start_us) / 1000
    return span.length_us / 1000
