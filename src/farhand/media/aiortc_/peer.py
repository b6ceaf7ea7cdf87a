"""One peer connection over aiortc: the robot offers, sends cameras, owns the data channels."""

import asyncio
import struct
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from farhand.errors import Code, MediaError
from farhand.media.aiortc_ import private
from farhand.media.aiortc_.channels import Channels
from farhand.media.aiortc_.departures import Departures
from farhand.media.aiortc_.ice import (
    MAX_CANDIDATES,
    RemoteCandidates,
    ice_servers,
    offer_only,
    split_candidates,
    too_many_candidates,
)
from farhand.media.aiortc_.outlet import Outlet, PayloadCache
from farhand.media.aiortc_.sender import FrameSender
from farhand.media.aiortc_.uplink import Uplink, now_us
from farhand.media.aiortc_.wire import Wire, divert_rtcp, drop_rtp
from farhand.media.base import CameraFeed, CameraStats, EncodedFrame, SentFrame, ViewerStats
from farhand.protocol.ids import CameraId
from farhand.protocol.messages import IceCandidate, IceServer, Track

PROFILE = "42e01f"
"""H.264 constrained baseline, level 3.1: what every browser decodes."""
CONNECT_TIMEOUT_S = 15.0
"""From the answer to ``connected``; aioice alone would wait for candidates for ever."""

_AIORTC_ERRORS = (InternalError, InvalidAccessError, InvalidStateError)
# What aiortc's parser is known to raise on descriptions that were made to hurt.
_SDP_ERRORS = (
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
    *_AIORTC_ERRORS,
)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Who hears of what happens; all on the event loop."""

    on_message: Callable[[str, bytes | str], None]
    on_state: Callable[[str], None]
    on_channel_open: Callable[[str], None]
    on_sent: Callable[[SentFrame], None]
    on_breach: Callable[[str], None] | None = None


class _Camera:
    """One camera on its way to one viewer."""

    def __init__(
        self,
        pc: RTCPeerConnection,
        feed: CameraFeed,
        cut: PayloadCache,
        uplink: Uplink,
        on_sent: Callable[[SentFrame], None],
    ) -> None:
        self.camera = feed.camera
        self.transceiver: RTCRtpTransceiver = pc.addTransceiver("video", direction="sendonly")

        def sent(frame: EncodedFrame, timestamp: int) -> None:
            self.sender.count()
            on_sent(SentFrame(feed.camera, timestamp, frame.stamp_us, frame.last_applied))

        self.outlet = Outlet(feed, cut, clock_us=now_us, on_sent=sent)
        self.sender = FrameSender(
            self.transceiver.sender.transport, outlet=self.outlet, uplink=uplink
        )
        self._replace_sender()

    def _replace_sender(self) -> None:
        stock = self.transceiver.sender
        self.sender._stream_id = stock._stream_id
        private.write(self.transceiver, RTCRtpTransceiver, "sender", self.sender)
        self.transceiver.receiver._set_rtcp_ssrc(self.sender._ssrc)
        wanted = [
            codec
            for codec in RTCRtpSender.getCapabilities("video").codecs
            if codec.mimeType == "video/rtx" or codec.parameters.get("profile-level-id") == PROFILE
        ]
        self.transceiver.setCodecPreferences(wanted)

    @property
    def has_h264(self) -> bool:
        """Whether the answer took our codec and wants the picture."""
        codecs = self.transceiver._codecs
        return (
            bool(codecs)
            and codecs[0].mimeType.lower() == "video/h264"
            and str(codecs[0].parameters.get("packetization-mode")) == "1"
            and self.transceiver.currentDirection == "sendonly"
        )


class AiortcPeerConnection:
    """See :class:`farhand.media.base.PeerConnection`.

    Args:
        feeds: The cameras, each with the packetiser that its viewers share.
        channels: Labels of the data channels.
        ice_servers: STUN and TURN.
        addresses: Addresses of this machine to offer; ``None``: all but loopback.
        departures: Whose turn it is to send, among all connections of the process.
        callbacks: Who hears.

    """

    def __init__(
        self,
        *,
        feeds: Sequence[tuple[CameraFeed, PayloadCache]],
        channels: Sequence[str],
        ice_servers: Sequence[IceServer],
        addresses: Sequence[str] | None,
        departures: Departures,
        callbacks: Callbacks,
    ) -> None:
        self._callbacks = callbacks
        self._pc = RTCPeerConnection(_configuration(ice_servers))
        self._pc.on("connectionstatechange", self._state_changed)
        self._wire = Wire()
        self._uplink = Uplink(self._wire, departures)
        self._cameras = {
            feed.camera: _Camera(self._pc, feed, cut, self._uplink, callbacks.on_sent)
            for feed, cut in feeds
        }
        self._channels = Channels(
            self._pc,
            channels,
            on_message=callbacks.on_message,
            on_open=callbacks.on_channel_open,
            on_breach=callbacks.on_breach,
        )
        # Bundled: there is one transport, whatever it carries.
        self._dtls = (
            self._pc.sctp.transport
            if self._pc.sctp
            else next(iter(self._cameras.values())).sender.transport
        )
        self._wire.connect(self._dtls)
        divert_rtcp(self._dtls, self._uplink.take_rtcp)
        drop_rtp(self._dtls)
        if addresses is not None:
            offer_only(self._dtls.transport, addresses)
        self._candidates = RemoteCandidates(self._dtls.transport)
        self._early: list[str] = []
        self._is_answered = False
        self._is_closed = False
        self._state = "new"
        self._timeout: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def offer(self) -> tuple[str, tuple[Track, ...]]:
        """Return the SDP with all candidates inside, and which media section carries which camera.

        Raises:
            MediaError: aiortc cannot make one (FH-4002).

        """
        try:
            await self._pc.setLocalDescription(await self._pc.createOffer())
        except (OSError, *_SDP_ERRORS) as exc:
            raise MediaError(
                Code.PEER_CONNECTION_FAILED, f"No offer can be made: {exc!r}."
            ) from exc
        tracks = tuple(
            Track(str(item.transceiver.mid), item.camera) for item in self._cameras.values()
        )
        return self._pc.localDescription.sdp, tracks

    async def accept(self, sdp: str) -> None:
        """Apply the answer and the candidates that came before it.

        Raises:
            MediaError: H.264 was not negotiated (FH-5003), or the answer is none (FH-4002).
            RemoteProtocolError: A candidate inside it is none.

        """
        text, candidates = split_candidates(sdp)
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(text, "answer"))
        except OperationError as exc:  # raised for one reason only: no codec in common
            raise _not_negotiated(self._cameras.keys()) from exc
        except _SDP_ERRORS as exc:
            raise MediaError(Code.PEER_CONNECTION_FAILED, "The answer cannot be applied.") from exc
        if missing := [camera for camera, item in self._cameras.items() if not item.has_h264]:
            raise _not_negotiated(missing)
        self._is_answered = True
        if not self._is_closed:
            loop = asyncio.get_running_loop()
            self._timeout = loop.call_later(CONNECT_TIMEOUT_S, self._timed_out)
        early, self._early = self._early, []
        for candidate in (*candidates, *early):
            await self._candidates.add(candidate)

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Apply a trickled candidate, after the answer; ``None`` (the end) changes nothing.

        Raises:
            RemoteProtocolError: It is no candidate (FH-3001), or one too many (FH-3010).

        """
        # The end is no news here: see RemoteCandidates.
        if self._is_closed or candidate is None or not candidate.candidate:
            return
        if self._is_answered:
            await self._candidates.add(candidate.candidate)
        elif len(self._early) < MAX_CANDIDATES:
            self._early.append(candidate.candidate)
        else:
            raise too_many_candidates()

    def send(self, label: str, data: bytes | str) -> bool:
        """Send on a data channel; ``False``: not open, or its buffer is full."""
        return self._channels.send(label, data)

    def buffered(self, label: str) -> int:
        """Return how many bytes wait in a data channel."""
        return self._channels.buffered(label)

    def stop_camera(self, camera: CameraId) -> None:
        """End this camera's stream for good.

        RTCP BYE goes out now; the encoder is released when nobody else watches.

        A page sees no end of the track in that (Chromium does not act on BYE): the caller tells it,
        by the event ``stream-stopped``. Having the camera back takes a new offer.
        """
        item = self._cameras.get(camera)
        if item is not None:
            item.outlet.subscription.close()
            self._spawn(item.transceiver.stop())

    @property
    def remb_bps(self) -> int | None:
        """What a viewer without transport-wide feedback believes that its link carries."""
        rates = (item.sender.remb_bps for item in self._cameras.values())
        return min((rate for rate in rates if rate is not None), default=None)

    def stats(self) -> ViewerStats:
        """Return the newest figures."""
        return self._uplink.stats(
            tuple(
                CameraStats(item.camera, item.outlet.subscription.rung)
                for item in self._cameras.values()
            )
        )

    async def close(self) -> None:
        """Close everything. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self._cancel_timeout()
        self._uplink.close()
        for item in self._cameras.values():
            item.outlet.subscription.close()
        await self._candidates.close()
        with suppress(OSError, *_AIORTC_ERRORS):
            await self._pc.close()
        self._tell("closed")

    def _state_changed(self) -> None:
        state = self._pc.connectionState
        if state != "closed" or not self._is_closed:
            self._tell(state)

    def _tell(self, state: str) -> None:
        if state == self._state:
            return
        self._state = state
        if state in ("connected", "failed", "closed"):
            self._cancel_timeout()
        self._callbacks.on_state(state)

    def _timed_out(self) -> None:
        self._tell("failed")
        self._spawn(self.close())

    def _cancel_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        # The loop keeps only weak references to tasks.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _configuration(servers: Sequence[IceServer]) -> RTCConfiguration:
    # An empty list, not None: aiortc's default is a public STUN server, which the user never chose.
    return RTCConfiguration(
        iceServers=ice_servers(servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
    )


def _not_negotiated(cameras: Iterable[CameraId]) -> MediaError:
    names = ", ".join(cameras)
    return MediaError(
        Code.CODEC_NOT_NEGOTIATED,
        f"The other side takes no H.264 constrained baseline for {names}.",
        "Use a browser with H.264.",
    )
