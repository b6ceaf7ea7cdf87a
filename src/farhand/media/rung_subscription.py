"""One viewer's subscription to a camera: which rung's frames reach it, and when that changes."""

from collections.abc import Callable
from typing import Protocol

from farhand.core.limits import TokenBucket
from farhand.media.base import EncodedFrame, Rung

KEY_FRAMES_HZ, KEY_FRAMES_BURST = 1.0, 2.0
"""Of one viewer. A key frame goes to all on its rung: who asks all the time gets no more than this.
"""


class Watched(Protocol):
    """The camera, as a subscription needs it."""

    def budget_changed(self, subscription: "RungSubscription", bitrate_bps: int) -> None:
        """Note what the viewer's link carries."""

    def leave(self, subscription: "RungSubscription") -> None:
        """End the viewer's subscription."""

    def rung_at(self, index: int) -> Rung | None:
        """Return what a rung's encoder aims at."""


class RungSubscription:
    """A :class:`farhand.media.base.Subscription`: it changes its rung at key frames only.

    Args:
        camera: What is watched.
        push: Takes the frames.

    """

    def __init__(self, camera: Watched, push: Callable[[EncodedFrame], None]) -> None:
        self.current: int | None = None
        """The rung whose frames the viewer gets; ``None``: none yet."""
        self.target = 0
        """The rung where it belongs."""
        self._camera = camera
        self._push = push
        self._coming: tuple[int, int] | None = None
        """(rung, pts) of the key frame that it changes at."""
        self._last_pts = -1
        # Full, whatever a monotonic clock says first.
        self._key_frames = TokenBucket(KEY_FRAMES_HZ, KEY_FRAMES_BURST, now=0.0)
        self._is_key_wanted = False

    @property
    def rung(self) -> Rung | None:
        """What this viewer gets now; ``None``: no frame yet."""
        return self._camera.rung_at(self.current) if self.current is not None else None

    @property
    def is_switching(self) -> bool:
        """Whether it waits for a key frame of another rung."""
        return self.current is not None and self.current != self.target

    @property
    def rungs(self) -> set[int]:
        """The rungs that must run for it."""
        coming = {self._coming[0]} if self._coming is not None else set()
        return {self.target, *coming} | ({self.current} if self.current is not None else set())

    def set_budget(self, bitrate_bps: int) -> None:
        """Say what this viewer's link can carry of this camera; the ladder chooses the rung."""
        self._camera.budget_changed(self, bitrate_bps)

    def request_key_frame(self) -> None:
        """Ask for a key frame on this viewer's rung: two at once, then one a second.

        What comes too early is kept, not forgotten.
        """
        self._is_key_wanted = True

    def close(self) -> None:
        """End it. Idempotent."""
        self._camera.leave(self)

    def takes_key_frame(self, now: float) -> bool:
        """Say whether a key frame of the target rung is due for this viewer; it is counted."""
        if self.is_switching:
            return self._coming is None
        if not self._is_key_wanted or not self._key_frames.take(now):
            return False
        self._is_key_wanted = False
        return True

    def expect_key(self, rung: int, pts: int) -> None:
        """Note that the picture ``pts`` is about to become a key frame of ``rung``.

        If the viewer is on its way there, it gets that one and nothing more of its old rung.
        """
        if self.is_switching and self._coming is None and rung == self.target:
            self._coming = (rung, pts)

    def rung_ended(self, rung: int) -> None:
        """Note that ``rung``'s encoder ended: what comes next is a key frame of a new one."""
        if self.current == rung:
            self.current = None
        if self._coming is not None and self._coming[0] == rung:
            self._coming = None

    def take(self, frame: EncodedFrame) -> None:
        """Pass on a frame if it is this viewer's: of its rung, newer than all before."""
        if frame.pts <= self._last_pts:
            return
        if self._coming is not None:
            rung, pts = self._coming
            if frame.rung != rung:
                if frame.pts >= pts:
                    return
            elif not frame.is_key:
                return
            else:
                self.current, self._coming = rung, None
        elif self.current is None:
            # Joined while the rung was running: its frames are taken as they come, as the viewer
            # knows best when it is ready for a key frame.
            if frame.rung != self.target:
                return
            self.current = frame.rung
        if frame.rung != self.current:
            return
        self._last_pts = frame.pts
        if frame.is_key:
            self._is_key_wanted = False
        self._push(frame)
