"""What the link says when there is no gate."""

import asyncio
import itertools
from pathlib import Path

from structlog.testing import capture_logs

from farhand.agent import gate_link
from farhand.agent.gate_link import GateEvents, GateLink
from farhand.gate import process


async def test_a_gate_that_somebody_else_should_have_started_is_missed_aloud_once(
    tmp_path: Path,
) -> None:
    asked = itertools.count()
    is_over = asyncio.Event()

    def clock() -> float:  # a second passes whenever somebody looks
        now_s = next(asked)
        if now_s > 20:
            is_over.set()
        return float(now_s)

    events = GateEvents(lambda _message: None, lambda: None, lambda: None)
    link = GateLink(tmp_path / "gate.sock", command=(), events=events, clock=clock)
    with capture_logs() as logs:
        running = asyncio.create_task(link.run())
        await asyncio.wait_for(is_over.wait(), 10)
        running.cancel()
    assert [(line["log_level"], line["path"]) for line in logs] == [
        ("warning", str(tmp_path / "gate.sock"))
    ]


def test_a_gate_whose_device_is_not_there_lives_to_say_so() -> None:
    assert gate_link.START_TIMEOUT_S >= 2 * process.CONNECT_S
