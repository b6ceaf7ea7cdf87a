"""The shortcut for plain frames against the library that it stands in for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from farhand.protocol import messages as m
from farhand.protocol.ids import SessionId
from farhand.server.frames import plain_frame, text_frame, wire_size

sizes = st.one_of(st.integers(0, 300), st.sampled_from([65534, 65535, 65536]))
frames = st.builds(
    lambda opcode, size, fin, mask: Frame(opcode, b"x" * size, fin).serialize(mask=mask),
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
    sizes,
    st.booleans(),
    st.booleans(),
)
noise = st.binary(max_size=64)
streams = st.lists(st.one_of(frames, noise), max_size=4).map(b"".join)


def by_library(data: bytes) -> list[bytes]:
    ws = ServerProtocol(state=State.OPEN, max_size=2**20)
    ws.receive_data(data)
    return [bytes(event.data) for event in ws.events_received() if isinstance(event, Frame)]


@given(streams)
def test_whatever_the_shortcut_takes_the_library_would_have_taken_the_same_way(
    data: bytes,
) -> None:
    at, taken = 0, []
    while (found := plain_frame(data, at)) is not None:
        payload, after = found
        assert after - at == wire_size(len(payload))
        taken.append(payload)
        at = after
    assert by_library(data)[: len(taken)] == taken


@given(st.binary(max_size=300), st.integers(0, 20))
def test_a_plain_frame_is_taken_from_where_it_stands(payload: bytes, before: int) -> None:
    data = b"?" * before + Frame(Opcode.TEXT, payload).serialize(mask=True)
    assert plain_frame(data, before) == (payload, len(data))
    assert plain_frame(data[:-1], before) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\xfe\x00\x05MASKhello",  # longer encoding than needed
        b"\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05MASKhello",
        b"\x81\x05hello-",  # not masked
        b"\x01\x85MASKhello",  # not the last fragment
        b"\x82\x85MASKhello",  # binary
        b"\xc1\x85MASKhello",  # compressed
        b"\x89\x85MASKhello",  # ping
        b"\x81",
        b"",
    ],
)
def test_everything_else_is_left_to_the_library(data: bytes) -> None:
    assert plain_frame(data, 0) is None


@pytest.mark.parametrize("size", [0, 60, 200, 70_000])
def test_a_frame_that_we_make_is_the_librarys(size: int) -> None:
    message = m.SessionEnded(SessionId("s"), "x" * size)
    made = text_frame(message)
    payload = made[made.index(b"{") :]
    assert made == Frame(Opcode.TEXT, payload).serialize(mask=False)
