"""What the simulator and its clients say to each other.

Msgpack arrays, each behind its length (u32, big-endian).

One Unix socket serves all: a driver, cameras, telemetry, observers, fault switches. A connection
becomes what it asks for. All times are integer microseconds of this machine's monotonic clock.
"""

import socket
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol.gate_link import LinkReader

Fault = Literal[
    "freeze-camera", "repeat-camera", "stall-motor", "drop-control", "slow-send", "hang-send"
]
"""What can be made to go wrong.

- ``freeze-camera``: no camera delivers pictures; ``repeat-camera``: the same picture again and
  again, with new stamps.
- ``stall-motor``: the wheels do not turn.  ``drop-control``: setpoints are not heard.
- ``slow-send``: the driver's ``send`` takes 15 ms; ``hang-send``: it does not return until the
  fault is switched off.
"""
FAULTS: tuple[Fault, ...] = (
    "freeze-camera",
    "repeat-camera",
    "stall-motor",
    "drop-control",
    "slow-send",
    "hang-send",
)


# --- to the simulator ----------------------------------------------------------------------------


class Attach(Struct, frozen=True, tag=1, array_like=True):
    """Be the driver. A newer one takes the rover over: the device listens to its last master."""


class Setpoint(Struct, frozen=True, tag=2, array_like=True):
    """Setpoint number ``n``, one rate for each axis; only the driver's are obeyed."""

    n: int
    axes: tuple[float, ...]


class Halt(Struct, frozen=True, tag=3, array_like=True):
    """Zero all motors now; motion needs a neutral setpoint first. From any connection."""


class Watch(Struct, frozen=True, tag=4, array_like=True):
    """Deliver a camera's pictures; it renders only while somebody watches."""

    camera: str
    fps: float


class WatchState(Struct, frozen=True, tag=5, array_like=True):
    """Deliver the rover's state ``rate_hz`` times a second."""

    rate_hz: float


class Observe(Struct, frozen=True, tag=6, array_like=True):
    """Deliver the actuator at every physics step and every change of the command."""


class SetFault(Struct, frozen=True, tag=7, array_like=True):
    """Switch a fault; answered with :class:`Report`."""

    fault: Fault
    is_on: bool


class AskReport(Struct, frozen=True, tag=8, array_like=True):
    """Ask for a :class:`Report`."""


# --- from the simulator --------------------------------------------------------------------------


class Applied(Struct, frozen=True, tag=21, array_like=True):
    """All setpoints up to ``n`` were dealt with."""

    n: int
    stamp_us: int
    """When the positions were measured."""
    positions: tuple[float | None, ...]
    """One for each axis, m or rad; ``None``: the axis has none."""


class SendFault(Struct, frozen=True, tag=22, array_like=True):
    """How the driver's ``send`` has to misbehave from now on."""

    is_slow: bool
    is_hung: bool


class CameraReady(Struct, frozen=True, tag=23, array_like=True):
    """The pictures' shared memory, its descriptor attached to this message (``SCM_RIGHTS``)."""

    camera: str
    width: int
    height: int
    slots: int


class FrameReady(Struct, frozen=True, tag=24, array_like=True):
    """Picture number ``seq`` stands in ``slot``, captured at ``stamp_us``."""

    slot: int
    seq: int
    stamp_us: int


class State(Struct, frozen=True, tag=25, array_like=True):
    """The rover at ``stamp_us``."""

    stamp_us: int
    x: float
    y: float
    yaw: float
    linear: float
    angular: float
    pan: float
    tilt: float
    battery_percent: float
    battery_voltage: float
    collided: bool
    applied: int
    """Number of the newest setpoint applied."""
    joints: tuple[float, float, float, float]
    """The arm's, rad: shoulder pan, shoulder lift, elbow, wrist."""
    gripper: float
    """Between the fingers, m."""
    tool: tuple[float, float, float]
    """The arm's tip in its base frame, m."""
    holding: bool
    """Whether a block is between the fingers."""


class Actuation(Struct, frozen=True, tag=26, array_like=True):
    """What the wheels are told and what they do, m/s at the rim; and the arm, in short."""

    stamp_us: int
    command_left: float
    command_right: float
    wheel_left: float
    wheel_right: float
    timeouts: int
    """How often the device's own time-out zeroed the command."""
    lost: int
    """How many of these were left out before this one because the reader was slow."""
    command_arm: float = 0.0
    """The largest command of a joint (rad/s), the gripper or the tip (m/s), without sign."""
    rate_arm: float = 0.0
    """The largest measured rate of a joint (rad/s) or the gripper (m/s), without sign."""

    @property
    def is_commanded(self) -> bool:
        """Whether a wheel or the arm is told to move."""
        return any((self.command_left, self.command_right, self.command_arm))

    @property
    def is_turning(self) -> bool:
        """Whether a wheel or the arm moves."""
        return any((self.wheel_left, self.wheel_right, self.rate_arm))


class Report(Struct, frozen=True, tag=27, array_like=True):
    """How the simulator is."""

    robot_id: str
    seed: int
    faults: tuple[Fault, ...]
    frames: dict[str, int]
    """Pictures rendered since the start, by camera."""
    renderer_pid: int
    late_us: int
    """Longest delay of a physics step since the last report."""


ToSim = Attach | Setpoint | Halt | Watch | WatchState | Observe | SetFault | AskReport
FromSim = Applied | SendFault | CameraReady | FrameReady | State | Actuation | Report

_encoder = msgspec.msgpack.Encoder()
_to_sim: msgspec.msgpack.Decoder[ToSim] = msgspec.msgpack.Decoder(ToSim)
_from_sim: msgspec.msgpack.Decoder[FromSim] = msgspec.msgpack.Decoder(FromSim)

__all__ = ["LinkReader"]


def pack(message: Struct) -> bytes:
    """Return ``message`` with its length in front."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def decode_to_sim(body: bytes) -> ToSim:
    """Decode what a client sent.

    Raises:
        RemoteProtocolError: Not a message of ours.

    """
    try:
        return _to_sim.decode(body)
    except msgspec.DecodeError as exc:
        raise RemoteProtocolError(Code.MALFORMED, f"The simulator's socket: {exc}.") from exc


def decode_from_sim(body: bytes) -> FromSim:
    """Decode what the simulator sent.

    Raises:
        RemoteProtocolError: Not a message of ours.

    """
    try:
        return _from_sim.decode(body)
    except msgspec.DecodeError as exc:
        raise RemoteProtocolError(Code.MALFORMED, f"The simulator's socket: {exc}.") from exc


def dial(path: Path | str) -> socket.socket:
    """Return a blocking connection to the simulator at ``path``. Raises :class:`OSError`."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(2.0)
        link.connect(str(path))
    except OSError:
        link.close()
        raise
    return link
