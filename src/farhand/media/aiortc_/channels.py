"""The data channels of one connection, each with a bounded buffer."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiortc import RTCDataChannel, RTCPeerConnection, RTCSctpTransport
from aiortc.rtcsctptransport import WEBRTC_DCEP

from farhand.media.aiortc_ import sctp_guard
from farhand.media.aiortc_.sctp import send_now
from farhand.protocol.control import CHANNELS, CONTROL, FRAMES, MESSAGES, SAFETY, TELEMETRY

log = structlog.get_logger(__name__)

BUFFER_BYTES = {
    # Unreliable: what does not leave at once is stale when it does.
    SAFETY.label: 4_096,
    CONTROL.label: 4_096,
    FRAMES.label: 8_192,
    TELEMETRY.label: 65_536,
    MESSAGES.label: 262_144,
}
"""Bytes that may wait; beyond, a message is refused. On ``messages`` the caller cuts the peer."""

_URGENT = {SAFETY.label: 1.0, CONTROL.label: 1.0, FRAMES.label: 0.5}
"""Leaves at once, within this share of what may be unacknowledged: side messages must not take the
place of STOP and beats."""


class Channels:
    """The wanted channels, negotiated (no opening handshake).

    Args:
        pc: The connection, before its offer.
        labels: Which of the protocol's channels.
        on_message: Called on the loop, in the same turn in which the datagram came in.
        on_open: Called when a channel can be used.
        on_breach: Called with what the peer uses or opens besides; ``None``: it is only ignored.

    """

    def __init__(
        self,
        pc: RTCPeerConnection,
        labels: Sequence[str],
        *,
        on_message: Callable[[str, bytes | str], None],
        on_open: Callable[[str], None],
        on_breach: Callable[[str], None] | None = None,
    ) -> None:
        self._channels: dict[str, RTCDataChannel] = {}
        for wanted in CHANNELS:
            if wanted.label in labels:
                self._channels[wanted.label] = channel = pc.createDataChannel(
                    wanted.label,
                    negotiated=True,
                    id=wanted.id,
                    ordered=wanted.is_reliable,
                    maxRetransmits=None if wanted.is_reliable else 0,
                )
                _listen(channel, wanted.label, on_message, on_open)
        if pc.sctp is not None:
            sctp_guard.install(pc.sctp)
            if on_breach is not None:
                _watch(pc.sctp, labels, on_breach)
        pc.on("datachannel", _refuse)

    def send(self, label: str, data: bytes | str) -> bool:
        """Send; ``False``: no such channel, not open, or its buffer is full."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        if channel.bufferedAmount + len(data) > BUFFER_BYTES[label]:
            return False
        if label in _URGENT:
            is_sent = send_now(channel, data, share=_URGENT[label])
            if is_sent is not None:
                return is_sent
        try:
            channel.send(data)
        except ValueError:
            # Longer than the peer said that it takes: its own loss, and no error of ours.
            return False
        if label != MESSAGES.label:
            _overtake(channel)
        return True

    def buffered(self, label: str) -> int:
        """Return how many bytes wait in a channel."""
        channel = self._channels.get(label)
        return channel.bufferedAmount if channel is not None else 0


def _overtake(channel: RTCDataChannel) -> None:
    """Put the message just sent before the reliable ones that wait for the association's window."""
    waiting = channel.transport._data_channel_queue
    for index, (other, _, _) in enumerate(waiting):
        if other.maxRetransmits is None:
            waiting.insert(index, waiting.pop())
            return


def _listen(
    channel: RTCDataChannel,
    label: str,
    on_message: Callable[[str, bytes | str], None],
    on_open: Callable[[str], None],
) -> None:
    def receive(data: bytes | str) -> None:
        try:
            on_message(label, data)
        except (
            Exception
        ):  # the edge of a peer: raised further it would tear the whole connection down
            log.exception("message handler failed", channel=label)

    def opened() -> None:
        on_open(label)

    channel.on("message", receive)
    channel.on("open", opened)


def _watch(sctp: RTCSctpTransport, labels: Sequence[str], on_breach: Callable[[str], None]) -> None:
    """Tell of every message outside the channels that were made, instead of taking it."""
    allowed = {channel.id for channel in CHANNELS if channel.label in labels}
    names = {channel.id: channel.label for channel in CHANNELS}
    take = sctp._data_channel_receive

    async def receive(stream_id: int, pp_id: int, data: bytes) -> None:
        # All channels are negotiated: an honest peer never asks to open one.
        if stream_id in allowed and pp_id != WEBRTC_DCEP:
            await take(stream_id, pp_id, data)
            return
        try:
            on_breach(names.get(stream_id, str(stream_id)))
        except Exception:  # as in _listen
            log.exception("breach handler failed", stream=stream_id)

    inner: Any = sctp
    inner._data_channel_receive = receive


def _refuse(channel: RTCDataChannel) -> None:
    """Close a channel that the peer made up: the protocol has no such thing."""
    channel.close()
