"""Runs a bench by name and prints it: a table for people, one JSON line for machines."""

import importlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from farhand.errors import Code, ConfigError
from farhand.kits.bench.common import environment

BENCHES = ("video", "control", "connect", "stop", "relay", "fanout", "link", "api")
RESULTS = Path("bench-results")


def main(name: str, *, quick: bool, as_json: bool, rounds: int | None) -> None:
    """Run one bench, print it, keep the raw figures in ``bench-results/``.

    Raises:
        ConfigError: There is no such bench.

    """
    if name not in BENCHES:
        text = f"There is no bench {name!r}. There are: {', '.join(BENCHES)}."
        raise ConfigError(Code.CONFIG_INVALID, text)
    module = importlib.import_module(f"farhand.kits.bench.{name}")
    started = time.time()
    figures = module.run(quick=quick, rounds=rounds)
    env = environment()
    env["versions"] |= figures.pop("versions", {})
    report = {"bench": name, **figures, "env": env}
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{name}-{int(started)}.json"
    kept.write_text(json.dumps(report, indent=1) + "\n")
    if as_json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        show(report)


def show(report: Mapping[str, Any]) -> None:
    """Print a table: a row for each figure, a column for each party."""
    console = Console(highlight=False)
    parties: dict[str, Any] = {"farhand": report["farhand"], **report["peers"]}
    present = {name: figures for name, figures in parties.items() if isinstance(figures, dict)}
    if any(isinstance(value, dict) for value in report["farhand"].values()):
        for name, cases in present.items():
            _show_cases(console, name, cases)
    else:
        table = Table("")
        for name in present:
            table.add_column(name, overflow="fold")
        spread = report.get("spread", {})
        for key in report["farhand"]:
            cells = (_cell(present[name], spread.get(name, {}), key) for name in present)
            table.add_row(key, *cells)
        console.print(table)
    for name, figures in parties.items():
        if not isinstance(figures, dict):
            console.print(f"{name}: {figures}")
    for what, why in report.get("left_out", {}).items():
        console.print(f"left out: {what}: {why}")
    env = report["env"]
    console.print(
        f"Python {env['python']}, {env['cores']} cores, load {env['load']}, {env['system']}"
    )


def _cell(figures: Mapping[str, float], spread: Mapping[str, list[float]], key: str) -> str:
    low, high = spread.get(key, (0.0, 0.0))
    value = str(figures.get(key, "—"))
    return value if low == high else f"{value} ({low:.4g}–{high:.4g})"


def _show_cases(console: Console, name: str, cases: Mapping[str, Mapping[str, float]]) -> None:
    keys = list(dict.fromkeys(key for figures in cases.values() for key in figures))
    if len(keys) > len(cases):  # the longer way down: terminals are narrow
        table = Table(name, *cases)
        for key in keys:
            table.add_row(key, *(str(figures.get(key, "—")) for figures in cases.values()))
    else:
        table = Table(name, *keys)
        for case, figures in cases.items():
            table.add_row(case, *(str(figures.get(key, "—")) for key in keys))
    console.print(table)
