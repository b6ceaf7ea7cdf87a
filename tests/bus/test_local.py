from farhand.bus.base import Bus
from farhand.bus.local import LocalBus
from farhand.core.member import PeerId
from farhand.protocol import messages as m

ONE, TWO = PeerId(1), PeerId(2)


def test_a_message_is_framed_once_and_reaches_each_peer_in_order() -> None:
    framed: list[m.ServerMessage] = []
    got: list[tuple[PeerId, bytes]] = []

    def frame(message: m.ServerMessage) -> bytes:
        framed.append(message)
        return b"%d" % len(framed)

    bus: Bus = LocalBus(frame)
    for peer in (ONE, TWO):
        bus.attach(peer, lambda data, _, peer=peer: got.append((peer, data)))  # type: ignore[misc]
    bus.deliver((ONE, TWO), m.Pong(1))
    bus.deliver((TWO,), m.Pong(2))
    assert framed == [m.Pong(1), m.Pong(2)]
    assert got == [(ONE, b"1"), (TWO, b"1"), (TWO, b"2")]


def test_peers_that_are_gone_are_skipped() -> None:
    got: list[bytes] = []
    bus = LocalBus(lambda _: b"x")
    bus.attach(ONE, lambda data, _: got.append(data))
    bus.detach(ONE)
    bus.detach(ONE)
    bus.deliver((ONE, TWO), m.Pong(1))
    assert got == []
