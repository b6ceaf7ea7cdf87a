from farhand.media.congestion.feedback import Feedback
from farhand.media.congestion.packet_log import CAPACITY, Acked, PacketLog, Report


def sent(count: int, *, log: PacketLog | None = None) -> PacketLog:
    log = log or PacketLog()
    for _ in range(count):
        log.add(100, log.next_number * 1_000)
    return log


def received(base: int, *offsets: int, count: int | None = None) -> Feedback:
    count = max(offsets, default=-1) + 1 if count is None else count
    return Feedback(base & 0xFFFF, count, 0, tuple((o, 5_000 + o) for o in offsets))


def test_a_packet_is_acknowledged_with_what_was_noted() -> None:
    assert sent(3).take(received(1, 0)) == Report([Acked(1, 1_000, 5_000, 100)], 0)


def test_each_packet_is_acknowledged_once() -> None:
    log = sent(3)
    log.take(received(0, 0, 1, 2))
    assert log.take(received(0, 0, 1, 2)) == Report([], 0)


def test_what_is_missing_counts_as_lost_once() -> None:
    log = sent(6)
    assert log.take(received(0, 0, 3)).lost == 2
    assert log.take(received(0, 0, 3)).lost == 0
    assert log.take(received(0, count=6)).lost == 2


def test_a_packet_that_arrives_after_all_is_taken_back_from_the_lost() -> None:
    log = sent(3)
    assert log.take(received(0, 0, 2)).lost == 1
    late = log.take(received(1, 0))
    assert (late.lost, [a.number for a in late.acked]) == (-1, [1])


def test_packets_of_a_report_that_was_lost_are_neither_lost_nor_received() -> None:
    log = sent(10)
    report = log.take(received(6, 0, 1))
    assert (report.lost, len(report.acked), log.reported) == (0, 2, 8)


def test_numbers_wrap_at_16_bits() -> None:
    log = sent(65_530)
    log.take(received(65_529, 0))
    sent(10, log=log)
    report = log.take(received(65_530, 0, 7, 9))
    assert [a.number for a in report.acked] == [65_530, 65_537, 65_539]
    assert report.lost == 7


def test_packets_never_sent_are_ignored() -> None:
    log = sent(3)
    assert log.take(received(3, 0, 1, 2)) == Report([], 0)
    assert log.take(received(40_000, 0, 1, 30_000)) == Report([], 0)
    assert [a.number for a in log.take(received(2, 0, 1, 50)).acked] == [2]
    assert log.reported == 3


def test_a_report_that_is_too_old_says_nothing() -> None:
    log = sent(CAPACITY + 10)
    assert log.take(received(5, 0)) == Report([], 0)
    assert len(log.take(received(10, 0)).acked) == 1


def test_the_oldest_unreported_packet_is_known() -> None:
    log = PacketLog()
    assert log.unreported_since_us is None
    sent(4, log=log)
    assert log.unreported_since_us == 0
    log.take(received(0, 0, 1))
    assert log.unreported_since_us == 2_000
    log.take(received(2, 0, 1))
    assert log.unreported_since_us is None
