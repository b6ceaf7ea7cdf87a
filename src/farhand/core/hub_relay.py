"""What a hub passes on between members of a room: messages, a robot's news, instructions."""

import msgspec

from farhand.core.hub_notices import told
from farhand.core.hub_sight import audience, sees
from farhand.core.limits import Limits
from farhand.core.member import Answered, Effect, Heard, Peer, Send
from farhand.core.room import Service
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

_ROBOT_SAYS = (
    m.LeaseGrant,
    m.LeaseDeny,
    m.LeaseRevoke,
    m.LeasePending,
    m.StopAck,
    m.StopResetAck,
    m.ControlVerdict,
    m.GateBeat,
)
_DRIVER_SAYS = frozenset(
    {
        *(m.LeaseRequest, m.LeaseRenew, m.LeaseRelease, m.LeaseTransfer, m.LeaseForce),
        *(m.LeaseAnswer, m.LeaseCancel, m.Control),
    }
)
_HUB_EVENTS = frozenset({"joined", "left", "robot-online", "robot-offline"})
_WATCHERS = frozenset({"viewer", "guest"})
_MAY_INSTRUCT = frozenset({"operator", "program", "supervisor"})
SIGNAL_TTL_S = 30.0
"""How long an instruction waits for its answer before its place may be given away."""

Relayed = m.Addressed


class Relay:
    """Stateless but for the instructions that wait in each peer's record."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._n = 0

    def addressed(self, service: Service, peer: Peer, message: Relayed, now: float) -> list[Effect]:
        """Pass a message on to the member that ``to`` names, as coming ``from`` its sender.

        Raises:
            RemoteProtocolError: FH-3006, FH-3007.
            NotAllowed: FH-2002, FH-2005, FH-2203, FH-7014, FH-7015.

        """
        if isinstance(message, m.SignalResult):
            return self._signal_result(service, peer, message)
        target = self._target(service, peer, message.to)
        if isinstance(message, m.Signal):
            return self._signal(peer, target, message, now)
        if not _may_say(peer, target, message):
            return []
        return [Send(target.tuple, readdress(message, peer.member_id))]

    def status(self, service: Service, peer: Peer, message: m.Status) -> list[Effect]:
        """Remember and fan out a robot's status; an older one than the last is forgotten."""
        _check_robot(peer, "status")
        if peer.status is not None and message.stamp_us < peer.status.stamp_us:
            return []
        peer.status = msgspec.structs.replace(message, from_=peer.member_id)
        return [*self._to_room(service, peer, peer.status), _heard(peer, peer.status)]

    def config(self, service: Service, peer: Peer, message: m.Config) -> list[Effect]:
        """Remember and fan out a robot's manifest."""
        _check_robot(peer, "config")
        if message.manifest.robot_id != peer.robot_id:
            raise RemoteProtocolError(Code.MALFORMED, "The manifest is another robot's.")
        peer.manifest = message.manifest
        return self._to_room(service, peer, m.Config(message.manifest, peer.member_id))

    def event(self, service: Service, peer: Peer, message: m.Event, now: float) -> list[Effect]:
        """Fan out what happened at a robot, and note who drives and stops it."""
        _check_robot(peer, "event")
        if message.kind in _HUB_EVENTS:
            raise RemoteProtocolError(Code.MALFORMED, f"{message.kind} is for the server to say.")
        event = msgspec.structs.replace(message, from_=peer.member_id)
        effects = self._to_room(service, peer, event)
        return [*effects, _heard(peer, event), *told(service, peer, event, now)]

    def instruct(self, target: Peer, signal: m.Signal, now: float) -> tuple[int, list[Effect]]:
        """Send an instruction of the server's own; return its number and the effects."""
        self._n = (self._n + 1) & 0xFFFF_FFFF
        self._await_answer(target, None, self._n, now)
        return self._n, [
            Send(target.tuple, msgspec.structs.replace(signal, id=self._n, to=None, from_=None))
        ]

    def _signal(self, peer: Peer, target: Peer, message: m.Signal, now: float) -> list[Effect]:
        if target.is_robot:
            may = peer.reach.get(target.member_id) in _MAY_INSTRUCT
        else:
            may = peer.role == "supervisor"
        if not may:
            raise NotAllowed(Code.ROLE_REFUSED, "Your role may not give this member instructions.")
        self._await_answer(target, peer.member_id, message.id, now)
        return [Send(target.tuple, readdress(message, peer.member_id))]

    def _await_answer(self, target: Peer, asker: MemberId | None, number: int, now: float) -> None:
        if target.signals is None:
            target.signals = {}
        if len(target.signals) >= self._limits.signals:
            target.signals = {k: at for k, at in target.signals.items() if now - at < SIGNAL_TTL_S}
        if len(target.signals) >= self._limits.signals:
            raise RemoteProtocolError(
                Code.RATE_LIMITED, "Too many instructions wait for this member's answer."
            )
        target.signals[asker, number] = now

    def _signal_result(self, service: Service, peer: Peer, message: m.SignalResult) -> list[Effect]:
        # The two may no longer share a room: leave-room is one of the instructions.
        if (peer.signals or {}).pop((message.to, message.id), None) is None:
            raise RemoteProtocolError(Code.UNKNOWN_MEMBER, "Nobody waits for this result.")
        if message.to is None:
            return [Answered(peer.member_id, message.id, message.code, message.text[:500])]
        asker = service.members.get(message.to)
        return [] if asker is None else [Send(asker.tuple, readdress(message, peer.member_id))]

    def _target(self, service: Service, peer: Peer, to: MemberId | None) -> Peer:
        if peer.room is None:
            raise RemoteProtocolError(Code.NOT_IN_ROOM, "Join a room first.")
        target = None if to is None else service.shared_room(peer, to)
        if target is None or target is peer or not sees(peer, target):
            raise RemoteProtocolError(Code.UNKNOWN_MEMBER, "No such member in your room.")
        return target

    def _to_room(self, service: Service, peer: Peer, message: m.ServerMessage) -> list[Effect]:
        room = service.room_of(peer)
        peers = () if room is None else audience(room, peer)
        return [Send(peers, message)] if peers else []


def _check_robot(peer: Peer, what: str) -> None:
    if not peer.is_robot:
        raise NotAllowed(Code.ROLE_REFUSED, f"Only a robot sends {what}.")


def _heard(robot: Peer, message: m.Event | m.Status) -> Heard:
    assert robot.robot_id is not None  # noqa: S101 - robots have one
    return Heard(robot.service, robot.robot_id, message)


def _may_say(peer: Peer, target: Peer, message: Relayed) -> bool:
    """Refuse what this role may not say to that one. ``False``: it is worth nothing, forget it."""
    if isinstance(message, _ROBOT_SAYS):
        if not peer.is_robot or target.is_robot:
            raise NotAllowed(Code.ROLE_REFUSED, "Only a robot says this, and to people.")
        return True
    if peer.is_robot or not target.is_robot:
        raise NotAllowed(Code.ROLE_REFUSED, "Only people say this, and to robots.")
    role = peer.reach[target.member_id]
    if role not in _WATCHERS:
        return True
    if role == "guest":
        return _may_guest_say(message)
    if type(message) in _DRIVER_SAYS:
        raise NotAllowed(Code.MAY_NOT_DRIVE, "A viewer does not drive.")
    if isinstance(message, m.StopReset):
        raise NotAllowed(Code.MAY_NOT_RESET, "A viewer may stop, but not reset.")
    return True


def _may_guest_say(message: Relayed) -> bool:
    if isinstance(message, m.GateAnswer):
        return False  # answers beats that come 20 times a second; no use to tell it so each time
    if isinstance(message, m.Stop):
        raise NotAllowed(Code.FORBIDDEN, "A guest watches; it cannot stop the robot.")
    raise NotAllowed(Code.SCOPE_MISSING, "A guest watches; it cannot do this.")


def readdress(message: Relayed, sender: MemberId) -> Relayed:
    """Return ``message`` with ``from`` in place of ``to``."""
    return msgspec.structs.replace(message, to=None, from_=sender)
