"""The shim at aioice's sockets: what it relies on there, with real datagrams."""

import asyncio
import socket
import time
from random import Random
from typing import Any

import pytest
from aioice import ice

from farhand.media.aiortc_ import guard
from farhand.media.aiortc_.late import LateDatagrams
from farhand.media.bad_network import BadNetwork

DELAY_S = 0.05


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ice.StunProtocol.connection_made
    monkeypatch.setattr(ice.StunProtocol, "connection_made", made)
    # aioice's own: the guard may stand in front of it by now.
    monkeypatch.setattr(ice.StunProtocol, "datagram_received", guard._receive_stun)


class Receiver:
    """What aioice hands datagrams on to."""

    def __init__(self) -> None:
        self.got: list[tuple[float, bytes]] = []

    def data_received(self, data: bytes, _component: int) -> None:
        self.got.append((time.monotonic(), data))

    def protocol_lost(self, _protocol: Any) -> None:
        pass


class Component:
    component = 1


async def opened(receiver: Receiver) -> Any:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(
        lambda: ice.StunProtocol(receiver),  # type: ignore[arg-type]
        local_addr=("127.0.0.1", 0),
    )
    protocol.local_candidate = Component()  # type: ignore[assignment]
    return protocol


async def test_datagrams_are_late_in_both_directions_and_the_shim_passes_everything_else_on() -> (
    None
):
    late, receiver = LateDatagrams(), Receiver()
    late.install()
    late.become(BadNetwork(round(DELAY_S * 1000)))
    protocol = await opened(receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        await protocol.send_data(b"out", peer.getsockname())
        data, address = await loop.sock_recvfrom(peer, 100)
        assert data == b"out"
        assert time.monotonic() - began >= DELAY_S
        began = time.monotonic()
        peer.sendto(b"\x80in", address)
        async with asyncio.timeout(5):
            while not receiver.got:  # noqa: ASYNC110 - aioice calls us
                await asyncio.sleep(0.005)
        assert receiver.got[0][1] == b"\x80in"
        assert receiver.got[0][0] - began >= DELAY_S
        assert protocol.transport.get_write_buffer_size() == 0
        assert protocol.transport.get_extra_info("sockname") == address
        await protocol.send_data(b"lost", peer.getsockname())
        await protocol.close()  # what was on its way then goes nowhere, and raises nothing
        await asyncio.sleep(2 * DELAY_S)
        with pytest.raises(BlockingIOError):
            peer.recv(100)
    assert (late.counts.sent, late.counts.received, late.counts.dropped) == (2, 1, 0)


async def test_what_is_lost_in_either_direction_is_counted() -> None:
    late, receiver = LateDatagrams(Random(1)), Receiver()
    late.install()
    late.become(BadNetwork(0, 50.0))
    protocol = await opened(receiver)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        address = protocol.transport.get_extra_info("sockname")
        for _ in range(40):
            await protocol.send_data(b"out", peer.getsockname())
            peer.sendto(b"\x80in", address)
            await asyncio.sleep(0.002)
        await protocol.close()
    counts = late.counts
    assert counts.received == len(receiver.got)
    assert counts.sent + counts.received + counts.dropped == 80
    assert 25 <= counts.dropped <= 55
    assert 0 < counts.sent < 40
    assert 0 < counts.received < 40
