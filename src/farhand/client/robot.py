"""One robot as its operator sees it: take control, drive, stop, reset, status, events, pictures."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from farhand.client.answers import Answers
from farhand.client.session import ClientSession, SessionEvents
from farhand.client.setpoints import RATE_HZ, Setpoints, now_us
from farhand.errors import Code, ConnectionClosed, FarhandError, LeaseDenied, NotAllowed
from farhand.media.aiortc_.certificate import Certificate
from farhand.media.aiortc_.viewer import Picture
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch, MemberId, SessionId
from farhand.protocol.manifest import Manifest

MAX_EVENTS = 256
ANSWER_TIMEOUT_S = 5.0
STOP_EVERY_S = 0.02


class Robot:
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
        self.member = member
        self.manifest = manifest
        self.status: m.Status | None = None
        """The newest the robot has sent."""
        self.video_state: m.VideoState | None = None
        """What the robot's sender does for us: the newest of this session."""
        self.lease: m.LeaseGrant | None = None
        """Ours, while we drive."""
        self.frames: Counter[CameraId] = Counter()
        """Pictures received, by camera."""
        self.on_frame: Callable[[Picture], None] | None = None
        """Called with every picture."""
        self.errors: list[m.Error] = []
        """The last refusals by server or robot."""
        self.session: ClientSession | None = None
        self.setpoints = Setpoints(len(manifest.axes), self._transmit)
        self._me = me
        self._send = send
        self._ice_servers = ice_servers
        self._certificate = certificate
        self._waiting: set[asyncio.Future[None]] = set()
        self._answers = Answers()
        self._nonces = itertools.count(1)
        self._events: asyncio.Queue[m.Event] = asyncio.Queue(MAX_EVENTS)
        self._seen_events: dict[str, None] = {}
        self._closing: asyncio.Task[None] | None = None
        self._ticker = asyncio.create_task(self._tick())

    # --- what an operator does ---

    async def take_control(
        self, *, steer_by: m.SteerBy = "video", timeout_s: float = ANSWER_TIMEOUT_S
    ) -> m.LeaseGrant:
        """Ask for the lease; from then on neutral flows, and after it what :meth:`drive` says.

        Raises:
            LeaseDenied: Somebody else drives (``holder_name``), or we may not.
            ConnectionClosed: No answer came.

        """
        answer = await self._ask(m.LeaseGrant, 0, m.LeaseRequest(steer_by=steer_by), timeout_s)
        if isinstance(answer, m.LeaseDeny):
            raise LeaseDenied(answer.code, answer.text, answer.holder_name)
        assert isinstance(answer, m.LeaseGrant)  # noqa: S101 - the only other answer
        return answer

    def drive(self, axes: Sequence[float]) -> None:
        """Make ``axes`` (one rate for each axis of the manifest) the setpoint.

        It holds until changed, or until the gate stops the robot: then say it again.
        """
        self.setpoints.set(axes)

    async def release(self) -> None:
        """Give the lease back; the robot stands."""
        if self.lease is not None:
            self._say(m.LeaseRelease(self.lease.epoch))
            self._end_lease()
            await self.wait_for(lambda s: s.lease.holder != self._me)

    async def stop(self, *, timeout_s: float = ANSWER_TIMEOUT_S) -> int:
        """Press STOP over every path until the robot confirms; return the latch's ``stop_id``.

        Raises:
            ConnectionClosed: The robot did not confirm. Out of reach it stands by its watchdog.

        """
        nonce = next(self._nonces)
        answer = self._answers.expect(m.StopAck, nonce)
        self._end_lease()
        over_server = m.Stop(nonce, to=self.member.id)
        press = control.StopPress(nonce).pack()
        deadline = asyncio.get_running_loop().time() + timeout_s
        try:
            for attempt in itertools.count():
                self._channel_send(control.SAFETY, press)
                if attempt % 10 == 0:
                    self._send(over_server)
                done, _ = await asyncio.wait([answer], timeout=STOP_EVERY_S)
                if done:
                    ack = answer.result()
                    assert isinstance(ack, m.StopAck)  # noqa: S101 - what was expected
                    return ack.stop_id
                if asyncio.get_running_loop().time() > deadline:
                    raise ConnectionClosed(Code.PEER_CONNECTION_FAILED, "STOP was not confirmed.")
            raise AssertionError
        finally:
            self._answers.drop(m.StopAck, nonce)

    async def reset(
        self, stop_id: int | None = None, *, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Clear the latch ``stop_id`` (default: the one in the status). Nothing moves by it.

        Raises:
            NotAllowed: The robot refused, with the code of why.

        """
        if stop_id is None:
            stop = self.status.stop if self.status else None
            stop_id = stop.stop_id if stop else 0
        answer = await self._ask(m.StopResetAck, stop_id, m.StopReset(stop_id), timeout_s)
        assert isinstance(answer, m.StopResetAck)  # noqa: S101 - what was expected
        if answer.code is not None:
            raise NotAllowed(answer.code, "The robot did not reset.")

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

    async def wait_for(
        self, is_so: Callable[[m.Status], bool], timeout_s: float = ANSWER_TIMEOUT_S
    ) -> m.Status:
        """Return the first status of which ``is_so`` holds.

        Raises:
            TimeoutError: None came in time.

        """
        await self.wait_until(lambda: self.status is not None and is_so(self.status), timeout_s)
        assert self.status is not None  # noqa: S101 - just checked
        return self.status

    async def wait_until(
        self, is_so: Callable[[], bool], timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Return when ``is_so()`` holds; it is asked after everything that comes in.

        Raises:
            TimeoutError: It did not hold in time.

        """
        async with asyncio.timeout(timeout_s):
            while not is_so():
                turn = asyncio.get_running_loop().create_future()
                self._waiting.add(turn)
                await turn

    def has_open(self, channel: control.Channel) -> bool:
        """Say whether a data channel is open."""
        return self.session is not None and channel.label in self.session.open

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
        if self.session is not None:
            if self.session.id == start.session_id and start.resumed:
                return
            self._closing = asyncio.create_task(self.session.close())
        self.video_state = None
        events = SessionEvents(self._send, self._on_data, self._on_picture, self._wake)
        self.session = ClientSession(start, self._ice_servers, events, self._certificate)

    def lose_control(self) -> None:
        """Stop driving: the server has taken our right to it away."""
        self._end_lease()
        self._wake()

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
            case m.Event():
                self._on_event(message)
            case m.Error():
                self.errors = [*self.errors[-31:], message]
            case m.Config():
                self.manifest = message.manifest
            case m.LeaseGrant() | m.LeaseDeny() | m.LeaseRevoke():
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

    def _on_lease(self, message: m.LeaseGrant | m.LeaseDeny | m.LeaseRevoke) -> None:
        if isinstance(message, m.LeaseGrant):
            self.lease = message
            self.setpoints.begin(message.epoch)
        elif isinstance(message, m.LeaseRevoke):
            if self.lease is not None and message.epoch == self.lease.epoch:
                self._end_lease()
            return
        self._answers.take(m.LeaseGrant, 0, message)

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

    def _transmit(self, frame: control.ControlFrame) -> None:
        if self._channel_send(control.CONTROL, frame.pack()) or self.has_open(control.CONTROL):
            return
        self._send(
            m.Control(
                Epoch(frame.epoch),
                frame.seq,
                frame.sent_us,
                frame.heard,
                frame.seen_us,
                frame.loop_ms,
                frame.axes,
                to=self.member.id,
            )
        )

    def _channel_send(self, channel: control.Channel, data: bytes | str) -> bool:
        return self.session is not None and self.session.send(channel, data)

    def _say(self, message: m.Addressed) -> None:
        if isinstance(message, m.ChannelMessage) and self._channel_send(
            control.MESSAGES, codec.encode(message).decode()
        ):
            return
        self._send(replace(message, to=self.member.id))

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
        if entry is not None:
            self.setpoints.on_seen(entry.stamp_us, entry.epoch, entry.last_applied_seq)
        if self.on_frame is not None:
            self.on_frame(picture)
        self._wake()

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

    def _end_lease(self) -> None:
        self.lease = None
        self.setpoints.end()

    async def _ask(self, kind: type, key: int, message: m.Addressed, timeout_s: float) -> Struct:
        answer = self._answers.expect(kind, key)
        self._say(message)
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise ConnectionClosed(
                Code.PEER_CONNECTION_FAILED, "The robot does not answer."
            ) from None
        finally:
            self._answers.drop(kind, key)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
