"""What a hub says to those who ask too much, and when it has had enough of them."""

from farhand.core.limits import Limits, TokenBucket, Window
from farhand.core.member import Effect, Peer, Send
from farhand.errors import Code, FarhandError, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import SessionId

NEVER_LIMITED = frozenset({m.Stop, m.StopAck})
CONTROL = frozenset({m.Control, m.ControlVerdict, m.GateBeat, m.GateAnswer})
OTHER_LIMIT = NEVER_LIMITED | CONTROL
"""Kinds of message that the common rate does not count."""
LIMITED = RemoteProtocolError(Code.RATE_LIMITED, "Too many messages a second.")
_LIMIT_NOTICE_S = 1.0
"""A peer over its rate is told so once a second, not once a message."""


class Flood:
    """Counts refusals.

    Args:
        limits: Rates and bounds.

    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def other_bucket(
        self, peer: Peer, kind: type[m.ClientMessage], now: float
    ) -> TokenBucket | None:
        """Return what limits a message of ``OTHER_LIMIT``; ``None``: nothing does."""
        return None if kind in NEVER_LIMITED else self._control_bucket(peer, now)

    def limited(self, peer: Peer, kind: type[m.ClientMessage], now: float) -> list[Effect] | None:
        """Return the answer to a message over the rate; ``None``: the peer must be cut."""
        if not self.may_err(peer, now):
            return None
        if now - peer.error_at < _LIMIT_NOTICE_S:
            return []
        peer.error_at = now
        bucket = self._control_bucket(peer, now) if kind in CONTROL else peer.bucket
        answer = m.Error(LIMITED.code, LIMITED.text, tag(kind), retry_after_ms=bucket.wait_ms)
        return [Send(peer.tuple, answer)]

    def may_err(self, peer: Peer, now: float) -> bool:
        """Count a refusal; ``False``: it is one too many."""
        if peer.refused is None:
            peer.refused = Window(self._limits.flood - 1, self._limits.flood_window_s)
        return peer.refused.take(now)

    def may_be_malformed(self, peer: Peer, now: float) -> bool:
        """Count a message that could not be decoded; ``False``: it is one too many."""
        if peer.bad is None:
            peer.bad = Window(self._limits.bad_frames - 1, self._limits.flood_window_s)
        return peer.bad.take(now)

    def _control_bucket(self, peer: Peer, now: float) -> TokenBucket:
        if peer.control_bucket is None:
            limits = self._limits
            rate, burst = limits.control_rate, limits.control_burst
            if peer.is_robot:
                rate, burst = limits.robot_control_rate, limits.robot_control_burst
            peer.control_bucket = TokenBucket(rate, burst, now)
        return peer.control_bucket


def tag(kind: type[m.ClientMessage]) -> str:
    """Return the name of a message on the wire."""
    return str(kind.__struct_config__.tag)


def error(exc: FarhandError, about: str = "", session_id: SessionId | None = None) -> m.Error:
    """Return what the sender of a refused message is told."""
    return m.Error(exc.code, f"{exc.text} {exc.fix}".rstrip(), about, session_id)
