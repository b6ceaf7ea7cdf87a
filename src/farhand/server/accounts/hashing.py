"""Argon2id in a process of its own that gives way to all others. Run as a module, by `Hashers`.

A hash is some 100 ms of one core by design, and the core may be the one that carries messages.
Threads of the server cannot give way: one that is kept waiting with the interpreter's lock in its
hands keeps the event loop waiting, too. A line of JSON comes in, a line goes out; at the end of
the input it ends, and so it outlives nobody. Passwords are in no argument and no environment.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

NICENESS = 5
"""Enough to let messages by; on a machine that is busy with other things a login still comes."""
_END_S = 2.0


def hasher(parameters: Mapping[str, Any]) -> PasswordHasher:
    """Return argon2id with these parameters."""
    return PasswordHasher(**parameters)


def do(hashes: PasswordHasher, stored: str | None, password: str) -> str | bool:
    """Return the hash of a password, or whether it is the one of ``stored``."""
    if stored is None:
        return hashes.hash(password)
    try:
        return hashes.verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


class Hashers:
    """One process for each thread that calls :meth:`ask`; started at its first call.

    Args:
        parameters: Of argon2id, as `argon2.PasswordHasher` takes them.

    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = dict(parameters)
        self._here = hasher(parameters)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[subprocess.Popen[str]] = []

    def ask(self, stored: str | None, password: str) -> str | bool:
        """Return what :func:`do` does; here, if there can be no process. Blocks."""
        line = json.dumps({**self._parameters, "stored": stored, "password": password})
        for _ in range(2):  # one that has died since the last time is replaced
            with contextlib.suppress(OSError, ValueError):
                process = self._process()
                assert process.stdin is not None  # noqa: S101 - asked for
                assert process.stdout is not None  # noqa: S101 - the same
                process.stdin.write(line + "\n")
                process.stdin.flush()
                answer: str | bool = json.loads(process.stdout.readline())
                return answer
            self._forget()
        return do(self._here, stored, password)

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            ending, self._all = self._all, []
        for process in ending:
            _end(process)

    # --- inside ----------------------------------------------------------------------------------

    def _process(self) -> "subprocess.Popen[str]":
        process: subprocess.Popen[str] | None = getattr(self._local, "process", None)
        if process is None:
            command = [sys.executable, "-m", __name__]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
            self._local.process = process
            with self._lock:
                self._all.append(process)
        return process

    def _forget(self) -> None:
        process: subprocess.Popen[str] | None = getattr(self._local, "process", None)
        self._local.process = None
        if process is not None:
            process.kill()
            _end(process)
            with self._lock, contextlib.suppress(ValueError):
                self._all.remove(process)


def _end(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer each line of ``lines`` until there are no more."""
    for line in lines:
        asked: dict[str, Any] = json.loads(line)
        stored, password = asked.pop("stored"), asked.pop("password")
        out.write(json.dumps(do(hasher(asked), stored, password)) + "\n")
        out.flush()


if __name__ == "__main__":
    # Ctrl-C goes to all of a terminal: the server ends us when its last answer is out.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # not allowed to: then it competes
        os.nice(NICENESS)
    serve(sys.stdin, sys.stdout)
