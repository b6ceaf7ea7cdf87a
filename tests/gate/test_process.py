"""The gate as a process of its own: whatever happens around it, the driver gets zero."""

import itertools
import signal
import socket
import stat
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farhand.errors import Code
from farhand.protocol import gate_link as g
from tests.gate.harness import Agent, GateProcess, agent_of, now_us, wait_for
from tests.stalls import StallWatch

pytestmark = pytest.mark.process

PROMISE_US = 1_000_000
"""300 ms and a tick are promised and benched; a test on a busy machine asks for one second."""


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[GateProcess]:
    gate = GateProcess(tmp_path, "--unlatch-on-grant").start()
    yield gate
    gate.kill()


@pytest.fixture
def agent(gate: GateProcess) -> Iterator[Agent]:
    with agent_of(gate) as agent:
        yield agent


@pytest.fixture
def driving(agent: Agent, gate: GateProcess) -> Agent:
    agent.ready(1)
    agent.drive(0.5, 0.0, 0.0, 0.0)
    wait_for(lambda: gate.last_motion_us() > 0)
    return agent


def test_the_gate_says_hello_state_and_beats_twenty_times_a_second(agent: Agent) -> None:
    hello = agent.wait(g.GateHello)
    assert (hello.axes, hello.max_age_ms, hello.device_timeout_s) == (4, 150, 0.25)
    state = agent.wait(g.GateState)
    assert (state.epoch, state.latch, state.stop_id, state.moving) == (0, "start", 1, False)
    first = agent.wait(g.GateBeatNow)
    agent.wait(g.GateBeatNow, lambda beat: beat.n == first.n + 20)
    beats = [message.gate_us for message in agent.messages if isinstance(message, g.GateBeatNow)]
    periods = [after - before for before, after in itertools.pairwise(beats)]
    assert 45_000 < statistics.median(periods) < 60_000


def test_only_this_user_can_open_the_socket(gate: GateProcess) -> None:
    assert stat.S_IMODE(gate.socket.stat().st_mode) == 0o600


def test_commands_reach_the_driver_and_each_gets_a_verdict(
    driving: Agent, gate: GateProcess
) -> None:
    driving.wait(g.Judged, lambda m: m.code is None and m.seq > 10)
    assert driving.wait(g.GateState, lambda s: s.moving).epoch == 1
    speeds = [setpoint[0] for _, name, setpoint in gate.calls() if name == "send"]
    assert max(speeds) <= 0.5 + 1e-9
    stopped = driving.newest(g.GateState).watchdog
    with StallWatch() as watch:
        last = driving.rest()
        wait_for(lambda: gate.calls()[-1][1] == "stop")
        assert gate.last_motion_us() - last - watch.lost_s * 1e6 < PROMISE_US
    driving.wait(g.GateState, lambda s: s.watchdog > stopped and not s.moving)


def test_refusals_carry_their_code(agent: Agent) -> None:
    assert agent.refusal() is Code.NOT_HOLDER
    agent.ready(7)
    agent.seq += 100
    assert agent.refusal(seq=1) is Code.REPLAYED
    assert agent.refusal(epoch=6) is Code.NOT_HOLDER
    assert agent.refusal(age_us=200_000) is Code.TOO_OLD
    # As far ahead as no stall can make up for.
    assert agent.refusal(age_us=-30_000_000) is Code.FROM_THE_FUTURE
    assert agent.verdict((0.0,) * 4, heard=2**31).code in {Code.BEAT_TOO_OLD, Code.TOO_OLD}
    wait_for(lambda: agent.verdict((0.0,) * 4, heard=2**31).code is Code.BEAT_TOO_OLD)
    assert agent.refusal((0.0, float("nan"), 0.0, 0.0)) is Code.NOT_FINITE
    assert agent.refusal((0.0,)) is Code.BAD_FRAME
    agent.send(g.Command(1, b"short"))
    assert agent.wait(g.Judged, lambda m: m.seq == 0).code is Code.BAD_FRAME
    assert sum(agent.wait(g.GateState, lambda s: len(s.refused) >= 7).refused.values()) >= 8


def test_a_command_that_came_over_the_server_must_have_heard_a_newer_beat(agent: Agent) -> None:
    agent.ready(7)
    verdicts: list[tuple[Code | None, Code | None, Code | None]] = []

    def are_told_apart() -> bool:
        heard = agent.heard
        time.sleep(0.25)
        agent.is_relayed = False
        direct = agent.verdict((0.0,) * 4, heard=heard).code
        agent.is_relayed = True
        relayed = agent.verdict((0.0,) * 4, heard=heard).code
        assert relayed is not None
        verdicts.append((direct, relayed, agent.verdict((0.0,) * 4).code))
        return verdicts[-1] == (None, Code.BEAT_TOO_OLD, None)

    wait_for(are_told_apart)  # at once, where the machine does not stall


def test_an_agent_that_is_killed_leaves_a_standing_robot(driving: Agent, gate: GateProcess) -> None:
    with StallWatch() as watch:
        driving.close()
        gone = now_us()
        wait_for(lambda: gate.calls()[-1][1] == "stop")
        assert gate.last_motion_us() - gone - watch.lost_s * 1e6 < PROMISE_US / 2
    with agent_of(gate) as again:
        assert again.wait(g.GateState).epoch == 0
        again.grant(1)
        again.wait(g.GateBeatNow)
        assert again.verdict((0.0,) * 4).code is Code.NOT_HOLDER  # an epoch is used once
        again.ready(2)


def test_stop_is_latched_on_disk_and_survives_kill_and_restart(
    driving: Agent, gate: GateProcess
) -> None:
    driving.send(g.Halt(9, 77, "Ben"))
    halted = driving.wait(g.Halted)
    stopped = now_us()
    assert (halted.member, halted.nonce) == (9, 77)
    time.sleep(0.1)
    assert gate.last_motion_us() <= stopped
    assert driving.wait(g.GateState, lambda s: s.latch == "stop").stop_by == "Ben"
    gate.kill()
    driving.close()
    gate.start()
    with agent_of(gate) as again:
        state = again.wait(g.GateState)
        assert (state.latch, state.stop_id, state.stop_by) == ("stop", halted.stop_id, "Ben")
        again.grant(2)
        assert again.verdict((0.0,) * 4).code is Code.LATCHED
        again.send(g.Reset(1, halted.stop_id - 1))
        assert again.wait(g.ResetDone).code is Code.WRONG_STOP_ID
        again.send(g.Reset(1, halted.stop_id))
        again.wait(g.ResetDone, lambda m: m.code is None)
        assert again.verdict((0.0,) * 4).code is Code.NOT_HOLDER
        again.ready(3)


def test_a_reset_survives_a_restart_too(agent: Agent, gate: GateProcess) -> None:
    agent.send(g.Halt(9, 1, "Ben"))
    stop_id = agent.wait(g.Halted).stop_id
    agent.send(g.Reset(1, stop_id))
    agent.wait(g.ResetDone, lambda m: m.code is None)
    gate.kill()
    gate.start()
    with agent_of(gate) as again:
        state = again.wait(g.GateState)
        assert (state.latch, state.stop_id) == ("start", stop_id + 1)


def test_a_frozen_gate_stands_before_it_reads_what_waits(driving: Agent, gate: GateProcess) -> None:
    driving.insists = False
    stopped = driving.newest(g.GateState).watchdog
    gate.signal(signal.SIGSTOP)
    time.sleep(0.6)
    thawed = now_us()
    gate.signal(signal.SIGCONT)
    driving.wait(g.Judged, lambda m: m.at_us >= thawed and m.code is Code.NEUTRAL_FIRST)
    time.sleep(0.1)
    motion = [at for at, _, setpoint in gate.calls() if any(setpoint) and at >= thawed]
    assert not motion
    assert gate.code is None  # a pause is nobody's fault: no latch, no exit
    assert driving.wait(g.GateState, lambda s: s.watchdog > stopped).latch is None
    driving.rest()
    wait_for(lambda: driving.verdict((0.0,) * 4).code is None)


def test_a_second_agent_is_turned_away(driving: Agent, gate: GateProcess) -> None:
    second = Agent(gate)
    wait_for(lambda: second.is_closed)
    assert second.messages == []
    second.close()
    count = len(driving.sent)
    driving.wait(g.Judged, lambda m: m.code is None and m.seq > count)


def send_for_ever(link: socket.socket, data: bytes) -> None:
    for _ in range(20_000):
        link.sendall(data)


@pytest.mark.parametrize("nonsense", [b"\xff" * 64, b"\0\0\0\1\xc1", b"\0\0\0\3\x92\x63\x01"])
def test_nonsense_ends_the_connection_and_the_motion(
    driving: Agent, gate: GateProcess, nonsense: bytes
) -> None:
    driving.socket.sendall(nonsense)
    wait_for(lambda: driving.is_closed)
    wait_for(lambda: gate.calls()[-1][1] == "stop")
    with agent_of(gate) as again:
        assert again.wait(g.GateState).epoch == 0


def test_an_agent_that_reads_nothing_is_cut_off(gate: GateProcess) -> None:
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(str(gate.socket))
    message = g.pack_link(g.Halt(1, 1, "x" * 3000)) * 20
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        send_for_ever(deaf, message)
    deaf.close()
    with agent_of(gate) as again:
        assert again.wait(g.GateState).latch == "stop"


def test_a_send_that_never_returns_ends_the_gate_latched(tmp_path: Path) -> None:
    gate = GateProcess(tmp_path, "--unlatch-on-grant", null={"hang_at": 5}).start()
    try:
        with agent_of(gate) as agent:
            agent.ready(1)
            agent.drive(0.5, 0.0, 0.0, 0.0)
            assert gate.wait() == 70
        calls = gate.calls()
        assert calls[-1][1] == "halt"
        assert calls[-1][0] - gate.last_motion_us() < PROMISE_US
        gate.argv[gate.argv.index("--null") + 1] = "{}"
        gate.start()
        with agent_of(gate) as again:
            state = again.wait(g.GateState)
            assert (state.latch, state.stop_by) == ("stop", "driver: send did not return")
    finally:
        gate.kill()


def test_a_driver_that_raises_latches_and_comes_back(tmp_path: Path) -> None:
    gate = GateProcess(tmp_path, "--unlatch-on-grant", null={"raise_at": 5}).start()
    try:
        with agent_of(gate) as agent:
            agent.ready(1)
            agent.drive(0.5, 0.0, 0.0, 0.0)
            state = agent.wait(g.GateState, lambda s: s.latch == "stop")
            agent.rest()
            assert state.stop_by == state.fault == "driver: FH-6001 The device refused."
            assert "halt" in [name for _, name, _ in gate.calls()]
            agent.wait(g.GateState, lambda s: s.latch == "stop" and not s.fault)
            agent.send(g.Reset(1, state.stop_id))
            agent.wait(g.ResetDone, lambda m: m.code is None)
            agent.ready(2)
    finally:
        gate.kill()


def test_a_stop_that_cannot_be_written_holds_but_is_not_acknowledged(
    driving: Agent, gate: GateProcess
) -> None:
    blocked = gate.folder / "state" / "stop-latch.new"
    blocked.mkdir()  # root may write anywhere; into a folder nobody may
    driving.send(g.Halt(9, 1, "Ben"))
    state = driving.wait(g.GateState, lambda s: s.latch == "stop")
    assert "latch" in driving.wait(g.GateState, lambda s: bool(s.fault)).fault
    assert not [m for m in driving.messages if isinstance(m, g.Halted)]
    driving.send(g.Reset(1, state.stop_id))
    assert driving.wait(g.ResetDone).code is Code.LATCH_NOT_SAVED
    blocked.rmdir()
    wait_for(lambda: not driving.newest(g.GateState).fault)
    driving.send(g.Halt(9, 2, "Ben"))
    assert driving.wait(g.Halted).nonce == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"stopId":3}'])
def test_an_unreadable_latch_file_is_a_latch(tmp_path: Path, content: bytes) -> None:
    gate = GateProcess(tmp_path, "--unlatch-on-grant")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "stop-latch.json").write_bytes(content)
    gate.start()
    try:
        with agent_of(gate) as agent:
            state = agent.wait(g.GateState)
            assert (state.latch, state.stop_by) == ("stop", "unreadable latch file")
    finally:
        gate.kill()


def test_sigterm_zeroes_and_exits(driving: Agent, gate: GateProcess) -> None:
    gate.signal(signal.SIGTERM)
    assert gate.wait() == 0
    assert [name for _, name, _ in gate.calls()[-2:]] == ["stop", "close"]
    assert not gate.socket.exists()


def test_a_gate_without_agent_ends(tmp_path: Path) -> None:
    gate = GateProcess(tmp_path, "--wait-agent-s", "2").start()
    agent = Agent(gate)
    hello_at = time.monotonic()
    agent.wait(g.GateHello)
    wait_for(lambda: time.monotonic() - hello_at > 2.2)
    assert gate.code is None
    agent.close()
    assert gate.wait() == 0
    assert gate.calls()[-1][1] == "close"


def test_a_driver_without_time_out_is_refused_unless_accepted(tmp_path: Path) -> None:
    gate = GateProcess(tmp_path, null={"device_timeout_s": None})
    gate.launch()
    assert gate.wait() == 1
    assert "FH-6002" in gate.text.read_text()
    gate.argv.append("--accept-no-device-timeout")
    gate.start()
    try:
        with agent_of(gate) as agent:
            assert agent.wait(g.GateHello).device_timeout_s is None
    finally:
        gate.kill()


def test_two_gates_do_not_share_a_state_folder(gate: GateProcess, tmp_path: Path) -> None:
    other = GateProcess(tmp_path)
    other.launch()
    assert other.wait() == 1
    assert "FH-1004" in other.text.read_text()
    assert gate.socket.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-age-ms", "401"),
        ("--max-age-ms", "19"),
        ("--limits", '{"linear.x": {"maximum": 1.5}}'),
        ("--limits", "{"),
        ("--driver", "teapot"),
        ("--driver", "sim"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    gate = GateProcess(tmp_path, *arguments)
    gate.launch()
    assert gate.wait() == 1
    assert "FH-1001" in gate.text.read_text()


def test_a_verdict_comes_within_milliseconds(
    gate: GateProcess, record_property: Callable[[str, object], None]
) -> None:
    trips = sorted(round_trips(gate, 300))
    p50, p99 = trips[len(trips) // 2], trips[len(trips) * 99 // 100]
    record_property("verdict_us", f"p50 {p50}, p99 {p99}")
    # 0.5 ms is the target when idle; here others may run on the same cores. A tick is 20 ms.
    assert p50 < 10_000


def round_trips(gate: GateProcess, count: int) -> list[int]:
    """Return how long commands took from socket to verdict, in microseconds, at 100 Hz."""
    trips = []
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(gate.socket))
        reader = g.LinkReader()
        command = g.pack_link(g.Command(1, bytes(46)))
        for _ in range(count):
            sent = now_us()
            link.sendall(command)
            while not any(_is_verdict(body) for body in reader.feed(link.recv(65536))):
                pass
            trips.append(now_us() - sent)
            time.sleep(0.01)
    return trips


def _is_verdict(body: bytes) -> bool:
    return isinstance(g.decode_from_gate(body), g.Judged)
