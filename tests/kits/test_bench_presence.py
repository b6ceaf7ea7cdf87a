"""A peer that is not here is said to be absent, with the reason; nothing is installed unasked."""

import os
import shutil
import subprocess

import pytest

from farhand.kits.bench.peers import presence


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that were run; each fails like sudo that wants a password."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "no")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(subprocess, "call", lambda command: run(command).returncode)
    return commands


def test_gstreamer_that_lacks_an_element_is_absent(ran: list[list[str]]) -> None:
    assert "absent: " in (presence.absent("webrtcbin") or "")
    assert presence.versions() == {}
    assert all("--version" in command for command in ran)


def test_stock_aiortc_is_always_here(ran: list[list[str]]) -> None:
    assert presence.absent("aiortc_stock") is None


def test_nothing_is_installed_without_apt(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    presence.install()
    assert not any("apt-get" in command for command in ran)
    assert "no apt here" in capsys.readouterr().err


def test_nothing_is_installed_by_a_user_whom_sudo_asks(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    presence.install()
    assert not any("apt-get" in command for command in ran)
    assert "neither root nor sudo" in capsys.readouterr().err
