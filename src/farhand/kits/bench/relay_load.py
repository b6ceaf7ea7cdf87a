"""The load of `farhand bench relay`: raw sockets and epoll, frames built beforehand.

It does as little as can be per message, so that one core of it keeps one core of a server busy.
"""

import base64
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

MASK = b"\x5a\xc3\x17\x8e"
"""Not random: the frames are built once. Not zero: a server might skip the unmasking."""
_IN_FLIGHT_CONNECTS = 64
_TIMEOUT_S = 30.0


def client_frame(payload: bytes) -> bytes:
    """Return a masked text frame."""
    size = len(payload)
    head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    key = int.from_bytes((MASK * (size // 4 + 1))[:size], "big")
    return head + MASK + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


class Socket:
    """One client connection."""

    __slots__ = ("fd", "frame", "number", "partner", "rest", "sent_at", "sock", "stage")

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.sock = sock
        self.fd = sock.fileno()
        self.stage = 0
        self.rest = b""
        self.frame = b""
        """What it sends, again and again."""
        self.partner: Socket
        """Who gets it."""
        self.sent_at = 0.0

    def messages(self, data: bytes) -> list[bytes]:
        """Return the whole messages in ``data`` and what was left of earlier data."""
        data = self.rest + data
        found, at = [], 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            if len(data) < start + size:
                break
            found.append(data[start : start + size])
            at = start + size
        self.rest = data[at:]
        return found

    def read(self) -> list[bytes]:
        """Wait for data and return the messages in it."""
        return self.messages(self.sock.recv(65536))

    def expect(self, kind: str) -> dict[str, Any]:
        """Wait for a JSON message of type ``kind`` and return it; others are skipped."""
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            for data in self.read():
                message: dict[str, Any] = msgspec.json.decode(data)
                if message["type"] == kind:
                    return message
        raise TimeoutError(f"no {kind}")


def connect_all(
    port: int, count: int, path: Callable[[int], str], greet: Callable[[int], bytes]
) -> tuple[list[Socket], float]:
    """Open ``count`` WebSockets at once and return them with the seconds that it took.

    Args:
        port: On 127.0.0.1.
        count: How many.
        path: Of the request, by number.
        greet: Frames that each sends when it is open; if any, it is open when it was answered.

    """
    poller, sockets, started_at = select.epoll(), dict[int, Socket](), time.perf_counter()
    waiting = count
    while waiting:
        while len(sockets) < count and len(sockets) - (count - waiting) < _IN_FLIGHT_CONNECTS:
            connection = Socket(len(sockets), _start(port))
            sockets[connection.fd] = connection
            poller.register(connection.fd, select.EPOLLOUT)
        for fd, _ in poller.poll(_TIMEOUT_S):
            connection = sockets[fd]
            waiting -= _advance(connection, poller, path, greet)
    took = time.perf_counter() - started_at
    poller.close()
    return sorted(sockets.values(), key=lambda c: c.number), took


def _start(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    sock.connect_ex(("127.0.0.1", port))
    return sock


def _advance(
    connection: Socket,
    poller: select.epoll,
    path: Callable[[int], str],
    greet: Callable[[int], bytes],
) -> bool:
    """Take the next step of the opening handshake; ``True``: it is open."""
    if connection.stage == 0:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            f"GET {path(connection.number)} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        )
        connection.sock.send("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        connection.stage = 1
        poller.modify(connection.fd, select.EPOLLIN)
        return False
    connection.rest += connection.sock.recv(65536)
    if connection.stage == 1:
        head, end, connection.rest = connection.rest.partition(b"\r\n\r\n")
        if not end:
            connection.rest = head
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"refused: {head[:200]!r}")
        greeting = greet(connection.number)
        connection.stage = 2
        if greeting:
            connection.sock.send(greeting)
            return False
    elif not connection.messages(b""):
        return False
    poller.unregister(connection.fd)
    connection.sock.settimeout(_TIMEOUT_S)
    return True


def saturate(sockets: Sequence[Socket], size: int, seconds: float) -> int:
    """Keep one message of each socket in flight and return how many arrived.

    Args:
        sockets: Each with a frame and a partner.
        size: Bytes of a frame as it arrives; others (pings) are no messages.
        seconds: How long.

    """
    poller = select.epoll()
    by_fd = {c.fd: c for c in sockets}
    for connection in sockets:
        connection.sock.setblocking(False)
        poller.register(connection.fd, select.EPOLLIN)
    arrived = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for fd, _ in poller.poll(0.05, 256):
            connection = by_fd[fd]
            data = connection.sock.recv(65536)
            if len(data) == size and not connection.rest:
                arrived += 1
                connection.sock.send(connection.frame)
                continue
            count = sum(len(message) + 4 == size for message in connection.messages(data))
            if count:
                arrived += count
                connection.sock.send(connection.frame * count)
    poller.close()
    return arrived


def pace(sockets: Sequence[Socket], size: int, rate: float, seconds: float) -> list[float]:
    """Send ``rate`` messages a second in turn and return the delays in ms. Never sleeps."""
    poller = select.epoll()
    by_fd = {c.fd: c for c in sockets}
    for connection in sockets:
        connection.sock.setblocking(False)
        poller.register(connection.fd, select.EPOLLIN)
    delays: list[float] = []
    clock = time.perf_counter
    due, turn = clock(), 0
    end = due + seconds
    while (now := clock()) < end:
        if now >= due:
            sender = sockets[turn]
            turn = (turn + 7919) % len(sockets)
            due += 1 / rate
            sender.sent_at = clock()
            sender.sock.send(sender.frame)
        for fd, _ in poller.poll(0, 64):
            connection = by_fd[fd]
            data = connection.sock.recv(65536)
            got = clock()
            delays += [
                (got - connection.partner.sent_at) * 1000
                for message in connection.messages(data)
                if len(message) + 4 == size
            ]
    poller.close()
    return delays


def settle(sockets: Sequence[Socket], seconds: float) -> None:
    """Read and forget whatever still comes."""
    poller = select.epoll()
    by_fd = {c.fd: c for c in sockets}
    for connection in sockets:
        poller.register(connection.fd, select.EPOLLIN)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for fd, _ in poller.poll(0.02, 256):
            by_fd[fd].messages(by_fd[fd].sock.recv(65536))
    poller.close()
