"""aiortc as it comes: its own encoder for each viewer, its own defaults, the same picture as ours.

``python -m farhand.kits.bench.peers.aiortc_stock``; see ``serving``.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
from aiortc import (
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.codecs import h264, vpx
from aiortc.sdp import candidate_from_sdp

from farhand.kits.bench.peers.serving import FPS, HEIGHT, WIDTH, Viewer, Wish, main
from farhand.media.sources.pattern import PatternSource

CLOCK = Fraction(1, 90_000)


class PatternTrack(VideoStreamTrack):
    """The pattern as raw frames: the sender encodes them."""

    def __init__(self) -> None:
        super().__init__()
        self._frames = PatternSource(WIDTH, HEIGHT, FPS).frames()
        self._first_us: int | None = None

    async def recv(self) -> av.VideoFrame:
        """Return the next frame when it is due."""
        raw = await anext(self._frames)
        frame = av.VideoFrame.from_ndarray(raw.data, format="yuv420p")
        self._first_us = self._first_us or raw.stamp_us
        frame.pts, frame.time_base = (raw.stamp_us - self._first_us) * 9 // 100, CLOCK
        return frame


class StockViewer(Viewer):
    """A viewer of stock aiortc."""

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish)
        self._peer = RTCPeerConnection()

    async def offer(self) -> str:
        """Return the offer's SDP."""
        if self.wish.bitrate_bps is not None:
            for codec in (h264, vpx):  # it has no other place for a rate
                rate = self.wish.bitrate_bps
                vars(codec).update(DEFAULT_BITRATE=rate, MAX_BITRATE=rate)
        if not self.wish.is_data_only:
            self._peer.addTrack(PatternTrack())
        channel: RTCDataChannel = self._peer.createDataChannel(
            "echo", ordered=False, maxRetransmits=0
        )
        channel.on("message", channel.send)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def answer(self, sdp: str) -> None:
        """Apply the answer."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def candidate(self, candidate: Mapping[str, Any]) -> None:
        """Add a candidate of the viewer's."""
        found = candidate_from_sdp(candidate["candidate"].split(":", 1)[1])
        found.sdpMid, found.sdpMLineIndex = candidate["sdpMid"], candidate["sdpMLineIndex"]
        await self._peer.addIceCandidate(found)

    async def close(self) -> None:
        """Close the connection."""
        await self._peer.close()


if __name__ == "__main__":
    main(StockViewer)
