"""What the simulated rover is: its cameras, axes, sizes and times.

The manifest and the physics read the same numbers.
"""

import math
from dataclasses import dataclass

from farhand.protocol.ids import CameraId
from farhand.protocol.manifest import Axis, Camera, CameraView, TelemetryChannel

DEVICE_TIMEOUT_S = 0.25
"""The wheels' command is zero this long after the last setpoint, whoever else has died."""
STEP_US = 5_000
"""One physics step."""

WHEEL_TRACK_M = 0.44
WHEEL_TAU_S = 0.045
"""First-order response of a wheel to its command, the size of a small geared motor's."""
BRAKE_MPS2 = 12.0
"""How fast a wheel stops once its command is zero: the drive shorts the motor."""
BODY_RADIUS_M = 0.42
PAN_LIMIT_RAD = 1.6
TILT_LIMIT_RAD = 0.6

BATTERY_VOLTS = (21.0, 25.2)
"""Empty and full: six cells."""
BATTERY_IDLE_S = 4 * 3600.0
"""How long a full battery lasts standing."""
BATTERY_DRIVE_S = 1.2 * 3600.0
"""How long a full battery lasts at full speed."""
BATTERY_SWAP = 0.03
"""Somebody swaps the battery at this charge, so that a demo left on overnight still drives."""


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One camera of the rover."""

    id: CameraId
    label: str
    width: int
    height: int
    fps: float
    fov_rad: float
    """Horizontal field of view."""
    yaw_rad: float
    """Where it looks from, 0 = forward."""
    x_m: float
    """How far ahead of the rover's middle it sits."""
    height_m: float
    on_head: bool
    """Whether it turns with pan and tilt."""


CAMERA_SPECS = (
    CameraSpec(CameraId("front"), "Front", 640, 480, 30.0, 1.31, 0.0, 0.0, 0.55, on_head=True),
    CameraSpec(CameraId("rear"), "Rear", 320, 240, 15.0, 1.48, math.pi, -0.28, 0.4, on_head=False),
)

CAMERAS = tuple(
    Camera(
        spec.id,
        spec.label,
        spec.width,
        spec.height,
        spec.fps,
        main=spec.on_head,
        view=CameraView(
            spec.fov_rad,
            spec.height_m,
            forward_m=spec.x_m,
            yaw_rad=spec.yaw_rad,
            on_head=spec.on_head,
        ),
    )
    for spec in CAMERA_SPECS
)

AXES = (
    Axis("linear.x", "Forward", "m/s", -1.0, 1.0, "base"),
    Axis("angular.z", "Turn left", "rad/s", -2.0, 2.0, "base"),
    Axis("pan", "Pan left", "rad/s", -1.5, 1.5, "camera"),
    Axis("tilt", "Tilt up", "rad/s", -1.0, 1.0, "camera"),
)
"""The order of every setpoint."""

TELEMETRY = (
    TelemetryChannel("linear", "Speed", "m/s"),
    TelemetryChannel("angular", "Turn rate", "rad/s"),
    TelemetryChannel("pan", "Pan", "rad"),
    TelemetryChannel("tilt", "Tilt", "rad"),
    TelemetryChannel("voltage", "Battery", "V"),
    TelemetryChannel("collided", "Collided"),
)

POSE_FRAME = "map"
MODEL = "farhand rover (simulated)"
