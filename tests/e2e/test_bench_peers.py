"""Each peer of the video benches shows its picture in Chromium, and its data channel echoes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from farhand.kits.bench.peers.presence import VIDEO_PEERS, absent
from farhand.kits.bench.rig import Peer, Rig, rig
from tests.conftest import require

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

MEASURE_MS = 1500


@pytest.fixture(scope="module")
def page() -> Iterator[Rig]:
    require("chromium")
    with rig() as started:
        yield started


@contextmanager
def connected(page: Rig, name: str, *, data_only: bool = False) -> Iterator[Peer]:
    if why := absent(name):
        pytest.skip(f"{name} is {why}")
    peer = Peer(name)
    try:
        page.call(peer.connect_expression(data_only=data_only))
        yield peer
    finally:
        page.disconnect()
        peer.close()


@pytest.mark.parametrize("name", VIDEO_PEERS)
def test_stamps_of_a_peers_picture_are_read_back(name: str, page: Rig) -> None:
    with connected(page, name) as peer:
        cpu_s = peer.cpu_s()
        (track,) = page.call(f"measureReceived({MEASURE_MS})")
        drawn = page.call(f"measureDecoded({MEASURE_MS})")
        assert peer.cpu_s() > cpu_s
    # Both ways of reading; ages that are no ages would be a clock or a strip misread.
    for ages in (track["ages"], drawn):
        assert ages
        assert all(0 < age < 60_000 for age in ages)
    assert track["kbps"] > 0


@pytest.mark.parametrize("name", VIDEO_PEERS)
def test_data_channel_of_a_peer_echoes(name: str, page: Rig) -> None:
    with connected(page, name, data_only=True):
        result = page.call(f"measureEcho({MEASURE_MS}, 50)")
    assert result["sent"] > 0
    assert len(result["rtts"]) > result["sent"] / 2
