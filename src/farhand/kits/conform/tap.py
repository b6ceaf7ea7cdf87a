"""Stands between one member's client and its data channels: delays, drops, repeats, forges, notes.

It acts on what the kit itself sends, so it needs no right on any machine but its own.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from farhand.client.robot import Robot
from farhand.client.session import ClientSession
from farhand.client.setpoints import Setpoints, now_us
from farhand.errors import Code, FarhandError
from farhand.protocol import codec, control
from farhand.protocol import messages as m

KEPT = 8_000
Deliveries = Sequence[tuple[float, bytes]]
"""What becomes of one frame: after how many seconds which bytes are sent."""
Plan = Callable[[control.ControlFrame], Deliveries]


def straight(frame: control.ControlFrame) -> Deliveries:
    """Send the frame as it is."""
    return [(0.0, frame.pack())]


def nothing(_frame: control.ControlFrame) -> Deliveries:
    """Send no frame."""
    return []


def delayed(delay_s: float) -> Plan:
    """Return a plan that holds every frame back; its stamps stay honest."""
    return lambda frame: [(delay_s, frame.pack())]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and when it came."""

    at_us: int
    verdict: control.Verdict


class _Noted(Setpoints):
    """The client's setpoints, with every verdict noted."""

    note: Callable[[control.Verdict], None] = staticmethod(lambda _verdict: None)

    def on_verdict(self, verdict: control.Verdict) -> None:
        self.note(verdict)
        super().on_verdict(verdict)


class Tap:
    """What one member sends and hears. All times are microseconds of this program's clock.

    Args:
        robot: The member's view of the robot, with an open session.

    """

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.plan: Plan = straight
        self.answer: Callable[[control.BeatAnswer], control.BeatAnswer | None] | None = None
        """Changes the answers to the gate's beats, or drops them."""
        self.last_sent_us = 0
        """When the newest planned frame went out."""
        self.frames: deque[control.ControlFrame] = deque(maxlen=KEPT)
        """The frames as the client made them, before the plan."""
        self.judgements: deque[Judgement] = deque(maxlen=KEPT)
        self.messages: deque[m.ServerMessage | m.ChannelMessage] = deque(maxlen=KEPT)
        """What came on the channel `messages`."""
        self.on_telemetry: Callable[[m.Telemetry, int], None] | None = None
        """Told each telemetry message, with its stamp on our clock (late by the way here)."""
        self._offset_us: int | None = None
        self._offsets: deque[int] = deque(maxlen=200)
        self._late: set[asyncio.TimerHandle] = set()
        noted = _Noted(len(robot.manifest.axes), self._transmit)
        noted.note = self._note
        robot.setpoints = noted
        self._session: ClientSession | None = None
        self.attach()

    def attach(self) -> None:
        """Tap the session that the robot has now."""
        session = self.robot.session
        if session is not None and session is not self._session:
            self._session = session
            session.outgoing, session.incoming = self._outgoing, self._incoming

    def reset(self) -> None:
        """Be honest again, and send nothing that is held back."""
        self.plan, self.answer = straight, None
        for handle in self._late:
            handle.cancel()
        self._late.clear()

    def say(self, message: m.ChannelMessage) -> bool:
        """Send any message on the channel `messages`."""
        session = self.robot.session
        text = codec.encode(message).decode()
        return session is not None and session.send(control.MESSAGES, text)

    def verdicts(self, since_us: int) -> list[control.Verdict]:
        """Return what the gate has said from ``since_us`` on."""
        return [found.verdict for found in self.judgements if found.at_us >= since_us]

    def applied(self, since_us: int) -> list[control.Verdict]:
        """Return the frames that the gate says it has applied, told from ``since_us`` on."""
        return [verdict for verdict in self.verdicts(since_us) if verdict.code is None]

    def count(self, code: Code, since_us: int) -> int:
        """Return how many frames were refused with ``code``, told from ``since_us`` on."""
        return sum(verdict.code is code for verdict in self.verdicts(since_us))

    def honest_frame(self, axes: Sequence[float]) -> control.ControlFrame:
        """Return a frame of our own under the next number, as the client would stamp it."""
        setpoints = self.robot.setpoints
        setpoints.seq += 1
        return control.ControlFrame(
            setpoints.epoch or 0, setpoints.seq, now_us(), setpoints.heard, 0, 0, tuple(axes)
        )

    def _transmit(self, frame: control.ControlFrame) -> None:
        self.attach()
        self.frames.append(frame)
        for delay_s, data in self.plan(frame):
            if delay_s <= 0:
                self._put(data)
            else:
                self._later(delay_s, data)

    def _later(self, delay_s: float, data: bytes) -> None:
        loop = asyncio.get_running_loop()

        def send() -> None:
            self._late.discard(handle)
            self._put(data)

        handle = loop.call_later(delay_s, send)
        self._late.add(handle)

    def _put(self, data: bytes) -> None:
        if self.robot.send_control(data):
            self.last_sent_us = now_us()

    def _outgoing(self, channel: control.Channel, data: bytes | str) -> bytes | str | None:
        if self.answer is None or channel != control.SAFETY or not isinstance(data, bytes):
            return data
        frame = control.unpack_safety(data)
        if not isinstance(frame, control.BeatAnswer):
            return data
        altered = self.answer(frame)
        return None if altered is None else altered.pack()

    def _incoming(self, label: str, data: bytes | str) -> None:
        with contextlib.suppress(FarhandError):
            if label == control.SAFETY.label and isinstance(data, bytes):
                self._measure(control.unpack_safety(data))
            elif label == control.MESSAGES.label:
                self.messages.append(codec.decode_channel(data))
            elif label == control.TELEMETRY.label:
                self._on_telemetry(codec.decode_telemetry(data))

    def _measure(self, frame: control.SafetyFrame) -> None:
        if isinstance(frame, control.Beat):
            # The beat with the shortest way here shows the robot's clock best.
            self._offsets.append(now_us() - frame.gate_us)
            self._offset_us = min(self._offsets)

    def _on_telemetry(self, message: m.TelemetryMessage) -> None:
        if isinstance(message, m.Telemetry) and self.on_telemetry is not None:
            now = now_us()
            offset = self._offset_us
            stamp = now if offset is None else min(now, message.stamp_us + offset)
            self.on_telemetry(message, stamp)

    def _note(self, verdict: control.Verdict) -> None:
        self.judgements.append(Judgement(now_us(), verdict))
