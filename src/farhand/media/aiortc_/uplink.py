"""What one connection sends as RTP: when, how fast, and which camera gets how much of it."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import pylibsrtp
import structlog

from farhand.media import rtcp
from farhand.media.aiortc_.departures import Departures
from farhand.media.aiortc_.outlet import Outlet
from farhand.media.aiortc_.wire import OVERHEAD_BYTES, Wire
from farhand.media.base import CameraStats, ViewerStats
from farhand.media.congestion import (
    CongestionController,
    Kind,
    Pacer,
    Priority,
    RetransmissionBudget,
)
from farhand.media.rtp import RtpStream
from farhand.media.shares import shares

log = structlog.get_logger(__name__)

START_BPS = 1_000_000
MIN_BPS = 120_000
"""Less shows nothing, and what leaves is what brings reports back."""
HEADROOM = 1.25
"""What the cameras' maxima need on the wire: headers, and retransmissions within their budget."""
TICK_S = 0.05
BURST = 16
"""Packets sent in one turn of the event loop: a third of a millisecond, at 20 µs each."""
MAX_TURN_US = 1_000
"""The same where a packet takes longer: on loopback the kernel does the receiver's work too."""
BLOCKED_S = 0.002
"""Until the socket is tried again after the kernel took no more."""
MAX_BACKLOG_US = 300_000
"""More than that at the pacing rate waits for nothing: whole frames are dropped."""
WORTH_WAITING_US = 50_000
"""A key frame waits no longer than this for the end of the frame before it."""
MAX_ASKED = 1_000
"""Packets that a viewer may ask for again in one tick; twenty times what it can have been sent."""
SMOOTHING = 0.1
"""Of rates measured each tick: half a second."""

_Item = tuple[RtpStream, bytearray, Kind, Outlet | None]


def now_us() -> int:
    """Return microseconds that never go back."""
    return time.monotonic_ns() // 1000


class Uplink:
    """Congestion control, pacing and repair of one connection.

    Args:
        wire: The way out.
        departures: Shared by all connections of the process.

    """

    def __init__(self, wire: Wire, departures: Departures) -> None:
        self.sent_bytes = 0
        self._wire = wire
        self._departures = departures
        self._controller: CongestionController | None = None
        self._budget = RetransmissionBudget()
        self._pacer: Pacer[_Item] = Pacer()
        self._due: deque[_Item] = deque()
        self._outlets: list[Outlet] = []
        self._intake = rtcp.Intake()
        self._was_silent = False
        self._extra_bytes = 0
        self._extra_bps = 0.0
        self._ticked_us = 0
        self._may_ask = MAX_ASKED
        self._tick_handle: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, outlet: Outlet, stream: RtpStream) -> None:
        """Begin to send a camera; the connection is up."""
        now = now_us()
        self._outlets.append(outlet)
        if self._controller is None:
            self._ticked_us = now
            self._controller = CongestionController(
                start_bps=START_BPS,
                min_bps=MIN_BPS,
                max_bps=self._max_bps(),
                now_us=now,
                expects_feedback=bool(stream.parameters.transport_cc_id),
            )
            self._tick_handle = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self._controller.max_bps = self._max_bps()
        self._share(self._controller)
        outlet.start(stream, self)

    def detach(self, outlet: Outlet) -> None:
        """Stop sending a camera."""
        if outlet not in self._outlets:
            return
        self._outlets.remove(outlet)
        self._withdraw(outlet)
        if self._controller is None or not self._outlets:
            self.close()
            return
        self._controller.max_bps = self._max_bps()
        self._share(self._controller)

    def close(self) -> None:
        """Send nothing more. Idempotent."""
        self._departures.forget(self)
        for handle in (self._tick_handle, self._timer):
            if handle is not None:
                handle.cancel()
        self._tick_handle = self._timer = self._controller = None
        self._due.clear()

    def wake(self, outlet: Outlet, *, is_key: bool) -> None:
        """Note that a frame is about to wait in ``outlet``."""
        if self._controller is None:
            return
        waiting = self._pacer.backlog_bytes + sum(o.queue.waiting_bytes for o in self._outlets)
        backlog_us = waiting * 8_000_000 // self._controller.pacing_bps
        if is_key and backlog_us > WORTH_WAITING_US:
            # Nothing later refers to what is still to go of the frame before: after a cut of the
            # rate it might hold up the key frame for a second.
            self._withdraw(outlet)
            outlet.give_way()
        elif backlog_us > MAX_BACKLOG_US and not is_key:
            outlet.queue.drop()
        self._departures.wake(self)

    def take_rtcp(self, data: bytes) -> bytes:
        """Take transport-wide feedback out of a compound packet; return the rest of it.

        Of what is too long or too much nothing is left.
        """
        if not self._intake.take(len(data), now_us()):
            return b""
        found, rest = rtcp.split(data)
        controller = self._controller
        if found and controller is not None:
            now = now_us()
            for fci in found:
                controller.on_feedback(fci, now)
            self._react(controller, now)
        return rest

    def take_report(self, rtt_us: int | None) -> None:
        """Take a receiver report, whose losses the outlets have noted."""
        if self._controller is not None:
            loss = max((o.loss for o in self._outlets if o.loss is not None), default=0.0)
            self._controller.on_receiver_report(loss=loss, rtt_us=rtt_us, now_us=now_us())

    def take_remb(self, bitrate_bps: int) -> None:
        """Take the receiver's own estimate."""
        if self._controller is not None:
            self._controller.on_remb(bitrate_bps, now_us())

    def repair(self, outlet: Outlet, lost: Sequence[int], rtt_us: int | None) -> None:
        """Send packets again, as far as the budget goes."""
        controller = self._controller
        if controller is None or outlet.stream is None:
            return
        now = now_us()

        def is_affordable(size: int) -> bool:
            return self._budget.take(size + OVERHEAD_BYTES, now, controller.target_bps)

        rtt_us = controller.rtt_us or rtt_us
        # aiortc counts on from a packet's number without the wrap at 2**16.
        asked = [seq & 0xFFFF for seq in lost[: self._may_ask]]
        self._may_ask -= len(asked)
        for packet in outlet.repairs(asked, now, rtt_us, is_affordable):
            item = (outlet.stream, packet, Kind.RTX, None)
            self._pacer.push(Priority.RTX, item, len(packet) + OVERHEAD_BYTES)
        self._departures.wake(self)

    def depart(self) -> bool:
        """Send one burst; ``True``: more is due at once."""
        controller = self._controller
        if controller is None:
            return False
        now = now_us()
        try:
            for _ in range(BURST):
                if not self._due and not self._refill(controller, now):
                    self._sleep(controller, now)
                    return False
                if not self._wire.is_clear:
                    self._wait(BLOCKED_S)
                    return False
                left_us = self._send(controller, *self._due.popleft())
                if left_us - now > MAX_TURN_US:
                    break
        except ConnectionError:
            self.close()  # the connection ends, and says so by its state
            return False
        return True

    def stats(self, cameras: tuple[CameraStats, ...]) -> ViewerStats:
        """Return the newest figures, with what the viewer gets of each camera."""
        controller = self._controller
        if controller is None:
            return ViewerStats(sent_bytes=self.sent_bytes, cameras=cameras)
        loss, rtt_us, queue_us = controller.loss, controller.rtt_us, controller.queue_us
        if loss is None:
            loss = max((o.loss for o in self._outlets if o.loss is not None), default=None)
        return ViewerStats(
            sent_bytes=self.sent_bytes,
            sent_bps=controller.sent_bps(now_us()),
            target_bps=controller.target_bps,
            reason=controller.reason,
            loss=loss,
            rtt_s=rtt_us / 1e6 if rtt_us is not None else None,
            queue_s=queue_us / 1e6 if queue_us is not None else None,
            is_silent=controller.is_silent,
            cameras=cameras,
        )

    def _send(
        self,
        controller: CongestionController,
        stream: RtpStream,
        packet: bytearray,
        kind: Kind,
        outlet: Outlet | None,
    ) -> int:
        size = len(packet) + OVERHEAD_BYTES
        now = now_us()
        stream.stamp(packet, controller.on_sent(size, now, kind=kind), now / 1e6)
        try:
            self._wire.send(packet)
        except pylibsrtp.Error:
            log.debug("SRTP refused a packet")  # one lost packet, as far as the viewer is concerned
        self.sent_bytes += len(packet)
        if outlet is None:
            self._extra_bytes += 0 if kind is Kind.PROBE else size
        else:
            self._extra_bytes += OVERHEAD_BYTES + stream.header_bytes
            outlet.left()
        return now

    def _refill(self, controller: CongestionController, now: int) -> bool:
        """Move what may leave now to ``_due``."""
        for outlet in self._outlets:
            stream = outlet.stream
            if stream is not None:
                for packet in outlet.next_packets(now):
                    item = (stream, packet, Kind.MEDIA, outlet)
                    self._pacer.push(Priority.VIDEO, item, len(packet) + OVERHEAD_BYTES)
        self._due.extend(self._pacer.pop_due(now, controller.pacing_bps))
        return bool(self._due)

    def _probe(self, controller: CongestionController, now: int) -> None:
        """Queue the packets of a probe if one is due."""
        stream = next((o.stream for o in self._outlets if o.stream and o.stream.has_filler), None)
        probe = controller.take_probe(now) if stream is not None else None
        if stream is None or probe is None:
            return
        left = probe.bytes
        while left > 0 and (packet := stream.filler()) is not None:
            size = len(packet) + OVERHEAD_BYTES
            self._pacer.push(Priority.PROBE, (stream, packet, Kind.PROBE, None), size)
            left -= size

    def _withdraw(self, outlet: Outlet) -> None:
        """Take back what has not left of a camera."""
        self._due = deque(item for item in self._due if item[0] is not outlet.stream)
        for priority in Priority:
            for item in self._pacer.clear(priority):
                if item[0] is not outlet.stream:
                    self._pacer.push(priority, item, len(item[1]) + OVERHEAD_BYTES)

    def _sleep(self, controller: CongestionController, now: int) -> None:
        due_us = self._pacer.next_due_us(now, controller.pacing_bps)
        if due_us is not None:
            self._wait(max(due_us - now, 1000) / 1e6)

    def _wait(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._departures.wake, self)

    def _tick(self) -> None:
        controller = self._controller
        if controller is None:
            return
        self._tick_handle = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        now = now_us()
        controller.tick(now)
        elapsed_us = max(now - self._ticked_us, 1)
        self._extra_bps += SMOOTHING * (self._extra_bytes * 8e6 / elapsed_us - self._extra_bps)
        self._extra_bytes, self._ticked_us, self._may_ask = 0, now, MAX_ASKED
        for outlet in self._outlets:
            outlet.tick(now)
        self._react(controller, now)

    def _react(self, controller: CongestionController, now: int) -> None:
        """Carry out what the controller has just decided."""
        self._check_silence(controller)
        self._share(controller)
        self._probe(controller, now)
        self._departures.wake(self)

    def _check_silence(self, controller: CongestionController) -> None:
        if self._was_silent and not controller.is_silent:
            # What was sent meanwhile is lost for good.
            self._pacer.clear(Priority.RTX)
            for outlet in self._outlets:
                outlet.begin_anew()
        self._was_silent = controller.is_silent

    def _share(self, controller: CongestionController) -> None:
        media_bps = max(0, controller.target_bps - int(self._extra_bps))
        parts = shares(media_bps, [outlet.max_bitrate_bps for outlet in self._outlets])
        for outlet, part in zip(self._outlets, parts, strict=True):
            outlet.give(part)

    def _max_bps(self) -> int:
        return int(HEADROOM * sum(outlet.max_bitrate_bps for outlet in self._outlets))
