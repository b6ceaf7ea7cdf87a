"""Two namespaces and the link between them, with plain datagrams."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from farhand.errors import FarhandError
from farhand.kits.lab import kernel
from farhand.kits.lab.lab import Lab
from farhand.kits.lab.line import Impairment
from tests.conftest import require

pytestmark = pytest.mark.process

DELAY_S = 0.03
SLACK_S = 0.05
"""The machine is shared: a packet may be late, never early."""


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[Lab]:
    require("lab")
    with Lab() as started:
        yield started


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    shared_lab.change(Impairment(delay_s=DELAY_S))
    return shared_lab


class Ends:
    """A socket at each end. It stays in its place when the thread has left."""

    def __init__(self, lab: Lab) -> None:
        with lab.robot.entered():
            self.robot = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with lab.operator.entered():
            self.operator = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.robot.bind((lab.robot.address, 5000))
        self.operator.bind((lab.operator.address, 5000))
        self.robot.connect((lab.operator.address, 5000))
        self.operator.connect((lab.robot.address, 5000))
        self.robot.settimeout(2)
        self.operator.settimeout(2)

    def close(self) -> None:
        self.robot.close()
        self.operator.close()


@pytest.fixture
def ends(lab: Lab) -> Iterator[Ends]:
    made = Ends(lab)
    yield made
    made.close()


def test_packets_take_the_delay_each_way(ends: Ends) -> None:
    began = time.monotonic()
    ends.robot.send(b"there")
    assert ends.operator.recv(100) == b"there"
    there = time.monotonic()
    ends.operator.send(b"back")
    assert ends.robot.recv(100) == b"back"
    for took in (there - began, time.monotonic() - there):
        assert DELAY_S <= took < DELAY_S + SLACK_S


def test_the_link_changes_while_it_runs_each_way_by_itself(lab: Lab, ends: Ends) -> None:
    before = lab.change(to_operator=Impairment(is_down=True), to_robot=Impairment())
    ends.robot.send(b"lost")
    ends.operator.send(b"not lost")
    assert ends.robot.recv(100) == b"not lost"
    lab.change(Impairment())
    ends.robot.send(b"again")
    assert ends.operator.recv(100) == b"again"
    after = lab.counters()
    assert after.to_operator.lost == before.to_operator.lost + 1
    assert after.to_robot.lost == before.to_robot.lost == 0


def test_the_rate_holds(lab: Lab, ends: Ends) -> None:
    lab.change(Impairment(rate_bps=1_000_000))
    packet = bytes(1250 - 28)  # with the headers of UDP and IPv4: 10 ms each
    began = time.monotonic()
    for _ in range(20):
        ends.robot.send(packet)
    for _ in range(20):
        ends.operator.recv(2000)
    assert 0.2 <= time.monotonic() - began < 0.2 + SLACK_S


def test_programs_run_in_their_place_and_see_nothing_else(lab: Lab) -> None:
    show = [*lab.robot.prefix, "ip", "-brief", "-4", "address"]
    words = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    assert lab.robot.address in words
    assert {line.split()[0] for line in words.splitlines()} == {"lo", "air"}


def test_threads_come_home(lab: Lab) -> None:
    home = Path(kernel.OWN).stat().st_ino
    with lab.operator.entered():
        assert Path(kernel.OWN).stat().st_ino == lab.operator.path.stat().st_ino != home
    assert Path(kernel.OWN).stat().st_ino == home


def test_closing_kills_what_still_runs_in_it() -> None:
    require("lab")
    with Lab() as lab:
        program = subprocess.Popen([*lab.robot.prefix, "sleep", "60"])
        _wait_until_in(lab.robot.path.stat().st_ino, program.pid)
    assert program.wait(2) == -signal.SIGKILL
    assert not lab.robot.path.exists()
    with pytest.raises(FarhandError, match="ended"):
        lab.counters()


CRASH = """
import os, subprocess, sys, time
from farhand.kits.lab.lab import Lab
lab = Lab()
program = subprocess.Popen([*lab.operator.prefix, "sleep", "60"])
inode = lab.operator.path.stat().st_ino
while os.stat(f"/proc/{program.pid}/ns/net").st_ino != inode:
    time.sleep(0.01)
print(lab.operator.path.parts[2], program.pid, flush=True)
time.sleep(60)
"""


def test_nothing_outlives_an_owner_that_is_killed() -> None:
    require("lab")
    with subprocess.Popen(
        [sys.executable, "-c", CRASH], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pids = owner.stdout.readline().split()
        owner.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 3
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.02)


def test_where_there_can_be_no_lab_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    require("lab")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FarhandError, match=r"No network lab on this machine.*ip"):
        Lab()


def _wait_until_in(inode: int, pid: int) -> None:
    while Path(f"/proc/{pid}/ns/net").stat().st_ino != inode:
        time.sleep(0.01)


def _runs(pid: str) -> bool:
    try:
        return "(sleep) Z" not in Path(f"/proc/{pid}/stat").read_text() and bool(
            os.getpgid(int(pid))
        )
    except OSError:
        return False
