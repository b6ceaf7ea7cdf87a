"""The render process: sleeps until somebody watches, then takes pictures at the rate asked for.

Run by :mod:`farhand.sim.studio` as ``python -m farhand.sim.camera``; ends when the simulator's
socket closes.
"""

import contextlib
import select
import socket
import sys
from dataclasses import dataclass

import msgspec
import numpy as np

from farhand.sim import clock, hall, wire
from farhand.sim.decor import decorate
from farhand.sim.raycast import View
from farhand.sim.server import now_us
from farhand.sim.shared import PoseBoard, Ring
from farhand.sim.spec import CAMERA_SPECS, CameraSpec
from farhand.sim.studio import Orders, Setup, Taken

_orders = msgspec.msgpack.Decoder(Orders)


@dataclass(slots=True)
class Camera:
    """One camera at work."""

    index: int
    spec: CameraSpec
    view: View
    ring: Ring
    period_us: int = 0
    """0 = nobody watches."""
    due_us: int = 0
    stamp_us: int = 0
    """Of the newest picture."""
    slot: int = -1
    """Where it stands."""


class Renderer:
    """All cameras of one rover."""

    def __init__(self, setup: Setup) -> None:
        self._link = socket.socket(fileno=setup.link)
        self._reader = wire.LinkReader()
        self._board = PoseBoard(setup.pose)
        self._stamper = clock.Stamper(setup.robot_id) if setup.has_clock else None
        self._freeze = "off"
        things = hall.furnish(setup.seed)
        atlas = decorate(things)
        self._cameras = [
            Camera(i, spec, View(spec, things, atlas), Ring(memory, spec.width, spec.height))
            for i, (spec, memory) in enumerate(zip(CAMERA_SPECS, setup.pictures, strict=True))
        ]

    def run(self) -> None:
        """Take pictures until the simulator's socket closes."""
        while self._listen():
            for camera in self._cameras:
                if camera.period_us and now_us() >= camera.due_us:
                    self._take(camera)

    def _listen(self) -> bool:
        due = min((c.due_us for c in self._cameras if c.period_us), default=None)
        timeout = None if due is None else max(0, due - now_us()) / 1e6
        if not select.select([self._link], [], [], timeout)[0]:
            return True
        try:
            data = self._link.recv(65536)
        except OSError:
            return False
        for body in self._reader.feed(data):
            self._follow(_orders.decode(body))
        return bool(data)

    def _follow(self, orders: Orders) -> None:
        self._freeze = orders.freeze
        for camera, rate in zip(self._cameras, orders.rates, strict=True):
            if rate and not camera.period_us:
                camera.due_us = now_us()
            camera.period_us = round(1e6 / rate) if rate else 0

    def _take(self, camera: Camera) -> None:
        now = now_us()
        camera.due_us += camera.period_us
        if camera.due_us <= now:  # late by a whole picture: leave it out rather than catch up
            camera.due_us = now + camera.period_us
        pose = self._board.read()
        if self._freeze == "silent" or pose.stamp_us <= camera.stamp_us:
            return
        slot, seq, pixels = camera.ring.open_slot()
        if self._freeze == "repeat" and camera.slot >= 0:
            np.copyto(pixels, camera.ring.pixels(camera.slot))
        else:
            camera.view.render(pose, pixels)
            if self._stamper is not None:
                self._stamper.burn(pixels, camera.spec.label, pose.stamp_us, pose.applied)
        camera.ring.publish(slot, seq, pose.stamp_us)
        camera.slot, camera.stamp_us = slot, pose.stamp_us
        self._link.sendall(wire.pack(Taken(camera.index, slot, seq, pose.stamp_us)))


def main() -> None:
    """Run the process."""
    renderer = Renderer(msgspec.json.decode(sys.argv[1], type=Setup))
    # The simulator is gone: nothing is left to do.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        renderer.run()


if __name__ == "__main__":
    main()
