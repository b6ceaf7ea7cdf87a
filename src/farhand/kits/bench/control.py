"""The round trip of a control frame: Chromium, data channel, agent, gate, and its verdict back.

No video flows: control beside video is what the bench `link` is for.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from farhand.errors import Code, FarhandError
from farhand.kits.bench.common import interleave, medians, percentile, spreads
from farhand.kits.bench.rig import ROBOT, Rig, Stock, rig
from farhand.kits.bench.udp_echo import round_trips_ms
from farhand.kits.stack import Options, Robot, Stack

ROUNDS = 5
QUICK_ROUNDS = 2
HZ = 100
MEASURE_MS = 5000
QUICK_MEASURE_MS = 3000
AXES = '{"axes": 18}'
"""30 + 18 * 4 = 102 bytes, the size that the peers send too."""


class Farhand:
    """Server, agent and a gate whose driver has 18 axes and moves nothing."""

    def __init__(self, origin: str) -> None:
        robots = (Robot(ROBOT, ROBOT, is_simulated=False),)
        agent = ["--gate", "found"]
        self.stack = Stack(
            Options(robots, agent_arguments=agent, server_arguments=["--origin", origin])
        )
        state = self.stack.state_folder(ROBOT)
        command = [sys.executable, "-m", "farhand", "gate", "run", "--wait-agent-s", "0"]
        command += ["--socket", str(state / "gate.sock"), "--state", str(state)]
        command += ["--driver", "null", "--null", AXES, "--unlatch-on-grant"]
        self._gate = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_for(state / "gate.sock")
        self.stack.start()

    def connect_expression(self) -> str:
        """Return what the page runs to connect."""
        url = f"ws://127.0.0.1:{self.stack.port}/v1/service/default/ws"
        return f"connectFarhand({url!r}, {ROBOT!r}, [])"

    def close(self) -> None:
        """Stop everything."""
        self.stack.close()
        self._gate.kill()
        self._gate.wait()


def _wait_for(path: Path, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise FarhandError(Code.GATE_LOST, "The bench's gate did not start.")
        time.sleep(0.02)


def figures(rtts: list[float], sent: int) -> Mapping[str, float]:
    """Return what the table shows."""
    return {
        "rtt_p50": percentile(rtts, 50),
        "rtt_p99": percentile(rtts, 99),
        "lost_pct": 100 * (1 - len(rtts) / sent),
    }


def measure(rig_: Rig, function: str, measure_ms: int) -> Mapping[str, float]:
    """Return the figures of one turn on the connection that the page has."""
    result = rig_.call(f"{function}({measure_ms}, {HZ})")
    if function == "measureControl" and not result["reasons"].get("0"):
        raise FarhandError(Code.INTERNAL, f"The gate applied nothing: {result['reasons']}.")
    return figures(result["rtts"], result["sent"])


def run(*, quick: bool, rounds: int | None = None) -> dict[str, Any]:
    """Measure farhand, stock aiortc without a gate, and a plain UDP echo, in turns."""
    turn_ms = QUICK_MEASURE_MS if quick else MEASURE_MS
    with rig() as rig_:
        ours, stock = Farhand(rig_.host.url), Stock()

        def through(connect: str, function: str) -> Mapping[str, float]:
            rig_.call(connect)
            try:
                return measure(rig_, function, turn_ms)
            finally:
                rig_.disconnect()

        def echo() -> Mapping[str, float]:
            return figures(*round_trips_ms(turn_ms / 1000, HZ))

        try:
            raw = stock.connect_expression(data_only=True)
            parties: dict[str, Callable[[], Mapping[str, float]]] = {
                "udp_echo": echo,
                "farhand": partial(through, ours.connect_expression(), "measureControl"),
                "aiortc_raw": partial(through, raw, "measureEcho"),
            }
            results = interleave(parties, rounds or (QUICK_ROUNDS if quick else ROUNDS))
        finally:
            ours.close()
            stock.close()
    peers = {name: medians(results[name], 3) for name in ("udp_echo", "aiortc_raw")}
    return {
        "farhand": medians(results["farhand"], 3),
        "peers": peers,
        "spread": {name: spreads(found, 3) for name, found in results.items()},
    }
