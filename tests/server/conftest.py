from collections.abc import Iterator

import pytest

from farhand.server.serve import Server
from tests.server.harness import running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for the tests of a module that do not disturb it."""
    with running() as started:
        yield started


@pytest.fixture
def port(server: Server) -> int:
    return server.port
