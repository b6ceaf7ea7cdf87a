"""Two network namespaces with a bad link between them, for one ``with``.

Nothing outlives it: both namespaces belong to the process of the link, which ends with its owner,
and take devices and programs with them. Nothing of this machine's own network is touched.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from farhand.errors import Code, FarhandError
from farhand.kits.lab import kernel
from farhand.kits.lab.line import Impairment
from farhand.kits.lab.process import (
    MESSAGE_BYTES,
    OPERATOR,
    ROBOT,
    Answer,
    Ask,
    Change,
    Command,
    Failed,
    Ready,
    Report,
)

ANSWER_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3.0
PERFECT = Impairment()


@dataclass(frozen=True, slots=True)
class Place:
    """One of the two namespaces."""

    address: str
    path: Path

    @property
    def prefix(self) -> list[str]:
        """What to put before a command line so that the program runs there."""
        return ["nsenter", f"--net={self.path}", "--"]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Put this thread there, with the threads and programs that it starts meanwhile.

        What existed before stays where it was, sockets included.
        """
        namespace = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with kernel.entered(namespace):
                yield
        finally:
            os.close(namespace)


class Lab:
    """A robot's place and an operator's, as a context manager.

    Args:
        to_operator: What is wrong with the link from the robot.
        to_robot: The other way; ``None``: the same.

    Raises:
        FarhandError: Not on this machine; the text says what is missing.

    """

    def __init__(
        self, to_operator: Impairment = PERFECT, to_robot: Impairment | None = None
    ) -> None:
        self._first = Change(to_operator, to_robot or to_operator)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(ANSWER_TIMEOUT_S)
        self._asking = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "farhand.kits.lab.process"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            ready = self._receive()
            if not isinstance(ready, Ready):
                raise _broken(f"it said {ready}")
            self._exchange(self._first)
        except BaseException:
            self.close()
            raise
        descriptors = Path(f"/proc/{self._process.pid}/fd")
        self.robot = Place(ROBOT, descriptors / str(ready.robot))
        self.operator = Place(OPERATOR, descriptors / str(ready.operator))
        self.is_prompt = ready.is_prompt
        """The link keeps its times on a busy machine (SCHED_FIFO was granted)."""

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def change(self, to_operator: Impairment, to_robot: Impairment | None = None) -> Report:
        """Let the link be like this from now on; return the counters so far. Any thread."""
        return self._exchange(Change(to_operator, to_robot or to_operator))

    def counters(self) -> Report:
        """Return what has happened to the packets so far. Any thread."""
        return self._exchange(Ask())

    def close(self) -> None:
        """Take the link down and kill what still runs in its namespaces. Idempotent."""
        self._control.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _exchange(self, command: Command) -> Report:
        with self._asking:
            try:
                self._control.send(msgspec.json.encode(command))
            except OSError as exc:
                raise _broken("it has ended") from exc
            report = self._receive()
        if not isinstance(report, Report):
            raise _broken(f"it said {report}")
        return report

    def _receive(self) -> Answer:
        try:
            data = self._control.recv(MESSAGE_BYTES)
        except OSError as exc:
            raise _broken("it does not answer") from exc
        if not data:
            raise _broken("it has ended")
        answer: Answer = msgspec.json.decode(data, type=Answer)
        if isinstance(answer, Failed):
            text = f"No network lab on this machine: {answer.text}."
            fix = "It needs Linux, root, /dev/net/tun and the programs ip and nsenter."
            raise FarhandError(Code.CONFIG_INVALID, text, fix)
        return answer


def missing() -> str | None:
    """Return why there can be no lab on this machine; ``None``: there can."""
    try:
        Lab().close()
    except FarhandError as exc:
        return str(exc)
    return None


def _broken(what: str) -> FarhandError:
    return FarhandError(Code.INTERNAL, f"The lab's link is broken: {what}.")
