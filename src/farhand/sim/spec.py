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

ARM_MOUNT = (0.28, -0.15, 0.25)
"""Where the arm stands on the rover: ahead, to the left, above the floor. Beside the camera, which
so looks past it. The arm's base frame has its zero here, x ahead, y left, z up (REP 103)."""
SHOULDER_M = 0.06
"""Height of the shoulder above the mount."""
UPPER_ARM_M = 0.31
FOREARM_M = 0.29
HAND_M = 0.15
"""From the wrist to the tip, the point between the fingers' ends."""
ARM_TAU_S = 0.04
"""First-order response of a joint to its command."""
JOINT_BRAKE = 25.0
"""How fast a joint stops once its command is zero, rad/s^2: from full speed in 64 ms, sooner than
the wheels, so that one bound holds for both."""
GRIPPER_BRAKE = 1.0
"""The same for the gripper, m/s^2."""
JOINT_MINIMA = (-1.9, -0.5, -2.9, -1.9)
"""Hard stops of shoulder pan, shoulder lift, elbow and wrist, rad. Lift is the upper arm's angle
above level, elbow and wrist are what the next link is bent upwards by. The elbow stops short of a
stretched arm: from there the tip could not come back by itself."""
JOINT_MAXIMA = (1.9, 2.9, -0.1, 1.9)
JOINT_SPEEDS = (1.2, 1.0, 1.2, 1.6)
"""Largest rates, rad/s; also of what the tip's motion asks for."""
STOW = (0.0, 2.75, -2.8, -0.4)
"""The joints at the start: folded back over the deck."""
GRIPPER_MAX_M = 0.08
"""Between the fingers when open."""
GRIPPER_SPEED = 0.06
TOOL_SPEED = 0.15

BLOCK_M = 0.04
"""Edge of a block."""
BLOCKS = (("red", 0.8, 0.05, 0.3), ("green", 0.78, -0.25, -0.4), ("blue", 0.84, -0.12, 0.9))
"""Colour, and where it lies at the start as seen from the rover there: x, y, yaw."""

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


def _joint(index: int, name: str, label: str) -> Axis:
    speed = JOINT_SPEEDS[index]
    ends = (JOINT_MINIMA[index], JOINT_MAXIMA[index])
    return Axis(name, label, "rad/s", -speed, speed, "arm", *ends, name)


def _tool(name: str, label: str, minimum: float, maximum: float) -> Axis:
    return Axis(name, label, "m/s", -TOOL_SPEED, TOOL_SPEED, "tool", minimum, maximum, name)


AXES = (
    Axis("linear.x", "Forward", "m/s", -1.0, 1.0, "base"),
    Axis("angular.z", "Turn left", "rad/s", -2.0, 2.0, "base"),
    Axis("pan", "Pan left", "rad/s", -1.5, 1.5, "camera", -PAN_LIMIT_RAD, PAN_LIMIT_RAD, "pan"),
    Axis("tilt", "Tilt up", "rad/s", -1.0, 1.0, "camera", -TILT_LIMIT_RAD, TILT_LIMIT_RAD, "tilt"),
    _joint(0, "shoulder_pan", "Shoulder turn left"),
    _joint(1, "shoulder_lift", "Shoulder up"),
    _joint(2, "elbow", "Elbow up"),
    _joint(3, "wrist", "Wrist up"),
    Axis(
        "gripper",
        "Gripper open",
        "m/s",
        -GRIPPER_SPEED,
        GRIPPER_SPEED,
        "gripper",
        0.0,
        GRIPPER_MAX_M,
        "gripper",
    ),
    # The workspace is a box around all that the tip can reach; what it cannot reach in there, the
    # arm refuses by itself.
    _tool("tool.x", "Tool forward", -0.6, 0.75),
    _tool("tool.y", "Tool left", -0.75, 0.75),
    _tool("tool.z", "Tool up", 0.01 - ARM_MOUNT[2], 0.8),
)
"""The order of every setpoint."""

TELEMETRY = (
    TelemetryChannel("linear", "Speed", "m/s"),
    TelemetryChannel("angular", "Turn rate", "rad/s"),
    TelemetryChannel("pan", "Pan", "rad"),
    TelemetryChannel("tilt", "Tilt", "rad"),
    TelemetryChannel("shoulder_pan", "Shoulder turn", "rad"),
    TelemetryChannel("shoulder_lift", "Shoulder lift", "rad"),
    TelemetryChannel("elbow", "Elbow", "rad"),
    TelemetryChannel("wrist", "Wrist", "rad"),
    TelemetryChannel("gripper", "Gripper width", "m"),
    TelemetryChannel("tool.x", "Tool x", "m"),
    TelemetryChannel("tool.y", "Tool y", "m"),
    TelemetryChannel("tool.z", "Tool z", "m"),
    TelemetryChannel("holding", "Holding"),
    TelemetryChannel("voltage", "Battery", "V"),
    TelemetryChannel("collided", "Collided"),
)

POSE_FRAME = "map"
MODEL = "farhand rover (simulated)"
