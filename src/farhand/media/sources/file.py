"""A video file as a camera: looped, at its own speed."""

from pathlib import Path

from farhand.media.sources.av_reader import AvInput, AvSource


def file_source(path: str | Path, size: tuple[int, int] | None = None) -> AvSource:
    """Return the source for a file that FFmpeg can read."""
    # The prefix keeps a name like "concat:x" or "http:y" from being taken for a protocol.
    return AvSource(AvInput(f"file:{Path(path).expanduser()}", is_looped=True, size=size))
