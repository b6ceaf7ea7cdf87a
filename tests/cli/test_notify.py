"""A server under systemd: it says when it can be used, and that it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farhand.cli.notify import notify
from tests.cli.conftest import Farhand


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket on which a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_the_manager_hears_how_far_we_are(manager: socket.socket) -> None:
    notify("READY=1")
    assert manager.recv(64) == b"READY=1"


@pytest.mark.skipif(sys.platform != "linux", reason="names without a file are Linux's")
def test_a_manager_may_listen_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"farhand-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        listener.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        notify("STOPPING=1")
        assert listener.recv(64) == b"STOPPING=1"


@pytest.mark.parametrize("place", ["", "/nowhere/at/all", "x" * 200])
def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", place)
    notify("READY=1")


@pytest.mark.process
def test_what_init_has_written_serves_and_tells_the_manager(
    manager: socket.socket, tmp_path: Path, farhand: Farhand
) -> None:
    assert farhand("init", str(tmp_path / "prod")).code == 0
    key = (tmp_path / "prod" / "state" / "server-key.pem").read_bytes()
    config = str(tmp_path / "prod" / "farhand.toml")
    serve = [sys.executable, "-m", "farhand", "serve", "--config", config, "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert manager.recv(64) == b"READY=1"
            assert server.stdout is not None
            lines = [server.stdout.readline() for _ in range(2)]
            assert any("/login#setup=" in line for line in lines)
            server.send_signal(signal.SIGTERM)
            assert manager.recv(64) == b"STOPPING=1"
            assert server.wait(20) == 0
        finally:
            server.kill()
    assert (tmp_path / "prod" / "state" / "server-key.pem").read_bytes() == key
    assert (tmp_path / "prod" / "state" / "farhand.db").is_file()


@pytest.mark.parametrize(("program", "line"), [("serve", "port = 9"), ("agent run", "max_age_ms")])
def test_the_programs_print_what_they_would_run_with(
    farhand: Farhand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ["--port", "9"] if program == "serve" else ["--max-age-ms", "99"]
    ran = farhand(*program.split(), *flags, "--print-config", "--show-origin")
    assert (ran.code, ran.err) == (0, "")
    [said] = [found for found in ran.out.splitlines() if found.startswith(line)]
    assert said.endswith("# the command line")
    assert list(tmp_path.iterdir()) == []  # nothing was started, locked or made
