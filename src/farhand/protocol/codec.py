"""JSON text to messages and back, with limits."""

from typing import get_args

import msgspec

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import messages as m

MAX_MESSAGE_BYTES = 128 * 1024
"""One WebSocket message. Checked before anything is decoded; the connection is cut (1009)."""
MAX_SDP_BYTES = 64 * 1024
MAX_CANDIDATE_BYTES = 512
MAX_CANDIDATES = 40
"""Candidates of one side in one negotiation."""
MAX_CHANNEL_MESSAGE_BYTES = 16 * 1024
"""One message on the data channels `messages` and `telemetry`."""


UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises over bytes from outside: text that is no UTF-8 and deep nesting come raw."""


class _Tag(msgspec.Struct, frozen=True):
    type: str = ""


_encoder = msgspec.json.Encoder()
_client: msgspec.json.Decoder[m.ClientMessage] = msgspec.json.Decoder(m.ClientMessage)
_server: msgspec.json.Decoder[m.ServerMessage] = msgspec.json.Decoder(m.ServerMessage)
_channel: msgspec.json.Decoder[m.ChannelMessage] = msgspec.json.Decoder(m.ChannelMessage)
_frames = msgspec.json.Decoder(m.Frames)
_telemetry: msgspec.json.Decoder[m.TelemetryMessage] = msgspec.json.Decoder(m.TelemetryMessage)
_tag = msgspec.json.Decoder(_Tag)

_KNOWN = {
    struct.__struct_config__.tag
    for struct in get_args(
        m.ClientMessage | m.ServerMessage | m.ChannelMessage | m.Frames | m.TelemetryMessage
    )
}


def encode(
    message: m.ClientMessage | m.ServerMessage | m.ChannelMessage | m.Frames | m.TelemetryMessage,
) -> bytes:
    """Return ``message`` as JSON."""
    return _encoder.encode(message)


def _refuse(data: bytes | str, exc: Exception) -> RemoteProtocolError:
    try:
        tag = _tag.decode(data).type
    except UNDECODABLE:
        return RemoteProtocolError(Code.MALFORMED, "Not a JSON object with a `type`.")
    if tag not in _KNOWN:
        return RemoteProtocolError(Code.UNKNOWN_TYPE, f"Unknown message type {tag[:64]!r}.")
    return RemoteProtocolError(Code.MALFORMED, f"Message {tag!r}: {str(exc)[:200]}.")


_WITH_SDP = (m.Offer, m.Answer)  # a union would be built anew for each message


def _check_sizes(message: object) -> None:
    if isinstance(message, m.Candidate):
        if message.candidate and len(message.candidate.candidate) > MAX_CANDIDATE_BYTES:
            raise RemoteProtocolError(
                Code.CANDIDATE_TOO_LARGE, f"A candidate may have {MAX_CANDIDATE_BYTES} bytes."
            )
    elif isinstance(message, _WITH_SDP) and len(message.sdp) > MAX_SDP_BYTES:
        raise RemoteProtocolError(Code.SDP_TOO_LARGE, f"An SDP may have {MAX_SDP_BYTES} bytes.")


def decode_client(data: bytes | str) -> m.ClientMessage:
    """Decode what a member sent to the server.

    Raises:
        RemoteProtocolError: FH-3001 malformed, FH-3003 unknown type, FH-3011 or FH-3012 too large.

    """
    try:
        message = _client.decode(data)
    except UNDECODABLE as exc:
        raise _refuse(data, exc) from exc
    _check_sizes(message)
    return message


def decode_server(data: bytes | str) -> m.ServerMessage:
    """Decode what the server sent to a member.

    Raises:
        RemoteProtocolError: FH-3001 malformed, FH-3003 unknown type, FH-3011 or FH-3012 too large.

    """
    try:
        message = _server.decode(data)
    except UNDECODABLE as exc:
        raise _refuse(data, exc) from exc
    _check_sizes(message)
    return message


def decode_channel(data: bytes | str) -> m.ChannelMessage:
    """Decode a message of the data channel `messages`.

    Raises:
        RemoteProtocolError: FH-3001 malformed, FH-3002 too large, FH-3003 unknown type.

    """
    if len(data) > MAX_CHANNEL_MESSAGE_BYTES:
        raise RemoteProtocolError(
            Code.TOO_LARGE, f"A channel message may have {MAX_CHANNEL_MESSAGE_BYTES} bytes."
        )
    try:
        return _channel.decode(data)
    except UNDECODABLE as exc:
        raise _refuse(data, exc) from exc


def decode_frames(data: bytes | str) -> m.Frames:
    """Decode a side message.

    Raises:
        RemoteProtocolError: FH-3001.

    """
    try:
        return _frames.decode(data)
    except UNDECODABLE as exc:
        raise _refuse(data, exc) from exc


def decode_telemetry(data: bytes | str) -> m.TelemetryMessage:
    """Decode a message of the data channel `telemetry`.

    Raises:
        RemoteProtocolError: FH-3001 malformed, FH-3002 too large, FH-3003 unknown type.

    """
    if len(data) > MAX_CHANNEL_MESSAGE_BYTES:
        raise RemoteProtocolError(
            Code.TOO_LARGE, f"A channel message may have {MAX_CHANNEL_MESSAGE_BYTES} bytes."
        )
    try:
        return _telemetry.decode(data)
    except UNDECODABLE as exc:
        raise _refuse(data, exc) from exc
