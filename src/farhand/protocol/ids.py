"""Identifiers on the wire, each a type of its own, and the limits of what may be one."""

import re
from typing import NewType

MemberId = NewType("MemberId", str)
"""One connected participant of a service; made by the server, at least 96 random bits."""
RobotId = NewType("RobotId", str)
"""A robot's own name for itself, chosen by its owner: ``sim-rover``."""
RoomId = NewType("RoomId", str)
"""A room inside a service. A robot's default room has the robot's id."""
ServiceId = NewType("ServiceId", str)
"""A teleoperation space. ``default`` always exists."""
SessionId = NewType("SessionId", str)
"""One negotiated peer connection between two members; made by the server."""
CameraId = NewType("CameraId", str)
"""A camera in a robot's manifest: ``front``."""
Epoch = NewType("Epoch", int)
"""Number of a control lease; issued by the robot, strictly rising across reboots. u32, 0 = none."""

DEFAULT_SERVICE = ServiceId("default")

MAX_ID_LENGTH = 64
MAX_NAME_LENGTH = 64

RESERVED_IDS = frozenset(
    # First path segments that the server or a dialect owns: never a service or robot id.
    [
        "t",
        "v1",
        "signaling",
        "iceservers",
        "webrtc",
        "list_streams.json",
        "viewer",
        "socket.io",
        "socket",
        "health",
        "robots",
        "test-robot",
        "api",
        "fleet",
        "drive",
        "wall",
        "recordings",
        "events",
        "admin",
        "diagnostics",
        "docs",
        "errors",
        "help",
        "login",
        "enroll",
        "sdk.js",
        "assets",
        "version.json",
        "metrics",
        "healthz",
        "readyz",
        "favicon.ico",
    ]
)

_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_ID_LENGTH - 1}}}")


def is_valid_id(text: str) -> bool:
    """Say whether ``text`` may name a service, room, robot or camera.

    1 to 64 of ``A-Za-z0-9._-``, the first a letter or digit, and not reserved.
    """
    return _ID.fullmatch(text) is not None and text not in RESERVED_IDS
