"""The simulator's side of the render process: starts it, says what is watched, collects.

The renderer lives in a process of its own, so that no picture can hold the interpreter while wheels
must stop. It starts with the simulator and paints its textures then; without a viewer it sleeps.
When the simulator dies in whatever way, its socket closes and the renderer ends.
"""

import contextlib
import os
import socket
import subprocess
import sys
from typing import Literal

import msgspec
from msgspec import Struct

from farhand.sim import wire
from farhand.sim.shared import SLOTS, PoseBoard, Ring, make_memory
from farhand.sim.spec import CAMERA_SPECS

STOP_TIMEOUT_S = 1.0

Freeze = Literal["off", "silent", "repeat"]


class Orders(Struct, frozen=True, array_like=True):
    """What the renderer shall do from now on."""

    rates: tuple[float, ...]
    """Pictures a second for each camera, 0 = not watched."""
    freeze: Freeze


class Taken(Struct, frozen=True, array_like=True):
    """A picture is ready."""

    camera: int
    slot: int
    seq: int
    stamp_us: int


class Setup(Struct, frozen=True):
    """What the renderer is started with."""

    robot_id: str
    seed: int
    has_clock: bool
    link: int
    pose: int
    pictures: tuple[int, ...]


_taken = msgspec.msgpack.Decoder(Taken)


class Studio:
    """The render process of one simulator."""

    def __init__(self, robot_id: str, seed: int, *, has_clock: bool) -> None:
        self.slots = SLOTS
        self.frames: dict[str, int] = {spec.id: 0 for spec in CAMERA_SPECS}
        """Pictures taken since the start, by camera."""
        self.is_lost = False
        """The render process has ended by itself."""
        self.pose_memory = make_memory(PoseBoard.SIZE, "farhand-pose")
        self.picture_memory: dict[str, int] = {
            spec.id: make_memory(Ring.size(spec.width, spec.height), "farhand-pictures")
            for spec in CAMERA_SPECS
        }
        self._rates: dict[str, float] = {spec.id: 0.0 for spec in CAMERA_SPECS}
        self._freeze: Freeze = "off"
        self._reader = wire.LinkReader()
        self.link, theirs = socket.socketpair()
        self.link.setblocking(False)
        descriptors = (theirs.fileno(), self.pose_memory, *self.picture_memory.values())
        setup = Setup(robot_id, seed, has_clock, descriptors[0], descriptors[1], descriptors[2:])
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "farhand.sim.camera", msgspec.json.encode(setup).decode()],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the simulator; the renderer follows it
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Process id of the renderer."""
        return self._process.pid

    def set_rate(self, camera: str, fps: float) -> None:
        """Take ``fps`` pictures a second from now on; 0 = none."""
        if self._rates[camera] != fps:
            self._rates[camera] = fps
            self._order()

    def set_freeze(self, freeze: Freeze) -> None:
        """Freeze all cameras, or let them go."""
        if self._freeze != freeze:
            self._freeze = freeze
            self._order()

    def collect(self) -> list[tuple[str, wire.FrameReady]]:
        """Return what is ready, with its camera. Call it when :attr:`link` is readable."""
        try:
            data = self.link.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.is_lost = True
            return []
        ready: list[tuple[str, wire.FrameReady]] = []
        for body in self._reader.feed(data):
            taken = _taken.decode(body)
            camera = CAMERA_SPECS[taken.camera].id
            self.frames[camera] += 1
            ready.append((camera, wire.FrameReady(taken.slot, taken.seq, taken.stamp_us)))
        return ready

    def close(self) -> None:
        """End the render process and release the memory."""
        self.link.close()
        self._process.terminate()  # it may be painting still; it has nothing to tidy up
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for descriptor in (self.pose_memory, *self.picture_memory.values()):
            os.close(descriptor)

    def _order(self) -> None:
        # A full socket means that the renderer is gone or frozen; the next order carries
        # everything.
        with contextlib.suppress(OSError):
            self.link.send(wire.pack(Orders(tuple(self._rates.values()), self._freeze)))
