"""What a connection knows of its link, in the words of the wire and within its limits. Pure."""

import math

from farhand.media.base import Rung, ViewerStats
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId
from farhand.protocol.telling import MAX_VIDEO_CAMERAS

MAX_MS = 3_600_000.0
MAX_U53 = 2**53 - 1


def make_video_state(
    stats: ViewerStats, cameras: tuple[CameraId, ...], stamp_us: int
) -> m.VideoState:
    """Put ``stats`` into the words of the wire, within its limits."""
    flowing = [
        _camera(entry.camera, entry.rung)
        for entry in stats.cameras
        if entry.rung is not None and entry.camera in cameras
    ]
    target_bps = stats.target_bps
    return m.VideoState(
        stamp_us,
        _whole(stats.sent_bps, MAX_U53),
        stats.reason,
        target_bps=None if target_bps is None else _whole(target_bps, MAX_U53),
        loss=_number(stats.loss, 1, 1.0, 4),
        rtt_ms=_number(stats.rtt_s, 1000, MAX_MS, 1),
        queue_ms=_number(stats.queue_s, 1000, MAX_MS, 1),
        cameras=tuple(flowing[:MAX_VIDEO_CAMERAS]),
    )


def _camera(camera: CameraId, rung: Rung) -> m.CameraVideo:
    width, height = _whole(rung.width, 0xFFFF), _whole(rung.height, 0xFFFF)
    fps = _number(rung.fps, 1, 1000.0, 1) or 0.0
    return m.CameraVideo(camera, width, height, fps, _whole(rung.bitrate_bps, MAX_U53))


def _whole(value: int, most: int) -> int:
    return max(0, min(value, most))


def _number(value: float | None, scale: float, most: float, digits: int) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(max(0.0, min(value * scale, most)), digits)
