"""Passwords are hashed by a process that gives way, ends with us, and is replaced when it dies."""

import io
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from farhand.server.accounts.hashing import NICENESS, Hashers, hasher, serve

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1, "hash_len": 32, "salt_len": 16}
PASSWORD = "correct horse battery"


@pytest.fixture
def hashers() -> Hashers:
    return Hashers(CHEAP)


def _pid(hashers: Hashers) -> int:
    (process,) = hashers._all
    return process.pid


@pytest.mark.process
def test_it_is_a_process_of_a_lower_priority_that_knows_no_password_from_outside(
    hashers: Hashers,
) -> None:
    stored = hashers.ask(None, PASSWORD)
    assert isinstance(stored, str)
    assert hashers.ask(stored, PASSWORD) is True
    assert hashers.ask(stored, PASSWORD + " ") is False
    assert hashers.ask("plain:correct", "correct") is False
    pid = _pid(hashers)
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
    for file in ("cmdline", "environ"):
        assert PASSWORD.encode() not in Path(f"/proc/{pid}/{file}").read_bytes()
    hashers.close()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.process
def test_one_that_was_killed_is_replaced(hashers: Hashers) -> None:
    stored = hashers.ask(None, PASSWORD)
    assert isinstance(stored, str)
    before = _pid(hashers)
    os.kill(before, signal.SIGKILL)
    assert hashers.ask(stored, PASSWORD) is True
    assert _pid(hashers) != before
    hashers.close()


@pytest.mark.process
def test_ctrl_c_in_the_terminal_does_not_end_it_before_the_server(hashers: Hashers) -> None:
    hashers.ask(None, PASSWORD)
    before = _pid(hashers)
    os.kill(before, signal.SIGINT)
    assert hashers.ask(None, PASSWORD)
    assert _pid(hashers) == before
    hashers.close()


@pytest.mark.process
def test_each_thread_has_one(hashers: Hashers) -> None:
    threads = [threading.Thread(target=hashers.ask, args=(None, PASSWORD)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(hashers._all) == 2
    hashers.close()


def test_without_a_process_it_is_done_here(
    hashers: Hashers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    stored = hashers.ask(None, PASSWORD)
    assert isinstance(stored, str)
    assert hashers.ask(stored, PASSWORD) is True
    assert hashers._all == []


def test_a_hash_of_other_parameters_is_still_checked() -> None:
    stored = hasher({**CHEAP, "parallelism": 4, "memory_cost": 32}).hash(PASSWORD)
    lines = [
        json.dumps({**CHEAP, "stored": stored, "password": given}) + "\n"
        for given in (PASSWORD, "another", "\ud800")
    ]
    out = io.StringIO()
    serve(io.StringIO("".join(lines)), out)
    assert out.getvalue() == "true\nfalse\nfalse\n"
