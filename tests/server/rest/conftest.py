from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from farhand.core.access import OPEN
from tests.server.rest.harness import Place, place, somebody

PEOPLE = {
    "admin": OPEN,
    "boss": somebody("boss", "supervisor", "site-a"),
    "driver": somebody("driver", "operator", "site-a", robot="rover"),
    "looker": somebody("looker", "viewer", "site-a"),
    "guest": somebody("guest", "guest", "site-a", robot="rover"),
    "enroller": somebody("enroller", "enroller", "site-a"),
    "stranger": somebody("stranger", "supervisor", "site-b"),
}


@pytest.fixture
async def here() -> AsyncIterator[Place]:
    """A server with two services, `site-a` and `site-b`, and people of all kinds."""
    async with place(PEOPLE) as made:
        for one in ("site-a", "site-b"):
            await made.ask("POST", "/v1/service", {"id": one}, status=201)
        yield made


@pytest.fixture
async def on_disk(tmp_path: Path) -> AsyncIterator[Place]:
    """The same with records on disk: what was written is read when it is there, not before."""
    async with place(PEOPLE, file=tmp_path / "farhand.db") as made:
        await made.ask("POST", "/v1/service", {"id": "site-a"}, status=201)
        yield made
