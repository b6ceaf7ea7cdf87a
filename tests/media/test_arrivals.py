from hypothesis import given
from hypothesis import strategies as st

from farhand.media.arrivals import MAX_PACKETS, Arrivals, number_of
from farhand.media.congestion import parse
from farhand.media.rtp import RtpStream
from tests.media.test_rtp import PARAMETERS


def relative(arrivals_us: tuple[int | None, ...]) -> list[int | None]:
    first = next(us for us in arrivals_us if us is not None)
    return [None if us is None else us - first for us in arrivals_us]


def test_a_report_tells_what_came_when_and_what_did_not() -> None:
    arrivals = Arrivals()
    for number, now_us in ((10, 1_000_000), (11, 1_000_250), (13, 1_200_000)):
        arrivals.add(number, now_us)
    fci = arrivals.report()
    assert fci is not None
    told = parse(fci)
    assert (told.base_seq, told.number) == (10, 0)
    assert relative(told.arrivals_us) == [0, 250, None, 200_000]
    assert arrivals.report() is None


def test_the_next_report_begins_where_the_last_ended() -> None:
    arrivals = Arrivals()
    arrivals.add(0xFFFE, 0)
    arrivals.report()
    arrivals.add(1, 1000)
    fci = arrivals.report()
    assert fci is not None
    told = parse(fci)
    assert (told.base_seq, told.number) == (0xFFFF, 1)
    assert [us is None for us in told.arrivals_us] == [True, True, False]


def test_a_packet_that_comes_late_is_told_after_all() -> None:
    arrivals = Arrivals()
    arrivals.add(5, 0)
    arrivals.add(7, 500)
    arrivals.report()
    arrivals.add(6, 1000)
    fci = arrivals.report()
    assert fci is not None
    told = parse(fci)
    assert told.base_seq == 6
    assert relative(told.arrivals_us) == [0, -500]


def test_a_jump_ahead_begins_a_new_count_and_the_far_past_is_ignored() -> None:
    arrivals = Arrivals()
    arrivals.add(100, 0)
    arrivals.add(100 + MAX_PACKETS, 10)
    fci = arrivals.report()
    assert fci is not None
    assert parse(fci).base_seq == 100 + MAX_PACKETS
    arrivals.add(100, 20)
    assert arrivals.report() is None


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 30_000_000)), max_size=50))
def test_whatever_comes_every_report_can_be_read(packets: list[tuple[int, int]]) -> None:
    arrivals = Arrivals()
    now_us = 0
    for number, later_us in packets:
        now_us += later_us
        arrivals.add(number, now_us)
        fci = arrivals.report()
        if fci is not None:
            assert len(parse(fci).arrivals_us) <= 2 * MAX_PACKETS


def test_the_number_is_found_in_our_own_packets_only_where_it_is() -> None:
    stream = RtpStream(PARAMETERS, first_seq=1, first_rtx_seq=1, origin=0)
    (packet,) = stream.frame([b"payload"], 0)
    stream.stamp(packet, 0xABCD, 0)
    assert number_of(bytes(packet), 5) == 0xABCD
    assert number_of(bytes(packet), 6) is None


@given(st.binary(max_size=64), st.integers(1, 14))
def test_no_packet_makes_the_search_fail(data: bytes, extension: int) -> None:
    number_of(data, extension)
    number_of(b"\x90" + data, extension)
    number_of(b"\x90" + bytes(11) + b"\xbe\xde\x00\x04" + data, extension)
