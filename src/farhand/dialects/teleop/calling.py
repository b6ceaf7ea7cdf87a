"""Who calls whom, and what passes between the two: offers, answers, candidates.

The gateway decides who offers (S-7), and only members of one room reach each other (C-10).
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw

from farhand.dialects.teleop import messages, telling
from farhand.dialects.teleop.base import Effect, Pair, Peer, Room, Say, key_of
from farhand.errors import Code, NotAllowed, RemoteProtocolError

CALL_S = 15.0
"""A call that has led to nothing by then may be made again."""
_RELAYED = frozenset({"stop", "stop_teleop", "robotStatus", "robotMessage"})
"""Messages that pass through the server. What moves a robot does not: a relay would have to keep
the time of each command, and bring the robot to a stop when its sender is gone."""


class Calls:
    """Calls between the members of rooms.

    Args:
        wall_ms: Wall clock, only told to members.

    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms

    # --- asking for connections ------------------------------------------------------------------

    def call_all(self, peer: Peer, now: float) -> list[Effect]:
        """Have every pair of a room call each other, once.

        Raises:
            RemoteProtocolError: FH-3006.

        """
        room = in_room(peer)
        peer.has_called = True
        everybody = list(room.members.values())
        effects: list[Effect] = []
        for n, one in enumerate(everybody):
            for other in everybody[n + 1 :]:
                effects += self._call(room, one, other, now)
        return effects

    def call_ids(self, peer: Peer, ids: list[str], now: float) -> list[Effect]:
        """Have the named members and ``peer`` call each other.

        Raises:
            RemoteProtocolError: FH-3006.

        """
        room = in_room(peer)
        peer.has_called = True
        effects: list[Effect] = []
        for other in map(room.members.get, dict.fromkeys(ids)):
            if other is not None and other is not peer:
                first, second = _in_order(room, peer, other)
                effects += self._call(room, first, second, now)
        return effects

    def hang_up(self, peer: Peer) -> list[Effect]:
        """Have the others of the room close their connections.

        Raises:
            RemoteProtocolError: FH-3006.
            NotAllowed: FH-2005 for those who only watch.

        """
        room = in_room(peer)
        if peer.is_observer:
            raise NotAllowed(Code.FORBIDDEN, "Who only watches hangs up for nobody else.")
        room.pairs.clear()
        others = [one for one in room.members.values() if one is not peer]
        return [effect for event in telling.HANG_UP for effect in telling.say(others, event)]

    def _call(self, room: Room, first: Peer, second: Peer, now: float) -> list[Effect]:
        key = key_of(first.id, second.id)
        pair = room.pairs.get(key)
        if not room.may_pair(first, second):
            return []
        if pair is not None and (pair.state == "connected" or now - pair.since < CALL_S):
            return []
        # Some deployed robots can only answer; else whoever came first is told.
        offerer, other = (second, first) if _is_robots(first, second) else (first, second)
        room.pairs[key] = Pair(offerer.id, now)
        return telling.make_call(offerer, other)

    # --- what passes between two -----------------------------------------------------------------

    def offer(self, peer: Peer, given: Mapping[str, Raw], now: float) -> list[Effect]:
        """Pass an offer on.

        Raises:
            RemoteProtocolError: FH-3001, FH-3002, FH-3006, FH-3007.
            NotAllowed: FH-2005.

        """
        room, other = self._partner(peer, given)
        found = messages.description(given, "offer")
        if found is None:
            raise messages.malformed("call-peer needs an offer.")
        if not room.may_pair(peer, other):
            holder = room.holder
            text = f"{holder.name} has control." if holder else "Nobody here may command."
            raise NotAllowed(Code.FORBIDDEN, text, "Wait until they leave the room.")
        key = key_of(peer.id, other.id)
        pair = room.pairs.get(key)
        is_crossing = pair is not None and pair.state == "offered" and pair.offerer == other.id
        if pair is not None and is_crossing and now - pair.since < CALL_S:
            return []  # TA-5: the other's offer came first, this one is answered by nobody
        room.pairs[key] = pair = Pair(peer.id, now, "offered")
        return self._described(pair, "peer-call-received", peer, other, given, found)

    def answer(self, peer: Peer, given: Mapping[str, Raw], now: float) -> list[Effect]:
        """Pass an answer on; one without a description rejects the call.

        Raises:
            RemoteProtocolError: FH-3001, FH-3002, FH-3006, FH-3007.

        """
        room, other = self._partner(peer, given)
        found = messages.description(given, "answer")
        key = key_of(peer.id, other.id)
        pair = room.pairs.get(key)
        if pair is None or pair.state != "offered" or pair.offerer != other.id:
            return []  # TA-5
        event = "peer-call-answer-received"
        if found is None:
            del room.pairs[key]
            return [Say((other.number,), telling.relayed(event, peer, given))]
        pair.state, pair.since = "connected", now
        return self._described(pair, event, peer, other, given, found)

    def candidate(self, peer: Peer, given: Mapping[str, Raw]) -> list[Effect]:
        """Pass a candidate on, not before the description that it belongs to.

        Raises:
            RemoteProtocolError: FH-3001, FH-3002, FH-3006, FH-3007, FH-3013.

        """
        room, other = self._partner(peer, given)
        found = messages.candidate(given)
        pair = room.pairs.get(key_of(peer.id, other.id))
        if pair is None:
            return []  # the call is over
        count = pair.candidates[peer.id] = pair.candidates.get(peer.id, 0) + 1
        if count > messages.MAX_CANDIDATES:
            text = f"A call has at most {messages.MAX_CANDIDATES} candidates of each side."
            raise RemoteProtocolError(Code.RATE_LIMITED, text)
        whole = given if found is None else {**given, "candidate": _whole(found, pair, peer, given)}
        data = telling.relayed("ice-candidate-received", peer, whole)
        if len(data) > messages.MAX_CANDIDATE_FRAME:
            raise RemoteProtocolError(Code.TOO_LARGE, "So much belongs to no candidate.")
        if peer.id not in pair.described:
            pair.waiting.setdefault(peer.id, []).append(data)
            return []
        return [Say((other.number,), data)]

    def message(self, peer: Peer, given: Mapping[str, Raw]) -> list[Effect]:
        """Pass a message of the data channel on, to one member or all; STOP is everybody's.

        Raises:
            RemoteProtocolError: FH-3001, FH-3006, FH-3007.
            NotAllowed: FH-2005 what moves a robot does not pass here.

        """
        room = in_room(peer)
        raw = given.get("message", Raw(b"null"))
        found = messages.decoded(raw, messages.Message, "message is an object with a type.")
        if found.type not in _RELAYED:
            raise NotAllowed(
                Code.FORBIDDEN,
                f"{found.type[:40]!r} does not pass through the server.",
                "Send it over the data channel.",
            )
        if "toId" in given and bytes(given["toId"]) not in (b"null", b'""'):
            others = [self._partner(peer, given)[1]]
        else:
            others = [one for one in room.members.values() if one is not peer]
        data = messages.encoded("message-received", data={"fromId": peer.id, "message": raw})
        return [Say(tuple(one.number for one in others), data)] if others else []

    # --- inside ----------------------------------------------------------------------------------

    @staticmethod
    def _partner(peer: Peer, given: Mapping[str, Raw]) -> tuple[Room, Peer]:
        room = in_room(peer)
        other = room.members.get(messages.address(given))
        if other is None or other is peer:
            raise RemoteProtocolError(Code.UNKNOWN_MEMBER, "No such member in this room.")
        return room, other

    @staticmethod
    def _described(  # noqa: PLR0917 - one message between two, and its description
        pair: Pair,
        event: str,
        peer: Peer,
        other: Peer,
        given: Mapping[str, Raw],
        found: messages.Description,
    ) -> list[Effect]:
        pair.described.add(peer.id)
        pair.mids[peer.id] = messages.mids(found.sdp)
        sdp = messages.repaired(found.sdp)
        passed = dict(given)
        if sdp != found.sdp:
            kind = found.type
            whole = messages.decoded(given[kind], dict[str, Raw], "no description")
            passed[kind] = Raw(msgspec.json.encode({**whole, "sdp": sdp}))
        effects: list[Effect] = [Say((other.number,), telling.relayed(event, peer, passed))]
        return effects + [Say((other.number,), one) for one in pair.waiting.pop(peer.id, [])]


def in_room(peer: Peer) -> Room:
    """Return the room that a peer is in.

    Raises:
        RemoteProtocolError: FH-3006.

    """
    if peer.room is None:
        raise RemoteProtocolError(Code.NOT_IN_ROOM, "You are in no room; send join-room first.")
    return peer.room


def _in_order(room: Room, one: Peer, other: Peer) -> tuple[Peer, Peer]:
    order = list(room.members)
    return (one, other) if order.index(one.id) < order.index(other.id) else (other, one)


def _is_robots(first: Peer, second: Peer) -> bool:
    """Say whether the robot of the two came first."""
    return first.kind == "robot" and second.kind != "robot"


def _whole(found: messages.Candidate, pair: Pair, peer: Peer, given: Mapping[str, Raw]) -> Raw:
    """Return a candidate with all three members: deployed robots fail on less (TA-8)."""
    mids = pair.mids.get(peer.id, ())
    mid, index = messages.name(found.sdp_mid), messages.name(found.sdp_m_line_index)
    number = int(index[:4]) if index.isascii() and index.isdigit() else None
    if number is None:
        number = mids.index(mid) if mid in mids else 0
    if not mid:
        mid = mids[number] if number < len(mids) else str(number)
    raw = given["candidate"]
    extra = messages.decoded(raw, dict[str, Raw], "") if bytes(raw)[:1] == b"{" else {}
    whole = {**extra, "candidate": found.candidate, "sdpMid": mid, "sdpMLineIndex": number}
    return Raw(msgspec.json.encode(whole))
