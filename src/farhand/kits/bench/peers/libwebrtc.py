"""Chrome's libwebrtc in Python (PyPI ``wrtc``), stock settings, the same picture as ours.

VP8: its H.264 encoder has to be downloaded first, which a bench does not do. Left to itself it
sends our noisy picture 320 or 480 wide for a long time; ``--keep-size`` makes it lower the frame
rate instead, where pictures of one size are to be compared.
``python -m farhand.kits.bench.peers.libwebrtc``; see ``serving``.
"""

from collections.abc import Mapping
from typing import Any

import webrtc

from farhand.kits.bench.peers.serving import HEIGHT, WIDTH, Camera, Viewer, Wish, main
from farhand.media.base import RawFrame


class LibwebrtcViewer(Viewer):
    """A viewer of libwebrtc; the encoder is the connection's own."""

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish)
        self._peer = webrtc.RTCPeerConnection()
        self._generator = webrtc.VideoTrackGenerator()
        self._writer = self._generator.writable.get_writer()
        self._camera: Camera | None = None

    async def offer(self) -> str:
        """Return the offer's SDP."""
        if not self.wish.is_data_only:
            sender = self._peer.add_track(self._generator.track)
            parameters = sender.get_parameters()
            if self.wish.keep_size:
                parameters.degradation_preference = "maintain-resolution"
            if self.wish.bitrate_bps is not None:
                parameters.encodings[0].max_bitrate = self.wish.bitrate_bps
            await sender.set_parameters(parameters)
        options = webrtc.RTCDataChannelInit(ordered=False, max_retransmits=0)
        channel = self._peer.create_data_channel("echo", options)
        channel.on("message", lambda event: channel.send(event.data))
        self._peer.on("icecandidate", self._tell_candidate)
        offer = await self._peer.create_offer()
        await self._peer.set_local_description(offer)
        return offer.sdp

    async def answer(self, sdp: str) -> None:
        """Apply the answer; the picture starts."""
        init = webrtc.RTCSessionDescriptionInit(type="answer", sdp=sdp)
        await self._peer.set_remote_description(init)
        if not self.wish.is_data_only:
            self._camera = Camera(self._push)

    async def candidate(self, candidate: Mapping[str, Any]) -> None:
        """Add a candidate of the viewer's."""
        init = webrtc.RTCIceCandidateInit(
            candidate=candidate["candidate"],
            sdp_mid=candidate["sdpMid"],
            sdp_m_line_index=candidate["sdpMLineIndex"],
        )
        await self._peer.add_ice_candidate(init)

    async def close(self) -> None:
        """Close the connection."""
        if self._camera is not None:
            await self._camera.close()
        self._peer.close()

    def _push(self, frame: RawFrame) -> None:
        init = webrtc.VideoFrameBufferInit(
            format="I420", coded_width=WIDTH, coded_height=HEIGHT, timestamp=frame.stamp_us
        )
        self._writer.write(webrtc.VideoFrame(frame.data.data, init))

    def _tell_candidate(self, event: webrtc.RTCPeerConnectionIceEvent) -> None:
        if event.candidate is not None:
            found = event.candidate.to_json()
            self.wish.tell({"type": "candidate", "candidate": found})


if __name__ == "__main__":
    main(LibwebrtcViewer)
