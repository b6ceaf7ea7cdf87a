"""A simulator of one's own, as a process."""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Launch = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def socket_path() -> Iterator[Path]:
    with short_path() as path:
        yield path


@pytest.fixture
def launch(socket_path: Path) -> Iterator[Launch]:
    """Start a simulator at ``socket_path`` and wait until it is there; all end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(running(socket_path, *arguments))


@pytest.fixture
def sim(launch: Launch, socket_path: Path) -> Path:
    """Return the socket of a simulator of the test's own."""
    launch("--seed", "1")
    return socket_path


@pytest.fixture(scope="module")
def shared_sim() -> Iterator[Path]:
    """Return the socket of a simulator that a module's tests share: each paints for a second."""
    with short_path() as path, running(path):
        yield path


@contextlib.contextmanager
def short_path() -> Iterator[Path]:
    # A Unix socket's path holds 107 bytes.
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        yield Path(folder) / "sim.sock"


@contextlib.contextmanager
def running(path: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "farhand", "sim", "run", "--socket", str(path), *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    yield process
    # Politely where possible: its renderer, which holds our pipe, then ends at once too.
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.communicate()
