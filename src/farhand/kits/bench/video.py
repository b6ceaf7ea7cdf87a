"""How old a picture is when Chromium has decoded it, and when it shows it: 1280x720 at 30 fps.

The time is painted into the picture and read back there.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from farhand.kits.bench.common import (
    Turn,
    ages,
    interleave,
    medians,
    percentile,
    run_async,
    spreads,
)
from farhand.kits.bench.encoder import encode_times_ms
from farhand.kits.bench.peers.presence import VIDEO_PEERS, absent, versions
from farhand.kits.bench.rig import BITRATE_BPS, Farhand, Peer, Rig, rig

ROUNDS = 5
QUICK_ROUNDS = 2
PEER_ARGUMENTS = {"libwebrtc": ("--keep-size",)}


FULL = Turn(measure_ms=4000, settle_ms=5000)
QUICK = Turn(measure_ms=1200, settle_ms=2500)


def measure(rig_: Rig, party: Farhand | Peer, turn: Turn) -> Mapping[str, float]:
    """Return the figures of one turn of one party."""
    rig_.connect(party)
    rig_.call(f"settle({turn.settle_ms})")
    before, began = party.cpu_s(), time.monotonic()
    result = rig_.call(f"measureVideo({turn.measure_ms})")
    cpu = (party.cpu_s() - before) / (time.monotonic() - began)
    rig_.disconnect()
    return {
        **ages("decoded", result["decoded"]),
        **ages("displayed", result["displayed"]),
        "cpu_cores": cpu,
        "kbps": result["kbps"],
        "fps": result["fps"],
        "width": result["width"],
    }


def measure_encoder(measure_ms: int) -> Mapping[str, float]:
    """Return how long our encoder takes for a frame of the same picture."""
    times = run_async(encode_times_ms(1280, 720, 30, BITRATE_BPS, measure_ms / 1000))
    return {"encoder_p50": percentile(times, 50)}


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure farhand, the peers that are here, and the encoder alone, in turns."""
    turn = QUICK if quick else FULL
    missing = {name: why for name in VIDEO_PEERS if (why := absent(name))}
    with rig() as rig_:
        parties: dict[str, Farhand | Peer] = {}
        try:
            parties["farhand"] = Farhand(rig_.host)
            for name in VIDEO_PEERS:
                if name not in missing:
                    parties[name] = Peer(name, *PEER_ARGUMENTS.get(name, ()))
            turns: dict[str, Callable[[], Mapping[str, float]]] = {
                "encoder": partial(measure_encoder, turn.measure_ms)
            }
            for name, party in parties.items():
                turns[name] = partial(measure, rig_, party, turn)
            count = rounds or (QUICK_ROUNDS if quick else ROUNDS)
            results = interleave(turns, count, warm_up=not quick)
        finally:
            for party in parties.values():
                party.close()
    peers = {name: medians(results[name]) for name in VIDEO_PEERS if name not in missing}
    return {
        "farhand": {**medians(results["encoder"]), **medians(results["farhand"])},
        "peers": {**peers, **missing},
        "spread": {name: spreads(figures) for name, figures in results.items()},
        "clock_error_ms": round(rig_.clock_error_ms, 2),
        "versions": {**versions(), "chromium": rig_.browser_version},
    }
