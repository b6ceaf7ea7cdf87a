"""A camera of this machine through Video4Linux: USB, CSI."""

from farhand.media.sources.av_reader import AvInput, AvSource


def v4l2_source(device: str, width: int, height: int, fps: float) -> AvSource:
    """Return the source for a device such as ``/dev/video0``, in the nearest mode it has."""
    options = {"video_size": f"{width}x{height}", "framerate": f"{fps:g}"}
    size = (width, height)
    return AvSource(AvInput(device, "v4l2", options, has_our_clock=True, size=size))
