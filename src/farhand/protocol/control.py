"""The data channels, and the binary frames on `safety` and `control`. All numbers are big-endian.

control frame v1 (person to robot, channel `control`), 30 bytes and 4 for each manifest axis::

    epoch u32 · seq u32 · sentUs u64 · heard u32 · seenUs u64 · loopMs u16 · axes f32 × n

    sentUs  the sender's monotonic clock when it sent the frame
    heard   number of the newest gate beat that the sender has seen, 0 = none
    seenUs  stampUs of the newest frame displayed, 0 = none
    loopMs  loop latency as the sender measures it, 0 = unknown

verdict (robot to person, channel `control`), 20 bytes: what the gate did with one control frame::

    epoch u32 · seq u32 · sentUs u64 · ageMs u16 · reason u16

    reason  0 = applied, else the digits of the FH- code

safety frames (channel `safety`) begin with a kind, u8::

    1 BEAT    n u32 · gateUs u64            robot to person, 20 Hz
    2 ANSWER  n u32 · peerUs u64            person to robot, at once
    3 STOP    nonce u32                     person to robot, each tick until acknowledged
    4 ACK     nonce u32 · stopId u32        robot to person: output zero, latch on disk
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from farhand.errors import Code, RemoteProtocolError


@dataclass(frozen=True, slots=True)
class Channel:
    """A negotiated data channel: same id at both ends, no opening handshake."""

    id: int
    label: str
    is_reliable: bool


SAFETY = Channel(0, "safety", is_reliable=False)
CONTROL = Channel(1, "control", is_reliable=False)
FRAMES = Channel(2, "frames", is_reliable=False)
MESSAGES = Channel(3, "messages", is_reliable=True)
TELEMETRY = Channel(4, "telemetry", is_reliable=False)
CHANNELS = (SAFETY, CONTROL, FRAMES, MESSAGES, TELEMETRY)

MAX_AXES = 32

_HEAD = struct.Struct("!IIQIQH")
_SEEN = struct.Struct("!20xQ")
_VERDICT = struct.Struct("!IIQHH")
_CLOCK = struct.Struct("!BIQ")
_STOP = struct.Struct("!BI")
_ACK = struct.Struct("!BII")

CONTROL_HEAD_BYTES = _HEAD.size
MAX_CONTROL_BYTES = CONTROL_HEAD_BYTES + 4 * MAX_AXES


class SafetyKind(IntEnum):
    """First byte of a safety frame."""

    BEAT = 1
    ANSWER = 2
    STOP = 3
    ACK = 4


@dataclass(frozen=True, slots=True)
class ControlFrame:
    """One setpoint on all axes.

    Numbers may be NaN or infinite on arrival: the gate refuses those.
    """

    epoch: int
    seq: int
    sent_us: int
    heard: int
    seen_us: int
    loop_ms: int
    axes: tuple[float, ...]

    def pack(self) -> bytes:
        """Return the frame as bytes."""
        head = _HEAD.pack(
            self.epoch, self.seq, self.sent_us, self.heard, self.seen_us, self.loop_ms
        )
        return head + struct.pack(f"!{len(self.axes)}f", *self.axes)


def unpack_control(data: bytes) -> ControlFrame:
    """Return the frame that ``data`` holds.

    Raises:
        RemoteProtocolError: The length is not 30 + 4 n bytes with n from 1 to 32.

    """
    count, rest = divmod(len(data) - CONTROL_HEAD_BYTES, 4)
    if rest or not 1 <= count <= MAX_AXES:
        raise RemoteProtocolError(Code.BAD_FRAME, f"A control frame cannot have {len(data)} bytes.")
    epoch, seq, sent_us, heard, seen_us, loop_ms = _HEAD.unpack_from(data)
    axes = struct.unpack_from(f"!{count}f", data, CONTROL_HEAD_BYTES)
    return ControlFrame(epoch, seq, sent_us, heard, seen_us, loop_ms, axes)


def peek_seen_us(data: bytes) -> int | None:
    """Return ``seenUs`` of a control frame without unpacking the rest; ``None``: too short."""
    return _SEEN.unpack_from(data)[0] if len(data) >= CONTROL_HEAD_BYTES else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate did with one control frame."""

    epoch: int
    seq: int
    sent_us: int
    """As it stood in the frame: the sender subtracts and has the control round trip."""
    age_ms: int
    code: Code | None
    """``None``: applied."""

    def pack(self) -> bytes:
        """Return the verdict as bytes."""
        reason = 0 if self.code is None else int(self.code.value[3:])
        return _VERDICT.pack(self.epoch, self.seq, self.sent_us, self.age_ms, reason)


def unpack_verdict(data: bytes) -> Verdict:
    """Return the verdict that ``data`` holds.

    Raises:
        RemoteProtocolError: Not 20 bytes, or an unknown reason.

    """
    if len(data) != _VERDICT.size:
        raise RemoteProtocolError(Code.BAD_FRAME, f"A verdict cannot have {len(data)} bytes.")
    epoch, seq, sent_us, age_ms, reason = _VERDICT.unpack(data)
    try:
        code = None if reason == 0 else Code(f"FH-{reason:04d}")
    except ValueError:
        raise RemoteProtocolError(Code.BAD_FRAME, f"No such reason: {reason}.") from None
    return Verdict(epoch, seq, sent_us, age_ms, code)


@dataclass(frozen=True, slots=True)
class Beat:
    """The gate is alive; its clock at sending."""

    n: int
    gate_us: int

    def pack(self) -> bytes:
        """Return the frame as bytes."""
        return _CLOCK.pack(SafetyKind.BEAT, self.n, self.gate_us)


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """The member's clock when it answered beat ``n``."""

    n: int
    peer_us: int

    def pack(self) -> bytes:
        """Return the frame as bytes."""
        return _CLOCK.pack(SafetyKind.ANSWER, self.n, self.peer_us)


@dataclass(frozen=True, slots=True)
class StopPress:
    """STOP, press number ``nonce`` of this member."""

    nonce: int

    def pack(self) -> bytes:
        """Return the frame as bytes."""
        return _STOP.pack(SafetyKind.STOP, self.nonce)


@dataclass(frozen=True, slots=True)
class StopPressAck:
    """The robot stands and the latch ``stop_id`` is on disk."""

    nonce: int
    stop_id: int

    def pack(self) -> bytes:
        """Return the frame as bytes."""
        return _ACK.pack(SafetyKind.ACK, self.nonce, self.stop_id)


SafetyFrame = Beat | BeatAnswer | StopPress | StopPressAck


def unpack_safety(data: bytes) -> SafetyFrame:
    """Return the safety frame that ``data`` holds.

    Raises:
        RemoteProtocolError: Unknown kind or wrong length.

    """
    kind = data[0] if data else 0
    if kind == SafetyKind.BEAT and len(data) == _CLOCK.size:
        return Beat(*_CLOCK.unpack(data)[1:])
    if kind == SafetyKind.ANSWER and len(data) == _CLOCK.size:
        return BeatAnswer(*_CLOCK.unpack(data)[1:])
    if kind == SafetyKind.STOP and len(data) == _STOP.size:
        return StopPress(*_STOP.unpack(data)[1:])
    if kind == SafetyKind.ACK and len(data) == _ACK.size:
        return StopPressAck(*_ACK.unpack(data)[1:])
    raise RemoteProtocolError(
        Code.BAD_FRAME, f"Not a safety frame: kind {kind}, {len(data)} bytes."
    )
