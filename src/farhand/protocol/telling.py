"""What robots and the server tell, and instructions with an answer."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from farhand.errors import Code
from farhand.protocol.ids import CameraId, Epoch, MemberId, RobotId, RoomId
from farhand.protocol.manifest import Manifest
from farhand.protocol.types import (
    U32,
    U53,
    Battery,
    CameraVideo,
    GateCounters,
    LeaseState,
    Member,
    Pose,
    RateReason,
    Speed,
    SpeedCap,
    StopState,
)


class Config(Struct, frozen=True, tag="config", rename="camel", omit_defaults=True):
    """The robot's manifest.

    To the server when it changes (``hello`` brings the first), to the members of its room on
    joining.
    """

    manifest: Manifest
    from_: MemberId | None = msgspec.field(default=None, name="from")


class Status(Struct, frozen=True, tag="status", rename="camel", omit_defaults=True):
    """The robot's state, at 2 Hz and at once on change. The newest ``stampUs`` wins."""

    stamp_us: U53
    """When it was measured, on the robot's monotonic clock."""
    mode: Literal["idle", "driving", "stopped", "fault"]
    lease: LeaseState
    pose: Pose | None = None
    speed: Speed | None = None
    battery: Battery | None = None
    stop: StopState | None = None
    gate: Literal["ok", "lost"] = "ok"
    gate_counters: GateCounters = GateCounters()
    streaming: tuple[CameraId, ...] = ()
    """Cameras that somebody watches."""
    cap: SpeedCap | None = None
    """What the driver may do now; ``None``: nobody drives."""
    at_limit: tuple[str, ...] = ()
    """Ids of the axes that stand at a position limit."""
    from_: MemberId | None = msgspec.field(default=None, name="from")


EventKind = Literal[
    "joined",
    "left",
    "robot-online",
    "robot-offline",
    "stream-started",
    "stream-stopped",
    "control-taken",
    "control-released",
    "stopped",
    "reset",
    "gate-lost",
    "gate-back",
    "watchdog",
    "fault",
    "video-frozen",
    "video-back",
    "scope-broken",
    "control-asked",
    "control-refused",
    "speed-capped",
]


class Event(Struct, frozen=True, tag="event", rename="camel", omit_defaults=True):
    """Something happened. Robots send theirs over every path; ``id`` tells the copies apart."""

    kind: EventKind
    id: str = ""
    """``<robot's start nonce>-<number>`` for a robot's own events; empty for the server's."""
    member: Member | None = None
    """Whom it is about: who joined, took control, pressed STOP."""
    robot_id: RobotId | None = None
    camera: CameraId | None = None
    epoch: Epoch | None = None
    stop_id: U32 | None = None
    code: Code | None = None
    text: str = ""
    age_ms: U32 | None = None
    """Of the picture on the member's screen: at `video-frozen` now, at `video-back` how old it had
    become; ``None``: the robot does not know."""
    from_: MemberId | None = msgspec.field(default=None, name="from")


class System(Struct, frozen=True, tag="system", rename="camel", omit_defaults=True):
    """A notice from the server (or the robot) to the person: going away, degraded, limits."""

    level: Literal["info", "warning", "error"]
    code: Code
    text: str
    retry_after_ms: int | None = None


SignalAction = Literal["join-room", "leave-room", "start-media", "stop-media"]


class Signal(Struct, frozen=True, tag="signal", rename="camel", omit_defaults=True):
    """An instruction to a robot or a client; answered by ``signal-result`` with the same ``id``."""

    id: U32
    action: SignalAction
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")
    """``None`` on arrival: the server itself."""
    room: RoomId | None = None
    camera: CameraId | None = None
    microphone: bool = False


class SignalResult(Struct, frozen=True, tag="signal-result", rename="camel", omit_defaults=True):
    """Done, or refused with ``code``."""

    id: U32
    code: Code | None = None
    text: str = ""
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class Telemetry(Struct, frozen=True, tag="telemetry", rename="camel"):
    """Latest values by telemetry channel id (manifest). Only on the data channel `telemetry`."""

    stamp_us: U53
    values: dict[str, float]


MAX_VIDEO_CAMERAS = 32

Milliseconds = Annotated[float, Meta(ge=0, le=3_600_000)]


class VideoState(Struct, frozen=True, tag="video-state", rename="camel", omit_defaults=True):
    """What the robot's sender does for this one viewer, and why.

    At 2 Hz, and at once when a camera's size or the reason changes. The newest ``stampUs`` wins.
    Only on the data channel `telemetry`.
    """

    stamp_us: U53
    """The robot's monotonic clock."""
    sent_bps: U53
    """What left in the last second, retransmissions and probes included."""
    reason: RateReason
    """Why the target last changed."""
    target_bps: U53 | None = None
    """What all cameras together may send; ``None``, here and below: not known."""
    loss: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Fraction of the packets of the last second that were lost, as the robot counts."""
    rtt_ms: Milliseconds | None = None
    queue_ms: Milliseconds | None = None
    """How long packets wait on the way, beyond the shortest way seen."""
    cameras: Annotated[tuple[CameraVideo, ...], Meta(max_length=MAX_VIDEO_CAMERAS)] = ()
    """Cameras that flow; one that has sent no frame yet is left out."""


class FrameEntry(Struct, frozen=True, rename="camel"):
    """One encoded frame.

    The RTP timestamp it left with, when it was captured, and which command had been applied by
    then.
    """

    rtp: U32
    stamp_us: U53
    epoch: Epoch
    last_applied_seq: U32


class Frames(Struct, frozen=True, tag="frames", rename="camel"):
    """The side message: the last three entries of one camera. Only on the data channel `frames`."""

    track: CameraId
    frames: Annotated[tuple[FrameEntry, ...], Meta(max_length=8)]
