"""Run server, simulated robot and a driver for a while; fail when a program's memory keeps growing.

Usage: python scripts/soak.py MINUTES
"""

import contextlib
import statistics
import subprocess
import sys
import time
from collections import defaultdict

import psutil

from farhand.kits.stack import Options, Stack

ROBOT = "sim-rover"
EVERY_S = 2.0
LEASE_S = 60.0
"""So long one driver drives, before it leaves and another comes: sessions come and go."""
GROWTH = 1.10
SLACK_MB = 16.0


def megabytes() -> dict[str, float]:
    """Return the resident memory of each of farhand's programs below us, by its name."""
    found: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if "farhand" in words:
                found[" ".join(words[words.index("farhand") + 1 :][:2])] = (
                    process.memory_info().rss / 1e6
                )
    return found


def drive(url: str, until: float, samples: dict[str, list[float]]) -> None:
    """Let one driver drive in a circle until then, and sample the memory meanwhile."""
    command = [sys.executable, "-m", "farhand.kits.operator", url, ROBOT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as operator:
        assert operator.stdin is not None  # noqa: S101 - we asked for a pipe
        operator.stdin.write("drive\n")
        operator.stdin.flush()
        while time.monotonic() < until and operator.poll() is None:
            time.sleep(EVERY_S)
            for name, size in megabytes().items():
                samples[name].append(size)
        with contextlib.suppress(BrokenPipeError):
            operator.stdin.write("quit\n")
            operator.stdin.flush()


def growing(samples: dict[str, list[float]]) -> list[str]:
    """Return the programs whose last quarter is clearly above their second one."""
    found = []
    for name, values in samples.items():
        quarter = len(values) // 4
        if quarter < 1:  # seen only at the end
            continue
        early = statistics.median(values[quarter : 2 * quarter])
        late = statistics.median(values[-quarter:])
        print(f"{name:12} {early:7.1f} MB -> {late:7.1f} MB")
        if late > early * GROWTH + SLACK_MB:
            found.append(name)
    return found


def main() -> int:
    """Soak for the minutes of the command line."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    end = time.monotonic() + 60 * minutes
    samples: dict[str, list[float]] = defaultdict(list)
    with Stack(Options(supervise=False)) as stack:
        while (now := time.monotonic()) < end:
            until = min(end, now + min(LEASE_S, 15 * minutes))
            drive(stack.url, until, samples)
        dead = [
            p.name for p in stack.programs.values() if p.process and p.process.poll() is not None
        ]
    for name in dead:
        print(f"{name} ended by itself")
    leaks = growing(samples)
    for name in leaks:
        print(f"{name} grows")
    return 1 if leaks or dead or not samples else 0


if __name__ == "__main__":
    raise SystemExit(main())
