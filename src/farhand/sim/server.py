"""The simulator's loop: sockets in, physics, actuator and observers out.

One thread, nothing in it ever waits.

Pictures are rendered in a process of their own (:mod:`farhand.sim.studio`), so no picture can delay
the wheels.
"""

import contextlib
import selectors
import socket
import time
from pathlib import Path
from typing import assert_never

from farhand.errors import Code, ConfigError
from farhand.sim import wire
from farhand.sim.actuator import Actuator
from farhand.sim.connection import Connection
from farhand.sim.rover import Rover
from farhand.sim.shared import Pose, PoseBoard
from farhand.sim.spec import CAMERA_SPECS, STEP_US
from farhand.sim.studio import Studio

MAX_CATCH_UP_US = 100_000
"""After a longer pause of this process the physics goes on from where it was: no leap."""
MAX_CONNECTIONS = 64


class Simulator:
    """One simulated rover.

    Args:
        path: Unix socket for all clients; a stale one is replaced.
        robot_id: Shown in the pictures.
        seed: Furnishes the hall.
        has_clock: Whether the clock and its strip are burnt into the pictures.

    """

    def __init__(self, path: Path, *, robot_id: str, seed: int, has_clock: bool) -> None:
        self.path = path
        self.robot_id = robot_id
        self.seed = seed
        self.rover = Rover(seed)
        self.actuator = Actuator()
        self.faults: set[wire.Fault] = set()
        self._connections: dict[int, Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._is_running = False
        self._late_us = 0
        self._stepped_us = 0
        self._listener = listen(path)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._studio = Studio(robot_id, seed, has_clock=has_clock)
        self._board = PoseBoard(self._studio.pose_memory)
        self._selector.register(self._studio.link, selectors.EVENT_READ, self._collect)

    def run(self) -> None:
        """Run until :meth:`stop`."""
        self._is_running = True
        next_us = now_us() + STEP_US
        try:
            while self._is_running:
                self._wait(next_us)
                next_us = self._advance(next_us)
        finally:
            self._close()

    def stop(self) -> None:
        """End :meth:`run` within a step. For signal handlers and other threads."""
        self._is_running = False

    # --- time ---

    def _wait(self, next_us: int) -> None:
        due = min(next_us, self.actuator.deadline_us or next_us)
        for key, _ in self._selector.select(max(0, due - now_us()) / 1e6):
            if callable(key.data):
                key.data()
            else:
                self._serve(key.data)
        # After what has just arrived: a setpoint that came in time counts.
        if self.actuator.expire(now_us()):
            self._show_actuator()

    def _advance(self, next_us: int) -> int:
        now = now_us()
        self._late_us = max(self._late_us, now - next_us)
        if now - next_us > MAX_CATCH_UP_US:
            next_us = now
        while next_us <= now:
            self.rover.step(self.actuator.command, STEP_US / 1e6)
            next_us += STEP_US
            self._stepped_us = now_us()
            self._show_all()
        return next_us

    # --- clients ---

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            link, _ = self._listener.accept()
            link.setblocking(False)
            if len(self._connections) >= MAX_CONNECTIONS:
                link.close()
                return
            connection = Connection(link)
            self._connections[link.fileno()] = connection
            self._selector.register(link, selectors.EVENT_READ, connection)

    def _serve(self, connection: Connection) -> None:
        if connection.link.fileno() < 0:
            return  # dropped by an earlier event of the same turn
        messages = connection.receive()
        if messages is None:
            self._drop(connection)
            return
        for message in messages:
            self._obey(connection, message)
        if connection.is_closed:
            self._drop(connection)

    def _obey(self, connection: Connection, message: wire.ToSim) -> None:
        match message:
            case wire.Setpoint(n, axes):
                self._steer(connection, n, axes)
            case wire.Attach():
                self._attach(connection)
            case wire.Halt():
                self._changed(self.actuator.halt())
            case wire.Watch(camera, fps):
                self._watch(connection, camera, fps)
            case wire.WatchState(rate_hz):
                connection.state_every_us = round(1e6 / min(max(rate_hz, 1.0), 200.0))
            case wire.Observe():
                connection.is_observer = True
            case wire.SetFault(fault, is_on):
                self._set_fault(fault, is_on=is_on)
                connection.reply(self._report())
            case wire.AskReport():
                connection.reply(self._report())
            case _:
                assert_never(message)

    def _drop(self, connection: Connection) -> None:
        if connection.link.fileno() < 0:
            return
        self._connections.pop(connection.link.fileno(), None)
        self._selector.unregister(connection.link)
        connection.link.close()
        connection.is_closed = True
        if connection.is_driver:
            self._changed(self.actuator.release())
        if connection.camera is not None:
            self._set_rate(connection.camera)

    # --- the wheels ---

    def _attach(self, connection: Connection) -> None:
        for other in list(self._connections.values()):
            if other.is_driver and other is not connection:
                self._drop(other)
        connection.is_driver = True
        connection.reply(self._send_fault())
        connection.offer(self._applied())  # its positions, before anything moves

    def _steer(self, connection: Connection, n: int, axes: tuple[float, ...]) -> None:
        if not connection.is_driver:
            return
        self._changed(self.actuator.apply(n, axes, now_us()))
        connection.offer(self._applied())

    def _applied(self) -> wire.Applied:
        rover = self.rover
        arm = rover.arm
        positions = (None, None, rover.pan, rover.tilt, *arm.joints, arm.width, *arm.tip)
        return wire.Applied(self.actuator.applied, self._stepped_us, positions)

    def _changed(self, is_changed: bool) -> None:
        if is_changed:
            self._show_actuator()

    # --- faults ---

    def _set_fault(self, fault: wire.Fault, *, is_on: bool) -> None:
        (self.faults.add if is_on else self.faults.discard)(fault)
        self.actuator.is_dropping = "drop-control" in self.faults
        self.rover.is_stalled = "stall-motor" in self.faults
        frozen, repeating = "freeze-camera" in self.faults, "repeat-camera" in self.faults
        self._studio.set_freeze("silent" if frozen else "repeat" if repeating else "off")
        for connection in self._connections.values():
            if connection.is_driver:
                connection.reply(self._send_fault())

    def _send_fault(self) -> wire.SendFault:
        return wire.SendFault("slow-send" in self.faults, "hang-send" in self.faults)

    def _report(self) -> wire.Report:
        late, self._late_us = self._late_us, 0
        return wire.Report(
            self.robot_id,
            self.seed,
            tuple(sorted(self.faults)),
            dict(self._studio.frames),
            self._studio.pid,
            late,
        )

    # --- cameras ---

    def _watch(self, connection: Connection, camera: str, fps: float) -> None:
        spec = next((spec for spec in CAMERA_SPECS if spec.id == camera), None)
        if spec is None or connection.camera is not None:
            connection.is_closed = True
            return
        connection.camera, connection.fps = camera, min(max(fps, 1.0), spec.fps)
        ready = wire.CameraReady(camera, spec.width, spec.height, self._studio.slots)
        connection.hand_over(ready, self._studio.picture_memory[camera])
        self._set_rate(camera)

    def _set_rate(self, camera: str) -> None:
        rates = (c.fps for c in self._connections.values() if c.camera == camera)
        self._studio.set_rate(camera, max(rates, default=0.0))

    def _collect(self) -> None:
        for camera, ready in self._studio.collect():
            for connection in list(self._connections.values()):
                if connection.camera == camera:
                    connection.offer(ready)
        if self._studio.is_lost:
            # A simulator without pictures is no use: end, and be started again.
            self._is_running = False

    # --- what is shown of each step ---

    def _show_all(self) -> None:
        rover, now = self.rover, now_us()
        applied = self.actuator.applied
        seen = (rover.arm.joints, rover.arm.width, tuple(rover.blocks.all))
        at = (rover.x, rover.y, rover.yaw, rover.pan, rover.tilt)
        self._board.write(Pose(now, *at, applied, *seen))
        self._show_actuator(now)
        for connection in self._connections.values():
            if connection.state_every_us and now >= connection.state_due_us:
                connection.state_due_us = max(
                    connection.state_due_us + connection.state_every_us, now
                )
                connection.offer(self._state(now))

    def _show_actuator(self, now: int | None = None) -> None:
        stamp, actuator, rover = now or now_us(), self.actuator, self.rover
        for connection in self._connections.values():
            if not connection.is_observer:
                continue
            shown = wire.Actuation(
                stamp,
                actuator.left,
                actuator.right,
                rover.left,
                rover.right,
                actuator.timeouts,
                connection.lost,
                actuator.arm,
                rover.arm.fastest,
            )
            connection.lost = 0 if connection.offer(shown) else connection.lost + 1

    def _state(self, now: int) -> wire.State:
        rover = self.rover
        return wire.State(
            now,
            rover.x,
            rover.y,
            rover.yaw,
            rover.linear,
            rover.angular,
            rover.pan,
            rover.tilt,
            rover.charge * 100,
            rover.voltage,
            rover.has_collided,
            self.actuator.applied,
            rover.arm.joints,
            rover.arm.width,
            rover.arm.tip,
            rover.blocks.held is not None,
        )

    def _close(self) -> None:
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._selector.close()
        self._listener.close()
        self.path.unlink(missing_ok=True)
        self._board.close()
        self._studio.close()


def now_us() -> int:
    """Return this machine's monotonic clock in microseconds."""
    return time.monotonic_ns() // 1000


def listen(path: Path) -> socket.socket:
    """Return a listener at ``path``, replacing a socket that nobody serves any more.

    Raises:
        ConfigError: Somebody serves it, or the path cannot be used.

    """
    if path.is_socket():
        with contextlib.suppress(OSError):
            wire.dial(path).close()
            raise ConfigError(Code.CONFIG_INVALID, f"A simulator runs at {path}.", "Stop it first.")
        path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Under its name only when it is open: who sees the socket can connect.
    unborn = path.with_name(path.name + ".new")
    try:
        unborn.unlink(missing_ok=True)
        listener.bind(str(unborn))
        unborn.chmod(0o600)
        listener.listen(16)
        unborn.rename(path)
    except OSError as exc:
        listener.close()
        raise ConfigError(Code.CONFIG_INVALID, f"Cannot listen at {path}: {exc}.") from exc
    listener.setblocking(False)
    return listener
