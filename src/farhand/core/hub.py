"""The hub: services, rooms and sessions of one gateway. Nothing else knows who is in which room.

Sans-I/O: the shell tells it what happened and carries out the effects in order. It knows no sockets
and no clock; ``now`` is monotonic seconds. Every race is a sequence that a test can write down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from farhand.core.hub_greeting import Greeter
from farhand.core.hub_relay import Relay
from farhand.core.hub_rooms import Rooms, left
from farhand.core.hub_sessions import Sessions
from farhand.core.keepalive import Keepalive, timed_out
from farhand.core.limits import Limits, TokenBucket, Window
from farhand.core.member import Close, CloseCode, Effect, Peer, PeerId, RobotSeen, Send
from farhand.core.resume import Claims, ResumeSigner
from farhand.core.room import Service
from farhand.errors import Code, FarhandError, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import (
    CameraId,
    MemberId,
    RobotId,
    RoomId,
    ServiceId,
    SessionId,
)
from farhand.protocol.manifest import Manifest

_NEVER_LIMITED = frozenset({m.Stop, m.StopAck})
_CONTROL = frozenset({m.Control, m.ControlVerdict, m.GateBeat, m.GateAnswer})
_OTHER_LIMIT = _NEVER_LIMITED | _CONTROL
_LIMIT_NOTICE_S = 1.0
"""A peer over its rate is told so once a second, not once a message."""


@dataclass(frozen=True, slots=True)
class RobotView:
    """A robot that is connected now, for the REST side."""

    service_id: ServiceId
    robot_id: RobotId
    member: m.Member
    manifest: Manifest
    status: m.Status | None
    room: RoomId | None
    people: int
    """Members of its room that are no robots."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is going on."""

    robots: int
    clients: int
    sessions: int


class Hub:
    """State of one gateway.

    Args:
        new_id: Makes an id that was never used and cannot be guessed (at least 96 random bits).
        signer: Makes and checks resume tokens.
        wall_ms: Wall clock in milliseconds, only told to members.
        limits: Rates and bounds.

    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        signer: ResumeSigner,
        wall_ms: Callable[[], int],
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._greeter = Greeter(new_id, signer)
        self._wall_ms = wall_ms
        self._peers: dict[PeerId, Peer] = {}
        self._strangers: dict[PeerId, Peer] = {}
        self._services: dict[ServiceId, Service] = {}
        self._keepalive = Keepalive()
        self._sessions = Sessions(new_id, self.limits, self._keepalive)
        self._rooms = Rooms(self._services, self._sessions, self._keepalive)
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
        bucket = peer.bucket if kind not in _OTHER_LIMIT else self._other_bucket(peer, kind, now)
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
        if peer.bad is None:
            peer.bad = Window(self.limits.bad_frames - 1, self.limits.flood_window_s)
        if not peer.bad.take(now):
            return self._cut(peer, exc, CloseCode.PROTOCOL, now)
        return [Send(peer.tuple, _error(exc))]

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
        return [] if peer is None else self._forget(peer, now, is_clean=is_clean)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due: pings, time-outs. To be called every ``keepalive.TICK_S``."""
        effects, dead = self._keepalive.tick(now)
        for peer in dead:
            effects += timed_out(peer)
            effects += self._forget(peer, now, is_clean=False)
        while self._strangers:
            stranger = next(iter(self._strangers.values()))
            if now - stranger.ping_at < self.limits.hello_timeout_s:
                break
            late = RemoteProtocolError(
                Code.HELLO_FIRST, f"No hello within {self.limits.hello_timeout_s:g} s."
            )
            effects += self._cut(stranger, late, CloseCode.PROTOCOL, now)
        return effects + self._sessions.tick(now)

    def go_away(self, retry_after_ms: int) -> list[Effect]:
        """Say goodbye to everybody: the server is about to stop."""
        notice = m.System("warning", Code.GOING_AWAY, "The server is restarting.", retry_after_ms)
        effects: list[Effect] = [Send(tuple(self._peers), notice)] if self._peers else []
        effects += [Close(peer, CloseCode.GOING_AWAY, "going away") for peer in self._peers]
        self._peers.clear()
        self._strangers.clear()
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
        for service in self._services.values():
            peer = service.members.get(member_id)
            if peer is not None:
                message = m.Signal(0, action, room=room, camera=camera, microphone=microphone)
                return self._relay.instruct(peer, message, now)
        raise RemoteProtocolError(Code.UNKNOWN_MEMBER, "No such member.")

    @property
    def counts(self) -> Counts:
        """How much is going on."""
        robots = sum(len(service.robots) for service in self._services.values())
        members = sum(len(service.members) for service in self._services.values())
        return Counts(robots, members - robots, len(self._sessions.live))

    def robots(self) -> list[RobotView]:
        """Return all robots that are connected."""
        return [
            self._view(service, robot_id, peer)
            for service in self._services.values()
            for robot_id, peer in service.robots.items()
        ]

    def robot(self, service_id: ServiceId, robot_id: RobotId) -> RobotView | None:
        """Return one robot, if it is connected."""
        service = self._services.get(service_id)
        peer = service.robots.get(robot_id) if service else None
        return self._view(service, robot_id, peer) if service and peer else None

    def is_member(self, peer_id: PeerId) -> bool:
        """Say whether the peer has said hello."""
        return peer_id in self._peers and peer_id not in self._strangers

    # --- coming ----------------------------------------------------------------------------------

    def _hello(self, peer: Peer, first: m.ClientMessage, now: float) -> list[Effect]:
        try:
            hello, version, claims = self._greeter.greet(first, peer.service)
        except RemoteProtocolError as exc:
            return self._cut(peer, exc, CloseCode.PROTOCOL, now)
        except NotAllowed as exc:
            return self._cut(peer, exc, CloseCode.REFUSED, now)
        service = self._services.get(peer.service) or Service(peer.service)
        was_online = claims.robot_id in service.robots
        effects = self._replace(service, claims, now)
        self._services[service.id] = service
        del self._strangers[peer.id]
        peer.member = m.Member(claims.member_id, hello.role, hello.name, claims.robot_id)
        peer.is_robot = hello.role == "robot"
        if claims.robot_id is not None:
            peer.manifest = hello.manifest or Manifest(claims.robot_id, hello.name)
            peer.bucket = TokenBucket(self.limits.robot_rate, self.limits.robot_burst, now)
        service.add(peer)
        self._keepalive.add(peer)
        token = self._greeter.token(claims)
        effects.append(
            Send(
                peer.tuple,
                m.Welcome(claims.member_id, peer.service, version, token, self._wall_ms()),
            )
        )
        effects += _seen(peer)
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
                    Send(old.tuple, _error(replaced)),
                    Close(old.id, CloseCode.REPLACED, replaced.code),
                ]
                effects += self._forget(old, now, is_clean=not is_same, is_replaced=True)
        return effects

    def _presence(self, service: Service, peer: Peer, kind: m.EventKind) -> list[Effect]:
        if not peer.is_robot:
            return []
        # People only: a thousand robots that come back must not tell each other a million times.
        people = tuple(other.id for other in service.people.values())
        event = m.Event(kind, member=peer.member, robot_id=peer.robot_id)
        return [Send(people, event)] if people else []

    # --- going -----------------------------------------------------------------------------------

    def _forget(
        self, peer: Peer, now: float, *, is_clean: bool, is_replaced: bool = False
    ) -> list[Effect]:
        del self._peers[peer.id]
        self._strangers.pop(peer.id, None)
        self._keepalive.remove(peer)
        if peer.member is None:
            return []
        service = self._services[peer.service]
        effects = self._sessions.part(peer, now, reason="left", grace=not is_clean)
        room = service.leave(peer)
        if room is not None:
            effects += left(room, peer)
        service.remove(peer)
        effects += _seen(peer)
        if not is_replaced:
            effects += self._presence(service, peer, "robot-offline")
        if not service.members:
            del self._services[service.id]
        return effects

    def _cut(self, peer: Peer, exc: FarhandError, code: int, now: float) -> list[Effect]:
        effects: list[Effect] = [Send(peer.tuple, _error(exc)), Close(peer.id, code, exc.code)]
        return effects + self._forget(peer, now, is_clean=False)

    # --- refusing --------------------------------------------------------------------------------

    def _other_bucket(
        self, peer: Peer, kind: type[m.ClientMessage], now: float
    ) -> TokenBucket | None:
        return None if kind in _NEVER_LIMITED else self._control_bucket(peer, now)

    def _control_bucket(self, peer: Peer, now: float) -> TokenBucket:
        if peer.control_bucket is None:
            limits = self.limits
            rate, burst = limits.control_rate, limits.control_burst
            if peer.is_robot:
                rate, burst = limits.robot_control_rate, limits.robot_control_burst
            peer.control_bucket = TokenBucket(rate, burst, now)
        return peer.control_bucket

    def _limited(self, peer: Peer, kind: type[m.ClientMessage], now: float) -> list[Effect]:
        limited = RemoteProtocolError(Code.RATE_LIMITED, "Too many messages a second.")
        if not self._may_err(peer, now):
            return self._cut(peer, limited, CloseCode.PROTOCOL, now)
        if now - peer.error_at < _LIMIT_NOTICE_S:
            return []
        peer.error_at = now
        bucket = self._control_bucket(peer, now) if kind in _CONTROL else peer.bucket
        error = m.Error(limited.code, limited.text, _tag(kind), retry_after_ms=bucket.wait_ms)
        return [Send(peer.tuple, error)]

    def _refused(
        self, peer: Peer, message: m.ClientMessage, exc: FarhandError, now: float
    ) -> list[Effect]:
        if not self._may_err(peer, now):
            return self._cut(peer, exc, CloseCode.PROTOCOL, now)
        session_id: SessionId | None = getattr(message, "session_id", None)
        return [Send(peer.tuple, _error(exc, _tag(type(message)), session_id))]

    def _may_err(self, peer: Peer, now: float) -> bool:
        if peer.refused is None:
            peer.refused = Window(self.limits.flood - 1, self.limits.flood_window_s)
        return peer.refused.take(now)

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
            m.Event: lambda p, msg, _: relay.event(services[p.service], p, msg),
            m.Ping: lambda p, msg, _: [Send(p.tuple, m.Pong(msg.n))],
            m.Pong: lambda _peer, _msg, _now: [],
        }
        return handlers

    def _view(self, service: Service, robot_id: RobotId, peer: Peer) -> RobotView:
        room = service.room_of(peer)
        people = sum(not other.is_robot for other in room.members.values()) if room else 0
        assert peer.member is not None  # noqa: S101 - robots of a service have said hello
        assert peer.manifest is not None  # noqa: S101 - the same
        return RobotView(
            service.id, robot_id, peer.member, peer.manifest, peer.status, peer.room, people
        )


def _tag(kind: type[m.ClientMessage]) -> str:
    return str(kind.__struct_config__.tag)


def _error(exc: FarhandError, about: str = "", session_id: SessionId | None = None) -> m.Error:
    return m.Error(exc.code, f"{exc.text} {exc.fix}".rstrip(), about, session_id)


def _seen(peer: Peer) -> list[Effect]:
    if peer.manifest is None or peer.robot_id is None:
        return []
    return [RobotSeen(peer.service, peer.robot_id, peer.manifest)]


def _hello_again(_peer: Peer, _hello: m.Hello, _now: float) -> list[Effect]:
    raise RemoteProtocolError(Code.WRONG_STATE, "You have said hello already.")
