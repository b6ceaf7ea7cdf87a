"""A robot that dies at any moment never issues an epoch twice: the real file, every crash point."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from farhand.agent.epoch_file import EpochFile
from farhand.core.lease import Driver, Granted, Lease, Persist
from farhand.protocol.ids import Epoch, MemberId

ANA = Driver(MemberId("ana"), "Ana", "operator")
LIVES = 15


class LateFile(EpochFile):
    """Writes each epoch only with the next one."""

    def store(self, epoch: Epoch) -> None:
        super().store(self.newest)
        self.newest = epoch


class Crash(BaseException):
    """Power is gone."""


class Countdown:
    """Crashes at the nth thing that the file does, before or after it is done."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.done = 0

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._count()
            result = work(*arguments, **named)
            if work.__name__ != "open":  # what was opened would stay open
                self._count()
            return result

        return call

    def _count(self) -> None:
        self.done += 1
        if self.left == 0:
            raise Crash
        self.left -= 1


def live(folder: Path, issued: list[int], grants: int, kind: type[EpochFile] = EpochFile) -> None:
    """One life of a robot: it grants until it dies; what the gate hears goes into ``issued``."""
    file = kind(folder)
    lease = Lease(epoch=file.newest)
    for _ in range(grants):
        for effect in lease.request(ANA, 0):
            if isinstance(effect, Persist):
                file.store(effect.epoch)
            elif isinstance(effect, Granted):
                issued.append(effect.epoch)


def crash_at(monkeypatch: pytest.MonkeyPatch, after: int) -> Countdown:
    countdown = Countdown(after)
    for owner, name in (
        *((os, "fsync"), (os, "open"), (os, "close")),
        *((Path, "open"), (Path, "replace"), (Path, "with_suffix")),
    ):
        monkeypatch.setattr(owner, name, countdown.around(getattr(owner, name)))
    return countdown


def count_points(folder: Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        file = EpochFile(folder)
        countdown = crash_at(patch, 10**9)
        file.store(Epoch(1))
        return countdown.done


def all_lives(folder: Path, kind: type[EpochFile]) -> list[int]:
    """Return the epochs of a robot that dies once at each point of its first three grants."""
    points = count_points(folder / "counted")
    assert points >= 10, "the file does less than it should"
    issued: list[int] = []
    for point in range(3 * points):
        with pytest.MonkeyPatch.context() as patch:
            countdown = crash_at(patch, point)
            with contextlib.suppress(Crash):
                live(folder, issued, 3, kind)
            assert countdown.done
    live(folder, issued, 3, kind)
    return issued


def test_at_every_point_of_every_grant_the_next_life_goes_on_above(tmp_path: Path) -> None:
    issued = all_lives(tmp_path, EpochFile)
    assert len(issued) > 20
    assert all(low < high for low, high in pairwise(issued)), issued


def test_an_epoch_used_before_it_is_on_disk_would_be_noticed(tmp_path: Path) -> None:
    issued = all_lives(tmp_path, LateFile)
    assert not all(low < high for low, high in pairwise(issued))


def test_a_torn_scratch_file_changes_nothing(tmp_path: Path) -> None:
    EpochFile(tmp_path).store(Epoch(41))
    for torn in ("", "4", "\x00\x00"):
        (tmp_path / "epoch.new").write_text(torn)
        assert EpochFile(tmp_path).newest == 41
        EpochFile(tmp_path).store(Epoch(EpochFile(tmp_path).newest + 1))
        (tmp_path / "epoch").write_text("41")


PROGRAM = """
import sys
from pathlib import Path
from farhand.agent.epoch_file import EpochFile
from farhand.protocol.ids import Epoch
file = EpochFile(Path(sys.argv[1]))
while True:
    file.store(Epoch(file.newest + 1))
    print(file.newest, flush=True)
"""


@pytest.mark.process
@pytest.mark.slow
def test_a_process_killed_at_any_moment_never_repeats_an_epoch(tmp_path: Path) -> None:
    issued: list[int] = []
    for life in range(LIVES):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(1 + 7 * life % 23):
                issued.append(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            issued += [int(line) for line in process.stdout.read().split(b"\n") if line]
    assert len(issued) > LIVES
    assert all(low < high for low, high in pairwise(issued))
