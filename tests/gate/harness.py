"""A real gate process with the null driver, and an agent's end of its socket."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from farhand.errors import Code
from farhand.protocol import gate_link as g
from farhand.protocol.control import ControlFrame
from farhand.protocol.types import SteerBy
from tests import evidence

Message = TypeVar("Message", bound=g.FromGate)
PATIENCE_S = 20.0


def now_us() -> int:
    return time.monotonic_ns() // 1000


class GateProcess:
    """`farhand gate run` in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, null: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.socket = folder / "g.sock"
        self.log = folder / "calls"
        self.text = folder / "stderr"
        options = {"log": str(self.log), **(null or {})}
        self.argv = [sys.executable, "-m", "farhand", "gate", "run", "--socket", str(self.socket)]
        self.argv += ["--state", str(folder / "state"), "--driver", "null"]
        self.argv += ["--null", json.dumps(options), *arguments]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "GateProcess":
        """Start it and wait for its socket."""
        self.launch()
        wait_for(lambda: self.socket.exists() or self.code is not None)
        assert self.code is None, self.text.read_text()
        return self

    def evidence(self) -> Iterator[tuple[str, str]]:
        """Return what it wrote."""
        if self.text.exists():
            yield f"gate, exit code {self.code}", evidence.tail(self.text.read_text())

    def launch(self) -> subprocess.Popen[bytes]:
        with self.text.open("ab") as text:
            self.process = subprocess.Popen(self.argv, stdout=text, stderr=text)
        return self.process

    @property
    def code(self) -> int | None:
        """Exit code; ``None``: it runs."""
        assert self.process is not None
        return self.process.poll()

    def signal(self, signum: int) -> None:
        assert self.process is not None
        self.process.send_signal(signum)

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """kill -9; its socket file stays behind."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def calls(self) -> list[tuple[int, str, tuple[float, ...]]]:
        """Return what the driver was told: time, name of the call, setpoint."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        calls = []
        for line in lines:
            at, name, *setpoint = line.split()
            calls.append((int(at), name, tuple(map(float, setpoint))))
        return calls

    def last_motion_us(self) -> int:
        """Return when the driver last got a setpoint that was not zero."""
        return max((at for at, _, setpoint in self.calls() if any(setpoint)), default=0)


class Agent:
    """The agent's end: answers beats for member 1 on a thread, and drives on request."""

    def __init__(self, gate: GateProcess, *, answers: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        # A file may be left over from a gate that was killed: the new one replaces it.
        wait_for(lambda: self.socket.connect_ex(str(gate.socket)) == 0)
        self.answers = answers
        self.messages: list[g.FromGate] = []
        self.sent: list[int] = []
        self.heard = 0
        self.epoch = 0
        self.seq = 0
        self.is_closed = False
        self.is_relayed = False
        self.shows: Callable[[int], tuple[int, int]] | None = None
        """What the driver is shown by now: stamp of the newest picture, loop latency in ms."""
        self.insists = True
        """Drive on after the gate has stopped the robot: on a machine that stalls, it does so."""
        self._is_stopped = False
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._driving: threading.Thread | None = None
        self._axes: tuple[float, ...] | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def send(self, message: g.ToGate) -> None:
        self.socket.sendall(g.pack_link(message))

    def command(self, axes: tuple[float, ...], **changes: int) -> None:
        """Send one frame of member 1."""
        self.seq += 1
        fields = {"epoch": self.epoch, "seq": self.seq, "sent_us": now_us(), "heard": self.heard}
        fields |= {"seen_us": 0, "loop_ms": 0}
        if self.shows is not None:
            fields["seen_us"], fields["loop_ms"] = self.shows(now_us())
        frame = ControlFrame(**(fields | changes), axes=axes)
        self.sent.append(frame.sent_us)
        self.send(g.Command(1, frame.pack(), self.is_relayed))

    def grant(self, epoch: int, steer_by: SteerBy = "local") -> None:
        """Grant ``epoch``; ``local``: without the governor."""
        self.epoch, self.seq = epoch, 0
        self.send(g.Grant(1, epoch, steer_by))

    def wait(
        self, kind: type[Message], matches: Callable[[Message], bool] | None = None
    ) -> Message:
        """Return the first message of ``kind`` that matches, past or to come."""
        seen = 0
        deadline = time.monotonic() + PATIENCE_S
        with self._arrived:
            while True:
                while seen < len(self.messages):
                    message = self.messages[seen]
                    seen += 1
                    if isinstance(message, kind) and (matches is None or matches(message)):
                        return message
                left = deadline - time.monotonic()
                assert left > 0, f"no {kind.__name__}"
                assert not self.is_closed, f"closed before {kind.__name__}"
                self._arrived.wait(min(left, 0.1))

    def verdict(self, axes: tuple[float, ...], **changes: int) -> g.Judged:
        """Send a frame and return what became of it."""
        self.command(axes, **changes)
        seq = changes.get("seq", self.seq)
        stamp = self.sent[-1]
        return self.wait(g.Judged, lambda m: m.seq == seq and m.sent_us == stamp)

    def newest(self, kind: type[Message]) -> Message:
        """Return the last message of ``kind`` that has come."""
        self.wait(kind)
        with self._arrived:
            return next(m for m in reversed(self.messages) if isinstance(m, kind))

    def refusal(
        self, axes: tuple[float, ...] = (0.0,) * 4, *, age_us: int = 0, **changes: int
    ) -> Code | None:
        """Return the verdict's code; a frame that was only held up on its way is sent again."""
        slow = {Code.TOO_OLD, Code.BEAT_TOO_OLD} - ({Code.TOO_OLD} if age_us else set())
        for _ in range(5):
            code = self.verdict(axes, sent_us=now_us() - age_us, **changes).code
            if code not in slow:
                break
        return code

    def ready(self, epoch: int) -> None:
        """Grant, and send neutral until it is taken."""
        self.grant(epoch)
        wait_for(lambda: self.verdict((0.0,) * 4).code is None)

    def drive(self, *axes: float) -> None:
        """Send ``axes`` at 50 Hz from now on, on a thread."""
        self._axes = axes
        if self._driving is None:
            self._driving = threading.Thread(target=self._drive, daemon=True)
            self._driving.start()

    def rest(self) -> int:
        """Send no more; return when the last frame was sent."""
        self._axes = None
        if self._driving is not None:
            self._driving.join()
            self._driving = None
        return self.sent[-1]

    def close(self) -> None:
        """End like a process that was killed: the kernel closes the socket."""
        if self._driving is not None:
            self.rest()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(1)
        self.socket.close()

    def _drive(self) -> None:
        with contextlib.suppress(OSError):
            while (axes := self._axes) is not None:
                is_neutral = self._is_stopped and self.insists
                self.command((0.0,) * len(axes) if is_neutral else axes)
                time.sleep(0.02)

    def _read(self) -> None:
        reader = g.LinkReader()
        with contextlib.suppress(OSError):
            while data := self.socket.recv(65536):
                for body in reader.feed(data):
                    self._take(g.decode_from_gate(body))
        with self._arrived:
            self.is_closed = True
            self._arrived.notify_all()

    def _take(self, message: g.FromGate) -> None:
        if isinstance(message, g.GateBeatNow) and self.answers:
            self.send(g.Answered(1, message.n, now_us()))
            self.heard = message.n
        if isinstance(message, g.Judged):
            self._is_stopped = message.code is Code.NEUTRAL_FIRST or (
                self._is_stopped and message.code is not None
            )
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()


def wait_for(condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + patience_s
    while True:
        is_last = time.monotonic() > deadline  # we look once more after a stall
        if condition():
            return
        assert not is_last, "waited in vain"
        time.sleep(0.005)


@contextlib.contextmanager
def agent_of(gate: GateProcess) -> Iterator[Agent]:
    agent = Agent(gate)
    try:
        yield agent
    finally:
        agent.close()
