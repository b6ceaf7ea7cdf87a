"""Structs and limited numbers that several messages share."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farhand.protocol.ids import MAX_NAME_LENGTH, CameraId, Epoch, MemberId, RobotId

Role = Literal["robot", "operator", "viewer", "supervisor", "program", "guest"]
"""``guest``: came by a link, without an account; watches one robot, neither drives nor stops it."""
Scope = Literal["view", "control", "reset"]

Name = Annotated[str, Meta(max_length=MAX_NAME_LENGTH)]
Text = Annotated[str, Meta(max_length=500)]
U16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
U53 = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""What a JSON number holds exactly everywhere; microseconds of 285 years."""


class Member(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One participant, as the others see it."""

    id: MemberId
    role: Role
    name: str
    robot_id: RobotId | None = None
    """Set for a robot."""


class Track(Struct, frozen=True, rename="camel"):
    """Which camera a media section of an offer carries."""

    mid: str
    camera: CameraId


class IceCandidate(Struct, frozen=True, rename="camel", omit_defaults=True):
    """W3C ``RTCIceCandidateInit``."""

    candidate: str
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = None
    username_fragment: str | None = None


class IceServer(Struct, frozen=True, rename="camel", omit_defaults=True):
    """W3C ``RTCIceServer``."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


class Pose(Struct, frozen=True, rename="camel"):
    """Position in the manifest's ``poseFrame``: metres, and yaw in radians (REP 103)."""

    x: float
    y: float
    yaw: float


class Speed(Struct, frozen=True, rename="camel"):
    """Measured speed: m/s forward and rad/s to the left."""

    linear: float
    angular: float


class Battery(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Charge in percent, 0 to 100, and volts where known."""

    percent: float
    voltage: float | None = None


class LeaseAsking(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Somebody asks the holder for control. The holder answers with ``lease-answer``."""

    ask: U32
    """Number of the question."""
    member: MemberId
    name: str
    role: Role
    ends_in_ms: U32
    """Time left for an answer, as of this status."""
    on_silence: Literal["refuse", "grant"] = "refuse"
    """What happens when the holder says nothing."""
    reason: Text = ""


SteerBy = Literal["video", "blind", "local"]


class LeaseState(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who drives. ``holder`` is ``None`` when the robot is free."""

    epoch: Epoch
    holder: MemberId | None = None
    holder_name: str = ""
    holder_role: Role | None = None
    steer_by: SteerBy | None = None
    """By what the holder steers, as the robot holds it to."""
    held_ms: U53 = 0
    """How long the holder has had it, as of this status."""
    idle_release_in_ms: U32 | None = None
    """Set while the holder is warned: without input it loses the lease in so long."""
    asking: LeaseAsking | None = None


CapReason = Literal[
    "full", "loop", "blind", "no-sample", "long-link", "stale-video", "loop-too-long"
]
"""Why the speed is what it is: nothing lowers it; the loop latency; the driver steers blind; no
loop latency is known yet; the robot's owner allows old commands; no new picture is shown (locked);
the loop takes too long (locked)."""


class SpeedCap(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the governor at the robot's gate allows the driver now."""

    fraction: Annotated[float, Meta(ge=0, le=1)]
    """Part of each axis' range; 0: locked."""
    reason: CapReason
    loop_ms: U32 | None = None
    """Loop latency that the robot goes by; ``None``: unknown."""
    blind_m: Annotated[float, Meta(ge=0)] | None = None
    """How far the base can go within one loop at the capped speed; ``None``: unknown, no base."""


class StopState(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A latch that holds the robot.

    ``start`` holds after the gate has started, ``stop`` after somebody pressed STOP.
    """

    latch: Literal["start", "stop"]
    stop_id: U32
    """What a reset must name."""
    by: str = ""
    """Name of the member who pressed STOP, or the driver's fault; empty for ``start``."""


class GateCounters(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the gate did since it started."""

    applied: int = 0
    refused: dict[str, int] = {}
    """Number of refused control frames by error code."""
    watchdog: int = 0
    """How often the watchdog stopped the robot."""


RateReason = Literal["start", "probe", "clear", "delay", "loss", "silence", "limit"]
"""Why the rate is what it is: the first guess; a probe found more; the link is clear, so it rises;
packets queue up; packets are lost; nothing has been heard from the viewer; nobody wants more."""


class CameraVideo(Struct, frozen=True, rename="camel"):
    """What one viewer gets of one camera now: size in pixels, pictures and bits in a second."""

    camera: CameraId
    width: U16
    height: U16
    fps: Annotated[float, Meta(ge=0, le=1000)]
    bitrate_bps: U53
