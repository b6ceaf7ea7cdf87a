"""One turn of one case of the bench `link`, with what farhand said meanwhile.

``python -m farhand.kits.bench.link_case CASE [PARTY]``: ``cap``, ``loss``, ``outage``, ``steps`` or
``wander``; ``farhand`` (default) or a peer. For those who work on congestion control.
"""

import json
import sys

from farhand.kits.bench import link as bench
from farhand.kits.bench.common import environment
from farhand.kits.bench.link_figures import Span
from farhand.kits.bench.link_rig import LabFarhand, LabPeer, LinkRig, Party, link_rig
from farhand.kits.bench.link_steps import BITRATE_BPS, measure_steps, measure_wander
from farhand.kits.bench.rig import BITRATE_BPS as USUAL_BITRATE_BPS

_IS_WIDE = {"steps", "wander"}


def _party(link: LinkRig, name: str, case: str) -> Party:
    bitrate_bps = BITRATE_BPS if case in _IS_WIDE else USUAL_BITRATE_BPS
    if name == "farhand":
        return LabFarhand(link, bitrate_bps)
    return LabPeer(link, name, ["--bitrate", str(bitrate_bps)] if case in _IS_WIDE else [])


def main(case: str, name: str = "farhand") -> None:
    """Run the case and print its figures."""
    with link_rig() as link:
        party = _party(link, name, case)
        try:
            if case == "steps":
                figures = measure_steps(link, party)
            elif case == "wander":
                figures = measure_wander(link, party, bench.wander_s())
            else:
                figures = bench.CASES[case](link, party, bench.FULL)
            if isinstance(party, LabFarhand):
                sys.stdout.write(party.last_words() + "\n")
            sys.stdout.write(f"{link.lab.counters()}\n")
        finally:
            party.close()
    watch = link.watches[-1]
    if watch.states:
        words = watch.told(Span(watch.states[0][0], watch.states[-1][0] + 1))
        sys.stdout.write(words + "\n")
    rounded = {key: round(value, 2) for key, value in figures.items()}
    sys.stdout.write(json.dumps({case: {name: rounded}, "load": environment()["load"]}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
