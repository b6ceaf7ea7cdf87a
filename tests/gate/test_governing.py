"""The governor in a real gate process: what a slow or frozen picture does to the driver."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farhand.core.governor_config import GovernorConfig
from farhand.drivers.base import AxisLimits
from farhand.drivers.null import NullDriver, NullOptions
from farhand.errors import Code, ConfigError
from farhand.gate.governing import parse_governor
from farhand.gate.limits import lower, parse_overrides
from farhand.gate.process import check_blind_distance
from farhand.protocol import gate_link as g
from tests.gate.harness import Agent, GateProcess, agent_of, wait_for
from tests.stalls import StallWatch

MS = 1000
JOINT = AxisLimits("elbow", -1, 1, 5, 10, 100, position_minimum=-1.0, position_maximum=2.0)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[GateProcess]:
    gate = GateProcess(tmp_path, "--unlatch-on-grant").start()
    yield gate
    gate.kill()


@pytest.fixture
def agent(gate: GateProcess) -> Iterator[Agent]:
    with agent_of(gate) as agent:
        yield agent


class Screen:
    """Shows pictures that are ``loop_ms`` old, or one for ever."""

    def __init__(self, loop_ms: int) -> None:
        self.loop_ms = loop_ms
        self.frozen_us: int | None = None

    def __call__(self, now_us: int) -> tuple[int, int]:
        shown_us = now_us - self.loop_ms * MS
        return (shown_us if self.frozen_us is None else self.frozen_us), self.loop_ms


def take(agent: Agent, screen: Screen) -> None:
    """Take the lease of somebody who steers by what ``screen`` shows."""
    agent.shows = screen
    agent.grant(1, "video")
    wait_for(lambda: agent.verdict((0.0,) * 4).code is None)


def fastest(gate: GateProcess, since_us: int) -> float:
    return max(
        (max(map(abs, axes)) for at, _, axes in gate.calls() if at > since_us and axes), default=0
    )


@pytest.mark.process
def test_the_driver_gets_less_when_the_loop_gets_longer(gate: GateProcess, agent: Agent) -> None:
    screen = Screen(50)
    take(agent, screen)
    agent.drive(1.0, 0.0, 0.0, 0.0)
    wait_for(lambda: fastest(gate, 0) == 1.0)
    for _ in range(3):
        with StallWatch() as watch:
            screen.loop_ms, changed_us = 400, time.monotonic_ns() // 1000
            time.sleep(1.2)
            seen = fastest(gate, changed_us + 1_000 * MS)
        if watch.lost_s < 0.1 and seen:
            break
        screen.loop_ms = 50  # it was we who stood still: once more
        time.sleep(2.5)
    assert 0 < seen <= 0.5
    state = agent.newest(g.GateState)
    assert state.cap_reason == "loop"
    assert state.cap == pytest.approx(0.45, abs=0.06)
    assert state.loop_ms == pytest.approx(400, abs=80)
    assert state.blind_mm == pytest.approx(200, abs=40)


@pytest.mark.process
def test_a_picture_that_stands_still_stops_the_driver(gate: GateProcess, agent: Agent) -> None:
    screen = Screen(50)
    take(agent, screen)
    agent.drive(1.0, 0.0, 0.0, 0.0)
    wait_for(lambda: fastest(gate, 0) == 1.0)
    with StallWatch() as watch:
        screen.frozen_us = time.monotonic_ns() // 1000 - 50 * MS
        agent.wait(g.Judged, lambda m: m.code is Code.VIDEO_STALE)
        agent.wait(g.GateState, lambda m: m.cap == 0.0 and m.cap_reason == "stale-video")
    state = agent.newest(g.GateState)
    assert state.watchdog == 0, "commands came all the time"
    stood_us = gate.last_motion_us()
    assert stood_us - screen.frozen_us < 1_000 * MS + watch.lost_s * 1e6
    time.sleep(0.3)
    assert gate.last_motion_us() == stood_us
    screen.frozen_us = None
    back_us = time.monotonic_ns() // 1000
    wait_for(lambda: gate.last_motion_us() > stood_us)
    first_us = min(at for at, _, axes in gate.calls() if at > back_us and any(axes))
    assert first_us - back_us >= 950 * MS, "better, but not for a second"


@pytest.mark.process
def test_a_new_cap_is_told_at_once_but_not_with_each_frame(agent: Agent) -> None:
    screen = Screen(50)
    take(agent, screen)
    agent.drive(0.0, 0.0, 0.0, 0.0)
    time.sleep(0.5)
    screen.loop_ms = 700
    changed = len(agent.messages)
    agent.wait(g.GateState, lambda m: 0 < m.cap < 0.4)
    time.sleep(1.0)
    states = [m for m in agent.messages[changed:] if isinstance(m, g.GateState)]
    assert len(states) < 20


@pytest.mark.process
def test_an_axis_with_a_limit_and_no_position_stands(tmp_path: Path) -> None:
    limits = '{"pan": {"position_maximum": 0.5}}'
    gate = GateProcess(tmp_path, "--unlatch-on-grant", "--limits", limits).start()
    try:
        with agent_of(gate) as agent:
            agent.ready(1)
            agent.drive(0.5, 0.0, 0.5, 0.0)
            wait_for(lambda: fastest(gate, 0) == 0.5)
            time.sleep(0.2)
            assert {axes[2] for _, _, axes in gate.calls() if axes} == {0.0}
            assert agent.newest(g.GateState).at_limit == (2,)
    finally:
        gate.kill()


@pytest.mark.process
@pytest.mark.parametrize("text", ['{"blind_cap": 2}', '{"speed": 1}', '{"t_ref_ms": "x"}', "[]"])
def test_a_gate_does_not_start_with_numbers_that_cannot_be(tmp_path: Path, text: str) -> None:
    gate = GateProcess(tmp_path, "--governor", text)
    gate.launch()
    assert gate.wait() != 0
    assert "governor" in gate.text.read_text()


def test_a_gate_with_the_owner_s_numbers(tmp_path: Path) -> None:
    text = '{"t_ref_ms": 150, "blind_distance_m": 0.25, "blind_cap": 0.5}'
    expected = GovernorConfig(t_ref_ms=150, blind_distance_m=0.25, blind_cap=0.5)
    assert parse_governor(text) == expected
    assert parse_governor("") == GovernorConfig()


@pytest.mark.parametrize(
    "text",
    [
        '{"blind_cap": 1.01}',
        '{"blind_cap": 0}',
        '{"blind_cap": null}',
        '{"t_ref_ms": 200.5}',
        '{"t_ref_ms": 1e400}',
        '{"t_ref_ms": 900, "t_stop_ms": 800}',
        '{"max_age_ms": 100}',
        '"x"',
        "{",
    ],
)
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="FH-1001 governor"):
        parse_governor(text)


def test_a_blind_distance_needs_a_base() -> None:
    config = GovernorConfig(blind_distance_m=0.1)
    check_blind_distance(config, NullDriver(NullOptions(axes=1)).axes)
    check_blind_distance(GovernorConfig(), [JOINT])
    with pytest.raises(ConfigError, match="blind_distance_m"):
        check_blind_distance(config, [JOINT])


def test_position_limits_can_be_narrowed() -> None:
    text = '{"elbow": {"position_minimum": -0.5, "position_maximum": 1.5}}'
    (joint,) = lower([JOINT], parse_overrides(text))
    assert (joint.position_minimum, joint.position_maximum) == (-0.5, 1.5)
    free = AxisLimits("elbow", -1, 1, 5, 10, 100)
    (joint,) = lower([free], parse_overrides(text))
    assert (joint.position_minimum, joint.position_maximum) == (-0.5, 1.5)


@pytest.mark.parametrize(
    "text",
    [
        '{"elbow": {"position_minimum": -1.1}}',
        '{"elbow": {"position_maximum": 2.1}}',
        '{"elbow": {"position_minimum": 2.0}}',
        '{"elbow": {"position_minimum": 1.0, "position_maximum": 0.5}}',
    ],
)
def test_position_limits_cannot_be_widened_or_turned_around(text: str) -> None:
    with pytest.raises(ConfigError, match="FH-1001 limits"):
        lower([JOINT], parse_overrides(text))


def test_signals_end_a_governed_gate(gate: GateProcess, agent: Agent) -> None:
    take(agent, Screen(50))
    gate.signal(signal.SIGTERM)
    assert gate.wait() == 0
