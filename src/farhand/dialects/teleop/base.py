"""Peers, rooms and effects of the dialect, and what it asks of the records."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from farhand.core.admission import RoomRules
from farhand.core.limits import TokenBucket, Window
from farhand.protocol.ids import ServiceId

RATE, BURST = 100.0, 200.0
"""Messages a second of one peer."""
BAD_FRAMES, REFUSALS, FLOOD_WINDOW_S = 20, 200, 10.0
"""So many undecodable frames, and refusals, within the window are the end."""
DEFAULT_USERS = 6
"""People in a room whose record names no bound, as deployed peers take it."""
MAX_ROBOTS = 20
"""In one room."""
TRIES, TRIES_SPAN_S = 10, 60.0
"""Room passwords that one peer may try."""

Kind = Literal["robot", "console"]


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """A stored room."""

    id: int
    name: str
    type: str
    rules: RoomRules = field(default_factory=RoomRules)

    @property
    def is_command(self) -> bool:
        """Whether its data channels carry what moves a robot."""
        return self.type == "text"


class Book(Protocol):
    """The rooms there are. Answers at once, from memory."""

    def room(self, service_id: ServiceId, name: str, *, is_id: bool = False) -> RoomInfo | None:
        """Return a room by its name or alias, or with ``is_id`` by its number."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a peer came by."""

    key: str
    """Who may take whose place: the same for all who came by the service's token."""
    service_id: ServiceId
    may_be_robot: bool = True
    is_observer: bool = False
    """May only watch, whatever it says."""


@dataclass(slots=True)
class Pair:
    """Two members of a room who call each other."""

    offerer: str
    """Id of the one who was asked for an offer, or has made one."""
    since: float
    state: Literal["called", "offered", "connected"] = "called"
    described: set[str] = field(default_factory=set)
    """Ids of those whose description has passed."""
    mids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: dict[str, list[bytes]] = field(default_factory=dict)
    """Candidates that came before their description."""
    candidates: dict[str, int] = field(default_factory=dict)


class Peer:
    """One socket."""

    def __init__(self, number: int, passed: Pass, now: float, wall_ms: int) -> None:
        self.number = number
        self.passed = passed
        self.id = ""
        """In its room; new with each join."""
        self.name = ""
        self.kind: Kind = "console"
        self.is_observer = passed.is_observer
        self.room: Room | None = None
        self.has_joined = False
        """Ever."""
        self.has_called = False
        """Asked for connections with everybody in this room."""
        self.is_brief = False
        """Uses the short names of the document."""
        self.joined_ms = wall_ms
        self.bucket = TokenBucket(RATE, BURST, now)
        self.bad_frames = Window(BAD_FRAMES, FLOOD_WINDOW_S)
        self.refusals = Window(REFUSALS, FLOOD_WINDOW_S)
        self.tries = Window(TRIES, TRIES_SPAN_S)
        self.opened_at = now
        self.heard_at = now
        self.pinged_at = now

    @property
    def entry(self) -> dict[str, str]:
        """Itself in `room-clients`."""
        return {"id": self.id, "name": self.name, "type": self.kind}


class Room:
    """A room with somebody in it."""

    def __init__(self, service_id: ServiceId, info: RoomInfo, now: float) -> None:
        self.service_id = service_id
        self.info = info
        self.begun = now
        self.members: dict[str, Peer] = {}
        """By id, in the order of joining."""
        self.pairs: dict[tuple[str, str], Pair] = {}

    @property
    def holder(self) -> Peer | None:
        """The person whose commands robots of this room get: who came first and may command."""
        people = (one for one in self.members.values() if one.kind == "console")
        return next((one for one in people if not one.is_observer), None)

    def may_pair(self, one: Peer, other: Peer) -> bool:
        """Say whether two members may have a connection.

        Where data channels carry commands, only the holder gets one with a robot: two deployed
        peers talk directly, nobody stands between them to look at each command. Two robots get
        none: whoever says of itself that it is a robot could else command one.
        """
        if not self.info.is_command or "robot" not in (one.kind, other.kind):
            return True
        return one.kind != other.kind and self.holder in (one, other)


@dataclass(frozen=True, slots=True)
class Say:
    """Send one encoded frame."""

    peers: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask at the level of WebSocket whether somebody is there."""

    peer: int


@dataclass(frozen=True, slots=True)
class Shut:
    """Close a socket; the peer is forgotten already."""

    peer: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A peer has said something that nobody here knows; told once for each peer."""

    peer: int
    event: str


Effect = Say | Ping | Shut | Unknown


def key_of(one: str, other: str) -> tuple[str, str]:
    """Return what two members' pair is found by."""
    return (one, other) if one < other else (other, one)
