import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farhand.media.congestion.feedback import PERIOD_US, REFERENCE_US, TICK_US, Feedback, parse
from tests.media.congestion.feedback_writer import write


def header(base: int, count: int, reference: int = 0, number: int = 0) -> bytes:
    return struct.pack("!HHI", base, count, reference << 8 | number)


def test_a_report_of_each_kind_of_chunk_is_read() -> None:
    fci = header(65534, 24, reference=2, number=7)
    fci += struct.pack("!H", 0 << 15 | 1 << 13 | 3)  # a run: 3 small deltas
    fci += struct.pack("!H", 0b10_10000000000001)  # one-bit symbols: the first and the last of 14
    fci += struct.pack("!H", 0b11_00_10_00_00_00_00_01)  # two-bit symbols: large, then small
    fci += bytes([4, 0, 8, 1, 2]) + struct.pack("!h", -40) + bytes([12])
    clock = 2 * REFERENCE_US
    expected = [(0, 4), (1, 4), (2, 12), (3, 13), (16, 15), (18, -25), (23, -13)]
    assert parse(fci) == Feedback(
        65534, 24, 7, tuple((offset, clock + ticks * TICK_US) for offset, ticks in expected)
    )


def test_what_did_not_arrive_is_none() -> None:
    fci = write(5, [64_000, None, 64_500], 1)
    assert parse(fci).arrivals_us == (64_000, None, 64_500)


def test_padding_behind_the_arrival_times_is_ignored() -> None:
    assert parse(write(1, [0, 250], 0) + b"\0\0") == parse(write(1, [0, 250], 0))


@pytest.mark.parametrize(
    ("fci", "why"),
    [
        (b"", "header"),
        (header(0, 1), "chunks"),
        (header(0, 1) + b"\x20", "chunks"),
        (header(0, 1) + b"\x20\x01", "cannot be"),
        (header(0, 7) + b"\xd5\x55", "arrival times"),
        (header(0, 7) + b"\xea\xaa\0\0\0\0\0", "arrival times"),
        (header(0, 7) + b"\xff\xff" + bytes(14), "not defined"),
        (header(0, 2) + b"\x60\x02" + bytes(14), "cannot be"),
        (header(0, 9) + b"\0\0" * 50, "chunks"),  # runs of nothing
    ],
)
def test_what_the_format_does_not_allow_is_refused(fci: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(fci)


def test_a_report_of_65535_lost_packets_costs_eight_steps() -> None:
    fci = header(0, 65535) + struct.pack("!H", 0x1FFF) * 8 + struct.pack("!H", 7)
    started = time.process_time()
    for _ in range(1000):
        assert parse(fci).received == ()
    assert time.process_time() - started < 0.5


def test_a_run_of_arrivals_beyond_the_data_is_refused_before_it_is_expanded() -> None:
    fci = header(0, 65535) + struct.pack("!H", 1 << 13 | 0x1FFF) * 9
    with pytest.raises(ValueError, match="cannot be"):
        parse(fci)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(fci: bytes) -> None:
    try:
        feedback = parse(fci)
    except ValueError:
        return
    assert len(feedback.received) <= len(fci)
    assert all(0 <= offset < feedback.count for offset, _ in feedback.received)


arrivals = st.lists(
    st.none() | st.integers(min_value=0, max_value=8_000).map(lambda n: n * TICK_US),
    min_size=1,
    max_size=200,
).filter(lambda a: any(x is not None for x in a))


@given(st.integers(0, 65535), arrivals, st.integers(0, 255))
def test_what_is_written_is_read(base: int, times: list[int | None], number: int) -> None:
    feedback = parse(write(base, times, number))
    assert (feedback.base_seq, feedback.number) == (base, number)
    assert list(feedback.arrivals_us) == times


def test_the_reference_time_wraps() -> None:
    late = parse(write(0, [PERIOD_US + 64_000], 0))
    assert late.received == ((0, 64_000),)
