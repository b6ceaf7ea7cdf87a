"""Who is still there: pings at two paces, one sweep for everybody, no timer per connection.

While a member has a session: a ping every 0.5 s, and 1.5 s of silence is the end. Otherwise every
10 s and 25 s. Idle members are spread over a wheel of slots, so that 15 000 never come at once.
"""

from farhand.core.member import Close, CloseCode, Effect, Peer, PeerId, Send
from farhand.errors import Code
from farhand.protocol import messages as m

TICK_S = 0.1
LIVE_EVERY_S = 0.5
LIVE_TIMEOUT_S = 1.5
IDLE_EVERY_S = 10.0
IDLE_TIMEOUT_S = 25.0
SLOTS = 50
"""One pass over the idle ones takes 5 s; they are looked at in each and pinged in every second."""
_OWN_PAUSE_S = 0.5


class Keepalive:
    """The sweep. The hub stamps ``peer.heard_at`` on every message."""

    def __init__(self) -> None:
        self._live: dict[PeerId, Peer] = {}
        self._wheel: list[dict[PeerId, Peer]] = [{} for _ in range(SLOTS)]
        self._next_slot = 0
        self._hand = 0
        self._ticked_at: float | None = None
        self._swept_at = 0.0
        self._n = 0

    def add(self, peer: Peer) -> None:
        """Watch a member that has just been welcomed; it is idle."""
        peer.slot = self._next_slot
        self._next_slot = (self._next_slot + 1) % SLOTS
        self._wheel[peer.slot][peer.id] = peer

    def remove(self, peer: Peer) -> None:
        """Watch it no more. Idempotent."""
        self._wheel[peer.slot].pop(peer.id, None)
        self._live.pop(peer.id, None)

    def refresh(self, peer: Peer, now: float) -> list[Effect]:
        """Change the pace after a session began or ended, and tell the peer at once."""
        is_live = bool(peer.sessions)
        if is_live is peer.is_live:
            return []
        peer.is_live = is_live
        self.remove(peer)
        if is_live:
            self._live[peer.id] = peer
        else:
            self._wheel[peer.slot][peer.id] = peer
        # Silence before this ping was measured with the other limit.
        peer.heard_at = peer.ping_at = now
        return [self._ping(peer.tuple, LIVE_TIMEOUT_S if is_live else IDLE_TIMEOUT_S)]

    def tick(self, now: float) -> tuple[list[Effect], list[Peer]]:
        """Return the pings that are due and who is dead. To be called every ``TICK_S``."""
        if self._ticked_at is None:
            self._ticked_at = self._swept_at = now
        if now - self._ticked_at > _OWN_PAUSE_S:
            # We were the ones who slept: what came meanwhile has not been read yet.
            self._forgive(now - self._ticked_at)
        self._ticked_at = now
        effects: list[Effect] = []
        dead: list[Peer] = []
        self._sweep_live(now, effects, dead)
        slots = min(SLOTS, int((now - self._swept_at) / TICK_S + 1e-6))
        self._swept_at = now if slots == SLOTS else self._swept_at + slots * TICK_S
        for _ in range(slots):
            self._sweep_slot(now, effects, dead)
        return effects, dead

    def _forgive(self, pause_s: float) -> None:
        for group in (self._live, *self._wheel):
            for peer in group.values():
                peer.heard_at += pause_s

    def _sweep_live(self, now: float, effects: list[Effect], dead: list[Peer]) -> None:
        due: list[PeerId] = []
        for peer in self._live.values():
            if now - peer.heard_at >= LIVE_TIMEOUT_S:
                dead.append(peer)
            elif now - peer.ping_at >= LIVE_EVERY_S:
                # From when it was due, so that ticks do not stretch the pace.
                peer.ping_at = max(peer.ping_at + LIVE_EVERY_S, now - TICK_S)
                due.append(peer.id)
        if due:
            effects.append(self._ping(tuple(due), LIVE_TIMEOUT_S))

    def _sweep_slot(self, now: float, effects: list[Effect], dead: list[Peer]) -> None:
        due: list[PeerId] = []
        for peer in self._wheel[self._hand].values():
            if now - peer.heard_at >= IDLE_TIMEOUT_S:
                dead.append(peer)
            elif now - peer.ping_at >= IDLE_EVERY_S - 2 * TICK_S:
                peer.ping_at = now
                due.append(peer.id)
        if due:
            effects.append(self._ping(tuple(due), IDLE_TIMEOUT_S))
        self._hand = (self._hand + 1) % SLOTS

    def _ping(self, peers: tuple[PeerId, ...], timeout_s: float) -> Send:
        self._n = (self._n + 1) & 0xFFFF_FFFF
        return Send(peers, m.Ping(self._n, round(timeout_s * 1000)))


def timed_out(peer: Peer) -> list[Effect]:
    """Return what a peer is told that has been silent for too long."""
    error = m.Error(Code.KEEPALIVE_TIMEOUT, "Nothing was heard from you for too long.")
    return [Send(peer.tuple, error), Close(peer.id, CloseCode.KEEPALIVE, "keepalive")]
