"""Makes docs/performance.md from the raw figures in docs/bench: ``make performance``.

Each file there is what `farhand bench NAME --json` printed; nothing on the page is typed by hand.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RAW = Path("docs/bench")
PAGE = Path("docs/performance.md")
ORDER = ("video", "fanout", "link", "control", "connect", "relay", "api", "stop")

HEAD = """# Performance, as measured

Made by `make performance` from the raw figures in [bench](bench). Absolute times on shared hardware
mean little; what counts is the ratio to the peers in the same run. Repeat it with
`make bench ARGS=NAME`; `make measure` makes all raw figures anew. Milliseconds unless the name says
otherwise; medians over the rounds, in brackets the smallest and the largest round.
"""

WORDS = {
    "video": "The age of a 1280x720 picture at 30 fps when Chromium has decoded it and when it "
    "shows it, read from a stamp painted into the picture. `encoder_p50` is our encoder alone. "
    "`aiortc_stock` sends VP8 as it comes; `webrtcbin` is Debian's GStreamer with x264enc at "
    "2.5 Mbit/s; `libwebrtc` is PyPI's `wrtc` with VP8 as it comes, except that it may not send a "
    "smaller picture (else it sends this one 320 or 480 wide).",
    "fanout": "One camera, 1280x720 at 30 fps, for 1, 4 and 8 viewers: CPU cores of the robot's "
    "side (farhand's agent and gate), the frames per second of the viewer served worst, its "
    "picture's width, and the age of the pictures when decoded. The viewers are connections of "
    "real Chromium that decode everything and draw nothing. `cameras_2_*`: one viewer of two "
    "cameras at once. "
    "`seven_*`: seven viewers near the robot, without and beside an eighth, `slow_*`, behind "
    "500 kbit/s.",
    "link": "Chromium watches a robot in another network namespace, over a link that is made bad; "
    "control frames flow beside the picture. What each case does and how each figure is made is in "
    "[lab.md](lab.md).",
    "control": "The round trip of a 102-byte control frame at 100 Hz: Chromium, data channel, "
    "agent, gate, and the gate's verdict back. `aiortc_raw` has no gate behind it.",
    "connect": "From the click to the first decoded frame.",
    "relay": "What a 400-byte message between two members costs the server, on one core.",
    "api": "A thousand robots are in the store (SQLite), accounts are on. `list_500_*` and "
    "`list_50_*`: `GET /v1/robot` with a page of 500 and of 50, eight requests in flight, and one "
    "(`alone`). `fastapi_bare` returns the same bytes to anybody, without looking anything up. "
    "`signaling_*`: the delay of a relayed message at 500 a second, quiet and while 200 people log "
    "in (argon2id, 64 MiB each, one at a time in a process that gives way); `sent_away`: how often "
    "one of them was told to come again. Server and load have one core each.",
    "stop": "From the fault until the wheels are told to stand still, read at the simulated "
    "actuators by observers that look at nothing else. The promise is 300 ms and a tick "
    "of 20 ms. Several robots are struck at once, each as soon as somebody "
    "drives it again; *busy*: two programs keep both cores busy beside all this. "
    "`histogram`: a bar for each 20 ms from 0 to 360 ms, the last for all above. "
    "`held_up`: runs in which the observer itself saw nothing for more than 20 ms; they "
    "were made again, `held_up_max` is the longest of them. `void`: nobody drove, or "
    "nobody knows when the fault struck. Where the gate itself is struck (`gate_*`, "
    "`driver_hangs`), the device's own time-out of 250 ms is the last resort. *watcher*: "
    "STOP by somebody without control, while a viewer takes all that the robot's uplink "
    "of 500 kbit/s (10 ms, 200 ms of queue) gives; the link's 10 ms are in the figure.",
}


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def case_by_case(report: Mapping[str, Any]) -> str:
    """Return a table for each case of a bench that compares parties in several."""
    peers = {name: found for name, found in report["peers"].items() if isinstance(found, dict)}
    spread = report.get("spread", {})
    parts = []
    for case, figures in report["farhand"].items():
        one = {
            "farhand": figures,
            "peers": {name: found[case] for name, found in peers.items() if case in found},
            "spread": {name: found.get(case, {}) for name, found in spread.items()},
        }
        parts.append(f"### {case}\n\n{parties(one)}")
    return "\n\n".join(parts) + absent(report)


def absent(report: Mapping[str, Any]) -> str:
    """Return what is said of peers and cases that could not run."""
    found = {name: why for name, why in report["peers"].items() if isinstance(why, str)}
    left_out = {**found, **report.get("left_out", {})}
    return "".join(f"\n\n`{name}`: {why.rstrip('.')}." for name, why in left_out.items())


def cases(report: Mapping[str, Any]) -> str:
    """Return the table of a bench whose figures come by case."""
    figures: dict[str, dict[str, float]] = report["farhand"]
    keys = list(dict.fromkeys(key for found in figures.values() for key in found))
    rows = [[name, *(str(found.get(key, "—")) for key in keys)] for name, found in figures.items()]
    return table(["fault", *keys], rows)


def parties(report: Mapping[str, Any]) -> str:
    """Return the table of a bench that compares parties."""
    peers = {name: found for name, found in report["peers"].items() if isinstance(found, dict)}
    columns = {"farhand": report["farhand"], **peers}
    spread = report.get("spread", {})
    rows = []
    for key in report["farhand"]:
        row = [key]
        for name, found in columns.items():
            edges = spread.get(name, {}).get(key)
            value = str(found.get(key, "—"))
            row.append(f"{value} ({edges[0]}–{edges[1]})" if edges else value)
        rows.append(row)
    return table(["", *columns], rows) + absent(report)


def section(name: str, report: Mapping[str, Any]) -> str:
    """Return the part of the page about one bench."""
    env = report["env"]
    by_case = any(isinstance(found, dict) for found in report["farhand"].values())
    versions = ", ".join(f"{package} {version}" for package, version in env["versions"].items())
    machine = f"{env['cores']} shared cores, Python {env['python']}, load {env['load']}; {versions}"
    if by_case:
        body = case_by_case(report) if report["peers"] else cases(report)
    else:
        body = parties(report)
    return f"## {name}\n\n{WORDS[name]}\n\n{body}\n\n{machine}.\n"


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name in ORDER:
        file = RAW / f"{name}.json"
        if file.exists():
            parts.append(section(name, json.loads(file.read_text())))
    return "\n".join(parts)


def main() -> None:
    """Write the page, or with ``--check`` say whether it is what the raw figures make."""
    if "--check" in sys.argv[1:]:
        if PAGE.read_text() != page():
            sys.exit("docs/performance.md is stale: make performance")
    else:
        PAGE.write_text(page())


if __name__ == "__main__":
    main()
