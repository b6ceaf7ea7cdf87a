"""Control frames to the gate, verdicts and beats back, by data channel or over the server."""

import math
import time
from collections.abc import Callable

from farhand.agent.people import People, Person
from farhand.errors import Code
from farhand.protocol import control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch


class Commands:
    """Routes what drives the robot.

    Args:
        people: The room.
        to_gate: Sends to the gate at once; ``False``: there is none, or it does not read.
        send: Sends to the server.

    """

    def __init__(
        self,
        people: People,
        to_gate: Callable[[g.ToGate], bool],
        send: Callable[[m.ClientMessage], bool],
    ) -> None:
        self._people = people
        self._to_gate = to_gate
        self._send = send

    def over_channel(self, person: Person, number: int, data: bytes | str) -> None:
        """Hand a frame of the data channel to the gate, undecoded; too many are dropped."""
        now = time.monotonic()
        if "control" not in person.scopes:
            return  # the robot has made no such channel for this person
        if not person.commands.take(now):
            if person.complaints.take(now):
                text = "Too many control frames: the rest is dropped."
                self._people.tell(person, m.Error(Code.RATE_LIMITED, text, about="control"))
            return
        if isinstance(data, str) or len(data) > control.MAX_CONTROL_BYTES:
            if person.complaints.take(now):
                text = "Not a control frame."
                self._people.tell(person, m.Error(Code.BAD_FRAME, text, about="control"))
            return
        person.is_driving_over_server = False
        person.shown.note(control.peek_seen_us(data), int(now * 1e6))
        self._to_gate(g.Command(number, data))

    def answered(self, person: Person, number: int, n: int, peer_us: int) -> None:
        """Hand a member's answer to a beat to the gate."""
        if person.answers.take(time.monotonic()):
            self._to_gate(g.Answered(number, n, peer_us))

    def over_server(self, person: Person, message: m.Control) -> None:
        """Hand a frame that came as JSON to the gate; the same rules hold there."""
        if "control" not in person.scopes:
            self._verdict(person, message, Code.MAY_NOT_DRIVE)
        elif not person.commands.take(time.monotonic()):
            if person.complaints.take(time.monotonic()):
                self._verdict(person, message, Code.RATE_LIMITED)
        elif not message.axes:
            self._verdict(person, message, Code.BAD_FRAME)
        else:
            self._forward(person, message)

    def on_judged(self, judged: g.Judged) -> None:
        """Tell the sender what the gate did."""
        person = self._people.by_number(judged.member)
        if person is None:
            return
        age_ms = min(max(judged.age_ms, 0), 0xFFFF)
        if person.is_driving_over_server:
            verdict = m.ControlVerdict(
                Epoch(judged.epoch), judged.seq, judged.sent_us, age_ms, judged.code
            )
            self._people.tell_over_server(person, verdict)
        elif person.host is not None:
            frame = control.Verdict(judged.epoch, judged.seq, judged.sent_us, age_ms, judged.code)
            person.host.send(control.CONTROL, frame.pack())

    def on_beat(self, beat: g.GateBeatNow) -> None:
        """Pass the gate's beat on to everybody at once."""
        frame = control.Beat(beat.n, beat.gate_us).pack()
        for person in self._people:
            if person.host is not None and person.host.send(control.SAFETY, frame):
                continue
            if person.needs_beats_over_server:
                self._people.tell_over_server(person, m.GateBeat(beat.n, beat.gate_us))

    def _forward(self, person: Person, message: m.Control) -> None:
        person.shown.note(message.seen_us, int(time.monotonic() * 1e6))
        person.wants_beats = person.is_driving_over_server = True
        frame = control.ControlFrame(
            message.epoch,
            message.seq,
            message.sent_us,
            message.heard,
            message.seen_us,
            message.loop_ms,
            # JSON has numbers that are finite there and not in 32 bits: the gate refuses infinity.
            tuple(x if abs(x) < 3.4e38 else math.inf for x in message.axes),
        )
        try:
            data = frame.pack()
        except (OverflowError, ValueError):
            self._verdict(person, message, Code.BAD_FRAME)
            return
        if not self._to_gate(g.Command(self._people.number_of(person), data, is_relayed=True)):
            self._verdict(person, message, Code.GATE_LOST)

    def _verdict(self, person: Person, message: m.Control, code: Code) -> None:
        verdict = m.ControlVerdict(message.epoch, message.seq, message.sent_us, 0, code)
        self._people.tell_over_server(person, verdict)
