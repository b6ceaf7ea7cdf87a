"""What every bench needs: medians, percentiles, the machine it ran on."""

import asyncio
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

PACKAGES = (
    "farhand",
    "aiortc",
    "av",
    "wrtc",
    "uvicorn",
    "picows",
    "websockets",
    "uvloop",
    "msgspec",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """How long the parts of one party's turn take."""

    measure_ms: int
    settle_ms: int
    """At most, until the picture has its full size: most senders begin low and probe."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that ``percent`` of ``values`` do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = round(percent / 100 * (len(ordered) - 1))
    return ordered[min(max(rank, 0), len(ordered) - 1)]


def ages(name: str, values: Sequence[float]) -> dict[str, float]:
    """Return ``name_p50`` and ``name_p95``; nothing when nothing was seen."""
    if not values:
        return {}
    return {f"{name}_p50": percentile(values, 50), f"{name}_p95": percentile(values, 95)}


def medians(rounds: Sequence[Mapping[str, float]], digits: int = 2) -> dict[str, float]:
    """Return the median of each key over the rounds."""
    keys = dict.fromkeys(key for r in rounds for key in r)
    return {
        key: round(statistics.median(r[key] for r in rounds if key in r), digits) for key in keys
    }


def spreads(rounds: Sequence[Mapping[str, float]], digits: int = 2) -> dict[str, list[float]]:
    """Return the smallest and the largest of each key over the rounds."""
    keys = dict.fromkeys(key for r in rounds for key in r)
    values = {key: [r[key] for r in rounds if key in r] for key in keys}
    return {key: [round(min(v), digits), round(max(v), digits)] for key, v in values.items()}


def interleave(
    parties: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[Mapping[str, float]]]:
    """Run the parties A B A B …; the first turn of each is a warm-up and does not count."""
    results: dict[str, list[Mapping[str, float]]] = {name: [] for name in parties}
    for number in range(rounds + warm_up):
        for name, measure in parties.items():
            figures = measure()
            if number >= warm_up:
                results[name].append(figures)
    return results


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end on a thread of its own: playwright keeps a loop on this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def environment() -> dict[str, Any]:
    """Return versions, machine and load, to print beside the figures."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": [round(x, 2) for x in os.getloadavg()],
        "versions": versions,
    }
