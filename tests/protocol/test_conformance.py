"""The shared vectors of `conformance/`, read by TypeScript as well."""

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import codec, control, messages

VECTORS = Path(__file__).resolve().parents[2] / "conformance"
DECODERS: dict[str, Callable[[bytes | str], Any]] = {
    "client": codec.decode_client,
    "server": codec.decode_server,
    "channel": codec.decode_channel,
    "frames": codec.decode_frames,
    "telemetry": codec.decode_telemetry,
}
UNIONS: dict[str, tuple[type, ...]] = {
    "client": get_args(messages.ClientMessage),
    "server": get_args(messages.ServerMessage),
    "channel": get_args(messages.ChannelMessage),
    "frames": (messages.Frames,),
    "telemetry": get_args(messages.TelemetryMessage),
}

MESSAGES: list[dict[str, Any]] = [
    vector
    for path in sorted(VECTORS.glob("messages/*.json"))
    for vector in json.loads(path.read_text("utf-8"))
]
FRAMES: list[dict[str, Any]] = json.loads((VECTORS / "frames.json").read_text("utf-8"))
GOOD = [pytest.param(v, id=v["name"]) for v in MESSAGES if "decoded" in v]
BAD = [pytest.param(v, id=v["name"]) for v in MESSAGES if "error" in v]
GOOD_FRAMES = [pytest.param(v, id=v["name"]) for v in FRAMES if "decoded" in v]
BAD_FRAMES = [pytest.param(v, id=v["name"]) for v in FRAMES if "error" in v]


def plain(value: Any) -> Any:
    """Return a struct as JSON with every member, by its name on the wire."""
    if isinstance(value, msgspec.Struct):
        tag = type(value).__struct_config__.tag
        members = {
            f.encode_name: plain(getattr(value, f.name)) for f in msgspec.structs.fields(value)
        }
        return {"type": tag, **members} if tag else members
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value.value if isinstance(value, Code) else value


def types_of(kind: str) -> dict[str, type]:
    return {str(s.__struct_config__.tag): s for s in UNIONS[kind]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("vector", GOOD)
def test_vector_decodes_to_what_it_says_and_back(vector: dict[str, Any]) -> None:
    for kind in vector["kinds"]:
        message = DECODERS[kind](vector["wire"])
        assert plain(message) == vector["decoded"]
        assert json.loads(codec.encode(message)) == vector["encoded"]
        assert DECODERS[kind](codec.encode(message)) == message


@pytest.mark.parametrize("vector", BAD)
def test_vector_is_refused_with_its_code(vector: dict[str, Any]) -> None:
    for kind in vector["kinds"]:
        with pytest.raises(RemoteProtocolError) as caught:
            DECODERS[kind](vector["wire"])
        assert caught.value.code == vector["error"], kind


@pytest.mark.parametrize("kind", UNIONS)
def test_every_message_has_its_vectors(kind: str) -> None:
    for tag, struct_type in types_of(kind).items():
        mine = {v["name"] for v in MESSAGES if v["type"] == tag and kind in v["kinds"]}
        wanted = {"all fields", "the least", "an unknown field is ignored"}
        assert {f"{tag}: {words}" for words in wanted} <= mine
        has_members = bool(msgspec.structs.fields(struct_type))
        refused = [v for v in MESSAGES if v["type"] == tag and "error" in v]
        assert refused or not has_members, f"no bad vector for {tag}"


@pytest.mark.parametrize("vector", [v for v in MESSAGES if v["name"].endswith(": all fields")])
def test_vector_with_all_fields_leaves_none_out(vector: dict[str, Any]) -> None:
    sent, decoded = json.loads(vector["wire"]), vector["decoded"]
    assert {key: value for key, value in decoded.items() if key not in sent} in (
        {},
        {"from": None},  # on the way out
        {"to": None},  # on arrival
    )
    struct_type = types_of(vector["kinds"][0])[vector["type"]]
    defaults = {
        f.encode_name: f.default
        for f in msgspec.structs.fields(struct_type)
        if f.default is not msgspec.NODEFAULT
    }
    assert [k for k, v in defaults.items() if k in sent and sent[k] == v] == []


@pytest.mark.parametrize("kind", ["client", "server", "channel"])
def test_a_message_of_another_direction_is_refused(kind: str) -> None:
    others = {v["type"] for v in MESSAGES if v["type"] and "decoded" in v} - types_of(kind).keys()
    shown = {v["type"] for v in BAD_DIRECTION if kind in v["kinds"]}
    assert others == shown


BAD_DIRECTION = [v for v in MESSAGES if v["name"].endswith(": not in this direction")]

# --- binary frames -------------------------------------------------------------------------------

WIRE_NAMES = {
    "sentUs": "sent_us",
    "seenUs": "seen_us",
    "loopMs": "loop_ms",
    "ageMs": "age_ms",
    "gateUs": "gate_us",
    "peerUs": "peer_us",
    "stopId": "stop_id",
}
SAFETY: dict[str, type[control.SafetyFrame]] = {
    "beat": control.Beat,
    "answer": control.BeatAnswer,
    "stop": control.StopPress,
    "ack": control.StopPressAck,
}
UNPACK: dict[str, Callable[[bytes], Any]] = {
    "control": control.unpack_control,
    "verdict": control.unpack_verdict,
    "safety": control.unpack_safety,
}


def build_frame(kind: str, decoded: dict[str, Any]) -> Any:
    members = {WIRE_NAMES.get(k, k): v for k, v in decoded.items() if k != "frame"}
    if kind == "control":
        members["axes"] = tuple(float(axis) for axis in members["axes"])
        return control.ControlFrame(**members)
    if kind == "verdict":
        code = members["code"]
        return control.Verdict(**{**members, "code": None if code is None else Code(code)})
    return SAFETY[decoded["frame"]](**members)


def has_nan(frame: Any) -> bool:
    return isinstance(frame, control.ControlFrame) and any(map(math.isnan, frame.axes))


@pytest.mark.parametrize("vector", GOOD_FRAMES)
def test_frame_unpacks_to_what_it_says_and_packs_to_the_same_bytes(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    frame, wanted = UNPACK[vector["kind"]](data), build_frame(vector["kind"], vector["decoded"])
    assert wanted.pack() == data
    if has_nan(wanted):  # NaN equals nothing: compare its bits
        frame, wanted = struct.pack("!9d", *frame.axes * 3), struct.pack("!9d", *wanted.axes * 3)
    assert frame == wanted


@pytest.mark.parametrize("vector", BAD_FRAMES)
def test_frame_is_refused_with_its_code(vector: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        UNPACK[vector["kind"]](bytes.fromhex(vector["hex"]))
    assert caught.value.code == vector["error"]


def test_every_binary_frame_has_vectors() -> None:
    good = [v for v in FRAMES if "decoded" in v]
    assert {v["kind"] for v in good} == {"control", "verdict", "safety"}
    assert {v["decoded"].get("frame") for v in good if v["kind"] == "safety"} == set(SAFETY)
