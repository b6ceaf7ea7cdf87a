"""One camera on its way to one viewer: what is sent, what is sent again, when to begin anew."""

from collections.abc import Callable, Iterable
from typing import Protocol

from farhand.media import h264
from farhand.media.base import CameraFeed, EncodedFrame
from farhand.media.frame_queue import FrameQueue
from farhand.media.recovery import KeyFrameBudget, Repeats
from farhand.media.rtp import RtpStream


class PayloadCache:
    """RTP payloads of a camera's newest frame of each rung: cut once, sent to all its viewers."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[EncodedFrame, list[bytes]]] = {}

    def of(self, frame: EncodedFrame) -> list[bytes]:
        """Return the payloads of ``frame``."""
        kept = self._newest.get(frame.rung)
        if kept is not None and kept[0] is frame:
            return kept[1]
        payloads = h264.payloads(frame.data)
        if kept is None or frame.stamp_us > kept[0].stamp_us:
            # A viewer that is behind must not push out what the others are about to ask for.
            self._newest[frame.rung] = frame, payloads
        return payloads


class Waking(Protocol):
    """Who sends what waits here."""

    def wake(self, outlet: "Outlet", *, is_key: bool) -> None:
        """Note that a frame is about to wait in ``outlet``."""


class Outlet:
    """Frames of one camera in, packets for one viewer out. It knows no library and no clock.

    It subscribes at once, before the connection is up: camera and encoder start while ICE and DTLS
    are still at work.

    Args:
        feed: The camera.
        cut: The camera's packetiser.
        clock_us: Microseconds that never go back.
        on_sent: Called with each frame and the RTP timestamp it left with, after its last packet.

    """

    def __init__(
        self,
        feed: CameraFeed,
        cut: PayloadCache,
        *,
        clock_us: Callable[[], int],
        on_sent: Callable[[EncodedFrame, int], None],
    ) -> None:
        self.camera = feed.camera
        self.max_bitrate_bps = feed.max_bitrate_bps
        self.budget_bps: int | None = None
        """What this camera was last told that it may send."""
        self.loss: float | None = None
        """By the viewer's newest receiver report."""
        self.retransmitted = 0
        self.unrepaired = 0
        """Packets asked for again that were too old, too often repeated, or not affordable."""
        self.stream: RtpStream | None = None
        self.queue = FrameQueue(self.want_key_frame)
        self.waiting = 0
        """Packets of the frame under way that have not left."""
        self._cut = cut
        self._clock_us = clock_us
        self._on_sent = on_sent
        self._repeats = Repeats()
        self._key_frames = KeyFrameBudget()
        self._uplink: Waking | None = None
        self._frame: EncodedFrame | None = None
        self._before_key = 0
        self.subscription = feed.subscribe(self.push)

    def start(self, stream: RtpStream, uplink: Waking) -> None:
        """Begin to take frames."""
        self.stream, self._uplink = stream, uplink
        self.queue.start()

    def push(self, frame: EncodedFrame) -> None:
        """Take a frame of the camera. Never blocks."""
        if self._uplink is not None:
            self._uplink.wake(self, is_key=frame.is_key)
            self.queue.push(frame, self._clock_us())

    def next_packets(self, now_us: int) -> list[bytearray]:
        """Return the packets of the next frame; empty: none waits, or one is still under way."""
        if self.stream is None or self.waiting:
            return []
        frame = self.queue.take(now_us)
        if frame is None:
            return []
        payloads = self._cut.of(frame)
        if frame.is_key:
            self._before_key = self.stream.packets
            self._key_frames.arrived()
        packets = self.stream.frame(payloads, frame.pts)
        self._frame, self.waiting = frame, len(packets)
        return packets

    def left(self) -> None:
        """Note that one packet of the frame under way has left."""
        self.waiting -= 1
        if not self.waiting and self._frame is not None and self.stream is not None:
            self._on_sent(self._frame, self.stream.last_timestamp)
            self._frame = None

    def give_way(self) -> None:
        """Forget the frame under way, whose packets were taken back: a key frame follows."""
        self.waiting, self._frame = 0, None

    def repairs(
        self,
        lost: Iterable[int],
        now_us: int,
        rtt_us: int | None,
        is_affordable: Callable[[int], bool],
    ) -> list[bytearray]:
        """Return the packets to send again; asks for a key frame where they cannot help.

        Args:
            lost: Sequence numbers that the viewer misses.
            now_us: The time.
            rtt_us: Round trip, if known.
            is_affordable: Takes so many bytes from the budget for retransmissions, or refuses.

        """
        stream = self.stream
        if stream is None:
            return []
        packets = []
        for seq in lost:
            if not stream.was_made(seq) or self._is_before_key(stream, seq):
                continue
            if self._repeats.is_exhausted(seq, now_us, rtt_us):
                self._give_up(stream, seq)
            elif self._repeats.is_due(seq, now_us, rtt_us):
                size = stream.size_of(seq)
                if size is None or not is_affordable(size):
                    self._give_up(stream, seq)
                    continue
                packet = stream.again(seq)
                if packet is not None:
                    self._repeats.sent(seq, now_us)
                    packets.append(packet)
        self.retransmitted += len(packets)
        return packets

    def want_key_frame(self) -> None:
        """Ask for a key frame, now or as soon as this viewer's budget allows it."""
        if self._key_frames.want(self._clock_us()):
            self.subscription.request_key_frame()

    def begin_anew(self) -> None:
        """Ask for a key frame at once: the viewer is back after a silence."""
        self._key_frames = KeyFrameBudget()
        self.want_key_frame()

    def tick(self, now_us: int) -> None:
        """Ask for a key frame that was wanted too early. Call it every 50 ms or so."""
        if self._key_frames.take(now_us):
            self.subscription.request_key_frame()

    def give(self, budget_bps: int) -> None:
        """Pass on what this camera may send, when it has changed by more than 3 %."""
        if self.budget_bps is None or abs(budget_bps - self.budget_bps) * 33 > self.budget_bps:
            self.budget_bps = budget_bps
            self.subscription.set_budget(budget_bps)

    def _give_up(self, stream: RtpStream, seq: int) -> None:
        self.unrepaired += 1
        self.want_key_frame()

    def _is_before_key(self, stream: RtpStream, seq: int) -> bool:
        """Say whether a key frame has left since: nothing after it refers to what was lost."""
        return stream.behind(seq) >= stream.packets - self._before_key
