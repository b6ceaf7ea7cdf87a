"""The load of `farhand bench api`: raw sockets that stay connected, requests built before."""

import contextlib
import select
import socket
import time
from dataclasses import dataclass, field

_TIMEOUT_S = 30.0
_END = b"\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """What came back."""

    seconds: float
    delays_ms: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.delays_ms) / self.seconds


class Connection:
    """One connection with at most one request in flight.

    Args:
        port: On 127.0.0.1.
        request: What it sends, again and again.

    """

    def __init__(self, port: int, request: bytes) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._request = request
        self._parts: list[bytes] = []
        self._missing = 0
        """Bytes of the body that are still to come; 0: the head is awaited."""

    def send(self) -> None:
        """Send the request."""
        self.sent_at = time.perf_counter()
        self.sock.sendall(self._request)

    def is_answered(self) -> bool:
        """Read what has come; say whether the answer is complete.

        Raises:
            ConnectionError: The server refused, or is gone.

        """
        data = self.sock.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        if self._missing:
            self._missing -= len(data)
            return self._missing == 0
        self._parts.append(data)
        head, end, body = b"".join(self._parts).partition(_END)
        if not end:
            return False
        self._parts.clear()
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"refused: {head[:200]!r}")
        self._missing = _length(head) - len(body)
        return self._missing == 0


def get(path: str, token: str) -> bytes:
    """Return a GET as it is sent."""
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode()


def fetch(port: int, request: bytes) -> bytes:
    """Return the body of one answer."""
    connection = Connection(port, request)
    with connection.sock as sock:
        connection.send()
        data = b""
        while _END not in data:
            data += sock.recv(65536)
        head, _, body = data.partition(_END)
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"refused: {head[:200]!r}")
        while len(body) < _length(head):
            body += sock.recv(262_144)
    return body


def saturate(port: int, request: bytes, count: int, seconds: float) -> Seen:
    """Keep one request of each of ``count`` connections in flight.

    Raises:
        ConnectionError: The server refused, or is gone.

    """
    with contextlib.ExitStack() as opened:
        connections = [Connection(port, request) for _ in range(count)]
        for connection in connections:
            opened.enter_context(connection.sock)
        return _saturate(connections, seconds)


def _saturate(connections: list[Connection], seconds: float) -> Seen:
    by_fd = {connection.sock.fileno(): connection for connection in connections}
    seen = Seen(seconds)
    with select.epoll() as poller:
        for connection in connections:
            poller.register(connection.sock, select.EPOLLIN)
        started_at = now = time.perf_counter()
        for connection in connections:
            connection.send()
        while now < started_at + seconds:
            for fd, _ in poller.poll(0.05, len(connections)):
                connection = by_fd[fd]
                if connection.is_answered():
                    at = time.perf_counter()
                    seen.delays_ms.append((at - connection.sent_at) * 1000)
                    connection.send()
            now = time.perf_counter()
    seen.seconds = now - started_at
    return seen


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ConnectionError("no Content-Length")
