"""A plain UDP echo between two processes on loopback: the floor for any control round trip."""

import asyncio
import subprocess
import sys
import time
from typing import cast

from farhand.kits.bench.common import run_async

SIZE = 102


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The selector loop's transport is no subclass of DatagramTransport, but behaves as one.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)


class _Probe(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.round_trips_ms: list[float] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        sent_ns = int.from_bytes(data[:8], "big")
        self.round_trips_ms.append((time.monotonic_ns() - sent_ns) / 1e6)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Echo, ("127.0.0.1", 0))
    sys.stdout.write(f"{transport.get_extra_info('sockname')[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _probe(port: int, duration_s: float, hz: float) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    transport, probe = await loop.create_datagram_endpoint(_Probe, remote_addr=("127.0.0.1", port))
    began, sent = loop.time(), 0
    while (due := began + sent / hz) < began + duration_s:
        await asyncio.sleep(due - loop.time())
        transport.sendto(time.monotonic_ns().to_bytes(8, "big") + bytes(SIZE - 8))
        sent += 1
    await asyncio.sleep(0.2)
    transport.close()
    return probe.round_trips_ms, sent


def round_trips_ms(duration_s: float, hz: float) -> tuple[list[float], int]:
    """Return the round trips of 102-byte datagrams at ``hz``, and how many were sent."""
    command = [sys.executable, "-m", "farhand.kits.bench.udp_echo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdout is not None  # noqa: S101 - it has a pipe
        port = int(echo.stdout.readline())
        try:
            return run_async(_probe(port, duration_s, hz))
        finally:
            echo.kill()


if __name__ == "__main__":
    asyncio.run(_serve())
