"""From a camera's setting to its source."""

from urllib.parse import unquote, urlsplit

from farhand.errors import Code, ConfigError
from farhand.media.base import VideoSource
from farhand.media.sources.file import file_source
from farhand.media.sources.pattern import PatternSource
from farhand.media.sources.rtsp import rtsp_source
from farhand.media.sources.v4l2 import v4l2_source


def open_source(uri: str, width: int, height: int, fps: float) -> VideoSource:
    """Return the source that ``uri`` names. Nothing is opened yet.

    ``pattern:`` · ``file:clip.mp4`` or ``file:///clip.mp4`` · ``rtsp://host/path`` ·
    ``v4l2:/dev/video0``

    Raises:
        ConfigError: No such kind of source (FH-1001).

    """
    parts = urlsplit(uri)
    size = (width, height)
    if parts.scheme == "pattern":
        return PatternSource(width, height, fps)
    if parts.scheme == "file" and parts.path:
        return file_source(unquote(parts.path), size)
    if parts.scheme in ("rtsp", "rtsps") and parts.netloc:
        return rtsp_source(uri, size)
    if parts.scheme == "v4l2" and parts.path:
        return v4l2_source(parts.path, width, height, fps)
    raise ConfigError(
        Code.CONFIG_INVALID,
        f"There is no video source {uri.partition(':')[0] + ':'!r}.",
        "Use pattern:, file:PATH, rtsp://HOST/PATH or v4l2:/dev/videoN.",
    )
