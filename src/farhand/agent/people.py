"""Who is in the robot's room, what each may do and ask, and by which way they are reached."""

import time
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from farhand.agent.session_host import SessionHost
from farhand.agent.shown_picture import ShownPicture
from farhand.core.limits import TokenBucket
from farhand.core.member import SCOPES
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

MAX_PEOPLE = 512
"""More than the server lets into a room; a server that says otherwise does not fill our memory."""
ANSWERS_HZ, ANSWERS_BURST = 60.0, 60.0
"""Three times the gate's beats."""
COMMANDS_HZ, COMMANDS_BURST = 250.0, 100.0
"""Five times the fastest stream that a farhand client sends."""
MESSAGES_HZ, MESSAGES_BURST = 20.0, 60.0


class Person:
    """One member of the room who is no robot."""

    def __init__(self, member: m.Member, *, needs_grant: bool = False) -> None:
        now = time.monotonic()
        self.member = member
        self.scopes: frozenset[m.Scope] = (
            frozenset() if needs_grant else frozenset(SCOPES.get(member.role, ()))
        )
        """By role, or none where the robot demands a grant, until a `session-start` tells."""
        self.host: SessionHost | None = None
        self.is_present = True
        """In the room, as far as the server has told."""
        self.server_number: int | None = None
        """Number on the gate's socket while there has been no peer connection."""
        self.wants_beats = False
        """Has asked for the lease or sent control over the server."""
        self.is_driving_over_server = False
        """Their newest control frame came over the server; verdicts go back the same way."""
        self.shown = ShownPicture()
        """What their control frames tell of the picture on their screen."""
        self.answers = TokenBucket(ANSWERS_HZ, ANSWERS_BURST, now)
        self.commands = TokenBucket(COMMANDS_HZ, COMMANDS_BURST, now)
        self.messages = TokenBucket(MESSAGES_HZ, MESSAGES_BURST, now)
        self.complaints = TokenBucket(1.0, 3.0, now)

    @property
    def number(self) -> int | None:
        """The person's number on the gate's socket now."""
        if self.host is not None and self.host.number is not None:
            return self.host.number
        return self.server_number

    @property
    def needs_beats_over_server(self) -> bool:
        """Whether the gate's beats reach them by no data channel, and they mean to drive."""
        return self.wants_beats and not self.has_open(control.SAFETY)

    def has_open(self, channel: control.Channel) -> bool:
        """Say whether a data channel to this person is open."""
        return self.host is not None and self.host.has_open(channel)


class People:
    """The members of the room.

    Args:
        send: Sends to the server; says whether it was taken.
        new_number: Makes a number for the gate's socket.
        needs_grant: Whether nobody may do anything before the server's grant was verified.

    """

    def __init__(
        self,
        send: Callable[[m.ClientMessage], bool],
        new_number: Callable[[], int],
        *,
        needs_grant: bool = False,
    ) -> None:
        self._send = send
        self._new_number = new_number
        self._needs_grant = needs_grant
        self._people: dict[MemberId, Person] = {}

    def __iter__(self) -> Iterator[Person]:
        return iter(tuple(self._people.values()))

    def get(self, member: MemberId | None) -> Person | None:
        """Return the person, if they are known."""
        return None if member is None else self._people.get(member)

    def add(self, member: m.Member) -> Person | None:
        """Return the person for ``member``; ``None`` for a robot, or when there are too many."""
        if member.role == "robot":
            return None
        person = self._people.get(member.id)
        if person is None:
            if len(self._people) >= MAX_PEOPLE:
                return None
            person = Person(member, needs_grant=self._needs_grant)
            self._people[member.id] = person
        person.member, person.is_present = member, True
        return person

    def replace_all(self, members: tuple[m.Member, ...]) -> list[Person]:
        """Take the server's list for the truth about presence; return who is forgotten."""
        for person in self:
            person.is_present = False
        for member in members:
            self.add(member)
        return [person for person in self if self.forget_if_gone(person)]

    def forget_if_gone(self, person: Person) -> bool:
        """Forget a person who is neither in the room nor connected; say whether that was so."""
        if person.is_present or person.host is not None:
            return False
        return self._people.pop(person.member.id, None) is not None

    def number_of(self, person: Person) -> int:
        """Return the person's number on the gate's socket, a new one if they have none."""
        if person.number is None:
            person.server_number = self._new_number()
        number = person.number
        assert number is not None  # noqa: S101 - just made
        return number

    def by_number(self, number: int) -> Person | None:
        """Return whose number this is now."""
        return next((person for person in self if person.number == number), None)

    def tell(self, person: Person, message: m.ChannelMessage) -> None:
        """Send one person a message: over the data channel if it is open, else the server."""
        if person.host is not None and person.host.send(
            control.MESSAGES, codec.encode(message).decode()
        ):
            return
        if person.is_present and isinstance(message, m.Addressed):
            self._send(replace(message, to=person.member.id))

    def tell_over_server(self, person: Person, message: m.Addressed) -> None:
        """Send one person a message over the server."""
        if person.is_present:
            self._send(replace(message, to=person.member.id))

    def broadcast(self, message: m.Status | m.Event) -> None:
        """Send everybody a message over every path; ids and stamps tell the copies apart."""
        self._send(message)
        text = codec.encode(message).decode()
        for person in self:
            if person.host is not None:
                person.host.send(control.MESSAGES, text)
