"""One WebSocket, as a synchronous protocol on uvicorn's listener.

Framing is the sans-I/O code of `websockets` (docs/adr).

What costs in ASGI is a queue, a task and a dict per message; here a message is decoded, handled and
written in the call that brought its bytes. Nothing awaits, so peers cannot interleave.

The class is made for uvicorn's ``ws=`` hook. Its constructor's signature is no documented contract:
uvicorn is pinned, and tests/server/test_socket.py covers what we use.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from farhand.core.member import CloseCode, PeerId
from farhand.core.outbox import Outbox, Traffic, classify
from farhand.errors import Code, FarhandError, RemoteProtocolError
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.frames import framed, plain_frame, wire_size
from farhand.server.upgrade import Refused, documented, problem

if TYPE_CHECKING:
    from farhand.server.gateway import Gateway

WRITE_HIGH_BYTES = 32 * 1024
"""What the transport may hold before messages wait in our outbox, where the newest state wins."""
WRITE_LOW_BYTES = 8 * 1024
NOTSENT_LOWAT_BYTES = 32 * 1024
"""What the kernel may hold unsent: its buffers of megabytes would keep dead letters."""
CLOSE_TIMEOUT_S = 0.5
OPEN_TIMEOUT_S = 5.0
_GOODBYES = frozenset({1000, 1001})
_TEXT, _BINARY, _CONT, _PONG = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PONG


class Owner(Protocol):
    """Whom a socket tells: the gateway, or the shell of a dialect."""

    waiting: set["NativeSocket"]
    """Sockets whose peers do not read fast enough."""
    max_message_bytes: int

    def clock(self) -> float:
        """Return monotonic seconds."""

    def received(self, socket: "NativeSocket", data: bytes) -> None:
        """Handle one message."""

    def malformed(self, socket: "NativeSocket", exc: RemoteProtocolError) -> None:
        """A frame was no message."""

    def alive(self, socket: "NativeSocket") -> None:
        """A pong of the framing has come."""

    def cut(self, socket: "NativeSocket", exc: FarhandError, code: int) -> None:
        """Close a socket for a cause."""

    def too_slow(self, socket: "NativeSocket") -> None:
        """A peer let its queue fill."""

    def closed(self, socket: "NativeSocket", *, is_clean: bool) -> None:
        """Forget a socket that is gone."""

    def on_dropped(self, states: int, logs: int, /) -> None:
        """Count messages that were never sent."""

    def drain(self) -> None:
        """Tell everybody that the server goes."""


class _Framing(ServerProtocol):
    """`websockets`' server side. No extensions: permessage-deflate costs 70 kB a connection."""

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Take ours if it is offered."""
        return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in subprotocols else None


class NativeSocket(asyncio.Protocol):
    """A peer's socket.

    Args:
        gateway: Whom to tell; set by :func:`farhand.server.gateway.socket_class`.
        server_state: uvicorn's; open sockets are registered there, so that it can drain them.

    """

    def __init__(self, gateway: "Gateway", server_state: Any) -> None:
        self.peer: PeerId | None = None
        """Number of this socket in the hub; ``None`` before the handshake and after the end."""
        self.address = ""
        self.is_stranger = False
        """Counted as a socket that has not said hello."""
        self.credential: str | None = None
        """Of the handshake, until hello."""
        self._gateway = gateway
        self._owner: Owner = gateway
        self._server_state = server_state
        self._ws = _Framing(max_size=codec.MAX_MESSAGE_BYTES, logger=gateway.ws_log)
        self._partial: bytearray | None = None
        self._unaccounted = 1
        """Bytes given to the framing that no frame accounts for. 0: it stands between two frames,
        and plain frames may pass it by. Not 0 before the handshake is done."""
        self._is_paused = False
        self._is_closing = False
        self._outbox: Outbox | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    # --- called by the event loop ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection whose request uvicorn has read."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        peername = transport.get_extra_info("peername")
        self.address = str(peername[0]) if peername else "local"
        self._transport.set_write_buffer_limits(WRITE_HIGH_BYTES, WRITE_LOW_BYTES)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)
        self._server_state.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes: handle every message in them before returning."""
        if self._unaccounted == 0 and self._partial is None and not self._is_closing:
            done = self._receive_plain(data)
            if done == len(data):
                return
            data = data[done:] if done else data
        if not self._is_closing:
            self._receive(data)

    def _receive_plain(self, data: bytes) -> int:
        """Handle the plain frames at the beginning of ``data``; return the bytes that they took."""
        at, size = 0, len(data)
        while at < size:
            found = plain_frame(data, at)
            if found is None:
                break
            payload, at = found
            self._owner.received(self, payload)
            if self._is_closing:
                return size
        return at

    def _receive(self, data: bytes) -> None:
        ws = self._ws
        self._unaccounted += len(data)
        ws.receive_data(data)
        for event in ws.events_received():
            if self._is_closing:
                return
            if isinstance(event, Frame):
                self._unaccounted -= wire_size(len(event.data))
                self._on_frame(event)
            elif isinstance(event, Request):
                self._on_request(event)
        if ws.parser_exc is not None:
            self._on_parser_failure(ws.parser_exc)
        elif not self._is_closing:
            self._flush_framing()

    def eof_received(self) -> None:
        """The peer has closed its side; the transport closes ours."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the hub that the peer is gone."""
        del exc
        self._server_state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._is_closing = True
        self._forget_outbox()
        closed = self._ws.close_rcvd
        self._owner.closed(self, is_clean=closed is not None and closed.code in _GOODBYES)

    def pause_writing(self) -> None:
        """From now on messages wait in the outbox."""
        self._is_paused = True
        if not self._is_closing:
            self._owner.waiting.add(self)

    def resume_writing(self) -> None:
        """Write what has waited, until the transport has enough again."""
        self._is_paused = False
        outbox = self._outbox
        while outbox and not self._is_paused:
            data = outbox.pop()
            if data is not None:
                self._transport.write(data)
        if not self._is_paused:
            self._forget_outbox()
            self._owner.waiting.discard(self)

    # --- called by uvicorn and the gateway -------------------------------------------------------

    def shutdown(self) -> None:
        """Drain: uvicorn calls this for each open connection when it stops."""
        self._owner.drain()

    def send(self, data: bytes, message: m.ServerMessage) -> None:
        """Write a framed message, or keep it in the outbox while the peer does not read."""
        if self._is_closing:
            return
        if not self._is_paused:
            self._transport.write(data)
            return
        if self._outbox is None:
            self._outbox = Outbox()
        traffic, key = classify(message)
        if not self._outbox.put(data, traffic, key, self._owner.clock()):
            self._owner.too_slow(self)

    def send_text(self, data: bytes) -> None:
        """Write a text of a dialect, or keep it, in order, while the peer does not read."""
        if self._is_closing:
            return
        frame = framed(data)
        if not self._is_paused:
            self._transport.write(frame)
            return
        if self._outbox is None:
            self._outbox = Outbox()
        if not self._outbox.put(frame, Traffic.SIGNALING, "", self._owner.clock()):
            self._owner.too_slow(self)

    def ping(self) -> None:
        """Ask at the level of the framing whether somebody is there."""
        if not self._is_closing and self._ws.state is State.OPEN:
            self._ws.send_ping(b"")
            self._flush_framing()

    def is_overdue(self, now: float) -> bool:
        """Say whether a safety message has waited too long."""
        return self._outbox is not None and self._outbox.is_overdue(now)

    def close(self, code: int, reason: str, last_words: bytes = b"") -> None:
        """Close the socket. Idempotent.

        Args:
            code: WebSocket close code.
            reason: A word for the close frame.
            last_words: A frame that tells why, in case it is stuck in the outbox.

        """
        if self._is_closing:
            return
        self._is_closing = True
        self._forget_outbox()
        self._owner.waiting.discard(self)
        if self._ws.state is State.OPEN:
            self._ws.send_close(code, reason)
        if last_words and self._is_paused:
            self._transport.write(last_words)  # else it has left already
        self._end()

    # --- inside ----------------------------------------------------------------------------------

    def _forget_outbox(self) -> None:
        outbox, self._outbox = self._outbox, None
        if outbox is not None and outbox.dropped:
            self._owner.on_dropped(outbox.dropped_state, outbox.dropped_log)

    def _on_request(self, request: Request) -> None:
        door = self._gateway.door
        self.address = door.address(request, self.address)
        try:
            admission = door.admit(request, self.address)
        except Refused as exc:
            self._refuse(exc)
            return
        response = self._ws.accept(request)
        self._ws.send_response(response)
        if response.status_code != 101:
            self._is_closing = True
            self._end()
            return
        self._flush_framing()
        self._unaccounted = 0
        self.credential = admission.credential
        dialect = self._gateway.dialect
        if admission.passed is not None and dialect is not None:
            self._owner = dialect
            self._ws.max_message_size = dialect.max_message_bytes
            dialect.opened(self, admission.passed)
        else:
            self._gateway.opened(self, admission.service_id)

    def _refuse(self, refused: Refused) -> None:
        self._is_closing = True
        response: Response = self._ws.reject(refused.status, "")
        response.body = documented(refused) if refused.is_documented else problem(refused)
        del response.headers["Content-Length"]
        del response.headers["Content-Type"]
        response.headers["Content-Length"] = str(len(response.body))
        kind = "application/json" if refused.is_documented else "application/problem+json"
        response.headers["Content-Type"] = kind
        if refused.retry_after_s:
            response.headers["Retry-After"] = str(refused.retry_after_s)
        self._ws.send_response(response)
        self._end()

    def _on_frame(self, event: Frame) -> None:
        opcode = event.opcode
        if opcode is _TEXT and event.fin:
            self._owner.received(self, bytes(event.data))
        elif opcode is _TEXT:
            self._partial = bytearray(event.data)
        elif opcode is _CONT and self._partial is not None:
            self._partial += event.data
            if event.fin:
                whole, self._partial = self._partial, None
                self._owner.received(self, bytes(whole))
        elif opcode is _BINARY:
            self._owner.malformed(
                self, RemoteProtocolError(Code.MALFORMED, "Messages are JSON in text frames.")
            )
        elif opcode is _PONG:
            self._owner.alive(self)

    def _on_parser_failure(self, exc: Exception) -> None:
        # `websockets` has its close frame ready; what we have to say must leave before it.
        if isinstance(exc, PayloadTooBig):
            limit = self._owner.max_message_bytes
            too_large = RemoteProtocolError(Code.TOO_LARGE, f"A message may have {limit} bytes.")
            self._owner.cut(self, too_large, CloseCode.TOO_LARGE)
        elif not self._is_closing:
            self._is_closing = True
            self._end()

    def _flush_framing(self) -> None:
        for data in self._ws.data_to_send():
            if not data:
                self._is_closing = True
                self._end()
                return
            if not self._is_paused:  # pongs to one who does not read would pile up
                self._transport.write(data)

    def _end(self) -> None:
        """Write what the framing has left and give the peer a moment to close first."""
        for data in self._ws.data_to_send():
            if data:
                self._transport.write(data)
        if self._ws.close_rcvd is not None or self._ws.state is not State.CLOSING:
            self._transport.close()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(CLOSE_TIMEOUT_S, self._transport.abort)
