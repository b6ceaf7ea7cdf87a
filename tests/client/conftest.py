"""Server, simulator, gate and agent, each a program of its own."""

from collections.abc import Iterator

import pytest

from farhand.kits.stack import Options, Stack


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    # Operators without pictures would creep: tests of the cap have a robot of their own.
    with Stack(Options(governor={"blind_cap": 1.0})) as started:
        yield started


@pytest.fixture
def stack(programs: Stack) -> Stack:
    """Return the programs when all are back that the test before has killed."""
    programs.wait_until_online("sim-rover")
    return programs
