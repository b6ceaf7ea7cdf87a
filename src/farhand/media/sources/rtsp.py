"""An IP camera that speaks RTSP."""

from farhand.media.sources.av_reader import AvInput, AvSource

_OPTIONS = {
    # Over UDP a lost packet costs the picture until the camera's next key frame; on the robot's own
    # cable TCP adds nothing.
    "rtsp_transport": "tcp",
    "flags": "low_delay",
    "max_delay": "0",
    "reorder_queue_size": "0",
    # Only RTSP's own protocols: a camera's answer must not make FFmpeg open files or other hosts'
    # pages.
    "protocol_whitelist": "rtsp,rtp,tcp,udp,tls",
}


def rtsp_source(url: str, size: tuple[int, int] | None = None) -> AvSource:
    """Return the source for an ``rtsp://`` URL; a password in it is never logged."""
    return AvSource(AvInput(url, format="rtsp", options=_OPTIONS, size=size))
