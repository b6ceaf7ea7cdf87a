import pytest
from hypothesis import given
from hypothesis import strategies as st

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import control

U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFF_FFFF)
U64 = st.integers(0, 2**64 - 1)
F32 = st.floats(width=32, allow_nan=False)


@given(
    st.builds(
        control.ControlFrame,
        U32,
        U32,
        U64,
        U32,
        U64,
        U16,
        st.lists(F32, min_size=1, max_size=control.MAX_AXES).map(tuple),
    )
)
def test_every_control_frame_survives_the_wire(frame: control.ControlFrame) -> None:
    data = frame.pack()
    assert len(data) == control.CONTROL_HEAD_BYTES + 4 * len(frame.axes)
    assert len(data) <= control.MAX_CONTROL_BYTES
    assert control.unpack_control(data) == frame


@given(st.builds(control.Verdict, U32, U32, U64, U16, st.none() | st.sampled_from(Code)))
def test_every_verdict_survives_the_wire(verdict: control.Verdict) -> None:
    assert control.unpack_verdict(verdict.pack()) == verdict


@given(
    st.builds(control.Beat, U32, U64)
    | st.builds(control.BeatAnswer, U32, U64)
    | st.builds(control.StopPress, U32)
    | st.builds(control.StopPressAck, U32, U32)
)
def test_every_safety_frame_survives_the_wire(frame: control.SafetyFrame) -> None:
    assert control.unpack_safety(frame.pack()) == frame


@pytest.mark.parametrize("size", [0, 29, 30, 31, 33, 35, 30 + 4 * 33])
def test_a_control_frame_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        control.unpack_control(bytes(size))
    assert caught.value.code == Code.BAD_FRAME


@pytest.mark.parametrize("data", [b"", bytes(19), bytes(21), bytes(18) + b"\xff\xff"])
def test_a_bad_verdict_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        control.unpack_verdict(data)
    assert caught.value.code == Code.BAD_FRAME


@pytest.mark.parametrize("kind", [*control.SafetyKind, 0, 5, 255])
def test_a_safety_frame_of_another_length_is_refused(kind: int) -> None:
    for size in (0, 3, 6, 10, 14):
        with pytest.raises(RemoteProtocolError) as caught:
            control.unpack_safety(bytes([kind]) + bytes(size))
        assert caught.value.code == Code.BAD_FRAME


def test_channel_ids_and_labels_are_unique() -> None:
    assert [c.id for c in control.CHANNELS] == list(range(5))
    assert len({c.label for c in control.CHANNELS}) == 5
    assert [c.label for c in control.CHANNELS if c.is_reliable] == ["messages"]


def test_the_newest_frame_displayed_is_read_without_the_rest() -> None:
    frame = control.ControlFrame(7, 8, 9, 10, 2**53 - 1, 12, (0.5, -0.5))
    assert control.peek_seen_us(frame.pack()) == 2**53 - 1
    assert control.peek_seen_us(frame.pack()[: control.CONTROL_HEAD_BYTES - 1]) is None
    assert control.peek_seen_us(b"") is None
