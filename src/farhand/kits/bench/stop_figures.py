"""From the runs of one fault to its line in the table."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from farhand.kits.bench.common import percentile
from farhand.kits.bench.stop_faults import Bench, Run

BUCKET_MS = 20
BARS = "▁▂▃▄▅▆▇█"
LAST_MS = 360
"""From here on all runs are in one bucket."""


def histogram(times_ms: Sequence[float]) -> str:
    """Return a bar for each 20 ms from 0 to 360 ms, one more for all that is above."""
    last = LAST_MS // BUCKET_MS
    counts = Counter(min(int(time // BUCKET_MS), last) for time in times_ms)
    most = max(counts.values(), default=0)
    return "".join(
        BARS[round(counts[bucket] / most * (len(BARS) - 1))] if counts[bucket] else "·"
        for bucket in range(last + 1)
    )


def summary(runs: Sequence[Run], held_up: Sequence[Run], void: int) -> dict[str, Any]:
    """Return the figures of one fault. Milliseconds."""
    times = [run.stopped_ms for run in runs]
    figures: dict[str, Any] = {
        "p50": round(percentile(times, 50), 1),
        "p95": round(percentile(times, 95), 1),
        "p99": round(percentile(times, 99), 1),
        "max": round(max(times), 1),
        "histogram": histogram(times),
        "runs": len(times),
        "void": void,
        "held_up": len(held_up),
    }
    if held_up:
        figures["held_up_max"] = round(max(run.stopped_ms for run in held_up), 1)
    return figures


def figures(benches: Sequence[Bench], name: str) -> dict[str, Any]:
    """Return the figures of one fault over all robots."""
    runs = [run for bench in benches for run in bench.runs.get(name, [])]
    held_up = [run for bench in benches for run in bench.held_up.get(name, [])]
    return summary(runs, held_up, sum(bench.void[name] for bench in benches))
