"""What people ask of the robot, over the server or a data channel: to the part that knows.

A STOP is taken from anybody, also from somebody who is not in the room.
"""

import time
from collections.abc import Callable

import structlog

from farhand.agent.authority import Authority
from farhand.agent.commands import Commands
from farhand.agent.people import People, Person
from farhand.agent.signals import Signals
from farhand.agent.stopping import Stopping
from farhand.errors import Code, FarhandError
from farhand.protocol import codec, control
from farhand.protocol import messages as m

log = structlog.get_logger(__name__)


class Requests:
    """Routes the messages of people.

    Args:
        people: The room.
        send: Sends to the server.
        authority: Takes what concerns the lease.
        stopping: Takes stops and resets.
        commands: Takes control and answers to the gate's beats.
        signals: Takes instructions.

    """

    def __init__(
        self,
        people: People,
        send: Callable[[m.ClientMessage], bool],
        *,
        authority: Authority,
        stopping: Stopping,
        commands: Commands,
        signals: Signals,
    ) -> None:
        self._people = people
        self._authority = authority
        self._stopping = stopping
        self._commands = commands
        self._signals = signals
        self._send = send

    def over_server(self, message: m.Addressed) -> None:
        """Take what the server passes on."""
        sender = message.from_
        person = self._people.get(sender)
        if person is None and isinstance(message, m.Stop) and sender is not None:
            # Nobody is asked who they are before the robot stops.
            stranger = m.Member(sender, "viewer", "")
            person = self._people.add(stranger) or Person(stranger)
        if isinstance(message, m.Signal) and sender is None:
            self._send(self._signals.from_server(message))
        elif person is None:
            log.warning("message of a stranger", type=type(message).__name__)
        elif isinstance(message, m.Stop):
            if self._may_stop(person):
                number = self._people.number_of(person)
                self._stopping.press(person, number, message.nonce, "server")
        elif isinstance(message, m.Control):
            self._commands.over_server(person, message)
        elif isinstance(message, m.GateAnswer):
            number = self._people.number_of(person)
            self._commands.answered(person, number, message.n, message.peer_us)
        else:
            self._take(person, message, self._people.tell_over_server)

    def over_channel(self, member: m.Member, label: str, data: bytes | str, number: int) -> None:
        """Take what came over a data channel; control goes to the gate at once, as it is.

        Args:
            member: Whose channel it is.
            label: Of the channel.
            data: One message.
            number: The member's on the gate's socket.

        """
        person = self._people.get(member.id)
        if person is None:
            if label != control.SAFETY.label:
                return
            person = Person(member)  # for a STOP
        if label == control.CONTROL.label:
            self._commands.over_channel(person, number, data)
            return
        try:
            if label == control.SAFETY.label and isinstance(data, bytes):
                self._take_safety(person, control.unpack_safety(data), number)
            elif label == control.MESSAGES.label:
                self._take(person, codec.decode_channel(data), self._people.tell)
        except FarhandError as exc:
            if person.complaints.take(time.monotonic()):
                self._people.tell(person, m.Error(exc.code, exc.text))

    def _take_safety(self, person: Person, frame: control.SafetyFrame, number: int) -> None:
        if isinstance(frame, control.BeatAnswer):
            self._commands.answered(person, number, frame.n, frame.peer_us)
        elif isinstance(frame, control.StopPress) and self._may_stop(person):
            self._stopping.press(person, number, frame.nonce, "channel")

    def _may_stop(self, person: Person) -> bool:
        """Say whether ``person`` may press STOP: everybody but a guest, who came by a link."""
        if person.member.role != "guest":
            return True
        if person.complaints.take(time.monotonic()):
            text = "A guest watches: STOP is not theirs."
            if person.host is not None:
                refusal = m.Error(Code.SCOPE_MISSING, text, "stop", person.host.id)
                self._send(refusal)
            self._people.tell(person, m.Error(Code.SCOPE_MISSING, text, "stop"))
        return False

    def _take(
        self,
        person: Person,
        message: m.Addressed | m.ChannelMessage,
        answer: Callable[[Person, m.SignalResult], None],
    ) -> None:
        """Carry out what may be limited, from either path."""
        now = time.monotonic()
        if not person.messages.take(now):
            if person.complaints.take(now):
                self._complain(person, Code.RATE_LIMITED, "Too many messages.", message)
        elif isinstance(message, m.StopReset):
            self._stopping.reset(person, message.stop_id)
        elif isinstance(message, m.Signal):
            self._signals.receive(person, message, answer)
        elif not self._authority.receive(person, message) and person.complaints.take(now):
            self._complain(person, Code.WRONG_STATE, "That is not for a robot.", message)

    def _complain(
        self, person: Person, code: Code, text: str, message: m.Addressed | m.ChannelMessage
    ) -> None:
        about = str(message.__struct_config__.tag) if hasattr(message, "__struct_config__") else ""
        self._people.tell(person, m.Error(code, text, about=about))
