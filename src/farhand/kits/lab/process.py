"""The process that is the link: it makes both namespaces and carries packets between them.

Started by :class:`farhand.kits.lab.lab.Lab` with a socket as standard input. It ends when that
socket closes, however its owner ended; what still runs in its namespaces is killed, and the kernel
removes them with it.
"""

import os
import select
import signal
import socket
import time

import msgspec

from farhand.kits.lab import kernel
from farhand.kits.lab.line import Counters, Impairment, Line

DEVICE = "air"
ROBOT, OPERATOR = "10.77.0.1", "10.77.0.2"
MESSAGE_BYTES = 4096
_BATCH = 64
_PACKET_BYTES = 65_535
_IDLE_S = 1.0


class Change(msgspec.Struct, frozen=True, tag="change", tag_field="type"):
    """Both directions are like this from now on."""

    to_operator: Impairment
    to_robot: Impairment


class Ask(msgspec.Struct, frozen=True, tag="ask", tag_field="type"):
    """What has happened so far?"""


class Ready(msgspec.Struct, frozen=True, tag="ready", tag_field="type"):
    """The link is up. The namespaces are these descriptors of this process."""

    robot: int
    operator: int
    is_prompt: bool
    """It runs before everything else, so that a busy machine does not delay packets."""


class Failed(msgspec.Struct, frozen=True, tag="failed", tag_field="type"):
    """The link cannot be made."""

    text: str


class Report(msgspec.Struct, frozen=True, tag="report", tag_field="type"):
    """The answer to :class:`Change` and :class:`Ask`."""

    to_operator: Counters
    to_robot: Counters


Command = Change | Ask
Answer = Ready | Failed | Report


class End:
    """One end of the link: a namespace and the TUN device in it."""

    def __init__(self, own: str, other: str) -> None:
        self.namespace = kernel.new_namespace()
        with kernel.entered(self.namespace):
            self.tun = kernel.open_tun(DEVICE)
            kernel.set_addresses(DEVICE, own, other)

    def read_into(self, line: Line) -> None:
        """Take what the kernel has for us, a bounded number of packets."""
        for _ in range(_BATCH):
            try:
                packet = os.read(self.tun, _PACKET_BYTES)
            except OSError:  # nothing left
                return
            line.take(packet, _now_us())

    def write_from(self, line: Line) -> None:
        """Deliver what has arrived."""
        for packet in line.due(_now_us()):
            try:
                os.write(self.tun, packet)
            except OSError:  # the kernel's own queue is full: lost, as on any link
                continue


class Link:
    """Two ends, a line each way."""

    def __init__(self, robot: End, operator: End) -> None:
        self.robot, self.operator = robot, operator
        self.to_operator = Line(Impairment(), "to-operator")
        self.to_robot = Line(Impairment(), "to-robot")

    def run(self, control: socket.socket) -> None:
        """Carry packets and obey until ``control`` closes."""
        robot, operator = self.robot, self.operator
        inputs = [robot.tun, operator.tun, control.fileno()]
        while True:
            ready, _, _ = select.select(inputs, (), (), self._idle_s())
            if robot.tun in ready:
                robot.read_into(self.to_operator)
            if operator.tun in ready:
                operator.read_into(self.to_robot)
            operator.write_from(self.to_operator)
            robot.write_from(self.to_robot)
            if control.fileno() in ready:
                data = control.recv(MESSAGE_BYTES)
                if not data:
                    return
                self._obey(msgspec.json.decode(data, type=Command))
                report = Report(self.to_operator.counters, self.to_robot.counters)
                control.send(msgspec.json.encode(report))

    def _idle_s(self) -> float:
        times = [line.next_due_us() for line in (self.to_operator, self.to_robot)]
        first = min((at for at in times if at is not None), default=None)
        return _IDLE_S if first is None else max(0.0, min(_IDLE_S, (first - _now_us()) / 1e6))

    def _obey(self, command: Command) -> None:
        if isinstance(command, Change):
            now_us = _now_us()
            self.to_operator.change(command.to_operator, now_us)
            self.to_robot.change(command.to_robot, now_us)


def _now_us() -> int:
    return time.monotonic_ns() // 1000


def main() -> None:
    """Make the link, say so, and be it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is our owner's: it closes the socket
    control = socket.socket(fileno=0)
    try:
        robot, operator = End(ROBOT, OPERATOR), End(OPERATOR, ROBOT)
    except OSError as exc:
        control.send(msgspec.json.encode(Failed(str(exc))))
        return
    ready = Ready(robot.namespace, operator.namespace, kernel.be_prompt())
    control.send(msgspec.json.encode(ready))
    try:
        Link(robot, operator).run(control)
    finally:
        for end in (robot, operator):
            kernel.kill_all_in(end.namespace, but={os.getpid(), os.getppid()})


if __name__ == "__main__":
    main()
