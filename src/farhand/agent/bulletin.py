"""What the robot tells everybody by itself: status, telemetry, events."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from farhand.agent.cap_news import CapNews
from farhand.agent.people import People
from farhand.agent.telemetry import Reporter, TelemetrySource, make_status
from farhand.errors import Code
from farhand.protocol import codec, control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, RobotId


@dataclass(frozen=True, slots=True)
class _GateTold:
    """What of the gate's state people have been told of."""

    latch: str | None = None
    stop_id: int = 0
    watchdog: int | None = None
    fault: str = ""
    cap: tuple[float, str] = (1.0, "full")
    at_limit: tuple[int, ...] = ()


class Bulletin:
    """The robot's own news.

    Args:
        robot_id: Whose.
        people: Whom to tell.
        telemetry: Where measurements come from.
        lease: Says who drives.
        clock_us: The robot's clock.
        axes: Ids of the robot's axes in the manifest's order.

    """

    def __init__(
        self,
        robot_id: RobotId,
        people: People,
        telemetry: TelemetrySource,
        *,
        lease: Callable[[], m.LeaseState],
        clock_us: Callable[[], int],
        axes: Sequence[str] = (),
    ) -> None:
        self.gate_state: g.GateState | None = None
        self.is_gate_alive = False
        self.reporter = Reporter(status=self._send_status, telemetry=self._send_telemetry)
        self._robot_id = robot_id
        self._people = people
        self._telemetry = telemetry
        self._lease = lease
        self._clock_us = clock_us
        self._axes = tuple(axes)
        self._caps = CapNews(self.announce, clock_us)
        self._nonce = secrets.token_hex(4)
        self._events = 0
        self._stamp_us = 0
        self._streaming: tuple[CameraId, ...] = ()
        self._gate = _GateTold()

    def changed(self) -> None:
        """Send a status at once."""
        self.reporter.changed()

    def announce(self, event: m.Event) -> None:
        """Tell everybody, over every path."""
        self._events += 1
        number = f"{self._nonce}-{self._events}"
        self._people.broadcast(replace(event, id=number, robot_id=self._robot_id))

    def on_streaming(self, cameras: tuple[CameraId, ...]) -> None:
        """Tell which cameras are watched now."""
        before, self._streaming = self._streaming, cameras
        for camera in cameras:
            if camera not in before:
                self.announce(m.Event("stream-started", camera=camera))
        for camera in before:
            if camera not in cameras:
                self.announce(m.Event("stream-stopped", camera=camera))
        if cameras != before:
            self.changed()

    def on_gate_state(self, state: g.GateState) -> None:
        """Tell what is new in the gate's state."""
        self.gate_state = state
        told = self._gate
        self._gate = _GateTold(
            *(state.latch, state.stop_id, state.watchdog, state.fault),
            *((state.cap, state.cap_reason), state.at_limit),
        )
        self._caps.on_gate_state(state)
        if told.watchdog is not None and state.watchdog > told.watchdog:
            text = "No command in time: the gate has stopped the robot."
            self.announce(m.Event("watchdog", text=text))
        if state.fault and state.fault != told.fault:
            text = state.fault[:200]
            self.announce(m.Event("fault", code=Code.DRIVER_FAULT, text=text))
        if told != self._gate:
            self.changed()

    def on_gate_lost(self) -> None:
        """Tell that the gate is silent."""
        self.is_gate_alive = False
        self.announce(m.Event("gate-lost", code=Code.GATE_LOST))
        self.changed()

    def on_gate_back(self, *, is_first: bool) -> None:
        """Tell that the gate is there."""
        self.is_gate_alive = True
        self._gate = _GateTold()
        if not is_first:
            self.announce(m.Event("gate-back"))
        self.changed()

    def _send_status(self) -> None:
        measured = self._telemetry.latest()
        # Stamps never repeat: a change since the last measurement is news, too.
        stamp_us = self._clock_us()
        if measured is not None and measured.stamp_us > self._stamp_us:
            stamp_us = measured.stamp_us
        self._stamp_us = max(stamp_us, self._stamp_us + 1)
        status = make_status(
            stamp_us=self._stamp_us,
            measured=measured,
            lease=self._lease(),
            gate=self.gate_state,
            is_gate_alive=self.is_gate_alive,
            streaming=self._streaming,
            axes=self._axes,
        )
        self._people.broadcast(status)

    def _send_telemetry(self) -> None:
        measured = self._telemetry.latest()
        if measured is None or not measured.values:
            return
        text = codec.encode(m.Telemetry(measured.stamp_us, dict(measured.values))).decode()
        for person in self._people:
            if person.host is not None:
                person.host.send(control.TELEMETRY, text)
