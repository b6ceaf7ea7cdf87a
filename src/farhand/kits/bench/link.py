"""What a bad link does to the picture and to control: a rate cap, losses, an outage, steps.

The sender sits in a network namespace behind a link of 10 ms each way (`kits.lab`), real Chromium
at the other end. See docs/lab.md for how each figure is made.
"""

import importlib.util
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from farhand.errors import FarhandError
from farhand.kits.bench.common import interleave, medians, spreads
from farhand.kits.bench.link_figures import Span, Watch, control, picture, recovered
from farhand.kits.bench.link_rig import (
    BASE,
    LabFarhand,
    LabPeer,
    LinkRig,
    Party,
    link_rig,
    now_us,
)
from farhand.kits.bench.link_steps import BITRATE_BPS as STEPS_BITRATE_BPS
from farhand.kits.bench.link_steps import measure_steps, measure_wander
from farhand.kits.bench.rig import BITRATE_BPS

ROUNDS = 3
PEERS = {"aiortc_stock": "aiortc", "libwebrtc": "webrtc"}
"""Each peer, and the module that must be installed for it."""
WANDER_VARIABLE = "BENCH_WANDER_S"
"""Environment variable: how long the rate wanders, in seconds. 0: not at all."""
WANDER_S = 60.0
BEFORE_US = 2_000_000
"""So much before the fault is what a party does on the good link."""
CAP = replace(BASE, rate_bps=1_000_000, queue_s=0.2, queue_packets=10_000)
LOSS = replace(BASE, loss=0.02)
OUTAGE = replace(BASE, is_down=True)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long each part of a turn takes."""

    settle: float
    cap: float
    loss: float
    outage: float
    after: float
    """After the outage."""


FULL = Seconds(settle=8, cap=16, loss=10, outage=5, after=6)
QUICK = Seconds(settle=3, cap=6, loss=4, outage=5, after=3)


def measure_cap(link: LinkRig, party: Party, seconds: Seconds) -> Mapping[str, float]:
    """Return what 1 Mbit/s with a queue of 200 ms does."""
    with link.watching(party) as watches:
        time.sleep(seconds.settle)
        began = now_us()
        link.lab.change(CAP)
        time.sleep(seconds.cap)
        fault = Span(began, now_us())
    figures = _figures(watches[0], fault, most_kbps=1000.0)
    return {**figures, "recover": recovered(watches[0], fault)}


def measure_loss(link: LinkRig, party: Party, seconds: Seconds) -> Mapping[str, float]:
    """Return what 2 % random loss each way does."""
    with link.watching(party) as watches:
        time.sleep(seconds.settle)
        began = now_us()
        link.lab.change(LOSS)
        time.sleep(seconds.loss)
        fault = Span(began, now_us())
    return {**_figures(watches[0], fault), "recover": recovered(watches[0], fault)}


def measure_outage(link: LinkRig, party: Party, seconds: Seconds) -> Mapping[str, float]:
    """Return what 5 s without a link do, and how soon the picture is back."""
    with link.watching(party) as watches:
        time.sleep(seconds.settle)
        began = now_us()
        link.lab.change(OUTAGE)
        time.sleep(seconds.outage)
        ended = now_us()
        link.lab.change(BASE)
        time.sleep(seconds.after)
        after = Span(ended, now_us())
    watch = watches[0]
    back = watch.moving_since(ended)
    whole = picture(watch, Span(began, after.end_us))
    return {
        **_figures(watch, after, before_us=began),
        "max_gap": whole["max_gap"],
        "freeze_s": whole["freeze_s"],
        "recover": ((back or after.end_us) - ended) / 1000,
    }


CASES: Mapping[str, Callable[[LinkRig, Party, Seconds], Mapping[str, float]]] = {
    "cap": measure_cap,
    "loss": measure_loss,
    "outage": measure_outage,
}


def _figures(
    watch: Watch, span: Span, *, before_us: int | None = None, most_kbps: float = float("inf")
) -> dict[str, float]:
    """Return the figures of ``span``; the rate is compared with the one before the fault."""
    began = before_us or span.start_us
    seen = picture(watch, span)
    could = min(watch.kbps(Span(began - BEFORE_US, began)), most_kbps)
    kept = 100 * seen["kbps"] / could if could else 0.0
    return {**seen, **control(watch, span), "kbps_kept_pct": kept}


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure farhand and its peers in turns; ``quick``: farhand alone, shortened."""
    seconds = QUICK if quick else FULL
    with link_rig() as link:
        found, absent = _run_cases(link, rounds or (1 if quick else ROUNDS), seconds, quick=quick)
        if not quick:
            steps, _ = _run_steps(link, rounds or ROUNDS)
            found |= steps
            found |= _run_wander(link)
        is_prompt = link.lab.is_prompt
    cases = _by_party({name: medians(figures) for name, figures in found.items()})
    return {
        "farhand": cases.pop("farhand"),
        "peers": {**cases, **absent},
        "spread": _by_party({name: spreads(figures) for name, figures in found.items()}),
        "seconds": {name: getattr(seconds, name) for name in Seconds.__slots__},
        "link_is_prompt": is_prompt,
    }


Found = dict[str, list[Mapping[str, float]]]
"""``PARTY/CASE``: the figures of each round."""


def _run_cases(
    link: LinkRig, rounds: int, seconds: Seconds, *, quick: bool
) -> tuple[Found, dict[str, str]]:
    peers, absent = _peers(link, []) if not quick else ({}, _no_time())
    parties: dict[str, Party] = {"farhand": LabFarhand(link, BITRATE_BPS), **peers}
    try:
        if not quick:
            _warm_up(link, parties)
        turns = {
            f"{name}/{case}": partial(measure, link, party, seconds)
            for case, measure in CASES.items()
            for name, party in parties.items()
        }
        return interleave(turns, rounds, warm_up=False), absent
    finally:
        _close(parties)


def _run_steps(link: LinkRig, rounds: int) -> tuple[Found, dict[str, str]]:
    peers, absent = _peers(link, ["--bitrate", str(STEPS_BITRATE_BPS)])
    parties: dict[str, Party] = {"farhand": LabFarhand(link, STEPS_BITRATE_BPS), **peers}
    try:
        _warm_up(link, parties)
        turns = {
            f"{name}/steps": partial(measure_steps, link, party) for name, party in parties.items()
        }
        return interleave(turns, rounds, warm_up=False), absent
    finally:
        _close(parties)


def wander_s() -> float:
    """Return how long the rate is to wander, in seconds."""
    return float(os.environ.get(WANDER_VARIABLE, WANDER_S))


def _run_wander(link: LinkRig) -> Found:
    seconds = wander_s()
    if seconds <= 0:
        return {}
    party = LabFarhand(link, STEPS_BITRATE_BPS)
    try:
        return {"farhand/wander": [measure_wander(link, party, seconds)]}
    finally:
        party.close()


def _peers(link: LinkRig, arguments: list[str]) -> tuple[dict[str, Party], dict[str, str]]:
    present: dict[str, Party] = {}
    absent = {}
    for name, module in PEERS.items():
        if importlib.util.find_spec(module) is None:
            absent[name] = f"absent: the Python module {module} is not installed"
            continue
        try:
            present[name] = LabPeer(link, name, arguments)
        except FarhandError as exc:
            absent[name] = f"absent: {exc}"
    return present, absent


def _no_time() -> dict[str, str]:
    return dict.fromkeys(PEERS, "absent: --quick has no time for it")


def _warm_up(link: LinkRig, parties: Mapping[str, Party]) -> None:
    for party in parties.values():
        with link.watching(party):
            time.sleep(1)


def _close(parties: Mapping[str, Party]) -> None:
    for party in parties.values():
        party.close()


def _by_party(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    parties: dict[str, dict[str, Any]] = {}
    for key, figures in found.items():
        name, _, case = key.partition("/")
        parties.setdefault(name, {})[case] = figures
    return parties
