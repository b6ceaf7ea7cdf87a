"""The seams of media: VideoSource -> CameraFeed -> EncodedFrame -> each viewer's PeerConnection.

All times are ``stamp_us``: integer microseconds of this machine's monotonic clock, at capture.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from farhand.protocol.ids import CameraId, MemberId
from farhand.protocol.messages import IceCandidate, IceServer, RateReason, Track


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One picture. ``data`` owns its memory and never changes: several encoders may look at it."""

    data: NDArray[np.uint8]
    """``rgb24``: (height, width, 3); ``yuv420p``: (height * 3 // 2, width)."""
    format: Literal["rgb24", "yuv420p"]
    stamp_us: int


class VideoSource(Protocol):
    """A camera. It is opened when somebody watches and closed when nobody does."""

    def frames(self) -> AsyncIterator[RawFrame]:
        """Open the camera and yield its frames; a slow consumer misses frames, never lags.

        After :meth:`close` it may be opened again.

        Raises:
            MediaError: The camera cannot be opened, or failed (FH-5002).

        """

    async def close(self) -> None:
        """Close the camera; ``frames`` ends."""


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One access unit: Annex-B H.264 constrained baseline, SPS and PPS before every key frame."""

    data: bytes
    pts: int
    """90 kHz, from the capture clock."""
    is_key: bool
    stamp_us: int
    last_applied: tuple[int, int]
    """(epoch, seq) of the newest command applied when the frame was captured; (0, 0) = none."""
    rung: int = 0
    """Which size of the picture: 0 the camera's own, 1 half of it, 2 a quarter."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One size of a camera's picture, and what its encoder aims at now."""

    index: int
    """0 the camera's own size, 1 half of it, 2 a quarter."""
    width: int
    height: int
    fps: float
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame left for a viewer with this RTP timestamp (what the side message tells)."""

    camera: CameraId
    rtp: int
    stamp_us: int
    last_applied: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CameraStats:
    """One camera on its way to one viewer."""

    camera: CameraId
    rung: Rung | None
    """What the viewer gets; ``None``: no frame yet."""


@dataclass(frozen=True, slots=True)
class ViewerStats:
    """What a peer connection knows of its link, and what its congestion controller does about it.

    ``None``: not known (yet).
    """

    sent_bytes: int = 0
    sent_bps: int = 0
    """What left in the last second, retransmissions and probes included."""
    target_bps: int | None = None
    """What all cameras together may send."""
    reason: RateReason = "start"
    """Why the target last changed."""
    loss: float | None = None
    """Fraction of the packets of the last second, 0 to 1."""
    rtt_s: float | None = None
    queue_s: float | None = None
    """How long packets wait on the way, beyond the shortest way seen."""
    is_silent: bool = False
    """Packets leave and the viewer has reported none of them for half a second."""
    cameras: tuple[CameraStats, ...] = ()


class PeerConnection(Protocol):
    """One session's connection, robot's side: it offers, sends cameras, owns the data channels.

    Callbacks given at creation run on the event loop: ``on_message(channel label, bytes or text)``,
    ``on_state(state)`` with the W3C connection state, ``on_channel_open(label)``,
    ``on_sent(SentFrame)``.
    """

    async def offer(self) -> tuple[str, tuple[Track, ...]]:
        """Return the SDP with its candidates, and which media section carries which camera."""

    async def accept(self, sdp: str) -> None:
        """Apply the answer.

        Raises:
            MediaError: H.264 was not negotiated (FH-5003), or it is no answer (FH-4002).

        """

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Apply a trickled candidate; ``None`` ends them. Before the answer they are kept."""

    def send(self, label: str, data: bytes | str) -> bool:
        """Send on a data channel; ``False``: not open, or its buffer is full."""

    def stop_camera(self, camera: CameraId) -> None:
        """End this camera's track at the viewer; the encoder is released."""

    def stats(self) -> ViewerStats:
        """Return the newest figures."""

    async def close(self) -> None:
        """Close everything. Idempotent."""


class Subscription(Protocol):
    """One viewer of one camera."""

    @property
    def rung(self) -> Rung | None:
        """What this viewer gets now; ``None``: no frame yet."""

    def set_budget(self, bitrate_bps: int) -> None:
        """Say what this viewer's link can carry of this camera; the ladder chooses the rung."""

    def request_key_frame(self) -> None:
        """Ask for a key frame on this viewer's rung; at most two per second are made."""

    def close(self) -> None:
        """End it. Idempotent."""


class CameraFeed(Protocol):
    """One camera with one encoder for each size that somebody watches; none when nobody does."""

    @property
    def camera(self) -> CameraId:
        """The camera's id."""

    @property
    def max_bitrate_bps(self) -> int:
        """The most that one viewer of this camera is ever sent."""

    def subscribe(self, push: Callable[[EncodedFrame], None]) -> Subscription:
        """Start to push every frame of the viewer's rung; it changes at a key frame only.

        A viewer that joins late asks for a key frame when it is ready for one.
        """


class MediaBackend(Protocol):
    """A WebRTC stack on the robot's side."""

    def connect(
        self,
        *,
        member: MemberId,
        feeds: Sequence[CameraFeed],
        channels: Sequence[str],
        ice_servers: Sequence[IceServer],
        on_message: Callable[[str, bytes | str], None],
        on_state: Callable[[str], None],
        on_channel_open: Callable[[str], None],
        on_sent: Callable[[SentFrame], None],
        on_breach: Callable[[str], None] | None = None,
    ) -> PeerConnection:
        """Return a new connection for ``member`` with these cameras and data channels.

        ``on_breach`` is called with the label, or the number, of a channel that the other side uses
        or opens although it is none of ``channels``.
        """
