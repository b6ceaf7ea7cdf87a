"""What a robot declares about itself. The console builds its screen from this and nothing else."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farhand.protocol.ids import CameraId, RobotId
from farhand.protocol.types import Name


class CameraView(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Where a camera sits and looks, so that a screen can draw the way ahead into its picture."""

    fov_rad: Annotated[float, Meta(gt=0, lt=3.1)]
    """Horizontal field of view."""
    height_m: Annotated[float, Meta(gt=0)]
    """Above the ground."""
    forward_m: float = 0.0
    """How far ahead of the robot's middle."""
    yaw_rad: float = 0.0
    """Direction seen from above: 0 forward, positive to the left."""
    pitch_rad: float = 0.0
    """How far it looks down."""
    on_head: bool = False
    """It turns with the axes ``pan`` and ``tilt``."""


class Camera(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One camera that can be watched."""

    id: CameraId
    label: str
    width: int
    height: int
    fps: float
    main: bool = False
    """Shown large when nobody chose another."""
    view: CameraView | None = None
    """Where it sits and looks; ``None``: unknown."""


StopBehavior = Literal["zero", "hold", "land"]
"""What a stopped robot does: all rates zero; keep its position under power; come down."""


class Axis(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One number of a control frame, in the manifest's order.

    Every axis is a *rate* (m/s or rad/s): zero on all axes is neutral, and a robot that gets all
    zeros stands still.
    """

    id: Literal["linear.x", "linear.y", "linear.z", "angular.x", "angular.y", "angular.z"] | str
    """A twist component by its REP 103 name, or a name of the robot's own: ``pan``."""
    label: str
    unit: Literal["m/s", "rad/s"]
    minimum: float
    maximum: float
    group: str = "base"
    """Axes of one group are shown and driven together: ``base``, ``camera``, ``arm`` (its joints),
    ``tool`` (the arm's tip in its base's frame), ``gripper``."""
    position_minimum: float | None = None
    """Where the robot's gate holds the axis, in m or rad; ``None``: nowhere."""
    position_maximum: float | None = None
    position_channel: str = ""
    """Telemetry channel with the axis' position; empty: there is none."""


class TelemetryChannel(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One value on the telemetry data channel."""

    id: str
    label: str
    unit: str = ""


class Manifest(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A robot's declaration."""

    robot_id: RobotId
    name: Name
    model: str = ""
    software: str = ""
    cameras: tuple[Camera, ...] = ()
    microphone: bool = False
    axes: tuple[Axis, ...] = ()
    """Empty: the robot can be watched, not driven."""
    telemetry: tuple[TelemetryChannel, ...] = ()
    pose_frame: str = ""
    """Name of the frame that ``status.pose`` is in; empty: no pose."""
    device_timeout_s: float | None = None
    """Time without a setpoint after which the device below the gate stops; ``None``: never."""
    max_age_s: float | None = None
    """Older commands the gate refuses; ``None``: not said."""
    stop_behavior: StopBehavior = "zero"
    """What STOP means for it."""
    simulated: bool = False
