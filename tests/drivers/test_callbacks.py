"""A robot moved by its own program: what its callback gets, when, and what is a fault."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from farhand.drivers import callback_wire as wire
from farhand.drivers.callbacks import CallbackDriver, ask
from farhand.errors import ConfigError, DriverError
from farhand.robot import Host, axis, joint, twist

pytestmark = pytest.mark.process

TICK_S = 0.02
AXES = twist(linear_x=1.0, angular_z=2.0)


class Program:
    """A robot's program that writes down what it is told and misbehaves on request."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, dict[str, float]]] = []
        self.stops: list[float] = []
        self.halts: list[float] = []
        self.misbehave: Callable[[Mapping[str, float]], None] = lambda rates: None

    def move(self, rates: Mapping[str, float]) -> None:
        self.calls.append((time.monotonic(), dict(rates)))
        self.misbehave(rates)

    def stop(self) -> None:
        self.stops.append(time.monotonic())

    def halt(self) -> None:
        self.halts.append(time.monotonic())

    @property
    def last(self) -> dict[str, float]:
        return self.calls[-1][1] if self.calls else {}

    def wait_for(self, is_so: Callable[[], bool], timeout_s: float = 2.0) -> float:
        began = time.monotonic()
        while not is_so():
            assert time.monotonic() - began < timeout_s, self.calls[-5:]
            time.sleep(0.001)
        return time.monotonic() - began


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "robot.sock"


@pytest.fixture
def host(program: Program, path: Path) -> Iterator[Host]:
    with Host(path, program.move, axes=AXES, on_halt=program.halt) as host:
        yield host


@pytest.fixture
def driver(host: Host) -> Iterator[CallbackDriver]:
    driver = CallbackDriver(host.path)
    driver.connect()
    yield driver
    driver.close()


class Feeding:
    """Sends one setpoint each tick, as the gate does, until a send fails."""

    def __init__(
        self, driver: CallbackDriver, setpoint: tuple[float, ...], *, begins: bool = True
    ) -> None:
        self.error: DriverError | None = None
        self._begins = begins
        self._driver, self._setpoint = driver, setpoint
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Feeding":
        if self._begins:
            self._driver.stop()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(TICK_S):
            try:
                self._driver.send(self._setpoint)
            except DriverError as exc:
                self.error = exc
                return

    def fails(self) -> bool:
        return self.error is not None


def test_the_callback_gets_the_rates_by_name(driver: CallbackDriver, program: Program) -> None:
    with Feeding(driver, (0.5, -1.0)):
        program.wait_for(lambda: program.last == {"linear.x": 0.5, "angular.z": -1.0})


def test_it_is_called_with_zero_by_itself_after_100_ms(
    driver: CallbackDriver, program: Program
) -> None:
    with Feeding(driver, (0.5, 0.0)):
        program.wait_for(lambda: program.last.get("linear.x") == 0.5)
    last_motion = program.calls[-1][0]
    program.wait_for(lambda: not any(program.last.values()))
    silence_s = program.calls[-1][0] - last_motion
    assert 0.08 < silence_s < wire.DEVICE_TIMEOUT_S + TICK_S
    time.sleep(0.3)
    assert [any(rates.values()) for _, rates in program.calls][-2:] == [True, False]  # once


def test_it_is_called_with_zero_at_once_when_the_gate_hangs_up(
    driver: CallbackDriver, program: Program
) -> None:
    with Feeding(driver, (0.5, 0.0)):
        program.wait_for(lambda: program.last.get("linear.x") == 0.5)
    driver.close()
    assert program.wait_for(lambda: not any(program.last.values())) < 0.05


def test_the_newest_setpoint_wins_and_none_waits(driver: CallbackDriver, program: Program) -> None:
    program.misbehave = lambda rates: time.sleep(0.05)
    driver.stop()
    program.wait_for(lambda: bool(program.calls))
    for step in range(1, 11):
        driver.send((step / 10, 0.0))
    program.wait_for(lambda: program.last.get("linear.x") == 1.0)
    assert len(program.calls) <= 3


def test_a_callback_that_raises_is_a_fault_and_gets_zero(
    driver: CallbackDriver, program: Program, host: Host
) -> None:
    def refuse(rates: Mapping[str, float]) -> None:
        if any(rates.values()):
            raise OSError("no such motor")

    program.misbehave = refuse
    with Feeding(driver, (0.5, 0.0)) as feeding:
        program.wait_for(feeding.fails)
    assert "no such motor" in str(feeding.error)
    program.wait_for(lambda: not any(program.last.values()))
    assert "no such motor" in host.fault
    driver.connect()
    assert not host.fault


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "exc", [SystemExit(1), KeyboardInterrupt(), MuteError(), ValueError("\udc80")]
)
def test_a_callback_that_ends_its_thread_does_not_end_ours(
    driver: CallbackDriver, program: Program, exc: BaseException
) -> None:
    def fail(rates: Mapping[str, float]) -> None:
        if any(rates.values()):
            raise exc

    program.misbehave = fail
    with Feeding(driver, (0.5, 0.0)) as feeding:
        program.wait_for(feeding.fails)
        assert type(exc).__name__ in str(feeding.error)
        program.wait_for(lambda: not any(program.last.values()))
    driver.connect()
    with Feeding(driver, (0.0, 0.0)):
        before = len(program.calls)
        program.wait_for(lambda: len(program.calls) > before + 3)


def test_zero_is_tried_again_until_it_does_not_raise(
    driver: CallbackDriver, program: Program
) -> None:
    def refuse(rates: Mapping[str, float]) -> None:
        if len(program.calls) < 8:
            raise OSError("not now")

    program.misbehave = refuse
    with contextlib.suppress(DriverError):  # the answer may be here already
        driver.stop()
    program.wait_for(lambda: len(program.calls) == 8)
    assert program.calls[7][0] - program.calls[2][0] > 0.45  # every 100 ms, not as fast as it can
    time.sleep(0.3)
    assert len(program.calls) == 8


def test_a_callback_that_hangs_is_a_fault_after_100_ms(
    driver: CallbackDriver, program: Program
) -> None:
    let_go = threading.Event()

    def hang(rates: Mapping[str, float]) -> None:
        if any(rates.values()):
            let_go.wait()

    program.misbehave = hang
    with Feeding(driver, (0.5, 0.0)) as feeding:
        program.wait_for(lambda: program.last.get("linear.x") == 0.5)
        took_s = program.wait_for(feeding.fails)
    assert 0.08 < took_s < 0.2
    assert "100 ms" in str(feeding.error)
    with pytest.raises(DriverError, match="100 ms"):
        driver.connect()
    let_go.set()
    program.wait_for(lambda: not any(program.last.values()))
    driver.connect()


def test_halt_reaches_the_program_while_the_callback_hangs(
    driver: CallbackDriver, program: Program
) -> None:
    let_go = threading.Event()

    def hang(rates: Mapping[str, float]) -> None:
        let_go.wait()

    program.misbehave = hang
    driver.stop()
    program.wait_for(lambda: bool(program.calls))
    driver.halt()
    assert program.wait_for(lambda: bool(program.halts)) < 0.1
    let_go.set()


def test_after_a_halt_only_neutral_lets_it_move(driver: CallbackDriver, program: Program) -> None:
    driver.stop()
    driver.send((0.5, 0.0))
    program.wait_for(lambda: program.last.get("linear.x") == 0.5)
    driver.halt()
    program.wait_for(lambda: not any(program.last.values()))
    driver.send((0.5, 0.0))
    time.sleep(0.05)
    assert not any(program.last.values())
    driver.stop()
    driver.send((0.5, 0.0))
    program.wait_for(lambda: program.last.get("linear.x") == 0.5)


@pytest.mark.parametrize("behavior", ["hold", "land"])
def test_hold_and_land_have_a_callback_of_their_own(
    program: Program, path: Path, behavior: str
) -> None:
    with Host(path, program.move, axes=AXES, stop_behavior=behavior, on_stop=program.stop):  # type: ignore[arg-type]
        driver = CallbackDriver(path)
        assert driver.stop_behavior == behavior
        driver.connect()
        driver.stop()
        program.wait_for(lambda: len(program.stops) == 1)
        driver.send((0.5, 0.0))
        program.wait_for(lambda: program.last.get("linear.x") == 0.5)
        program.wait_for(lambda: len(program.stops) == 2)  # of itself, after 100 ms
        driver.close()
    assert [rates["linear.x"] for _, rates in program.calls] == [0.5]


def test_positions_come_back(program: Program, path: Path) -> None:
    axes = [joint("elbow", 1.0, position=(-2.0, 2.0)), joint("wrist", 1.0)]
    with Host(path, program.move, axes=axes, positions=lambda: [0.25, None]):
        driver = CallbackDriver(path)
        assert (driver.axes[0].position_minimum, driver.axes[0].position_maximum) == (-2.0, 2.0)
        driver.connect()
        assert driver.positions() == (None, None)
        driver.stop()
        time.sleep(0.05)
        driver.stop()
        assert driver.positions() == (0.25, None)
        assert driver.positions() == (None, None), "the gate would take it for a new one"
        driver.close()


@pytest.mark.parametrize("positions", [[0.1], [float("nan")] * 2, ["a", 0.0]])
def test_positions_without_sense_are_a_fault(
    program: Program, path: Path, positions: list[float]
) -> None:
    with Host(path, program.move, axes=AXES, positions=lambda: positions):
        driver = CallbackDriver(path)
        driver.connect()
        with Feeding(driver, (0.0, 0.0)) as feeding:
            program.wait_for(feeding.fails)
        driver.close()


def test_a_program_that_is_frozen_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "s"
    code = f"""
        import os, signal
        from farhand.robot import serve, twist
        def move(rates):
            if any(rates.values()):
                os.kill(os.getpid(), signal.SIGSTOP)
        serve({str(path)!r}, move, axes=twist(linear_x=1.0))
    """
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(argv) as process:
        assert ask(path, 20.0).axes[0].id == "linear.x"
        driver = CallbackDriver(path)
        driver.connect()
        with Feeding(driver, (0.5,)) as feeding:
            began = time.monotonic()
            while feeding.error is None and time.monotonic() < began + 5:
                time.sleep(0.005)
        assert "has taken nothing" in str(feeding.error)
        assert 0.2 < time.monotonic() - began < 1.0
        driver.close()
        process.kill()


def test_serve_ends_by_sigterm_with_zero(tmp_path: Path) -> None:
    path, log = tmp_path / "s", tmp_path / "log"
    code = f"""
        from farhand.robot import serve, twist
        log = open({str(log)!r}, "a", buffering=1)
        serve({str(path)!r}, lambda rates: print(rates, file=log), axes=twist(linear_x=1.0))
        print("done", file=log)
    """
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(argv) as process:
        ask(path, 20.0)
        process.terminate()
        assert process.wait(5) == 0
    *told, done = log.read_text().splitlines()
    assert set(told) == {"{'linear.x': 0.0}"}
    assert done == "done"
    assert not path.exists()


def test_frames_that_lay_in_the_socket_too_long_are_no_command(
    driver: CallbackDriver, program: Program, host: Host
) -> None:
    driver.stop()
    program.wait_for(lambda: bool(program.calls))
    assert driver._link is not None
    for age_us in (wire.MAX_AGE_US + 20_000, -1_000_000):
        sent_us = time.monotonic_ns() // 1000 - age_us
        driver._link.send(wire.pack(wire.Setpoint(9, sent_us, (0.5, 0.0))))
    time.sleep(0.05)
    assert not any(any(rates.values()) for _, rates in program.calls)
    assert host._caller.ignored == 2


def test_rates_beyond_the_declaration_are_cut(driver: CallbackDriver, program: Program) -> None:
    driver.stop()
    driver.send((7.0, -7.0))
    program.wait_for(lambda: program.last == {"linear.x": 1.0, "angular.z": -2.0})


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\x02\xc1\xc1",
        wire.pack(wire.Setpoint(1, 0, (float("nan"), 0.0))),
        wire.pack(wire.Setpoint(1, 0, (0.0,))),
        wire.pack(wire.Took(1)),
    ],
    ids=["size", "msgpack", "nan", "count", "direction"],
)
def test_nonsense_is_hung_up_on_and_stops_the_robot(
    driver: CallbackDriver, program: Program, host: Host, data: bytes
) -> None:
    driver.stop()
    driver.send((0.5, 0.0))
    program.wait_for(lambda: program.last.get("linear.x") == 0.5)
    assert driver._link is not None
    driver._link.send(data)
    assert program.wait_for(lambda: not any(program.last.values())) < 0.09
    program.wait_for(lambda: not host.is_attached)
    with Feeding(driver, (0.5, 0.0), begins=False) as feeding:
        program.wait_for(feeding.fails)


def test_who_is_no_gate_moves_nothing(host: Host, program: Program) -> None:
    with wire.dial(host.path, 1.0) as stranger:
        sent_us = time.monotonic_ns() // 1000
        stranger.sendall(wire.pack(wire.Stop(1, sent_us)))
        assert stranger.recv(1) == b""
    assert not program.calls


def test_connections_are_bounded(host: Host) -> None:
    refused, links = 0, []
    for _ in range(12):
        link = wire.dial(host.path, 1.0)
        links.append(link)
        try:
            link.sendall(wire.pack(wire.Ask()))
            refused += link.recv(1) == b""
        except ConnectionError:
            refused += 1
    assert refused == 4
    for link in links:
        link.close()


def test_a_newer_gate_takes_over(host: Host, driver: CallbackDriver, program: Program) -> None:
    newer = CallbackDriver(host.path)
    newer.connect()
    with Feeding(driver, (0.0, 0.0), begins=False) as feeding:
        program.wait_for(feeding.fails)
    newer.stop()
    newer.send((0.5, 0.0))
    program.wait_for(lambda: program.last.get("linear.x") == 0.5)
    newer.close()


def test_the_socket_is_ours_alone(host: Host) -> None:
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o600


def test_a_program_that_answers_nonsense_is_refused(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def answer() -> None:
        for reply in (b"\0\0\0\x02\xc1\xc1", wire.pack(wire.Declaration(1, (), "zero"))):
            peer, _ = listener.accept()
            peer.recv(100)
            peer.sendall(reply)
            peer.close()

    threading.Thread(target=answer, daemon=True).start()
    for _ in range(2):
        with pytest.raises(DriverError, match="driver's socket"):
            ask(path, 0.0)
    listener.close()


def test_a_program_with_other_axes_needs_a_new_gate(path: Path, program: Program) -> None:
    driver = CallbackDriver(path)
    with Host(path, program.move, axes=AXES):
        driver.connect()
    with (
        Host(path, program.move, axes=twist(linear_x=1.0)),
        pytest.raises(DriverError, match="other axes"),
    ):
        driver.connect()


def test_two_programs_cannot_listen_at_one_place_but_a_leftover_is_removed(
    host: Host, program: Program, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="another program"):
        Host(host.path, program.move, axes=AXES).start()
    leftover = tmp_path / "left"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(os.fspath(leftover))
    dead.close()
    with Host(leftover, program.move, axes=AXES):
        assert ask(leftover).stop_behavior == "zero"


def nothing(_rates: Mapping[str, float]) -> None:
    pass


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"axes": []}, "1 to 32 axes"),
        ({"axes": [*AXES, *AXES]}, "ids of their own"),
        ({"axes": [axis("a b", -1, 1, "m/s")]}, "no id"),
        ({"axes": [axis("a", 0.1, 1, "m/s")]}, "zero must lie"),
        ({"axes": [axis("a", -1, float("inf"), "m/s")]}, "finite"),
        ({"axes": [axis("a", -1, 1, "m/s", jerk=0.0)]}, "above zero"),
        ({"axes": [joint("a", 1, position=(2.0, 1.0))]}, "lowest position"),
        ({"axes": [joint("a", 1, position=(None, 1.0))]}, "needs positions"),
        ({"axes": AXES, "stop_behavior": "hold"}, "needs on_stop"),
        ({"axes": [joint("a" * 60 + str(i), 1, label="x" * 64) for i in range(32)]}, "shorter"),
    ],
    ids=str,
)
def test_a_declaration_without_sense_is_refused(
    path: Path, keywords: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        Host(path, nothing, **keywords)  # type: ignore[arg-type]
