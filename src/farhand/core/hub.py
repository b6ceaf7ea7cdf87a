"""The hub: services, rooms and sessions of one gateway. Nothing else knows who is in which room.

Sans-I/O: the shell tells it what happened and carries out the effects in order. It knows no sockets
and no clock; ``now`` is monotonic seconds. Every race is a sequence that a test can write down.
"""

from collections.abc import Callable
from typing import Any, get_args

from farhand.core.admission import Door
from farhand.core.hub_base import HubBase, seen
from farhand.core.hub_flood import LIMITED, OTHER_LIMIT, Flood, error, tag
from farhand.core.hub_greeting import Greeter, Greeting
from farhand.core.hub_notices import breach
from farhand.core.hub_relay import Relay
from farhand.core.hub_views import (
    Counts,
    MemberView,
    RobotView,
    SessionView,
)
from farhand.core.keepalive import timed_out
from farhand.core.limits import Limits, TokenBucket
from farhand.core.member import (
    Close,
    CloseCode,
    Effect,
    Noticed,
    Peer,
    PeerId,
    Send,
)
from farhand.core.resume import Claims, ResumeSigner
from farhand.core.resume_book import Replayed
from farhand.core.room import Service
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import (
    CameraId,
    MemberId,
    RoomId,
    ServiceId,
    SessionId,
)
from farhand.protocol.manifest import Manifest

__all__ = ["Counts", "Hub", "MemberView", "RobotView", "SessionView"]

_EXPIRY_EVERY_S = 1.0
_CLOSES = {Code.REVOKED: CloseCode.REVOKED, Code.RESUME_REFUSED: CloseCode.RESUME}


class Hub(HubBase):
    """Takes messages and what happens to sockets; see :class:`HubBase` for the arguments."""

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        signer: ResumeSigner,
        wall_ms: Callable[[], int],
        limits: Limits | None = None,
        door: Door | None = None,
        ice_servers: tuple[m.IceServer, ...] = (),
    ) -> None:
        super().__init__(
            new_id=new_id,
            signer=signer,
            wall_ms=wall_ms,
            limits=limits,
            door=door,
            ice_servers=ice_servers,
        )
        self._slow_tick_at = float("-inf")
        self._greeter = Greeter(new_id, self._book, self.door)
        self._flood = Flood(self.limits)
        self._relay = Relay(self.limits)
        self._handlers = self._make_handlers()

    # --- what the shell calls --------------------------------------------------------------------

    def connected(self, peer_id: PeerId, service_id: ServiceId, now: float) -> list[Effect]:
        """Expect a hello from a new socket."""
        self._peers[peer_id] = self._strangers[peer_id] = Peer(
            peer_id, service_id, self.limits, now
        )
        return []

    def receive(self, peer_id: PeerId, message: m.ClientMessage, now: float) -> list[Effect]:
        """Take one message. Messages of a peer that was cut are ignored."""
        peer = self._peers.get(peer_id)
        if peer is None:
            return []
        peer.heard_at = now
        kind = type(message)
        bucket = (
            peer.bucket if kind not in OTHER_LIMIT else self._flood.other_bucket(peer, kind, now)
        )
        if bucket is not None and not bucket.take(now):
            return self._limited(peer, kind, now)
        try:
            if peer.member is None:
                return self._hello(peer, message, now)
            return self._handlers[kind](peer, message, now)
        except (RemoteProtocolError, NotAllowed) as exc:
            return self._refused(peer, message, exc, now)

    def malformed(self, peer_id: PeerId, exc: RemoteProtocolError, now: float) -> list[Effect]:
        """Answer a frame that could not be decoded; too many of them are the end."""
        peer = self._peers.get(peer_id)
        if peer is None:
            return []
        peer.heard_at = now
        if not self._flood.may_be_malformed(peer, now):
            return self._cut(peer, exc, CloseCode.PROTOCOL, now)
        return [Send(peer.tuple, error(exc))]

    def cut(self, peer_id: PeerId, exc: FarhandError, code: int, now: float) -> list[Effect]:
        """Throw out a peer that the shell can no longer serve: too slow, too large."""
        peer = self._peers.get(peer_id)
        return [] if peer is None else self._cut(peer, exc, code, now)

    def disconnected(self, peer_id: PeerId, now: float, *, is_clean: bool = False) -> list[Effect]:
        """Forget a socket that is gone.

        Args:
            peer_id: Whose.
            now: Monotonic seconds.
            is_clean: The peer said goodbye. Otherwise its sessions may be resumed for a while.

        """
        peer = self._peers.get(peer_id)
        reason = "left" if is_clean else "lost"
        return [] if peer is None else self._forget(peer, now, reason, is_clean=is_clean)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due: pings, time-outs. To be called every ``keepalive.TICK_S``."""
        effects, dead = self._keepalive.tick(now)
        for peer in dead:
            effects += timed_out(peer)
            effects += self._forget(peer, now, "silent", is_clean=False)
        while self._strangers:
            stranger = next(iter(self._strangers.values()))
            if now - stranger.ping_at < self.limits.hello_timeout_s:
                break
            late = RemoteProtocolError(
                Code.HELLO_FIRST, f"No hello within {self.limits.hello_timeout_s:g} s."
            )
            effects += self._cut(stranger, late, CloseCode.PROTOCOL, now)
        if now - self._slow_tick_at >= _EXPIRY_EVERY_S:
            self._slow_tick_at = now
            effects += self._slow_tick(now)
        return effects + self._sessions.tick(now)

    def go_away(self, retry_after_ms: int) -> list[Effect]:
        """Say goodbye to everybody: the server is about to stop."""
        notice = m.System("warning", Code.GOING_AWAY, "The server is restarting.", retry_after_ms)
        effects: list[Effect] = [Send(tuple(self._peers), notice)] if self._peers else []
        effects += [Close(peer, CloseCode.GOING_AWAY, "going away") for peer in self._peers]
        self._peers.clear()
        self._strangers.clear()
        self._expiring.clear()
        return effects

    def signal(
        self,
        member_id: MemberId,
        action: m.SignalAction,
        now: float,
        *,
        room: RoomId | None = None,
        camera: CameraId | None = None,
        microphone: bool = False,
    ) -> tuple[int, list[Effect]]:
        """Instruct a member in the server's own name; :class:`Answered` brings the answer.

        Raises:
            RemoteProtocolError: FH-3007 no such member, FH-3013 too many wait already.

        """
        message = m.Signal(0, action, room=room, camera=camera, microphone=microphone)
        return self._relay.instruct(self._member(member_id), message, now)

    # --- coming ----------------------------------------------------------------------------------

    def _hello(self, peer: Peer, first: m.ClientMessage, now: float) -> list[Effect]:
        try:
            greeting = self._greeter.greet(first, peer.service, now)
        except RemoteProtocolError as exc:
            return self._cut(peer, exc, CloseCode.PROTOCOL, now)
        except Replayed as exc:
            return self._cut(peer, exc, CloseCode.RESUME, now) + self._replayed(peer, exc, now)
        except NotAllowed as exc:
            return self._cut(peer, exc, _CLOSES.get(exc.code, CloseCode.REFUSED), now)
        return self._welcome(peer, greeting, now)

    def _replayed(self, thief: Peer, exc: Replayed, now: float) -> list[Effect]:
        """A token was used twice: whoever holds the member now may be the thief."""
        self._book.forget(exc.member_id)
        members = (s.members.get(exc.member_id) for s in self._services.values())
        peer = next((found for found in members if found is not None), None)
        noticed = Noticed(
            "resume.replay",
            (peer or thief).service,
            peer.principal if peer is not None else None,
            peer.robot_id if peer is not None else None,
            peer.member if peer is not None else None,
            f"member:{exc.member_id}",
            exc.code,
        )
        if peer is None:
            return [noticed]
        return [noticed, *self._expel(peer, exc, CloseCode.RESUME, "replayed", now)]

    def _welcome(self, peer: Peer, greeting: Greeting, now: float) -> list[Effect]:
        hello, admitted, claims = greeting.hello, greeting.admitted, greeting.claims
        peer.service = admitted.service_id
        service = self._services.get(peer.service) or Service(peer.service)
        was_online = claims.robot_id in service.robots
        effects = self._replace(service, claims, now)
        self._services[service.id] = service
        del self._strangers[peer.id]
        peer.member = m.Member(claims.member_id, admitted.role, admitted.name, claims.robot_id)
        peer.is_robot = admitted.role == "robot"
        peer.principal, peer.own_role = admitted.principal, admitted.role
        peer.since_ms = self._wall_ms()
        if peer.principal.expires_ms is not None:
            self._expiring[peer.id] = peer
        if claims.robot_id is not None:
            peer.manifest = hello.manifest or Manifest(claims.robot_id, hello.name)
            peer.bucket = TokenBucket(self.limits.robot_rate, self.limits.robot_burst, now)
        service.add(peer)
        self._keepalive.add(peer)
        token = self._greeter.token(claims)
        effects.append(
            Send(
                peer.tuple,
                m.Welcome(
                    claims.member_id,
                    peer.service,
                    greeting.version,
                    token,
                    peer.since_ms,
                    self.ice_servers,
                ),
            )
        )
        effects += seen(peer, is_news=not was_online)
        return effects if was_online else effects + self._presence(service, peer, "robot-online")

    def _replace(self, service: Service, claims: Claims, now: float) -> list[Effect]:
        """The newer connection of a member or robot wins; the older one is told why."""
        olds = [service.members.get(claims.member_id)]
        if claims.robot_id is not None:
            olds.append(service.robots.get(claims.robot_id))
        effects: list[Effect] = []
        for old in olds:
            if old is not None and old.id in self._peers:
                replaced = NotAllowed(Code.REPLACED, "A newer connection took this one's place.")
                is_same = old.member_id == claims.member_id
                effects += [
                    Send(old.tuple, error(replaced)),
                    Close(old.id, CloseCode.REPLACED, replaced.code),
                ]
                effects += self._forget(
                    old, now, "replaced", is_clean=not is_same, is_replaced=True
                )
        return effects

    # --- refusing --------------------------------------------------------------------------------

    def _limited(self, peer: Peer, kind: type[m.ClientMessage], now: float) -> list[Effect]:
        answer = self._flood.limited(peer, kind, now)
        return answer if answer is not None else self._cut(peer, LIMITED, CloseCode.PROTOCOL, now)

    def _refused(
        self, peer: Peer, message: m.ClientMessage, exc: FarhandError, now: float
    ) -> list[Effect]:
        about = tag(type(message))
        noticed = breach(peer, exc, about, now) if isinstance(exc, NotAllowed) else []
        if not self._flood.may_err(peer, now):
            return [*noticed, *self._cut(peer, exc, CloseCode.PROTOCOL, now)]
        session_id: SessionId | None = getattr(message, "session_id", None)
        return [Send(peer.tuple, error(exc, about, session_id)), *noticed]

    # --- the rest --------------------------------------------------------------------------------

    def _make_handlers(self) -> dict[type, Callable[[Peer, Any, float], list[Effect]]]:
        sessions, relay, services = self._sessions, self._relay, self._services
        handlers: dict[type, Callable[[Peer, Any, float], list[Effect]]] = dict.fromkeys(
            get_args(m.Addressed),
            lambda p, msg, now: relay.addressed(services[p.service], p, msg, now),
        )
        handlers |= {
            m.Hello: _hello_again,
            m.Join: self._rooms.join,
            m.Leave: self._rooms.leave,
            m.Offer: sessions.offer,
            m.Answer: sessions.answer,
            m.OfferRequest: sessions.request_offer,
            m.Candidate: sessions.candidate,
            m.SessionEnded: sessions.ended,
            m.Error: sessions.error,
            m.Config: lambda p, msg, _: relay.config(services[p.service], p, msg),
            m.Status: lambda p, msg, _: relay.status(services[p.service], p, msg),
            m.Event: lambda p, msg, now: relay.event(services[p.service], p, msg, now),
            m.Ping: lambda p, msg, _: [Send(p.tuple, m.Pong(msg.n))],
            m.Pong: lambda _peer, _msg, _now: [],
        }
        return handlers


def _hello_again(_peer: Peer, _hello: m.Hello, _now: float) -> list[Effect]:
    raise RemoteProtocolError(Code.WRONG_STATE, "You have said hello already.")
