"""Spin goes through every state of authority under fail-over, and finds every hole cut into it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("authority.pml")
DEPTH = 400_000
MUTANTS = {
    "UNSTORED": "the epoch is used although it is not on disk",
    "STORED_LATE": "the gate is told before the disk",
    "REUSED": "a new life begins below the epoch on disk",
    "HIGHER": "the gate takes epochs above the granted one",
    "OLDER": "the gate takes epochs below it",
    "ANY_MEMBER": "the gate does not ask whose frame it is",
    "KEPT": "the gate keeps the grant of a dead agent",
    "NO_STANDSTILL": "control changes hands on the move",
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def tools() -> None:
    missing = [tool for tool in ("spin", "cc") if shutil.which(tool) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing} must be there where the proof counts; see make setup")
    if missing:
        pytest.skip(f"{missing} missing: make setup installs them where it can")


def search(folder: Path, *defines: str) -> tuple[int, int, str]:
    """Return the number of errors and of states, and what the search said."""
    flags = [f"-D{name}" for name in defines]
    run(folder, "spin", "-a", *flags, str(MODEL))
    run(folder, "cc", "-w", "-O2", "-DSAFETY", "-DMEMLIM=2048", "-o", "pan", "pan.c")
    said = run(folder, "./pan", f"-m{DEPTH}")
    errors = re.search(r"errors: (\d+)", said)
    states = re.search(r"([\d.e+]+) states, stored", said)
    assert errors, said
    assert states, said
    return int(errors[1]), int(float(states[1])), said


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("defines", [("EPOCHS=3",), ("EPOCHS=2", "LIARS")])
def test_no_state_has_two_drivers(tmp_path: Path, defines: tuple[str, ...]) -> None:
    errors, states, said = search(tmp_path, *defines)
    assert errors == 0, said
    assert states > 500_000, "the model has lost its states"
    # A search that was cut short proves nothing.
    assert "search depth too small" not in said
    assert "not completed" not in said
    unreached = re.findall(r"unreached in proctype \w+\n((?:\t.*\n)*?)\t\(\d+ of", said)
    assert all(set(re.findall(r'"(.*?)"', part)) <= {"-end-"} for part in unreached), said


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_hole_is_found(tmp_path: Path, mutant: str) -> None:
    errors, _, said = search(tmp_path, "EPOCHS=2", "LIARS", mutant)
    assert errors == 1, f"{MUTANTS[mutant]}: {said}"
    assert "assertion violated" in said


def test_every_hole_in_the_model_has_a_test() -> None:
    names = set(re.findall(r"#if(?:n)?def (\w+)", MODEL.read_text("utf-8")))
    assert names - {"EPOCHS", "LIARS"} == set(MUTANTS)
