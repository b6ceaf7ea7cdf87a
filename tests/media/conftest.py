"""What the tests of media share."""

import threading

import pytest
from aioice import ice


@pytest.fixture(autouse=True)
def own_mdns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own resolver: aioice keeps one for a thread, bound to its first loop."""
    monkeypatch.setattr(ice, "_mdns", threading.local())
