import struct
from dataclasses import replace

from farhand.media.rtp import HISTORY, RtpStream, StreamParameters

PARAMETERS = StreamParameters(
    ssrc=0x11111111,
    payload_type=101,
    rtx_ssrc=0x22222222,
    rtx_payload_type=102,
    mid="0",
    mid_id=1,
    abs_send_time_id=3,
    playout_delay_id=9,
    transport_cc_id=5,
)


def stream(parameters: StreamParameters = PARAMETERS) -> RtpStream:
    return RtpStream(parameters, first_seq=0xFFFF, first_rtx_seq=7, origin=0xFFFFFFF0)


def head(packet: bytes | bytearray) -> tuple[int, int, int, int, int]:
    flags, kind, seq, stamp, ssrc = struct.unpack_from("!BBHII", packet)
    return flags, kind, seq, stamp, ssrc


def extensions(packet: bytes | bytearray) -> dict[int, bytes]:
    profile, words = struct.unpack_from("!HH", packet, 12)
    assert profile == 0xBEDE
    block, found, at = bytes(packet)[16 : 16 + words * 4], {}, 0
    while at < len(block) and block[at]:
        size = (block[at] & 15) + 1
        found[block[at] >> 4] = block[at + 1 : at + 1 + size]
        at += 1 + size
    return found


def body(packet: bytes | bytearray) -> bytes:
    return bytes(packet)[16 + 4 * struct.unpack_from("!H", packet, 14)[0] :]


def test_packets_of_a_frame_share_a_timestamp_and_the_last_carries_the_marker() -> None:
    packets = stream().frame([b"a", b"b"], 0x20)
    assert [head(packet) for packet in packets] == [
        (0x90, 101, 0xFFFF, 0x10, 0x11111111),
        (0x90, 101 | 0x80, 0, 0x10, 0x11111111),
    ]
    assert [body(packet) for packet in packets] == [b"a", b"b"]


def test_every_packet_carries_the_playout_delay_zero_the_mid_and_what_is_stamped() -> None:
    outgoing = stream()
    (packet,) = outgoing.frame([b"a"], 0)
    before = len(packet)
    outgoing.stamp(packet, 0x1_FFFE, now_s=1.5)
    assert extensions(packet) == {
        1: b"0",
        9: b"\x00\x00\x00",
        3: (3 << 17).to_bytes(3, "big"),
        5: b"\xff\xfe",
    }
    assert (len(packet), body(packet)) == (before, b"a")


def test_a_repeated_packet_is_stamped_when_it_leaves_again() -> None:
    outgoing = stream()
    (first,) = outgoing.frame([b"a"], 0)
    again = outgoing.again(0xFFFF)
    assert again is not None
    outgoing.stamp(first, 1, now_s=1)
    outgoing.stamp(again, 2, now_s=2)
    assert [extensions(p)[5] for p in (first, again)] == [b"\x00\x01", b"\x00\x02"]
    assert body(again) == b"\xff\xffa"


def test_extensions_that_were_not_negotiated_are_left_out() -> None:
    bare = replace(PARAMETERS, mid_id=0, abs_send_time_id=0, playout_delay_id=0, transport_cc_id=0)
    (packet,) = stream(bare).frame([b"a"], 0)
    unstamped = bytes(packet)
    stream(bare).stamp(packet, 7, now_s=3)
    assert packet == unstamped
    assert extensions(packet) == {}
    assert body(packet) == b"a"


def test_timestamp_tells_what_a_frame_leaves_with() -> None:
    outgoing = stream()
    (packet,) = outgoing.frame([b"a"], 12345)
    assert head(packet)[3] == outgoing.timestamp(12345) == outgoing.last_timestamp


def test_a_lost_packet_comes_again_as_rtx_under_its_own_number() -> None:
    outgoing = stream()
    outgoing.frame([b"a", b"b"], 0x20)
    again = outgoing.again(0)
    assert again is not None
    assert head(again) == (0x90, 102 | 0x80, 7, 0x10, 0x22222222)
    assert body(again) == b"\x00\x00b"
    second = outgoing.again(0xFFFF)
    assert second is not None
    assert head(second)[1:3] == (102, 8)


def test_without_rtx_a_lost_packet_comes_again_as_it_was() -> None:
    outgoing = stream(replace(PARAMETERS, rtx_payload_type=None))
    (packet,) = outgoing.frame([b"a"], 0)
    assert outgoing.again(0xFFFF) == packet


def test_a_packet_never_sent_or_too_old_does_not_come_again() -> None:
    outgoing = stream()
    outgoing.frame([b"a"], 0)
    assert outgoing.again(1234) is None
    outgoing.frame([b"x"] * HISTORY, 1)
    assert outgoing.again(0xFFFF) is None


def test_counters_leave_retransmissions_out() -> None:
    outgoing = stream()
    outgoing.frame([b"abc", b"de"], 0)
    outgoing.again(0)
    assert (outgoing.packets, outgoing.octets) == (2, 5)


def test_a_filler_repeats_the_newest_packets_as_rtx() -> None:
    outgoing = stream()
    assert outgoing.filler() is None
    outgoing.frame([b"a", b"b", b"c"], 0)
    fillers = [outgoing.filler() for _ in range(4)]
    assert all(filler is not None and head(filler)[4] == 0x22222222 for filler in fillers)
    assert {body(filler)[2:] for filler in fillers if filler} == {b"a", b"b", b"c"}
    assert stream(replace(PARAMETERS, rtx_payload_type=None)).filler() is None


def test_numbers_never_used_are_told_from_those_that_were() -> None:
    outgoing = stream()
    assert not outgoing.was_made(0xFFFF)
    outgoing.frame([b"a", b"b"], 0)
    assert [outgoing.was_made(seq) for seq in (0xFFFE, 0xFFFF, 0, 1)] == [False, True, True, False]


def test_the_size_of_a_repetition_is_known_before_it_is_made() -> None:
    outgoing = stream()
    outgoing.frame([b"abc"], 0)
    again = outgoing.again(0xFFFF)
    assert again is not None
    assert outgoing.size_of(0xFFFF) == len(again)
    assert outgoing.size_of(3) is None
