"""The other end: a person's connection in Python, which answers and receives pictures."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from numpy.typing import NDArray

from farhand.errors import Code, MediaError
from farhand.media.aiortc_ import guard, ice, jitter, private, sender
from farhand.media.aiortc_.certificate import Certificate
from farhand.media.aiortc_.channels import Channels
from farhand.media.aiortc_.ice import RemoteCandidates, split_candidates
from farhand.media.aiortc_.reporter import FeedbackReporter
from farhand.protocol.control import CHANNELS
from farhand.protocol.ids import CameraId
from farhand.protocol.messages import IceCandidate, IceServer, Track

_AIORTC_ERRORS = (InternalError, InvalidAccessError, InvalidStateError, OperationError)
_SDP_ERRORS = (AttributeError, AssertionError, LookupError, TypeError, ValueError, *_AIORTC_ERRORS)


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame."""

    camera: CameraId
    rtp: int | None
    """The RTP timestamp it came with, as the side message names it."""
    frame: VideoFrame

    def rgb(self) -> NDArray[np.uint8]:
        """Return the pixels: (height, width, 3)."""
        return np.asarray(self.frame.to_ndarray(format="rgb24"), dtype=np.uint8)


class Viewer:
    """A peer connection on the person's side. Callbacks run on the event loop.

    Args:
        ice_servers: STUN and TURN.
        on_message: Called with a channel's label and each of its messages.
        on_state: Called with the W3C connection state.
        on_channel_open: Called when a channel can be used.
        on_picture: Called with each decoded frame.
        certificate: Ours; ``None``: a new one.

    """

    def __init__(
        self,
        *,
        ice_servers: Sequence[IceServer],
        on_message: Callable[[str, bytes | str], None],
        on_state: Callable[[str], None],
        on_channel_open: Callable[[str], None],
        on_picture: Callable[[Picture], None],
        certificate: Certificate | None = None,
    ) -> None:
        guard.install()
        sender.install()
        self._on_state = on_state
        self._on_picture = on_picture
        # An empty list, not None: aiortc's default is a public STUN server, which the user never
        # chose. No max-bundle here: an aiortc that answers then stops the transport it is to use.
        servers = ice.ice_servers(ice_servers)
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._certificate = certificate or Certificate()
        self._certificate.install(self._pc)
        self._pc.on("connectionstatechange", lambda: on_state(self._pc.connectionState))
        self._pc.on("track", self._on_track)
        labels = [channel.label for channel in CHANNELS]
        self._channels = Channels(self._pc, labels, on_message=on_message, on_open=on_channel_open)
        self._candidates: RemoteCandidates | None = None
        self._reporter: FeedbackReporter | None = None
        self._cameras: dict[str, CameraId] = {}
        self._readers: set[asyncio.Task[None]] = set()

    async def answer(self, sdp: str, tracks: Sequence[Track]) -> str:
        """Apply the robot's offer; return the answer, with all candidates inside.

        Raises:
            MediaError: FH-4002, the offer cannot be used.

        """
        self._cameras = {track.mid: track.camera for track in tracks}
        text, candidates = split_candidates(sdp)
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(text, "offer"))
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except (OSError, *_SDP_ERRORS) as exc:
            raise MediaError(Code.PEER_CONNECTION_FAILED, "The offer cannot be used.") from exc
        if self._pc.sctp is None:
            raise MediaError(Code.PEER_CONNECTION_FAILED, "The offer has no data channels.")
        self._reporter = FeedbackReporter(self._pc.sctp.transport)
        self._candidates = RemoteCandidates(self._pc.sctp.transport.transport)
        for candidate in candidates:
            await self._candidates.add(candidate)
        return self._certificate.only_ours(str(self._pc.localDescription.sdp))

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Apply a trickled candidate of the robot; ``None`` (the end) changes nothing."""
        if self._candidates is not None and candidate is not None and candidate.candidate:
            await self._candidates.add(candidate.candidate)

    def send(self, label: str, data: bytes | str) -> bool:
        """Send on a data channel; ``False``: not open, or its buffer is full."""
        return self._channels.send(label, data)

    async def close(self) -> None:
        """Close everything. Idempotent."""
        if self._reporter is not None:
            self._reporter.close()
        if self._candidates is not None:
            await self._candidates.close()
        with suppress(OSError, *_AIORTC_ERRORS):
            await self._pc.close()
        for reader in self._readers:
            reader.cancel()
        if self._readers:
            await asyncio.wait(tuple(self._readers))

    def _on_track(self, track: MediaStreamTrack) -> None:
        for transceiver in self._pc.getTransceivers():
            if transceiver.receiver.track is track and str(transceiver.mid) in self._cameras:
                camera = self._cameras[str(transceiver.mid)]
                jitter.install(transceiver.receiver)
                task = asyncio.create_task(self._read(camera, track, transceiver.receiver))
                self._readers.add(task)
                task.add_done_callback(self._readers.discard)

    async def _read(
        self, camera: CameraId, track: MediaStreamTrack, receiver: RTCRtpReceiver
    ) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, VideoFrame):
                    self._on_picture(Picture(camera, _rtp(frame, receiver), frame))


def _rtp(frame: VideoFrame, receiver: RTCRtpReceiver) -> int | None:
    # aiortc counts from the first frame; what it subtracted is private.
    mapper = private.read(receiver, RTCRtpReceiver, "timestamp_mapper")
    if frame.pts is None or mapper._origin is None:
        return None
    return (frame.pts + int(mapper._origin)) & 0xFFFF_FFFF
