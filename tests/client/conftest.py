"""Server, simulator, gate and agent, each a program of its own."""

from collections.abc import Iterator

import pytest

from farhand.kits.stack import Stack


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    with Stack() as started:
        yield started


@pytest.fixture
def stack(programs: Stack) -> Stack:
    """Return the programs when all are back that the test before has killed."""
    programs.wait_until_online("sim-rover")
    return programs
