import socket
from collections.abc import Iterator

import pytest

from farhand.sim import wire
from farhand.sim.connection import OUT_LIMIT, Connection

STEP = wire.Actuation(1, 0.1, 0.2, 0.3, 0.4, 5, 6)


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours.setblocking(False)
    theirs.setblocking(False)
    yield Connection(ours), theirs
    ours.close()
    theirs.close()


def read_all(link: socket.socket, reader: wire.LinkReader) -> list[wire.FromSim]:
    messages: list[wire.FromSim] = []
    while True:
        try:
            data = link.recv(65536)
        except BlockingIOError:
            return messages
        messages += [wire.decode_from_sim(body) for body in reader.feed(data)]


def test_who_does_not_read_misses_messages_and_never_gets_half_of_one(
    pair: tuple[Connection, socket.socket],
) -> None:
    connection, theirs = pair
    reader, offered, got = wire.LinkReader(), 0, 0
    for _ in range(3):
        results = [connection.offer(STEP) for _ in range(5_000)]
        assert False in results
        offered += sum(results)
        messages = read_all(theirs, reader)
        assert set(messages) == {STEP}
        got += len(messages)
    connection.offer(STEP)
    assert got <= offered <= got + len(read_all(theirs, reader))


def test_who_lets_its_answers_wait_is_cut(pair: tuple[Connection, socket.socket]) -> None:
    connection, _ = pair
    for _ in range(OUT_LIMIT):
        connection.reply(STEP)
        if connection.is_closed:
            return
    pytest.fail("never cut")


def test_nonsense_and_an_end_read_as_gone(pair: tuple[Connection, socket.socket]) -> None:
    connection, theirs = pair
    assert connection.receive() == []
    theirs.sendall(wire.pack(wire.Observe()))
    assert connection.receive() == [wire.Observe()]
    theirs.sendall(b"\x00\x00\x00\x01\xff")
    assert connection.receive() is None
    theirs.close()
    assert connection.receive() is None
