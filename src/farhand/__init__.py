"""farhand: teleoperation for robots over WebRTC."""

__version__ = "0.1.0"
