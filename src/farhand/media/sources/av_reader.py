"""Cameras and files that FFmpeg can open, read by PyAV in a thread."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import av
import av.container
import av.error
import numpy as np

from farhand.errors import Code, MediaError
from farhand.media.base import RawFrame
from farhand.media.sources.threaded import ThreadedSource

av.logging.set_level(None)

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 2.0
_BEHIND_S = 1.0
"""A looped file that fell behind by more starts its clock anew instead of racing."""
_PLAUSIBLE_US = 1_000_000
"""A frame older than this has another clock, whatever the driver says."""


@dataclass(frozen=True, slots=True)
class AvInput:
    """What FFmpeg is to open.

    Args:
        url: File, URL or device.
        format: FFmpeg's name of the demuxer; ``None``: let it guess.
        options: Of the demuxer.
        is_looped: A file: begins anew at its end, and its frames come at the file's own speed.
        has_our_clock: Its time stamps are of this machine's monotonic clock, as V4L2's are.
        size: Width and height to scale to; ``None``: as it comes.

    """

    url: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    is_looped: bool = False
    has_our_clock: bool = False
    size: tuple[int, int] | None = None


class AvSource(ThreadedSource):
    """A camera, stream or file through FFmpeg.

    Args:
        what: What to open.

    """

    def __init__(self, what: AvInput) -> None:
        super().__init__()
        self._what = what

    def read(self, emit: Callable[[RawFrame], None], stopped: threading.Event) -> None:
        """Open it and emit its frames as I420.

        Raises:
            MediaError: It cannot be opened or read (FH-5002).

        """
        name = redacted(self._what.url)
        try:
            with self._open() as container:
                if not container.streams.video:
                    raise MediaError(Code.SOURCE_FAILED, f"{name} has no picture.")
                self._read_all(container, emit, stopped)
        except (av.error.FFmpegError, OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or str(exc)
            raise MediaError(Code.SOURCE_FAILED, f"{name} cannot be read: {reason}.") from exc
        if not stopped.is_set():
            raise MediaError(Code.SOURCE_FAILED, f"{name} ended.")

    def _open(self) -> av.container.InputContainer:
        return av.open(
            self._what.url,
            format=self._what.format,
            options=dict(self._what.options),
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )

    def _read_all(
        self,
        container: av.container.InputContainer,
        emit: Callable[[RawFrame], None],
        stopped: threading.Event,
    ) -> None:
        stream = container.streams.video[0]
        # More threads would hold back one frame each: latency for nothing.
        stream.thread_type = "SLICE"
        pace = _Pace(stopped) if self._what.is_looped else None
        clock = _Stamps(self._what.has_our_clock)
        while not stopped.is_set():
            seen = 0
            for frame in container.decode(stream):
                if stopped.is_set():
                    return
                if pace is not None:
                    pace.wait(frame.time)
                    emit(self._raw(frame, _now_us()))
                else:
                    emit(self._raw(frame, clock.of(frame.time, _now_us())))
                seen += 1
            if pace is None or not seen:
                return
            container.seek(0)
            pace.begin_anew()

    def _raw(self, frame: av.VideoFrame, stamp_us: int) -> RawFrame:
        width, height = self._what.size or (frame.width & ~1, frame.height & ~1)
        picture = frame.reformat(width=width, height=height, format="yuv420p")
        return RawFrame(picture.to_ndarray().astype(np.uint8, copy=False), "yuv420p", stamp_us)


class _Stamps:
    """Turns a camera's time into this machine's.

    A frame's arrival says when it was captured plus how long it took; the shortest way of late is
    the best guess for all, so that what was held up on its way does not look fresh. What remains
    unknown is the camera's own delay.

    Args:
        has_our_clock: The camera's time is ours already.

    """

    def __init__(self, has_our_clock: bool) -> None:
        self._has_our_clock = has_our_clock
        self._ahead_us: float | None = None
        self._last_us = 0

    def of(self, time_s: float | None, now_us: int) -> int:
        """Return the stamp of a frame with the camera's time ``time_s`` that came at ``now_us``."""
        if time_s is None:
            return now_us
        ahead_us = now_us - time_s * 1e6
        if self._has_our_clock and 0 <= ahead_us < _PLAUSIBLE_US:
            return now_us - int(ahead_us)
        if self._ahead_us is not None:
            # Crystals drift apart by up to 100 ppm: let the guess rise by as much, or it would age.
            ahead_us = min(ahead_us, self._ahead_us + (now_us - self._last_us) * 1e-4)
        self._ahead_us, self._last_us = ahead_us, now_us
        return int(time_s * 1e6 + ahead_us)


class _Pace:
    """Waits until a file's frame is due."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._began: float | None = None
        self._next = time.monotonic()
        self._last_step = 1 / 30

    def begin_anew(self) -> None:
        """Let the next frame, the file's first again, follow the last one at the usual distance."""
        self._began = None
        self._next += self._last_step

    def wait(self, time_s: float | None) -> None:
        """Wait for the frame at ``time_s`` of the file."""
        now = time.monotonic()
        if time_s is None:
            due = self._next + self._last_step
        else:
            if self._began is None:
                self._began = self._next - time_s
            due = self._began + time_s
        if now - due > _BEHIND_S:
            self._began, due = None, now
        if 0 < due - self._next < 1:
            self._last_step = due - self._next
        self._next = due
        self._stopped.wait(max(0.0, due - now))


def _now_us() -> int:
    return time.monotonic_ns() // 1000


def redacted(url: str) -> str:
    """Return ``url`` without user name and password: it goes into logs and onto screens."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc="…@" + parts.netloc.rpartition("@")[2]))
