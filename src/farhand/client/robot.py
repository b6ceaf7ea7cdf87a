"""One robot as its operator sees it: take control, drive, stop, reset, status, events, pictures."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from farhand.client.session import ClientSession, SessionEvents
from farhand.client.setpoints import RATE_HZ, now_us
from farhand.client.stopping import Stopping
from farhand.client.talk import ANSWER_TIMEOUT_S
from farhand.errors import Code, FarhandError, NotAllowed
from farhand.media.aiortc_.certificate import Certificate
from farhand.media.aiortc_.viewer import Picture
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, SessionId
from farhand.protocol.manifest import Manifest

MAX_EVENTS = 256


class Robot(Stopping):
    """A robot in whose room we are. Made by :meth:`farhand.client.Client.open`.

    Args:
        member: The robot.
        manifest: What it declares.
        me: Our member id.
        send: Sends to the server.
        ice_servers: Of the server's welcome.
        certificate: Of our peer connections; the server vouches for it to the robot.

    """

    def __init__(
        self,
        member: m.Member,
        manifest: Manifest,
        me: MemberId,
        send: Callable[[m.ClientMessage], bool],
        ice_servers: tuple[m.IceServer, ...],
        *,
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(member, me, send, len(manifest.axes))
        self.manifest = manifest
        self.video_state: m.VideoState | None = None
        """What the robot's sender does for us: the newest of this session."""
        self.frames: Counter[CameraId] = Counter()
        """Pictures received, by camera."""
        self.on_frame: Callable[[Picture], None] | None = None
        """Called with every picture."""
        self.errors: list[m.Error] = []
        """The last refusals by server or robot."""
        self._ice_servers = ice_servers
        self._certificate = certificate
        self._events: asyncio.Queue[m.Event] = asyncio.Queue(MAX_EVENTS)
        self._seen_events: dict[str, None] = {}
        self._closing: asyncio.Task[None] | None = None
        self._ticker = asyncio.create_task(self._tick())

    # --- what an operator does ---

    def drive(self, axes: Sequence[float]) -> None:
        """Make ``axes`` (one rate for each axis of the manifest) the setpoint.

        It holds until changed, or until the gate stops the robot: then say it again.
        """
        self.setpoints.set(axes)

    async def signal(
        self, action: m.SignalAction, *, camera: CameraId | None = None, microphone: bool = False
    ) -> None:
        """Instruct the robot to start or stop media.

        Raises:
            NotAllowed: Refused, with the code of why.

        """
        number = next(self._nonces)
        message = m.Signal(number, action, camera=camera, microphone=microphone)
        answer = await self._ask(m.SignalResult, number, message, ANSWER_TIMEOUT_S)
        assert isinstance(answer, m.SignalResult)  # noqa: S101 - what was expected
        if answer.code is not None:
            raise NotAllowed(answer.code, answer.text)

    async def events(self) -> AsyncIterator[m.Event]:
        """Yield what happens from now on; the oldest of more than 256 unread are lost."""
        while True:
            yield await self._events.get()

    def send_control(self, frame: bytes) -> bool:
        """Send any bytes on the control channel: for conformance tests."""
        return self._channel_send(control.CONTROL, frame)

    # --- what the connection calls ---

    def start_session(self, start: m.SessionStart) -> None:
        """Begin (or go on with) the session that the server ordered."""
        if start.member.id != self.member.id:
            # The robot's agent was started anew: another member, and what it granted is void.
            self.member = start.member
            self._end_lease()
            self._give_up(Code.GATE_LOST, "The robot was started anew.")
        if self.session is not None:
            if self.session.id == start.session_id and start.resumed:
                return
            self._closing = asyncio.create_task(self.session.close())
        self.video_state = None
        self.setpoints.connected()
        events = SessionEvents(self._send, self._on_data, self._on_picture, self._wake)
        self.session = ClientSession(start, self._ice_servers, events, self._certificate)

    def live_sessions(self) -> dict[SessionId, MemberId]:
        """Return the session that has outlived a signaling connection."""
        if self.session is None or self.session.state != "connected":
            return {}
        return {self.session.id: self.session.robot}

    def receive(self, message: m.ServerMessage | m.ChannelMessage) -> None:
        """Take a message of the robot, from either path."""
        match message:
            case m.Status():
                if self.status is None or message.stamp_us >= self.status.stamp_us:
                    self.status = message
                    self._on_status(message)
            case m.Event():
                self._on_event(message)
            case m.Error():
                self.errors = [*self.errors[-31:], message]
            case m.Config():
                self.manifest = message.manifest
            case m.LeaseGrant() | m.LeaseDeny() | m.LeaseRevoke() | m.LeasePending():
                self._on_lease(message)
            case m.StopAck():
                self._answers.take(m.StopAck, message.nonce, message)
            case m.StopResetAck():
                self._answers.take(m.StopResetAck, message.stop_id, message)
            case m.SignalResult():
                self._answers.take(m.SignalResult, message.id, message)
            case m.GateBeat() | m.ControlVerdict():
                self._on_control(message)
        self._wake()

    def _on_control(self, message: m.GateBeat | m.ControlVerdict) -> None:
        if isinstance(message, m.GateBeat):
            self.setpoints.hear(message.n)
            self._send(m.GateAnswer(message.n, now_us(), to=self.member.id))
            return
        self.setpoints.on_verdict(
            control.Verdict(
                message.epoch, message.seq, message.sent_us, message.age_ms, message.code
            )
        )

    async def close(self) -> None:
        """End the session. The lease ends with it."""
        if self.lease is not None:
            self._say(m.LeaseRelease(self.lease.epoch))
        self._ticker.cancel()
        if self.session is not None:
            await self.session.close()

    # --- inside ---

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.setpoints.tick()
            due = max(due + 1 / RATE_HZ, loop.time() - 1 / RATE_HZ)
            await asyncio.sleep(due - loop.time())

    def _on_data(self, label: str, data: bytes | str) -> None:
        with contextlib.suppress(FarhandError):  # what a newer robot says and we do not understand
            if label == control.SAFETY.label and isinstance(data, bytes):
                self._on_safety(control.unpack_safety(data))
            elif label == control.CONTROL.label and isinstance(data, bytes):
                self.setpoints.on_verdict(control.unpack_verdict(data))
                self._wake()
            elif label == control.MESSAGES.label:
                self.receive(codec.decode_channel(data))
            elif label == control.TELEMETRY.label:
                self._on_telemetry(codec.decode_telemetry(data))

    def _on_safety(self, frame: control.SafetyFrame) -> None:
        if isinstance(frame, control.Beat):
            self.setpoints.hear(frame.n)
            self._channel_send(control.SAFETY, control.BeatAnswer(frame.n, now_us()).pack())
        elif isinstance(frame, control.StopPressAck):
            self._answers.take(m.StopAck, frame.nonce, m.StopAck(frame.nonce, frame.stop_id))

    def _on_telemetry(self, message: m.TelemetryMessage) -> None:
        if not isinstance(message, m.VideoState):
            return
        if self.video_state is None or message.stamp_us > self.video_state.stamp_us:
            self.video_state = message
            self._wake()

    def _on_picture(self, picture: Picture, entry: m.FrameEntry | None) -> None:
        self.frames[picture.camera] += 1
        if entry is not None and picture.camera == self._main_camera():
            self.setpoints.on_seen(entry.stamp_us, entry.epoch, entry.last_applied_seq)
        if self.on_frame is not None:
            self.on_frame(picture)
        self._wake()

    def _main_camera(self) -> CameraId | None:
        """Return by whose pictures we steer: that another camera goes on says nothing about it."""
        shown = self.session.cameras if self.session is not None else ()
        main = next((one.id for one in self.manifest.cameras if one.main), None)
        return main if main in shown else next(iter(shown), None)

    def _on_event(self, event: m.Event) -> None:
        if event.id:
            if event.id in self._seen_events:
                return
            self._seen_events[event.id] = None
            if len(self._seen_events) > MAX_EVENTS:
                del self._seen_events[next(iter(self._seen_events))]
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)
