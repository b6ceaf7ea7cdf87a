"""From the click to the first decoded frame, with a warm agent and with one just started."""

from typing import Any

from farhand.kits.bench.common import percentile
from farhand.kits.bench.rig import Farhand, Rig, Stock, rig

WARM = 8
QUICK_WARM = 4
ROUNDS = 3
QUICK_ROUNDS = 1


def measure(rig_: Rig, party: Farhand | Stock, warm: int) -> tuple[float, list[float]]:
    """Return ms of the party's first connection and of ``warm`` further ones."""
    times = []
    for _ in range(1 + warm):
        times.append(rig_.connect(party))
        rig_.disconnect()
    return times[0], times[1:]


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure farhand and stock aiortc in turns; each round starts both anew."""
    warm = QUICK_WARM if quick else WARM
    cold: dict[str, list[float]] = {"farhand": [], "aiortc_stock": []}
    times: dict[str, list[float]] = {"farhand": [], "aiortc_stock": []}
    with rig() as rig_:
        # The browser's own first connection is not what is measured.
        _turn(rig_, Stock(), 1)
        for _ in range(rounds or (QUICK_ROUNDS if quick else ROUNDS)):
            for name, firsts in cold.items():
                party = Farhand(rig_.host) if name == "farhand" else Stock()
                first, others = _turn(rig_, party, warm)
                firsts.append(first)
                times[name] += others
    figures = {
        name: {
            "warm_p50": round(percentile(times[name], 50), 1),
            "warm_max": round(max(times[name]), 1),
            "cold": round(percentile(cold[name], 50), 1),
        }
        for name in cold
    }
    return {"farhand": figures["farhand"], "peers": {"aiortc_stock": figures["aiortc_stock"]}}


def _turn(rig_: Rig, party: Farhand | Stock, warm: int) -> tuple[float, list[float]]:
    try:
        return measure(rig_, party, warm)
    finally:
        party.close()
