"""Operators within milliseconds: everything is imported once, then each one is a fork.

``python -m farhand.kits.nursery`` takes, on the Unix socket that is its standard input, one message
for each operator: ``URL ROBOT`` with a descriptor that becomes its standard input and output. The
first line it says there is ``born PID``; then it is :mod:`farhand.kits.operator`.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from types import TracebackType

from farhand.errors import Code, FarhandError
from farhand.kits import operator

MESSAGE_BYTES = 1024
ANSWER_TIMEOUT_S = 20.0


class Operator:
    """One operator program and the lines it says.

    Args:
        link: Its standard input and output.

    """

    def __init__(self, link: socket.socket) -> None:
        link.settimeout(ANSWER_TIMEOUT_S)
        self._link = link
        self._lines = link.makefile("r", encoding="utf-8")
        self.pid = int(self.hear("born")[0])

    def say(self, word: str) -> None:
        """Give a command.

        Raises:
            FarhandError: It has ended.

        """
        try:
            self._link.sendall(word.encode() + b"\n")
        except OSError as exc:
            raise FarhandError(Code.INTERNAL, "The operator is gone.") from exc

    def hear(self, word: str) -> list[str]:
        """Return the rest of the next line, which must begin with ``word``.

        Raises:
            FarhandError: It says something else, or nothing within 20 s.

        """
        try:
            line = self._lines.readline().split()
        except (OSError, ValueError) as exc:
            raise FarhandError(Code.INTERNAL, "The operator says nothing.") from exc
        if not line or line[0] != word:
            raise FarhandError(Code.INTERNAL, f"The operator said {line!r}, not {word!r}.")
        return line[1:]

    def signal(self, signum: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, signum)

    def end(self) -> None:
        """Kill it, whatever state it is in."""
        for signum in (signal.SIGKILL, signal.SIGCONT):
            try:
                self.signal(signum)
            except ProcessLookupError:
                break
        self._lines.close()
        self._link.close()


class Nursery:
    """The program that makes operators, as a context manager; they end with it."""

    def __init__(self) -> None:
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "farhand.kits.nursery"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def bear(self, url: str, robot_id: str) -> Operator:
        """Return a new operator; it says ``ready`` when it is.

        Raises:
            FarhandError: There is no nursery any more.

        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._link, [f"{url} {robot_id}".encode()], [theirs.fileno()])
            except OSError as exc:
                ours.close()
                raise FarhandError(Code.INTERNAL, "The nursery is gone.") from exc
        return Operator(ours)

    def close(self) -> None:
        """End it and all its operators. Idempotent."""
        self._link.close()
        self._process.wait()


def main() -> None:
    """Fork an operator for each message, until the other end hangs up."""
    control = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    children: list[int] = []
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
        if not data or not descriptors:
            break
        child = os.fork()
        if child == 0:
            control.close()
            _live(descriptors[0], *data.decode().split(" "))
        os.close(descriptors[0])
        children.append(child)
    for child in children:
        for signum in (signal.SIGKILL, signal.SIGCONT):
            try:
                os.kill(child, signum)
            except ProcessLookupError:
                break


def _live(link: int, url: str, robot_id: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for stream in (0, 1):
        os.dup2(link, stream)
    os.close(link)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    operator.say("born", os.getpid())
    try:
        asyncio.run(operator.main(url, robot_id))
    except Exception as exc:  # the last line for whoever listens, whatever it was
        operator.say("failed", repr(exc))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
