"""What waits to be sent to one viewer. It knows frames, no transport and no clock."""

from collections import deque
from collections.abc import Callable

from farhand.media.base import EncodedFrame

BOUND = 8
"""Frames: a quarter of a second at 30 fps. Older ones are worth nothing to somebody who drives."""
MAX_WAIT_US = 250_000
"""The same as a time, for slower frame rates."""


class FrameQueue:
    """Bounded queue of one viewer: it loses whole frames and resumes at a key frame.

    Nothing gets in before :meth:`start`: packets sent before the transport is connected would be
    lost, and the picture with them.

    Args:
        request_key_frame: Called when this viewer cannot go on without one, for each frame that is
            lost for the want of it.

    """

    def __init__(self, request_key_frame: Callable[[], None]) -> None:
        self.dropped = 0
        """Frames that this viewer did not get since :meth:`start`."""
        self.waiting_bytes = 0
        self._request_key_frame = request_key_frame
        self._frames: deque[tuple[int, EncodedFrame]] = deque()
        self._is_started = False
        self._is_in_step = False

    def __len__(self) -> int:
        return len(self._frames)

    def start(self) -> None:
        """Begin to take frames, at the next key frame, which is asked for."""
        self._is_started = True
        self._is_in_step = False
        self._request_key_frame()

    def push(self, frame: EncodedFrame, now_us: int) -> bool:
        """Take ``frame``, or drop it; ``True``: it waits. Never blocks."""
        if not self._is_started:
            return False
        if frame.is_key or len(self._frames) >= BOUND:
            # A key frame makes those before it worthless: nothing later refers to them.
            self._clear()
        if not (self._is_in_step or frame.is_key):
            self.dropped += 1
            self._request_key_frame()
            return False
        self._is_in_step = True
        self._frames.append((now_us, frame))
        self.waiting_bytes += len(frame.data)
        return True

    def take(self, now_us: int) -> EncodedFrame | None:
        """Return the next frame; ``None``: none waits, or all are too old and have been dropped.

        A key frame is never too old: the next one would wait no less.
        """
        if not self._frames:
            return None
        since_us, frame = self._frames[0]
        if now_us - since_us > MAX_WAIT_US and not frame.is_key:
            self.drop()
            return None
        self._frames.popleft()
        self.waiting_bytes -= len(frame.data)
        return frame

    def drop(self) -> None:
        """Lose what waits and ask for a key frame to resume at."""
        if not self._frames:
            return
        self._clear()
        self._request_key_frame()

    def _clear(self) -> None:
        self.dropped += len(self._frames)
        self._frames.clear()
        self.waiting_bytes = 0
        self._is_in_step = False
