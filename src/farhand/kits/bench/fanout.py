"""What more viewers cost the robot: one camera, 1, 4 and 8 viewers; two cameras; a slow viewer.

The viewers are connections of real Chromium that decode every frame and show none: eight 720p
pictures drawn on the bench's few cores would measure the drawing. Every decoded frame's stamp is
read.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from farhand.errors import FarhandError
from farhand.kits.bench.common import Turn, ages, interleave, medians, spreads
from farhand.kits.bench.fanout_slow import measure as measure_slow
from farhand.kits.bench.fanout_slow import slow_rig
from farhand.kits.bench.rig import CAMERA, Farhand, Peer, Rig, Stock, rig

ROUNDS = 3
QUICK_ROUNDS = 1
FULL = Turn(measure_ms=5000, settle_ms=4000)
QUICK = Turn(measure_ms=2000, settle_ms=1500)
COUNTS = (1, 4, 8)
FIRST_FRAME_MS = 5000
"""A sender that is out of breath may take long; the figures show it."""
CAMERAS = (CAMERA, CAMERA.replace("front", "rear", 1))


def measure(rig_: Rig, party: Farhand | Peer, count: int, turn: Turn) -> dict[str, float]:
    """Return what ``count`` viewers cost and see, in one turn of one party."""
    cpu, tracks = _watch(rig_, party, count, turn)
    figures = {f"cpu_{count}": cpu}
    if count == COUNTS[-1]:
        # The one who is served worst: a mean would hide a viewer without a picture.
        figures[f"fps_{count}"] = min(track["fps"] for track in tracks) if tracks else 0.0
        figures[f"width_{count}"] = min(track["width"] for track in tracks)
        figures |= ages(f"decoded_{count}", [age for track in tracks for age in track["ages"]])
    return figures


def measure_all(rig_: Rig, party: Farhand | Peer, turn: Turn) -> Mapping[str, float]:
    """Return the figures of one turn of one party."""
    figures: dict[str, float] = {}
    for count in COUNTS:
        figures |= measure(rig_, party, count, turn)
    most = COUNTS[-1]
    return {**figures, f"cpu_{most}_x_1": figures[f"cpu_{most}"] / figures["cpu_1"]}


def measure_two_cameras(rig_: Rig, party: Farhand, turn: Turn) -> Mapping[str, float]:
    """Return what one viewer sees of two cameras at once."""
    cpu, tracks = _watch(rig_, party, 1, turn)
    fps = [track["fps"] for track in tracks] + [0.0] * (len(CAMERAS) - len(tracks))
    seen = [age for track in tracks for age in track["ages"]]
    return {"cameras_2_cpu": cpu, "cameras_2_fps": min(fps), **ages("cameras_2_decoded", seen)}


def _watch(
    rig_: Rig, party: Farhand | Peer, count: int, turn: Turn
) -> tuple[float, list[dict[str, Any]]]:
    """Return CPU cores and what was received on each track of ``count`` viewers."""
    rig_.call(f"openViewers({count}, {rig_.host.clock_url!r})")
    try:
        rig_.call(f"connectViewers((w) => w.{party.connect_expression()}, {FIRST_FRAME_MS})")
        rig_.call(f"settleViewers({turn.settle_ms})")
        before, began = party.cpu_s(), time.monotonic()
        tracks = rig_.call(f"measureViewers({turn.measure_ms})")
        return (party.cpu_s() - before) / (time.monotonic() - began), tracks
    finally:
        rig_.call("closeViewers()")


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure farhand and stock aiortc in turns."""
    turn = QUICK if quick else FULL
    with rig() as rig_:
        parties: dict[str, Farhand | Peer] = {}
        try:
            ours = parties["farhand"] = Farhand(rig_.host)
            two = parties["two_cameras"] = Farhand(rig_.host, CAMERAS)
            stock = parties["aiortc_stock"] = Stock()
            turns: dict[str, Callable[[], Mapping[str, float]]] = {
                "farhand": partial(measure_all, rig_, ours, turn),
                "two_cameras": partial(measure_two_cameras, rig_, two, turn),
                "aiortc_stock": partial(measure_all, rig_, stock, turn),
            }
            count = rounds or (QUICK_ROUNDS if quick else ROUNDS)
            results = interleave(turns, count, warm_up=not quick)
        finally:
            for party in parties.values():
                party.close()
    slow, left_out = _run_slow(turn, count, quick=quick)
    # All of these are farhand's: rows of one column.
    ours_all = [*results["farhand"], *results["two_cameras"], *slow]
    found = {"farhand": ours_all, "aiortc_stock": results["aiortc_stock"]}
    return {
        "farhand": medians(found["farhand"]),
        "peers": {"aiortc_stock": medians(found["aiortc_stock"])},
        "spread": {name: spreads(figures) for name, figures in found.items()},
        "clock_error_ms": round(rig_.clock_error_ms, 2),
        "left_out": left_out,
        "versions": {"chromium": rig_.browser_version},
    }


def _run_slow(
    turn: Turn, rounds: int, *, quick: bool
) -> tuple[list[Mapping[str, float]], dict[str, str]]:
    """Return the rounds with a slow viewer, or why there are none."""
    if quick:
        return [], {"slow viewer": "--quick has no time for it"}
    try:
        with slow_rig() as rig_:
            return [measure_slow(rig_, turn.measure_ms) for _ in range(rounds)], {}
    except FarhandError as exc:
        return [], {"slow viewer": str(exc)}
