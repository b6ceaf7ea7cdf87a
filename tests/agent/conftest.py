"""The agent's world: real hub and sockets, fake gate and fake WebRTC."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent import fakes


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[fakes.World]:
    async with fakes.world(tmp_path) as made:
        yield made
