"""Peers of the teleop dialect on one exchange, on virtual time."""

import itertools
import json
from collections import defaultdict
from typing import Any

from farhand.core.admission import OpenDoor, RoomRules
from farhand.core.tenure import Tenures
from farhand.dialects.teleop.base import Effect, Pass, Ping, RoomInfo, Say, Shut, Unknown
from farhand.dialects.teleop.exchange import Exchange
from farhand.protocol.ids import RoomId, ServiceId

LAB = ServiceId("lab")
SDP = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n"
CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.7 54321 typ host"


class Shelf:
    """A book of the rooms of one service."""

    def __init__(self, *rooms: RoomInfo) -> None:
        self.rooms = list(rooms)

    def room(self, service_id: ServiceId, name: str, *, is_id: bool = False) -> RoomInfo | None:
        for one in self.rooms if service_id == LAB else ():
            if name and name == (str(one.id) if is_id else one.name):
                return one
        return None


class ShelfDoor(OpenDoor):
    """The rules of those rooms."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def room(self, service_id: ServiceId, room_id: RoomId) -> RoomRules | None:
        found = self.shelf.room(service_id, room_id)
        return found.rules if found else None


class Talk:
    """An exchange, and all that it has said."""

    def __init__(self, *rooms: RoomInfo) -> None:
        usual = (RoomInfo(1006, "Teleop", "text"), RoomInfo(1001, "top_camera", "video"))
        self.book = Shelf(*(rooms or usual))
        ids = itertools.count(1)
        self.now = 100.0
        self.exchange = Exchange(
            self.book,
            Tenures(ShelfDoor(self.book)),
            new_id=lambda: f"m{next(ids)}",
            wall_ms=lambda: 1_767_225_600_000,
        )
        self.heard: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.shut: dict[int, int] = {}
        self.pinged: list[int] = []
        self.unknown: list[str] = []
        self._numbers = itertools.count(1)

    def peer(self, name: str = "", room: str | None = None, **fields: Any) -> int:
        """Connect somebody; with a name, let them join."""
        by = fields.pop("by", Pass("service", LAB))
        number = next(self._numbers)
        self.exchange.connected(number, by, self.now)
        if name:
            self.say(number, "join-room", {"name": name, "room": room, **fields})
        return number

    def robot(self, name: str = "rover", room: str | None = None) -> int:
        return self.peer(name, room, type="robot")

    def say(self, number: int, event: str, data: Any = None, **beside: Any) -> None:
        self.raw(number, json.dumps({"event": event, "data": data, **beside}).encode())

    def raw(self, number: int, data: bytes) -> None:
        self.apply(self.exchange.receive(number, data, self.now))

    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.apply(self.exchange.tick(self.now))

    def apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(peers, data):
                    for number in peers:
                        self.heard[number].append(json.loads(data))
                case Shut(number, code, _):
                    self.shut[number] = code
                case Ping(number):
                    self.pinged.append(number)
                case Unknown(_, event):
                    self.unknown.append(event)

    # --- what was heard --------------------------------------------------------------------------

    def all(self, number: int, event: str) -> list[Any]:
        """Return the data of all frames of an event."""
        return [one.get("data") for one in self.heard[number] if one["event"] == event]

    def last(self, number: int, event: str) -> Any:
        return self.all(number, event)[-1]

    def id(self, number: int) -> str:
        return str(self.last(number, "join-room-answer"))

    def error(self, number: int) -> str:
        """Return the code of the last refusal."""
        return str(self.last(number, "system-message").get("code", ""))

    def clear(self) -> None:
        self.heard.clear()

    def call(self, one: int, other: int) -> None:
        """Offer, and be answered."""
        offer = {"type": "offer", "sdp": SDP}
        self.say(one, "call-peer", {"toId": self.id(other), "offer": offer})
        answer = {"type": "answer", "sdp": SDP}
        self.say(other, "make-peer-call-answer", {"toId": self.id(one), "answer": answer})


def room(name: str = "top_camera", kind: str = "video", **rules: Any) -> RoomInfo:
    return RoomInfo(1001, name, kind, RoomRules(**rules))
