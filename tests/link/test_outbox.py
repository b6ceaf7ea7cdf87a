"""What leaves first, and what is bounded."""

from farhand.link.outbox import LinkOutbox
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch, RoomId


def status(stamp_us: int) -> m.Status:
    return m.Status(stamp_us, "idle", m.LeaseState(Epoch(0)))


def test_safety_leaves_before_signaling_and_status_last() -> None:
    outbox = LinkOutbox()
    for message in (status(1), m.Join(RoomId("a")), m.Stop(1)):
        assert outbox.put(message)
    assert [outbox.pop(), outbox.pop(), outbox.pop(), outbox.pop()] == [
        codec.encode(m.Stop(1)),
        codec.encode(m.Join(RoomId("a"))),
        codec.encode(status(1)),
        None,
    ]


def test_only_the_newest_status_waits() -> None:
    outbox = LinkOutbox()
    outbox.put(status(1))
    outbox.put(status(2))
    assert outbox.pop() == codec.encode(status(2))
    assert outbox.pop() is None


def test_a_full_queue_says_so_and_does_not_hold_up_the_other_class() -> None:
    outbox = LinkOutbox(max_waiting=2)
    assert outbox.put(m.Leave())
    assert outbox.put(m.Leave())
    assert not outbox.put(m.Leave())
    assert outbox.put(m.Stop(1))


def test_cleared_it_is_empty() -> None:
    outbox = LinkOutbox()
    for message in (status(1), m.Leave(), m.Stop(1)):
        outbox.put(message)
    outbox.clear()
    assert outbox.pop() is None
