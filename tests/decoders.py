"""Decoders of bytes from outside that stand beside the protocol's own, with samples to damage."""

import json
from collections.abc import Callable
from typing import Any

from farhand.dialects.teleop import messages as teleop
from farhand.drivers import callback_wire as wire

_SDP = "v=0\r\na=group:BUNDLE 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
_TELEOP = [
    {"event": "join-room", "data": {"name": "rover.Teleop", "room": "Teleop", "type": "robot"}},
    {"event": "call-ids", "ids": ["b1f7c9de"]},
    {"event": "call-ids", "data": ["b1f7c9de", 7]},
    {"event": "call-peer", "data": {"toId": "b1", "offer": {"type": "offer", "sdp": _SDP}}},
    {
        "event": "make-peer-call-answer",
        "data": {"toId": "b1", "answer": {"type": "answer", "sdp": _SDP}},
    },
    {
        "event": "send-ice-candidate",
        "data": {"toId": "b1", "candidate": {"candidate": "candidate:1", "sdpMLineIndex": 0}},
    },
]
_AXIS = wire.DeclaredAxis("linear.x", "Forward", "m/s", "base", -1.0, 1.0, 1.0, 1.0, 10.0)


def read_teleop(data: bytes) -> object:
    """Decode all that a frame of the teleop dialect may hold."""
    event, _, frame = teleop.frame(data)
    if event == "call-ids":
        return teleop.ids(frame)
    if event == "join-room":
        return teleop.decoded(frame.data, teleop.JoinRoom, "no")
    given = teleop.members(frame)
    teleop.address(given)
    for kind in ("offer", "answer"):
        found = teleop.description(given, kind)
        if found is not None:
            teleop.mids(teleop.repaired(found.sdp))
    return teleop.candidate(given)


def _bodies(*messages: wire.ToProgram | wire.FromProgram) -> list[bytes]:
    return [wire.pack(message)[4:] for message in messages]


PARSERS: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "teleop": (read_teleop, [json.dumps(frame).encode() for frame in _TELEOP]),
    "to_program": (
        wire.decode_to_program,
        _bodies(wire.Ask(), wire.Attach(), wire.Setpoint(7, 1, (0.5, 0.0)), wire.Stop(8, 2)),
    ),
    "from_program": (
        wire.decode_from_program,
        _bodies(wire.Declaration(1, (_AXIS,), "hold"), wire.Took(7, (0.1, None)), wire.Fault("x")),
    ),
}
