"""In front of aiortc's SCTP: what a peer may send, and what is not worth sending any more.

aiortc trusts the lengths and numbers in what it reads: a single acknowledgement with forged gaps
holds the event loop, and with it every other viewer, for a second.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import Chunk, DataChunk, ForwardTsnChunk, SackChunk

from farhand.media.aiortc_.private import run

MAX_PACKET = 2_048
"""Bytes. SCTP over DTLS keeps to the path's MTU (RFC 8831, 5): 1280 or less."""
MAX_MISORDERED = 512
"""Chunks kept beyond a gap, five seconds of control: aiortc sorts all of them for each new one."""
FORWARD_EVERY_S = 0.05
"""aiortc answers each acknowledgement with a FORWARD TSN until that is acknowledged, and each of
those is acknowledged too: on a slow link the two multiply until they fill it. RFC 3758 (3.5, A5)
lets a sender wait; the next acknowledgement or the timer T3 brings it again."""
SACK_EVERY_S = 0.04
"""Acknowledgements without a gap wait this long for the next; RFC 9260 (6.2) allows 0.2 s. One for
each control frame takes a tenth of a link of 0.5 Mbit/s."""
MAX_STREAMS = 64
"""The protocol has five channels. aiortc keeps what it knows of each number that a peer ever named,
and walks through all of it for each FORWARD TSN: with 65536, 30 ms."""
TSN_MODULO = 1 << 32
_HALF = TSN_MODULO // 2


def install(sctp: RTCSctpTransport) -> None:
    """Put the guard in front of ``sctp``. Once for each association."""
    handle, receive, send = sctp._handle_data, sctp._receive_chunk, sctp._send_chunk

    async def handle_data(data: bytes) -> None:
        if len(data) <= MAX_PACKET:
            await handle(data)

    async def receive_chunk(chunk: Chunk) -> None:
        if _is_possible(sctp, chunk):
            await receive(chunk)

    thrift = _Thrift(sctp)

    async def send_chunk(chunk: Chunk) -> None:
        if not thrift.is_wasted(chunk):
            await send(chunk)

    inner: Any = sctp
    inner._handle_data, inner._receive_chunk = handle_data, receive_chunk
    inner._send_chunk = send_chunk


class _Thrift:
    """What one association need not send, or not yet."""

    def __init__(self, sctp: RTCSctpTransport) -> None:
        self._sctp: Any = sctp
        self._forwarded_s = -FORWARD_EVERY_S
        self._sacked_s = -SACK_EVERY_S
        self._sack: asyncio.TimerHandle | None = None

    def is_wasted(self, chunk: Chunk) -> bool:
        """Say whether ``chunk`` does not leave now."""
        now_s = time.monotonic()
        if isinstance(chunk, ForwardTsnChunk):
            if now_s - self._forwarded_s < FORWARD_EVERY_S:
                return True
            self._forwarded_s = now_s
        elif isinstance(chunk, SackChunk):
            if not chunk.gaps and now_s - self._sacked_s < SACK_EVERY_S:
                self._wait(self._sacked_s + SACK_EVERY_S - now_s)
                return True
            self._sacked_s = now_s
        return isinstance(chunk, DataChunk) and getattr(chunk, "_abandoned", False)

    def _wait(self, delay_s: float) -> None:
        if self._sack is None:
            self._sack = asyncio.get_running_loop().call_later(delay_s + 0.001, self._send_sack)

    def _send_sack(self) -> None:
        self._sack = None
        if self._sctp._association_state is RTCSctpTransport.State.ESTABLISHED:
            with suppress(ConnectionError):
                run(self._sctp._send_sack())


def _is_possible(sctp: RTCSctpTransport, chunk: Chunk) -> bool:
    """Say whether an honest peer sends this."""
    if isinstance(chunk, SackChunk):
        outstanding: int = (sctp._local_tsn - 1 - chunk.cumulative_tsn) % TSN_MODULO
        acknowledged = 0
        for first, last in chunk.gaps:
            if not 0 < first <= last <= outstanding:
                return False
            acknowledged += last - first + 1
        return acknowledged <= outstanding < _HALF
    if isinstance(chunk, DataChunk):
        if chunk.stream_id >= MAX_STREAMS:
            return False
        ahead: int = (chunk.tsn - (sctp._last_received_tsn or 0)) % TSN_MODULO
        # What fills the gap is always taken: it shortens the list.
        return ahead <= 1 or ahead >= _HALF or len(sctp._sack_misordered) < MAX_MISORDERED
    if isinstance(chunk, ForwardTsnChunk):
        return all(stream_id < MAX_STREAMS for stream_id, _ in chunk.streams)
    return True
