"""What the screen needs to know of each frame: when captured, after which command."""

from bisect import bisect_right
from collections import deque

from farhand.media.base import SentFrame
from farhand.protocol.gate_link import Judged
from farhand.protocol.ids import CameraId, Epoch
from farhand.protocol.messages import FrameEntry, Frames

KEPT_US = 5_000_000
"""Older commands than this are in no frame that is still on its way."""
MAX_KEPT = 2_000
"""5 s of the fastest stream that the agent lets through, so that nobody can make the log long."""
ENTRIES = 3
"""Each entry is sent with three messages: a single loss costs nothing."""


class AppliedLog:
    """The commands of the last 5 s that passed the gate, by the time the driver got them."""

    def __init__(self) -> None:
        self._at_us: deque[int] = deque(maxlen=MAX_KEPT)
        self._commands: deque[tuple[int, int]] = deque(maxlen=MAX_KEPT)

    def record(self, judged: Judged) -> None:
        """Remember ``judged`` if it was applied."""
        if judged.code is not None or (self._at_us and judged.at_us < self._at_us[-1]):
            return
        self._at_us.append(judged.at_us)
        self._commands.append((judged.epoch, judged.seq))
        while self._at_us[0] < judged.at_us - KEPT_US:
            self._at_us.popleft()
            self._commands.popleft()

    def lookup(self, stamp_us: int) -> tuple[int, int]:
        """Return (epoch, seq) of the newest command applied by ``stamp_us``; (0, 0): none."""
        # Nearly always the newest or the one before it.
        for back in range(1, min(len(self._at_us), 4) + 1):
            if self._at_us[-back] <= stamp_us:
                return self._commands[-back]
        index = bisect_right(self._at_us, stamp_us)
        return self._commands[index - 1] if index else (0, 0)


class SideMessages:
    """The side messages of one viewer: the last three entries of each camera."""

    def __init__(self) -> None:
        self._entries: dict[CameraId, deque[FrameEntry]] = {}

    def add(self, sent: SentFrame) -> Frames:
        """Add a frame and return the message to send."""
        epoch, seq = sent.last_applied
        entries = self._entries.setdefault(sent.camera, deque(maxlen=ENTRIES))
        entries.append(FrameEntry(sent.rtp, sent.stamp_us, Epoch(epoch), seq))
        return Frames(sent.camera, tuple(entries))
