"""Measures anew what docs/performance.md shows: ``make measure NAMES="video fanout link"``.

Each bench runs by itself, in full; its JSON line replaces docs/bench/NAME.json, then the page is
made. Wants a machine that does nothing else: it waits until the load is low, and says so.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import performance_page

CALM = 0.25
"""Load average per core at which a machine counts as idle."""
PATIENCE_S = 300
POLL_S = 5


def wait_until_calm() -> None:
    """Return when the machine is idle, or after five minutes with a warning."""
    limit = CALM * (os.cpu_count() or 1)
    deadline = time.monotonic() + PATIENCE_S
    while (load := os.getloadavg()[0]) > limit:
        if time.monotonic() > deadline:
            print(f"The load is still {load:.2f}: the figures will be noisy.", file=sys.stderr)
            return
        time.sleep(POLL_S)


def measure(name: str) -> None:
    """Run one bench and keep what it printed."""
    command = [sys.executable, "-m", "farhand", "bench", name, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout)
    (performance_page.RAW / f"{name}.json").write_text(json.dumps(report) + "\n")
    print(f"{name}: load {report['env']['load']}", file=sys.stderr)


def main() -> None:
    """Measure the benches named, or all."""
    for name in sys.argv[1:] or performance_page.ORDER:
        wait_until_calm()
        measure(name)
    Path(performance_page.PAGE).write_text(performance_page.page())


if __name__ == "__main__":
    main()
