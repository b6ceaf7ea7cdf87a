"""The line decides by itself, seeded, what happens to each packet; no root, no clock."""

import pytest

from farhand.kits.lab.line import Burst, Impairment, Line

KBIT = 125 * b"x"
"""1000 bits: 1 ms at 1 Mbit/s."""
SLOW = 1_000_000


def carried(line: Line, count: int, *, every_us: int = 1000) -> list[tuple[int, bytes]]:
    """Send numbered packets one by one; return when each arrived."""
    found = []
    for number in range(count):
        now_us = number * every_us
        found += arrived(line, until_us=now_us)
        line.take(number.to_bytes(4, "big") + KBIT[4:], now_us)
    return found + arrived(line, until_us=1 << 60)


def arrived(line: Line, until_us: int) -> list[tuple[int, bytes]]:
    found = []
    while (due_us := line.next_due_us()) is not None and due_us <= until_us:
        found += [(due_us, packet) for packet in line.due(due_us)]
    return found


def numbers(found: list[tuple[int, bytes]]) -> list[int]:
    return [int.from_bytes(packet[:4], "big") for _, packet in found]


def delays_us(found: list[tuple[int, bytes]], every_us: int = 1000) -> list[int]:
    return [at - number * every_us for (at, _), number in zip(found, numbers(found), strict=True)]


def test_a_perfect_line_delivers_at_once_and_in_order() -> None:
    line = Line(Impairment())
    line.take(b"a", 1_000_000)
    line.take(b"b", 1_000_000)
    assert line.next_due_us() == 1_000_000
    assert line.due(1_000_000) == [b"a", b"b"]
    assert line.next_due_us() is None


def test_a_delayed_packet_arrives_exactly_when_it_is_due() -> None:
    line = Line(Impairment(delay_s=0.25))
    line.take(b"a", 1_000_000)
    assert line.next_due_us() == 1_250_000
    assert line.due(1_249_000) == []
    assert line.due(1_250_000) == [b"a"]


def test_jitter_spreads_the_delay_and_keeps_the_order() -> None:
    found = carried(Line(Impairment(delay_s=0.05, jitter_s=0.02)), 500, every_us=50_000)
    assert numbers(found) == list(range(500))
    assert min(delays_us(found, 50_000)) == pytest.approx(30_000, abs=500)
    assert max(delays_us(found, 50_000)) == pytest.approx(70_000, abs=500)


def test_jitter_longer_than_the_interval_lets_nothing_overtake() -> None:
    found = carried(Line(Impairment(delay_s=0.05, jitter_s=0.02)), 500)
    assert numbers(found) == list(range(500))


def test_loss_takes_its_fraction_and_the_same_ones_each_time() -> None:
    first, again = (carried(Line(Impairment(loss=0.02), "seed"), 5000) for _ in range(2))
    assert first == again
    assert len(first) == pytest.approx(4900, abs=40)


def test_bursts_lose_neighbours() -> None:
    line = Line(Impairment(burst=Burst(enter=0.01, leave=0.2)))
    lost = set(range(5000)) - set(numbers(carried(line, 5000)))
    runs = sum(number - 1 not in lost for number in lost)
    assert line.counters.lost == len(lost) == pytest.approx(240, abs=100)
    assert len(lost) / runs == pytest.approx(5, abs=1.5)


def test_outside_its_bursts_the_line_has_its_own_loss() -> None:
    line = Line(Impairment(loss=1.0, burst=Burst(enter=0.5, leave=0.5, loss=0.0)))
    assert len(carried(line, 1000)) == pytest.approx(500, abs=60)


def test_a_rate_spaces_packets() -> None:
    line = Line(Impairment(rate_bps=SLOW))
    for _ in range(3):
        line.take(KBIT, 0)
    assert line.due(900) == []
    assert line.due(1_000) == [KBIT]
    assert line.due(3_500) == [KBIT, KBIT]


def test_an_idle_line_saves_no_rate_for_later() -> None:
    line = Line(Impairment(rate_bps=SLOW))
    line.take(KBIT, 0)
    line.take(KBIT, 5_000_000)
    assert line.due(4_900_000) == [KBIT]
    assert line.next_due_us() == 5_001_000


def test_the_queue_is_bounded_in_packets() -> None:
    line = Line(Impairment(rate_bps=SLOW, queue_packets=3))
    for _ in range(5):
        line.take(KBIT, 0)
    assert line.counters.dropped == 2
    assert len(line.due(1_000_000)) == 3


def test_the_queue_is_bounded_in_time() -> None:
    line = Line(Impairment(rate_bps=SLOW, queue_s=0.2, queue_packets=10_000))
    for _ in range(300):
        line.take(KBIT, 0)
    assert line.counters.dropped == 100
    assert line.next_due_us() == 1_000
    assert len(line.due(200_000)) == 200


def test_a_queue_shorter_than_one_packet_still_lets_one_pass() -> None:
    line = Line(Impairment(rate_bps=SLOW, queue_s=0.0))
    line.take(KBIT, 0)
    line.take(KBIT, 0)
    assert line.due(1_000_000) == [KBIT]


def test_a_new_rate_holds_for_the_packets_that_wait() -> None:
    line = Line(Impairment(rate_bps=SLOW))
    for _ in range(3):
        line.take(KBIT, 0)
    line.change(Impairment(rate_bps=SLOW // 10), 500)
    assert line.due(1_000) == [KBIT]
    assert line.due(10_900) == []
    assert line.due(11_000) == [KBIT]
    assert line.due(21_000) == [KBIT]


def test_without_its_rate_the_line_empties_its_queue() -> None:
    line = Line(Impairment(rate_bps=1000))
    line.take(b"a" + KBIT, 0)
    line.take(b"b" + KBIT, 0)
    line.change(Impairment(delay_s=0.01), 500_000)
    line.take(b"c" + KBIT, 500_000)
    assert [packet[:1] for packet in line.due(510_000)] == [b"a", b"b", b"c"]
    assert line.next_due_us() is None


def test_a_shorter_delay_does_not_let_packets_overtake() -> None:
    line = Line(Impairment(delay_s=0.2))
    line.take(b"a", 0)
    line.change(Impairment(), 100_000)
    line.take(b"b", 100_000)
    assert line.due(199_000) == []
    assert line.due(200_000) == [b"a", b"b"]


def test_a_line_that_is_down_loses_what_enters_and_delivers_what_is_under_way() -> None:
    line = Line(Impairment(delay_s=0.1))
    line.take(b"a", 0)
    line.change(Impairment(delay_s=0.1, is_down=True), 10_000)
    line.take(b"b", 20_000)
    assert line.due(1_000_000) == [b"a"]
    line.change(Impairment(), 2_000_000)
    line.take(b"c", 2_000_000)
    assert line.due(2_000_000) == [b"c"]
    assert line.counters.lost == 1


def test_duplicates_arrive_twice() -> None:
    line = Line(Impairment(duplicate=1.0))
    line.take(b"a", 0)
    assert line.due(0) == [b"a", b"a"]
    assert (line.counters.received, line.counters.sent, line.counters.duplicated) == (1, 2, 1)


def test_reordered_packets_overtake() -> None:
    line = Line(Impairment(delay_s=0.05, reorder=0.1))
    found = carried(line, 1000)
    assert sorted(numbers(found)) == list(range(1000))
    assert set(delays_us(found)) == {0, 50_000}
    assert delays_us(found).count(0) == line.counters.reordered == pytest.approx(100, abs=40)


def test_counters_tell_bytes_and_how_late_the_caller_was() -> None:
    line = Line(Impairment(delay_s=0.1))
    line.take(KBIT, 0)
    line.due(150_000)
    assert line.counters.received_bytes == line.counters.sent_bytes == 125
    assert line.counters.late_max_us == 50_000


@pytest.mark.parametrize(
    "wrong",
    [{"loss": 2}, {"loss": -0.1}, {"delay_s": -1}, {"rate_bps": 0}, {"queue_packets": 0}],
)
def test_what_no_link_can_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"fraction|No link|is_down"):
        Impairment(**wrong)  # type: ignore[arg-type]
