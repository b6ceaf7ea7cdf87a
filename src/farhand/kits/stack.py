"""Starts farhand's programs on this machine, watches them, and leaves nothing behind.

The demo, the tests and the benches drive the same programs through this; it knows command lines,
not code.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from farhand.errors import Code, FarhandError

HOST = "127.0.0.1"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 3.0
RESTART_DELAY_S = 0.5
DIE_WITH_PARENT = "FARHAND_DIE_WITH_PARENT"
"""Environment variable: the command line asks the kernel for SIGTERM when its parent is gone."""


@dataclass(frozen=True, slots=True)
class Robot:
    """One robot of a stack."""

    id: str
    name: str
    seed: int = 1
    is_simulated: bool = True
    """Otherwise it has the null driver, and cameras only by ``agent_arguments``."""


@dataclass(slots=True)
class Program:
    """One child process and how to tell that it is up."""

    name: str
    argv: list[str]
    is_ready: Callable[[], bool]
    restart: bool = True
    """Start it again when it ends by itself."""
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None
    restarts: int = 0


@dataclass(slots=True)
class Options:
    """What a stack consists of."""

    robots: tuple[Robot, ...] = (Robot("sim-rover", "sim-rover"),)
    port: int = 0
    """0: any free port."""
    supervise: bool = True
    """Restart what dies. Off in tests that watch a program stay dead."""
    server_arguments: list[str] = field(default_factory=list)
    agent_arguments: list[str] = field(default_factory=list)
    agent_prefix: list[str] = field(default_factory=list)
    """Command before each agent's own, for one that runs in another network namespace."""
    sim_arguments: list[str] = field(default_factory=list)
    accounts: bool = False
    """People and robots must prove who they are; the robots enrol by a key when they start, and
    ``token`` is made: it may do everything."""
    token: str = ""
    """By which a server with accounts is asked how its robots are."""
    governor: dict[str, float] = field(default_factory=dict)
    """What the robots' owner says of the governor, by its names in the configuration."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables of all programs, beside ours."""


def free_port(preferred: int = 0) -> int:
    """Return ``preferred`` if it is free on loopback, else the next free one; 0: any."""
    candidates = range(preferred, preferred + 100) if preferred else (0,)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise FarhandError(Code.PORT_TAKEN, f"No free port from {preferred} to {preferred + 99}.")


class Stack:
    """A server, and for each robot a simulator and an agent (which starts its gate).

    Use as a context manager: on leaving, every program is stopped and the folder removed.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.port = self.options.port or free_port()
        # Unix socket paths hold 107 bytes: keep the folder's name short.
        self.folder = Path(tempfile.mkdtemp(prefix="farhand-"))
        self.programs: dict[str, Program] = {}
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None
        self._add_programs()

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://localhost:{self.port}"

    def sim_socket(self, robot_id: str) -> Path:
        """Return the simulator's socket, for drivers, cameras, fault switches and observers."""
        return self.folder / robot_id / "sim.sock"

    def state_folder(self, robot_id: str) -> Path:
        """Return the folder of the robot's agent and gate."""
        return self.folder / robot_id / "state"

    def gate_pid(self, robot_id: str) -> int | None:
        """Return the process id of the robot's gate."""
        marker = self.state_folder(robot_id) / "gate.pid"
        try:
            return int(marker.read_text())
        except (OSError, ValueError):
            return None

    def __enter__(self) -> "Stack":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start everything and return when every program is up.

        Raises:
            FarhandError: A program ended or was not up within 30 s; the text ends with its
                last words.

        """
        try:
            for program in self.programs.values():
                self.launch(program.name)
            for program in self.programs.values():
                self._wait_until_ready(program)
        except BaseException:
            self.close()
            raise
        if self.options.supervise:
            self._watcher = threading.Thread(target=self._watch, name="stack-watcher", daemon=True)
            self._watcher.start()

    def wait_until_online(self, robot_id: str) -> None:
        """Return when the robot's agent is in its room and its gate answers.

        Raises:
            FarhandError: Not within 30 s.

        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self._is_robot_online(robot_id) and self.gate_pid(robot_id) is not None):
            if time.monotonic() > deadline:
                words = self.last_words(f"agent-{robot_id}")
                raise FarhandError(Code.INTERNAL, f"{robot_id} did not come back:\n{words}")
            time.sleep(0.02)

    def launch(self, name: str) -> None:
        """Start one program (again)."""
        program = self.programs[name]
        program.log = self.folder / f"{name}.log"
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", DIE_WITH_PARENT: "1"}
        for key, value in self.options.governor.items():
            environment[f"FARHAND_AGENT__GOVERNOR__{key.upper()}"] = str(value)
        environment |= self.options.environment
        with program.log.open("ab") as log:
            program.process = subprocess.Popen(
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C goes to us alone: we stop them in order
            )

    def kill(self, name: str, signum: int = signal.SIGKILL) -> None:
        """Send a signal to one program."""
        process = self.programs[name].process
        if process is not None:
            process.send_signal(signum)

    def close(self) -> None:
        """Stop everything, gates included, and remove the folder. Idempotent."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join(timeout=STOP_TIMEOUT_S)
        gates = [self.gate_pid(robot.id) for robot in self.options.robots]
        running = [p.process for p in self.programs.values() if p.process is not None]
        # The agents first: they leave the room and stop their gates.
        for name in sorted(self.programs, key=lambda name: not name.startswith("agent")):
            process = self.programs[name].process
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in running:
            try:
                process.wait(timeout=max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in gates:
            if pid is not None and _is_farhand(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self, name: str, lines: int = 15) -> str:
        """Return the end of a program's log."""
        log = self.programs[name].log
        if log is None or not log.exists():
            return ""
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])

    def _add(self, name: str, arguments: list[str], is_ready: Callable[[], bool]) -> None:
        self.programs[name] = Program(name, [sys.executable, "-m", "farhand", *arguments], is_ready)

    def _add_programs(self) -> None:
        options, state = self.options, str(self.folder / "server")
        serve = ["serve", "--host", HOST, "--port", str(self.port), "--state", state]
        if options.accounts:
            serve += ["--auth", "accounts"]
            self._found(self.folder / "server")
        self._add("server", [*serve, *options.server_arguments], self._is_server_up)
        for robot in options.robots:
            self._add_robot(robot)

    def _found(self, state: Path) -> None:
        from farhand.kits import accounts  # noqa: PLC0415 - loads the server

        founded = accounts.found(state)
        self.options.token = founded.admin_token
        accounts.write_secret(self._enrolment_file, founded.enrolment_key)

    @property
    def _enrolment_file(self) -> Path:
        return self.folder / "enrolment-key"

    def _add_robot(self, robot: Robot) -> None:
        options, state = self.options, self.state_folder(robot.id)
        state.mkdir(parents=True)
        agent = ["agent", "run", "--server", f"http://{HOST}:{self.port}", "--state", str(state)]
        agent += ["--robot-id", robot.id, "--name", robot.name, "--unlatch-on-grant"]
        if options.accounts:
            agent += ["--enrolment-file", str(self._enrolment_file)]
        if robot.is_simulated:
            agent += self._add_simulator(robot)
        else:
            agent += ["--driver", "null"]
        is_online, name = partial(self._is_robot_online, robot.id), f"agent-{robot.id}"
        self._add(name, [*agent, *options.agent_arguments], is_online)
        self.programs[name].argv[:0] = options.agent_prefix

    def _add_simulator(self, robot: Robot) -> list[str]:
        sim_socket = self.sim_socket(robot.id)
        sim = ["sim", "run", "--socket", str(sim_socket), "--robot-id", robot.id]
        sim += ["--seed", str(robot.seed), *self.options.sim_arguments]
        self._add(f"sim-{robot.id}", sim, sim_socket.exists)
        return ["--driver", "sim", "--sim-socket", str(sim_socket)]

    def get(self, path: str) -> bytes | None:
        """Return what the server answers to a GET; ``None``: it is away, or refuses."""
        try:
            request = urllib.request.Request(f"http://{HOST}:{self.port}{path}")
            if self.options.token:
                request.add_header("Authorization", f"Bearer {self.options.token}")
            with urllib.request.urlopen(request, timeout=1) as answer:  # noqa: S310 - http
                return bytes(answer.read())
        except (urllib.error.URLError, OSError):
            return None

    def _is_server_up(self) -> bool:
        return self.get("/health") is not None

    def _is_robot_online(self, robot_id: str) -> bool:
        answer = self.get(f"/v1/robot/{robot_id}")
        return answer is not None and b'"online":true' in answer.replace(b" ", b"")

    def _wait_until_ready(self, program: Program) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not program.is_ready():
            ended = program.process is not None and program.process.poll() is not None
            if ended or time.monotonic() > deadline:
                what = "ended" if ended else f"was not up within {START_TIMEOUT_S:.0f} s"
                words = self.last_words(program.name)
                raise FarhandError(
                    Code.INTERNAL, f"{program.name} {what}. Its last words:\n{words}"
                )
            time.sleep(0.02)

    def _watch(self) -> None:
        while not self._closing.wait(RESTART_DELAY_S):
            for program in self.programs.values():
                process = program.process
                if program.restart and process is not None and process.poll() is not None:
                    program.restarts += 1
                    self.launch(program.name)


def _is_farhand(pid: int) -> bool:
    # A process id may have been used again: only kill what is one of ours.
    try:
        return b"farhand" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
