"""Connections of strangers, from outside: who says nothing, or never comes to an end, is let go."""

import socket
import time
from collections.abc import Iterator

import pytest

from farhand.server import listener
from tests.server.harness import running

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(listener, "HEAD_S", 0.3)
    with running() as server:
        yield server.port


def opened(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def rest_of(made: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    parts = []
    while part := _read(made):
        parts.append(part)
    return b"".join(parts)


def _read(made: socket.socket) -> bytes:
    try:
        return made.recv(65536)
    except ConnectionError:
        return b""


def test_who_sends_nothing_is_let_go(port: int) -> None:
    with opened(port) as made:
        assert rest_of(made) == b""


@pytest.mark.parametrize("before", [b"", GET + b"\r\n"], ids=["at first", "after a request"])
def test_who_sends_a_head_byte_by_byte_is_let_go(port: int, before: bytes) -> None:
    with opened(port) as made:
        if before:
            made.sendall(before)
            assert made.recv(65536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        made.settimeout(0.02)
        for byte in GET + b"X-Slow: " + b"y" * 10_000:
            try:
                made.sendall(bytes([byte]))
                if made.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("part", [b"X-Many: 1\r\n", b"x" * 1000], ids=["many", "one"])
def test_a_head_without_an_end_is_refused(port: int, part: bytes) -> None:
    with opened(port) as made:
        sent = 0
        try:
            made.sendall(GET + b"X-Long: ")
            while sent < 4 * listener.MAX_HEAD:
                made.sendall(part)
                sent += len(part)
        except ConnectionError:
            return
        assert rest_of(made).startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))


def test_trailers_without_an_end_are_cut_off(port: int) -> None:
    head = (
        b"POST /v1/service HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    )
    with opened(port) as made:
        made.sendall(head + b"X-Long: ")
        with pytest.raises(ConnectionError):
            pour(made, 1024 * listener.MAX_HEAD)


def pour(made: socket.socket, size: int) -> None:
    while size > 0:
        size -= made.send(b"x" * listener.MAX_HEAD)


def test_one_connection_carries_many_requests(port: int) -> None:
    with opened(port) as made:
        for _ in range(20):
            made.sendall(GET + b"\r\n")
            assert made.recv(65536).startswith(b"HTTP/1.1 200")


def test_two_requests_at_once_are_both_answered(port: int) -> None:
    with opened(port) as made:
        made.sendall((GET + b"\r\n") * 2)
        answer = b""
        while answer.count(b"HTTP/1.1 200") < 2:
            answer += made.recv(65536)
