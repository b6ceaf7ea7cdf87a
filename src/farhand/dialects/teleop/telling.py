"""The frames that peers are sent (dialects.md, 3.6)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from farhand.dialects.teleop.base import Effect, Peer, Room, Say
from farhand.dialects.teleop.messages import encoded
from farhand.errors import FarhandError

HANG_UP = ("close-room-peer-connections", "close-all-peer-connections-request-received")
"""As the API page has it, and as deployed peers read it."""


def say(peers: Peer | Iterable[Peer], event: str, **members: Any) -> list[Effect]:
    """Return one frame to some peers; nothing if there are none."""
    numbers = (peers.number,) if isinstance(peers, Peer) else tuple(p.number for p in peers)
    return [Say(numbers, encoded(event, **members))] if numbers else []


def clients(room: Room) -> list[dict[str, str]]:
    """Return who is in a room."""
    return [one.entry for one in room.members.values()]


def room_clients(room: Room) -> list[Effect]:
    """Tell all of a room who is in it: a full list, at each change."""
    return say(room.members.values(), "room-clients", data=clients(room))


def room_event(
    room: Room, kind: str, about: Peer, wall_ms: int, *, to: Iterable[Peer] | None = None
) -> list[Effect]:
    """Tell what happened in a room: to all, or some."""
    data = {
        "type": kind,
        "room": room.info.name,
        "id": about.id,
        "name": about.name,
        "time": iso(wall_ms),
    }
    return say(room.members.values() if to is None else to, "room-event", data=data)


def system(
    peers: Peer | Iterable[Peer], level: str, text: str, wall_ms: int, code: str = ""
) -> list[Effect]:
    """Tell something in words."""
    data = {"level": level, "text": text, "time": iso(wall_ms)}
    return say(peers, "system-message", data=data | ({"code": code} if code else {}))


def refusal(peer: Peer, exc: FarhandError, wall_ms: int) -> list[Effect]:
    """Tell why something was not done: the error form of this dialect."""
    return system(peer, "error", f"{exc.text} {exc.fix}".rstrip(), wall_ms, str(exc.code))


def make_call(offerer: Peer, other: Peer) -> list[Effect]:
    """Ask for an offer: one frame that serves both readings of the document."""
    return say(offerer, "make-peer-call", data=[other.id], fromId=other.id)


def relayed(event: str, sender: Peer, given: Mapping[str, Any]) -> bytes:
    """Return what one sent as the other gets it: all of its members, and who it is from."""
    return encoded(event, data={**given, "fromId": sender.id})


def iso(wall_ms: int) -> str:
    """Return a time as the dialect writes it."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
