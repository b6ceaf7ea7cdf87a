from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import gate_link as link

TO_GATE: list[link.ToGate] = [
    link.Grant(member=1, epoch=7, steer_by="blind"),
    link.Revoke(),
    link.Command(member=1, frame=b"\x00\x01"),
    link.Answered(member=1, n=5, peer_us=2**63),
    link.Halt(member=2, nonce=3, name="小安"),
    link.Reset(member=1, stop_id=9),
    link.Forget(member=1),
]
FROM_GATE: list[link.FromGate] = [
    link.GateHello("0.1.0", axes=4, max_age_ms=150, device_timeout_s=0.25),
    link.GateHello("0.1.0", axes=4, max_age_ms=150, device_timeout_s=None),
    link.GateBeatNow(n=1, gate_us=5),
    link.Judged(1, 7, 212, 1000, 9, 2000, Code.TOO_OLD),
    link.Halted(member=1, nonce=3, stop_id=9),
    link.ResetDone(member=1, stop_id=9, code=Code.WRONG_STOP_ID),
    link.GateState(7, None, 0, "", moving=True, applied=3, refused={"FH-7003": 1}, watchdog=0),
    link.GateState(0, "stop", 4, "Ana", False, 3, {}, 1, fault="driver"),
]


def bodies(data: bytes) -> list[bytes]:
    return list(link.LinkReader().feed(data))


@pytest.mark.parametrize("message", TO_GATE)
def test_message_to_the_gate_survives_the_socket(message: link.ToGate) -> None:
    (body,) = bodies(link.pack_link(message))
    assert link.decode_to_gate(body) == message


@pytest.mark.parametrize("message", FROM_GATE)
def test_message_from_the_gate_survives_the_socket(message: link.FromGate) -> None:
    (body,) = bodies(link.pack_link(message))
    assert link.decode_from_gate(body) == message


@given(st.lists(st.sampled_from(TO_GATE), max_size=8), st.data())
def test_reader_finds_the_messages_however_the_stream_is_cut(
    sent: list[link.ToGate], data: st.DataObject
) -> None:
    stream = b"".join(map(link.pack_link, sent))
    reader, got = link.LinkReader(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += [link.decode_to_gate(body) for body in reader.feed(stream[:size])]
        stream = stream[size:]
    assert got == sent


def test_reader_refuses_a_message_that_claims_too_much() -> None:
    reader = link.LinkReader()
    limit = link.MAX_LINK_MESSAGE
    assert len(next(iter(reader.feed(limit.to_bytes(4, "big") + bytes(limit))))) == limit
    with pytest.raises(RemoteProtocolError) as caught:
        list(reader.feed((limit + 1).to_bytes(4, "big")))
    assert caught.value.code == Code.TOO_LARGE


@pytest.mark.parametrize("decode", [link.decode_to_gate, link.decode_from_gate])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x91\x63",  # no such tag
        b"\x94\x05\x01\x01\xa1\xff",  # a name that is no UTF-8
        b"\xdd\xff\xff\xff\xff",
        b"\x92\x02" + b"\x91" * 4000,
        b"\x95\x05\x01\x01\xa1a" + b"\x91" * 4000,
    ],
)
def test_bytes_that_are_no_message_are_malformed(
    decode: Callable[[bytes], Any], body: bytes
) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(body)
    assert caught.value.code == Code.MALFORMED


def test_the_two_directions_share_no_number() -> None:
    def tags(messages: list[Any]) -> set[object]:
        return {type(message).__struct_config__.tag for message in messages}

    to_gate, from_gate = tags(list(TO_GATE)), tags(list(FROM_GATE))
    assert to_gate.isdisjoint(from_gate)
    assert len(to_gate) == 7
    assert len(from_gate) == 6


def test_members_may_be_added_at_the_end() -> None:
    newer = msgspec.msgpack.encode([6, 1, 9, "something new"])
    assert link.decode_to_gate(newer) == link.Reset(member=1, stop_id=9)
