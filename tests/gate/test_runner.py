"""The main loop's own part in a STOP, without a process around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from farhand.core.gate_config import GateConfig
from farhand.drivers.null import NullDriver
from farhand.gate.link import listen
from farhand.gate.runner import Runner, RunOptions
from farhand.protocol import gate_link as g


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    driver = NullDriver()
    driver.connect()
    listener = listen(tmp_path / "gate.sock")
    made = Runner(GateConfig(), driver, driver.axes, listener, RunOptions(tmp_path))
    made._actuator.start()
    yield made
    made._close()


def test_many_stops_wait_for_a_busy_driver_once_a_turn(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def is_busy(timeout_s: float) -> bool:
        waits.append(timeout_s)
        return False

    monkeypatch.setattr(runner._actuator, "wait_delivered", is_busy)
    for nonce in range(50):
        runner._handle(g.Halt(1, nonce, "ana"))
    assert len(waits) == 1  # 50 waits would keep beats and watchdog pulses back for seconds
    assert runner.gate.latch.kind == "stop"
    runner._turn()
    runner._handle(g.Halt(1, 50, "ana"))
    assert len(waits) == 2
    monkeypatch.undo()
