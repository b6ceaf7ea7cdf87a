"""Every JSON message of the native protocol v1: the server's socket and the data channels.

The tag is the member ``type``; names are camelCase on the wire.  A message between two members
carries ``to`` when it is sent and ``from`` when it arrives: the server replaces the one by the
other, so nobody can speak for somebody else.  On a data channel both are absent.  Unknown members
are ignored, an unknown ``type`` is refused with FH-3003.

The structs stand in ``types``, ``signaling``, ``authority`` and ``telling``; this module names who
may send what, and is the one to import.
"""

from farhand.protocol.authority import (
    Control,
    ControlVerdict,
    GateAnswer,
    GateBeat,
    LeaseAnswer,
    LeaseCancel,
    LeaseDeny,
    LeaseForce,
    LeaseGrant,
    LeasePending,
    LeaseRelease,
    LeaseRenew,
    LeaseRequest,
    LeaseRevoke,
    LeaseTransfer,
    Stop,
    StopAck,
    StopReset,
    StopResetAck,
)
from farhand.protocol.signaling import (
    Answer,
    Candidate,
    Error,
    Hello,
    Join,
    Joined,
    Leave,
    Left,
    Offer,
    OfferRequest,
    Ping,
    Pong,
    SessionEnded,
    SessionStart,
    Welcome,
)
from farhand.protocol.telling import (
    Config,
    Event,
    EventKind,
    FrameEntry,
    Frames,
    Signal,
    SignalAction,
    SignalResult,
    Status,
    System,
    Telemetry,
    VideoState,
)
from farhand.protocol.types import (
    U16,
    U32,
    U53,
    Battery,
    CameraVideo,
    CapReason,
    GateCounters,
    IceCandidate,
    IceServer,
    LeaseAsking,
    LeaseState,
    Member,
    Name,
    Pose,
    RateReason,
    Role,
    Scope,
    Speed,
    SpeedCap,
    SteerBy,
    StopState,
    Text,
    Track,
)

__all__ = [
    "U16",
    "U32",
    "U53",
    "Addressed",
    "Answer",
    "Battery",
    "CameraVideo",
    "Candidate",
    "CapReason",
    "ChannelMessage",
    "ClientMessage",
    "Config",
    "Control",
    "ControlVerdict",
    "Error",
    "Event",
    "EventKind",
    "FrameEntry",
    "Frames",
    "GateAnswer",
    "GateBeat",
    "GateCounters",
    "Hello",
    "IceCandidate",
    "IceServer",
    "Join",
    "Joined",
    "LeaseAnswer",
    "LeaseAsking",
    "LeaseCancel",
    "LeaseDeny",
    "LeaseForce",
    "LeaseGrant",
    "LeasePending",
    "LeaseRelease",
    "LeaseRenew",
    "LeaseRequest",
    "LeaseRevoke",
    "LeaseState",
    "LeaseTransfer",
    "Leave",
    "Left",
    "Member",
    "Name",
    "Offer",
    "OfferRequest",
    "Ping",
    "Pong",
    "Pose",
    "RateReason",
    "Role",
    "Scope",
    "ServerMessage",
    "SessionEnded",
    "SessionStart",
    "Signal",
    "SignalAction",
    "SignalResult",
    "Speed",
    "SpeedCap",
    "Status",
    "SteerBy",
    "Stop",
    "StopAck",
    "StopReset",
    "StopResetAck",
    "StopState",
    "System",
    "Telemetry",
    "TelemetryMessage",
    "Text",
    "Track",
    "VideoState",
    "Welcome",
]

Addressed = (
    LeaseRequest
    | LeaseGrant
    | LeaseDeny
    | LeaseRenew
    | LeaseRelease
    | LeaseTransfer
    | LeaseForce
    | LeaseRevoke
    | LeasePending
    | LeaseAnswer
    | LeaseCancel
    | Stop
    | StopAck
    | StopReset
    | StopResetAck
    | Control
    | ControlVerdict
    | GateBeat
    | GateAnswer
    | Signal
    | SignalResult
)
"""Messages from one member to another: ``to`` out, ``from`` in."""

ClientMessage = (
    Hello
    | Join
    | Leave
    | Offer
    | Answer
    | OfferRequest
    | Candidate
    | SessionEnded
    | Config
    | Status
    | Event
    | Ping
    | Pong
    | Error
    | Addressed
)
"""What a robot or a person's program may send to the server."""

ServerMessage = (
    Welcome
    | Joined
    | Left
    | SessionStart
    | SessionEnded
    | Offer
    | Answer
    | OfferRequest
    | Candidate
    | Config
    | Status
    | Event
    | System
    | Ping
    | Pong
    | Error
    | Addressed
)
"""What the server may send."""

ChannelMessage = (
    LeaseRequest
    | LeaseGrant
    | LeaseDeny
    | LeaseRenew
    | LeaseRelease
    | LeaseTransfer
    | LeaseForce
    | LeaseRevoke
    | LeasePending
    | LeaseAnswer
    | LeaseCancel
    | StopReset
    | StopResetAck
    | Signal
    | SignalResult
    | Config
    | Status
    | Event
    | System
    | Error
)
"""What may travel on the data channel `messages`, either way."""

TelemetryMessage = Telemetry | VideoState
"""What may travel on the data channel `telemetry`, from the robot."""
