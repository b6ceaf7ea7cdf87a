"""A bad network between this process' peer connections and the world: datagrams late, or never.

For demo and tests: once installed, it stands at the UDP sockets of aioice, in both directions.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from aioice import ice
from aioice.turn import TurnTransport

from farhand.media.bad_network import GOOD, BadNetwork, Counts, counts_file, follow, write

MAX_WAITING = 8192
"""Datagrams on their way in one direction: 2 s of 30 Mbit/s. One more is lost."""


COUNT_S = 0.5
"""From one writing of the counts to the next."""


class Way:
    """One direction: first in, first out, each as late as the network was when it came.

    Args:
        clock: Seconds of the loop.
        later: The loop's ``call_at``.
        random: Decides which are lost.

    """

    def __init__(
        self,
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
        random: Random,
    ) -> None:
        self.network = GOOD
        self.passed = 0
        self.dropped = 0
        self._clock = clock
        self._later = later
        self._random = random
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()

    def put(self, deliver: Callable[[], None]) -> None:
        """Have ``deliver`` called when the datagram arrives: later, at once, or never."""
        is_lost = self._random.random() * 100 < self.network.loss_percent
        if is_lost or len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            return
        self.passed += 1
        if not self._waiting and not self.network.delay_ms:
            deliver()
            return
        due = self._clock() + self.network.delay_ms / 1000
        self._waiting.append((due, deliver))
        if len(self._waiting) == 1:
            self._later(due, self._arrive)

    def _arrive(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._clock():
            self._waiting.popleft()[1]()
        if self._waiting:
            self._later(self._waiting[0][0], self._arrive)


class LateDatagrams:
    """Both directions of this process; made on its event loop."""

    def __init__(self, random: Random | None = None) -> None:
        loop = asyncio.get_running_loop()
        source = random or Random()  # noqa: S311 - luck, not a secret
        self.outward = Way(loop.time, loop.call_at, source)
        self.inward = Way(loop.time, loop.call_at, source)

    def become(self, network: BadNetwork) -> None:
        """Be as bad as ``network`` from the next datagram on."""
        self.outward.network = self.inward.network = network

    @property
    def counts(self) -> Counts:
        """What became of the datagrams up to now."""
        out, into = self.outward, self.inward
        return Counts(out.passed, into.passed, out.dropped + into.dropped)

    def install(self) -> None:
        """Stand at every UDP socket that aioice opens from now on, once in a process.

        After the guard, whose checks then see a datagram when it arrives.
        """
        made, received = ice.StunProtocol.connection_made, ice.StunProtocol.datagram_received
        inward, outward = self.inward, self.outward

        def connection_made(protocol: ice.StunProtocol, transport: Any) -> None:
            # A relay's own socket is none of ours.
            is_relay = isinstance(transport, TurnTransport)
            made(protocol, transport if is_relay else _LateTransport(transport, outward))  # type: ignore[arg-type]

        def datagram_received(protocol: ice.StunProtocol, data: Any, addr: Any) -> None:
            inward.put(partial(received, protocol, data, addr))

        setattr(ice.StunProtocol, "connection_made", connection_made)  # noqa: B010 (methods to mypy)
        setattr(ice.StunProtocol, "datagram_received", datagram_received)  # noqa: B010


def start(file: Path, name: str) -> asyncio.Task[None]:
    """Be as bad as ``file`` says, from now on, and keep the counts of ``name`` beside it."""
    late = LateDatagrams()
    late.install()
    return asyncio.create_task(_keep(late, file, counts_file(file, name)))


async def _keep(late: LateDatagrams, file: Path, counts: Path) -> None:
    following = asyncio.create_task(follow(file, late.become))
    written = Counts()
    try:
        while True:
            if late.counts != written:
                written = late.counts
                with contextlib.suppress(OSError):  # the demo has ended
                    write(counts, written)
            await asyncio.sleep(COUNT_S)
    finally:
        following.cancel()


class _LateTransport:
    """A UDP transport whose datagrams take their time."""

    def __init__(self, transport: asyncio.DatagramTransport, way: Way) -> None:
        self._transport = transport
        self._way = way

    def sendto(self, data: Any, addr: Any = None) -> None:
        self._way.put(partial(self._send, bytes(data), addr))

    def _send(self, data: bytes, addr: Any) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
