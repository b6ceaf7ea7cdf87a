"""What agent and gate say to each other over the local socket.

Msgpack arrays, each behind its length (u32, big-endian).  The agent says *who* (a number for each
member whose channel a frame came in on), the gate decides *how much*.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol.manifest import StopBehavior
from farhand.protocol.types import CapReason, SteerBy

MAX_LINK_MESSAGE = 4096


class Grant(Struct, frozen=True, tag=1, array_like=True):
    """``member`` holds the lease with ``epoch``; sent after the epoch is on disk."""

    member: int
    epoch: int
    steer_by: SteerBy = "video"


class Revoke(Struct, frozen=True, tag=2, array_like=True):
    """Nobody holds the lease."""


class Command(Struct, frozen=True, tag=3, array_like=True):
    """A control frame, as it came in on ``member``'s channel."""

    member: int
    frame: bytes
    is_relayed: bool = False
    """It came over the server instead."""


class Answered(Struct, frozen=True, tag=4, array_like=True):
    """``member`` answered beat ``n`` with its own clock."""

    member: int
    n: int
    peer_us: int


class Halt(Struct, frozen=True, tag=5, array_like=True):
    """``member`` pressed STOP."""

    member: int
    nonce: int
    name: str


class Reset(Struct, frozen=True, tag=6, array_like=True):
    """``member``, who has the scope for it, clears the latch that ``stop_id`` names."""

    member: int
    stop_id: int


class Forget(Struct, frozen=True, tag=7, array_like=True):
    """``member`` has a new peer connection or is gone: its clock estimate is void."""

    member: int


ToGate = Grant | Revoke | Command | Answered | Halt | Reset | Forget


class GateHello(Struct, frozen=True, tag=20, array_like=True):
    """First message of the gate."""

    gate_version: str
    axes: int
    max_age_ms: int
    device_timeout_s: float | None
    stop_behavior: StopBehavior = "zero"


class GateBeatNow(Struct, frozen=True, tag=21, array_like=True):
    """Beat ``n``: pass it on to every member at once."""

    n: int
    gate_us: int


class Judged(Struct, frozen=True, tag=22, array_like=True):
    """What happened to one control frame, and when (robot's monotonic clock)."""

    member: int
    epoch: int
    seq: int
    sent_us: int
    age_ms: int
    at_us: int
    code: Code | None = None
    is_neutral: bool = True
    """All axes were zero (or the frame could not be read)."""


class Halted(Struct, frozen=True, tag=23, array_like=True):
    """STOP is carried out and latched on disk."""

    member: int
    nonce: int
    stop_id: int


class ResetDone(Struct, frozen=True, tag=24, array_like=True):
    """The latch is cleared, or ``code`` says why not."""

    member: int
    stop_id: int
    code: Code | None = None


class GateState(Struct, frozen=True, tag=25, array_like=True):
    """The gate's state: at 2 Hz and at once on change."""

    epoch: int
    """Epoch granted now, 0 = none."""
    latch: Literal["start", "stop"] | None
    stop_id: int
    stop_by: str
    moving: bool
    applied: int
    refused: dict[str, int]
    watchdog: int
    fault: str = ""
    cap: float = 1.0
    """Part of each axis' range that the governor leaves; 0: locked."""
    cap_reason: CapReason = "full"
    loop_ms: int | None = None
    """Loop latency that the governor goes by."""
    blind_mm: int | None = None
    """How far the base goes within one loop at the capped speed."""
    at_limit: tuple[int, ...] = ()
    """Axes (by their number) that a position limit holds, or whose position is not known."""


FromGate = GateHello | GateBeatNow | Judged | Halted | ResetDone | GateState

# Text that is no UTF-8 and deep nesting come raw out of msgspec.
_UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
_encoder = msgspec.msgpack.Encoder()
_to_gate: msgspec.msgpack.Decoder[ToGate] = msgspec.msgpack.Decoder(ToGate)
_from_gate: msgspec.msgpack.Decoder[FromGate] = msgspec.msgpack.Decoder(FromGate)


def pack_link(message: ToGate | FromGate) -> bytes:
    """Return ``message`` with its length in front."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


class LinkReader:
    """Cuts a byte stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the body of each message that is complete with ``data``.

        Raises:
            RemoteProtocolError: A message claims more than 4096 bytes.

        """
        self._buffer += data
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if size > MAX_LINK_MESSAGE:
                raise RemoteProtocolError(
                    Code.TOO_LARGE, f"A message of {size} bytes on the gate's socket."
                )
            if len(self._buffer) < 4 + size:
                return
            body = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            yield body


def decode_to_gate(body: bytes) -> ToGate:
    """Decode what the agent sent.

    Raises:
        RemoteProtocolError: Not a message of ours.

    """
    try:
        return _to_gate.decode(body)
    except _UNDECODABLE as exc:
        raise RemoteProtocolError(Code.MALFORMED, f"The gate's socket: {exc}.") from exc


def decode_from_gate(body: bytes) -> FromGate:
    """Decode what the gate sent.

    Raises:
        RemoteProtocolError: Not a message of ours.

    """
    try:
        return _from_gate.decode(body)
    except _UNDECODABLE as exc:
        raise RemoteProtocolError(Code.MALFORMED, f"The gate's socket: {exc}.") from exc
