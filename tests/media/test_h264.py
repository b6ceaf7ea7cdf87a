from hypothesis import given
from hypothesis import strategies as st

from farhand.media.h264 import is_key, nal_units, payloads

SPS, PPS, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x65idr", b"\x41slice"


def test_nal_units_are_found_behind_short_and_long_start_codes() -> None:
    stream = b"\x00\x00\x00\x01" + SPS + b"\x00\x00\x01" + PPS + b"\x00\x00\x00\x01" + IDR
    assert list(nal_units(stream)) == [SPS, PPS, IDR]


def test_bytes_without_a_start_code_hold_no_nal_unit() -> None:
    assert list(nal_units(b"nothing here")) == []
    assert list(nal_units(b"\x00\x00\x01")) == []


def test_a_nal_unit_that_fits_is_one_payload() -> None:
    assert payloads(b"\x00\x00\x01" + SLICE) == [SLICE]


def test_a_large_nal_unit_is_cut_into_fragments_of_like_size() -> None:
    unit = b"\x65" + bytes(range(1, 11))
    assert payloads(b"\x00\x00\x01" + unit, limit=7) == [
        bytes((0x7C, 0x85)) + unit[1:6],
        bytes((0x7C, 0x45)) + unit[6:],
    ]


def test_only_an_idr_picture_is_a_key_frame() -> None:
    assert is_key(b"\x00\x00\x01" + SPS + b"\x00\x00\x01" + IDR)
    assert not is_key(b"\x00\x00\x01" + SLICE)


def joined(parts: list[bytes]) -> list[bytes]:
    """What a receiver makes of the payloads: fragments put together again."""
    units: list[bytes] = []
    for part in parts:
        if part[0] & 0x1F != 28:
            units.append(part)
        elif part[1] & 0x80:
            units.append(bytes((part[0] & 0xE0 | part[1] & 0x1F,)) + part[2:])
        else:
            units[-1] += part[2:]
    return units


# Encoders put a 3 between zeros, so that no start code appears inside; 4..255 is simpler and does
# the same.
UNIT = st.binary(min_size=1, max_size=4000).map(lambda b: b"\x41" + bytes(4 + x % 252 for x in b))


@given(st.lists(UNIT, max_size=4), st.integers(min_value=3, max_value=1300))
def test_payloads_never_exceed_the_limit_and_give_back_the_nal_units(
    units: list[bytes], limit: int
) -> None:
    packed = payloads(b"".join(b"\x00\x00\x01" + unit for unit in units), limit)
    assert all(len(part) <= limit for part in packed)
    assert joined(packed) == units
