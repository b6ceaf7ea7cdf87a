import json
from collections.abc import Callable
from typing import Any

import pytest

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import SessionId

SESSION = SessionId("s1")

ALL: list[Callable[[bytes | str], Any]] = [
    codec.decode_client,
    codec.decode_server,
    codec.decode_channel,
    codec.decode_frames,
    codec.decode_telemetry,
]


def code_of(decode: Callable[[bytes | str], Any], data: bytes | str) -> Code:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(data)
    return caught.value.code


@pytest.mark.parametrize("decode", ALL)
@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b'{"type":"\xff"}',
        b'{"type":"error","code":"FH-9000","text":"\xff"}',
        "\ud800",
        '{"type":"pong","n":1,"x":' + "[" * 20_000,
        '{"x":' * 20_000,
        "",
    ],
)
def test_bytes_that_are_no_message_are_malformed(
    decode: Callable[[bytes | str], Any], data: bytes | str
) -> None:
    assert code_of(decode, data) in (Code.MALFORMED, Code.TOO_LARGE)


@pytest.mark.parametrize("decode", ALL)
def test_unknown_type_has_its_own_code(decode: Callable[[bytes | str], Any]) -> None:
    assert code_of(decode, '{"type":"self-destruct"}') == Code.UNKNOWN_TYPE


def test_a_refusal_repeats_no_more_than_64_characters_of_a_type() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode_client(json.dumps({"type": "x" * 5000}))
    assert len(str(caught.value)) < 150


def test_a_refusal_names_the_member_that_is_wrong() -> None:
    with pytest.raises(RemoteProtocolError, match=r"\$\.room"):
        codec.decode_client('{"type":"join","room":7}')


@pytest.mark.parametrize("decode", [codec.decode_client, codec.decode_server])
@pytest.mark.parametrize("kind", ["offer", "answer"])
def test_sdp_has_a_limit(decode: Callable[[bytes | str], Any], kind: str) -> None:
    def text(size: int) -> str:
        return json.dumps({"type": kind, "sessionId": "s1", "sdp": "v" * size})

    assert len(decode(text(codec.MAX_SDP_BYTES)).sdp) == codec.MAX_SDP_BYTES
    assert code_of(decode, text(codec.MAX_SDP_BYTES + 1)) == Code.SDP_TOO_LARGE


@pytest.mark.parametrize("decode", [codec.decode_client, codec.decode_server])
def test_candidate_has_a_limit(decode: Callable[[bytes | str], Any]) -> None:
    def text(size: int) -> bytes:
        return codec.encode(m.Candidate(SESSION, m.IceCandidate("c" * size)))

    assert decode(text(codec.MAX_CANDIDATE_BYTES)).candidate is not None
    assert code_of(decode, text(codec.MAX_CANDIDATE_BYTES + 1)) == Code.CANDIDATE_TOO_LARGE


def test_end_of_candidates_passes_the_limit() -> None:
    assert codec.decode_client(codec.encode(m.Candidate(SESSION))) == m.Candidate(SESSION)


@pytest.mark.parametrize(
    ("decode", "head", "tail"),
    [
        (codec.decode_channel, '{"type":"error","code":"FH-9000","text":"', '"}'),
        (codec.decode_telemetry, '{"type":"telemetry","stampUs":1,"values":{"', '":1}}'),
    ],
)
def test_a_channel_message_has_a_limit(
    decode: Callable[[bytes | str], Any], head: str, tail: str
) -> None:
    def text(size: int) -> str:
        return head + "x" * (size - len(head) - len(tail)) + tail

    limit = codec.MAX_CHANNEL_MESSAGE_BYTES
    decode(text(limit))
    assert code_of(decode, text(limit + 1)) == Code.TOO_LARGE


def test_text_and_bytes_decode_alike() -> None:
    ping = m.Ping(n=1, timeout_ms=1500)
    data = codec.encode(ping)
    assert codec.decode_client(data) == codec.decode_client(data.decode()) == ping
