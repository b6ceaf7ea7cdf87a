from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from farhand.store.base import Store
from farhand.store.memory import MemoryStore
from farhand.store.sql import SqlStore
from tests.conftest import require
from tests.store.postgres import Postgres, running

POSTGRES = pytest.param("postgres", marks=pytest.mark.process)
EVERYWHERE = pytest.mark.parametrize("where", ["memory", "sqlite", POSTGRES], indirect=True)
ON_SQLITE = pytest.mark.parametrize("where", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("where", [POSTGRES], indirect=True)
ON_DISK = pytest.mark.parametrize("where", ["sqlite", POSTGRES], indirect=True)


class Clock:
    """Wall clock that only a test moves."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    require("postgres")
    with running() as server:
        yield server


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path | None:
    """Where records are kept: a path, a URL, or in memory only."""
    if request.param == "memory":
        return None
    if request.param == "sqlite":
        return tmp_path / "state" / "farhand.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.empty_database()


@pytest.fixture
async def store(where: str | Path | None, clock: Clock) -> AsyncGenerator[Store]:
    store = MemoryStore(clock) if where is None else SqlStore(where, clock)
    await store.open()
    yield store
    await store.close()
