"""Small unreliable messages that wait for nothing: no congestion window, no timer of SCTP.

An association has one window and one retransmission timer for all its channels. After an outage of
a few seconds aiortc's holds one packet, opens again only when the timer of at least 1 s fires, and
what is sent first is stale. Frames of safety and control are a few kilobytes per second, bounded by
their own rates: they leave at once, also where the window says no (RFC 8085, 3.1.3, asks a sender
that does not react to congestion to stay that small).
"""

import time
from typing import Any

from aiortc import RTCDataChannel, RTCSctpTransport
from aiortc.rtcsctptransport import USERDATA_MAX_LENGTH, WEBRTC_BINARY, WEBRTC_STRING

from farhand.media.aiortc_.private import run
from farhand.media.aiortc_.sctp_guard import TSN_MODULO

MOST_UNACKNOWLEDGED = 65_536
"""Bytes in flight beyond what the window allows: five seconds of control, whatever long messages
have in flight."""
MOST_CHUNKS = 4_096
"""Chunks of the whole association that nobody has acknowledged: half a minute of control. aiortc's
timer takes what it gives up out of the bytes in flight, but keeps it, and walks through all of it,
while a reliable message before it is not acknowledged."""


def send_now(channel: RTCDataChannel, data: bytes | str, *, share: float = 1.0) -> bool | None:
    """Send an unreliable message within this call.

    Args:
        channel: Where.
        data: What.
        share: Of what may be unacknowledged; the rest is kept for others.

    Returns:
        ``True``: it left. ``False``: too much is unacknowledged, or the connection is gone.
        ``None``: it is empty or needs more than one packet; it must be queued.

    """
    body = data.encode() if isinstance(data, str) else data
    if channel.id is None or not 0 < len(body) <= USERDATA_MAX_LENGTH:
        return None
    sctp = channel.transport
    if sctp._association_state is not RTCSctpTransport.State.ESTABLISHED:
        return False
    # A loss has just halved the window for what left under the whole one.
    window = sctp._cwnd * (1 if sctp._fast_recovery_exit is None else 2)
    if sctp._flight_size + len(body) > window + share * MOST_UNACKNOWLEDGED:
        return False
    tsn = sctp._local_tsn
    if (tsn - 1 - sctp._last_sacked_tsn) % TSN_MODULO >= share * MOST_CHUNKS:
        return False
    protocol = WEBRTC_STRING if isinstance(data, str) else WEBRTC_BINARY
    try:
        run(sctp._send(channel.id, protocol, body, max_retransmits=0, ordered=channel.ordered))
        if sctp._outbound_queue and sctp._outbound_queue[-1].tsn == tsn:
            _overrule(sctp)
    except ConnectionError:
        return False
    return True


def _overrule(sctp: RTCSctpTransport) -> None:
    """Send the newest chunk although the window is closed."""
    if len(sctp._outbound_queue) > 1:
        # Part of a longer message is still to go, and the numbers of its fragments must follow one
        # another. The chunk goes ahead of its turn, and its turn is skipped (``sctp_guard``): after
        # an outage it would be stale.
        ahead: Any = sctp._outbound_queue[-1]
        run(sctp._send_chunk(ahead))
        ahead._abandoned, ahead._book_size = True, 0
        return
    chunk: Any = sctp._outbound_queue.pop()
    sctp._sent_queue.append(chunk)
    sctp._flight_size_increase(chunk)
    chunk._sent_count += 1
    chunk._sent_time = time.time()
    run(sctp._send_chunk(chunk))
    if not sctp._t3_handle:
        sctp._t3_start()
