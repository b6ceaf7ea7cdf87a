"""What the robot measures: as status at 2 Hz and at once on change, as telemetry at 10 Hz."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from farhand.protocol import messages as m
from farhand.protocol.gate_link import GateState
from farhand.protocol.ids import CameraId

STATUS_EVERY_S = 0.5
TELEMETRY_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Measurement:
    """One moment of the robot."""

    stamp_us: int
    """When it was measured, on this machine's monotonic clock."""
    pose: m.Pose | None = None
    speed: m.Speed | None = None
    battery: m.Battery | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    """By telemetry channel id of the manifest."""


class TelemetrySource(Protocol):
    """Where measurements come from."""

    def latest(self) -> Measurement | None:
        """Return the newest measurement at once; ``None``: none yet, or the source is gone."""

    async def run(self) -> None:
        """Measure until cancelled; reconnects by itself."""


def make_status(
    *,
    stamp_us: int,
    measured: Measurement | None,
    lease: m.LeaseState,
    gate: GateState | None,
    is_gate_alive: bool,
    streaming: tuple[CameraId, ...],
    axes: Sequence[str],
) -> m.Status:
    """Put together what is known now.

    Args:
        stamp_us: When that is, on this machine's monotonic clock.
        measured: The newest measurement.
        lease: Who drives.
        gate: The newest the gate has said.
        is_gate_alive: Whether it still speaks.
        streaming: Cameras that are watched.
        axes: Ids in the manifest's order.

    """
    stop = None
    if gate is not None and gate.latch is not None:
        stop = m.StopState(gate.latch, gate.stop_id, gate.stop_by)
    counters = m.GateCounters()
    if gate is not None:
        counters = m.GateCounters(gate.applied, gate.refused, gate.watchdog)
    return m.Status(
        stamp_us=stamp_us,
        mode=_mode(lease, gate, is_gate_alive=is_gate_alive),
        lease=lease,
        pose=measured.pose if measured else None,
        speed=measured.speed if measured else None,
        battery=measured.battery if measured else None,
        stop=stop,
        gate="ok" if is_gate_alive else "lost",
        gate_counters=counters,
        streaming=streaming,
        cap=speed_cap(gate) if lease.holder is not None and is_gate_alive else None,
        at_limit=_at_limit(gate, axes) if is_gate_alive else (),
    )


def speed_cap(gate: GateState | None) -> m.SpeedCap | None:
    """Return what the governor allows; ``None``: the gate has not said, or nobody drives."""
    if gate is None or not gate.epoch:
        return None
    blind_m = None if gate.blind_mm is None else gate.blind_mm / 1000
    return m.SpeedCap(gate.cap, gate.cap_reason, gate.loop_ms, blind_m)


def _at_limit(gate: GateState | None, axes: Sequence[str]) -> tuple[str, ...]:
    if gate is None:
        return ()
    return tuple(axes[index] for index in gate.at_limit if 0 <= index < len(axes))


def _mode(
    lease: m.LeaseState, gate: GateState | None, *, is_gate_alive: bool
) -> Literal["idle", "driving", "stopped", "fault"]:
    if gate is None or not is_gate_alive or gate.fault:
        return "fault"
    if gate.latch == "stop":
        return "stopped"
    return "driving" if lease.holder is not None else "idle"


class Reporter:
    """Calls ``status`` every 0.5 s and after changes, ``telemetry`` every 0.1 s.

    Any number of changes in one turn of the loop make one status.
    """

    def __init__(self, *, status: Callable[[], None], telemetry: Callable[[], None]) -> None:
        self._status = status
        self._telemetry = telemetry
        self._is_due = False

    def changed(self) -> None:
        """Send a status as soon as what is going on now has been dealt with."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send_now)

    async def run(self) -> None:
        """Report until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        status_due = due
        while True:
            if due >= status_due:
                status_due = due + STATUS_EVERY_S - 1e-3
                self._status()
            self._telemetry()
            due = max(due + TELEMETRY_EVERY_S, loop.time())
            await asyncio.sleep(due - loop.time())

    def _send_now(self) -> None:
        self._is_due = False
        self._status()
