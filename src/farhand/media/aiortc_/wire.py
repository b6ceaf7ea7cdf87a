"""The way out of one connection: encryption and the socket, without a detour over coroutines."""

import socket
import struct
from collections.abc import Callable
from typing import Any

import structlog
from aioice.turn import TurnTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcdtlstransport import State as DtlsState

from farhand.media.aiortc_ import private

log = structlog.get_logger(__name__)

SEND_BUFFER_BYTES = 32_768
"""Of the socket. Linux doubles it for its own book-keeping and counts about 2300 bytes a packet: 28
packets, 34 ms at 8 Mbit/s, is the most that control can find before it in the kernel. The default
(212 992) holds 90."""

OVERHEAD_BYTES = 38
"""Of each RTP packet on the wire: SRTP's tag (10), UDP (8) and IPv4 (20) headers."""

_COMPONENT = 1


class Wire:
    """Sends RTP of one connection, over the bundle's only transport."""

    def __init__(self) -> None:
        self._dtls: RTCDtlsTransport | None = None
        self._bounded: Any = None

    def connect(self, dtls: RTCDtlsTransport) -> None:
        """Send over ``dtls``."""
        self._dtls = dtls

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits before the socket; else no video may be sent."""
        pair = self._pair()
        if pair is None:
            return True
        return bool(_socket_transport(pair.protocol.transport).get_write_buffer_size() == 0)

    def send(self, packet: bytearray) -> None:
        """Encrypt and send one RTP packet now; without a connected path it is lost.

        Raises:
            ConnectionError: DTLS is not connected, or no more.
            pylibsrtp.Error: SRTP refuses the packet.

        """
        if self._dtls is None or self._dtls._state is not DtlsState.CONNECTED:
            raise ConnectionError("Not connected.")
        pair = self._pair()
        if pair is None:
            return
        transport = pair.protocol.transport
        if transport is not self._bounded:
            self._bounded = transport
            _bound(_socket_transport(transport))
        transport.sendto(self._dtls._tx_srtp.protect(bytes(packet)), pair.remote_addr)

    def _pair(self) -> Any:
        if self._dtls is None:
            return None
        return self._dtls.transport._connection._nominated.get(_COMPONENT)


def drop_rtp(dtls: RTCDtlsTransport) -> None:
    """Read no RTP: a robot sends only, and what aiortc's parser raises would end the session."""

    async def dropped(data: bytes, arrival_time_ms: int) -> None:
        del data, arrival_time_ms

    setattr(dtls, "_handle_rtp_data", dropped)  # noqa: B010 (a method to mypy)


def divert_rtcp(dtls: RTCDtlsTransport, take: Callable[[bytes], bytes]) -> None:
    """Show each compound RTCP packet to ``take`` before aiortc reads what that leaves of it."""
    handle = dtls._handle_rtcp_data

    async def diverted(data: bytes) -> None:
        rest = take(data)
        if rest:
            try:
                await handle(rest)
            except (ValueError, IndexError, struct.error):
                # aiortc's parser trusts the inner lengths; raised further it would end the session.
                log.debug("malformed RTCP")

    setattr(dtls, "_handle_rtcp_data", diverted)  # noqa: B010 (a method to mypy)


def _socket_transport(transport: Any) -> Any:
    if isinstance(transport, TurnTransport):
        return private.read(transport, TurnTransport, "inner_protocol").transport
    return transport


def _bound(transport: Any) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.type == socket.SOCK_DGRAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
