"""Every decoder of remote bytes, with good input to start from: for tests and `make fuzz`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from farhand.core.resume import Claims, ResumeSigner
from farhand.errors import NotAllowed, RemoteProtocolError
from farhand.protocol import codec, control, gate_link
from farhand.protocol.ids import MemberId, ServiceId

VECTORS = Path(__file__).resolve().parents[2] / "conformance"
WIRES = [
    v["wire"].encode()
    for path in sorted(VECTORS.glob("messages/*.json"))
    for v in json.loads(path.read_text("utf-8"))
]
FRAMES = [bytes.fromhex(v["hex"]) for v in json.loads((VECTORS / "frames.json").read_text())]
LINK = [
    gate_link.pack_link(message)[4:]
    for message in (
        gate_link.Halt(1, 2, "Ana"),
        gate_link.Command(1, b"frame"),
        gate_link.GateHello("0.1.0", 4, 150, 0.25),
        gate_link.GateState(7, "stop", 4, "Ana", False, 3, {"FH-7003": 1}, 1),
    )
]


def read_link(data: bytes) -> object:
    return list(gate_link.LinkReader().feed(data))


SIGNER = ResumeSigner(bytes(32))
TOKENS = [SIGNER.sign(Claims(MemberId("m-1"), ServiceId("default"), "operator", None)).encode()]


def read_token(data: bytes) -> object:
    return SIGNER.verify(data.decode("utf-8", "replace"))


REFUSALS = (RemoteProtocolError, NotAllowed)
"""What a decoder may raise over bytes from outside."""

PARSERS: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "client": (codec.decode_client, WIRES),
    "server": (codec.decode_server, WIRES),
    "channel": (codec.decode_channel, WIRES),
    "frames": (codec.decode_frames, WIRES),
    "telemetry": (codec.decode_telemetry, WIRES),
    "control": (control.unpack_control, FRAMES),
    "verdict": (control.unpack_verdict, FRAMES),
    "safety": (control.unpack_safety, FRAMES),
    "to_gate": (gate_link.decode_to_gate, LINK),
    "from_gate": (gate_link.decode_from_gate, LINK),
    "link_reader": (read_link, LINK),
    "resume": (read_token, TOKENS),
}
