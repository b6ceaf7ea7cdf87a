"""Compound RTCP: what is ours comes out, the rest stays as it was."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from farhand.media.rtcp import BURST_BYTES, BYTES_PER_S, MAX_PACKET, Intake, feedback, split


def packet(kind: int, count: int, body: bytes, *, is_padded: bool = False) -> bytes:
    assert len(body) % 4 == 0
    first = 0x80 | (0x20 if is_padded else 0) | count
    return struct.pack("!BBH", first, kind, len(body) // 4) + body


SSRCS = struct.pack("!II", 1, 2)
REPORT = packet(201, 0, b"\x00\x00\x00\x01")
NACK = packet(205, 1, SSRCS + b"\x00\x07\x00\x00")
FEEDBACK = packet(205, 15, SSRCS + b"feedback")


def test_feedback_is_taken_out_of_a_compound_packet() -> None:
    assert split(REPORT + FEEDBACK + NACK) == ([b"feedback"], REPORT + NACK)


def test_feedback_alone_leaves_nothing() -> None:
    assert split(FEEDBACK + FEEDBACK) == ([b"feedback", b"feedback"], b"")


def test_other_packets_pass_unchanged() -> None:
    assert split(REPORT + NACK) == ([], REPORT + NACK)


def test_padding_is_no_part_of_the_feedback() -> None:
    padded = packet(205, 15, SSRCS + b"feed" + b"\x00\x00\x00\x04", is_padded=True)
    assert split(padded) == ([b"feed"], b"")


def test_a_packet_that_is_cut_short_is_left_to_the_stack() -> None:
    assert split(FEEDBACK + REPORT[:6]) == ([b"feedback"], REPORT[:6])
    assert split(FEEDBACK[:-4]) == ([], FEEDBACK[:-4])


@given(st.binary(max_size=200))
def test_no_input_raises_or_grows(data: bytes) -> None:
    found, rest = split(data)
    assert sum(map(len, found)) + len(rest) <= len(data)


@given(st.lists(st.sampled_from([REPORT, NACK, FEEDBACK])), st.binary(max_size=12))
def test_nothing_but_feedback_is_lost(packets: list[bytes], tail: bytes) -> None:
    found, rest = split(b"".join(packets))
    assert len(found) == packets.count(FEEDBACK)
    assert rest == b"".join(p for p in packets if p != FEEDBACK)
    split(b"".join(packets) + tail)


def test_what_one_peer_may_have_read_is_bounded_for_each_packet_and_each_second() -> None:
    intake = Intake()
    assert not intake.take(MAX_PACKET + 1, 0)
    read = sum(1_000 for _ in range(1_000) if intake.take(1_000, 0))
    assert read == BURST_BYTES
    read = sum(1_000 for now_us in range(0, 10_000_000, 1_000) if intake.take(1_000, now_us))
    assert 10 * BYTES_PER_S - 2_000 <= read <= 10 * BYTES_PER_S
    assert intake.refused > 9_000
    # A clock that goes back gives nothing away.
    assert not intake.take(1_000, 0)


def test_what_an_honest_viewer_reports_is_read() -> None:
    intake = Intake()
    for now_us in range(0, 60_000_000, 50_000):
        assert all(intake.take(size, now_us) for size in (1_200, 200, 200, 100))


@given(st.integers(0, 2**32 - 1), st.binary(max_size=100))
def test_written_feedback_is_read_again(ssrc: int, fci: bytes) -> None:
    written = feedback(ssrc, fci)
    assert len(written) % 4 == 0
    assert split(REPORT + written) == ([fci], REPORT)
