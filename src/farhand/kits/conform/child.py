"""An operator who is a program of its own: the kit kills it, freezes it, cuts its link.

Started as ``python -m farhand.kits.conform.child``, it reads its orders as one line of JSON (no
token stands in a command line), says ``ready``, and obeys lines:

    drive      take control and drive; says ``driving``
    cut        let nothing out any more, neither to the robot nor to the server; says ``cut``
"""

import asyncio
import contextlib
import signal
import socket
import sys

import msgspec

from farhand.client import Robot, connect
from farhand.client.setpoints import now_us
from farhand.errors import FarhandError
from farhand.kits.conform.model import Unable
from farhand.kits.conform.options import strike

START_S = 30.0
PATIENCE_S = 20.0


class ChildOrders(msgspec.Struct, frozen=True):
    """Whom to drive, and how."""

    url: str
    robot: str
    service: str
    token: str
    axes: tuple[float, ...]


class Child:
    """The kit's end of an operator program. Made by :meth:`start`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, orders: ChildOrders) -> "Child":
        """Start one.

        Raises:
            Unable: It does not get in.

        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "farhand.kits.conform.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        child = cls(process)
        try:
            child._say(msgspec.json.encode(orders))
            await child._hear("ready")
        except BaseException:
            await child.end()
            raise
        return child

    async def drive(self) -> None:
        """Let it drive."""
        self._say(b"drive")
        await self._hear("driving")

    async def cut(self) -> int:
        """Cut its link; return when, in microseconds of this machine's clock."""
        self._say(b"cut")
        return int((await self._hear("cut"))[0])

    def signal(self, signum: signal.Signals) -> int:
        """Send it a signal; return when: just before."""
        struck = now_us()
        strike(self._process.pid, signum)
        return struck

    async def end(self) -> None:
        """Kill it, whatever state it is in. Idempotent."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        self._process.stdin.write(line + b"\n")

    async def _hear(self, word: str) -> list[str]:
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        try:
            async with asyncio.timeout(START_S):
                line = (await self._process.stdout.readline()).decode().split()
        except TimeoutError:
            line = []
        if not line or line[0] != word:
            said = " ".join(line) or "nothing"
            raise Unable(f"The operator program said {said!r} instead of {word!r}.")
        return line[1:]


# --- the program ---


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class _Cut:
    """Swallows what leaves this process over the network, from :meth:`now` on."""

    def __init__(self) -> None:
        self.is_on = False
        real_send, real_to = socket.socket.send, socket.socket.sendto

        def send(link: socket.socket, data: bytes, *rest: int) -> int:
            if self.is_on and link.family in {socket.AF_INET, socket.AF_INET6}:
                return len(data)
            return real_send(link, data, *rest)

        def sendto(link: socket.socket, data: bytes, *rest: object) -> int:
            if self.is_on and link.family in {socket.AF_INET, socket.AF_INET6}:
                return len(data)
            return real_to(link, data, *rest)  # type: ignore[call-overload, no-any-return]

        # asyncio sends by these two; nobody else is in this process.
        socket.socket.send = send  # type: ignore[method-assign, assignment]
        socket.socket.sendto = sendto  # type: ignore[method-assign, assignment]

    def now(self) -> int:
        self.is_on = True
        return now_us()


async def _drive(robot: Robot, axes: tuple[float, ...]) -> None:
    deadline = now_us() + PATIENCE_S * 1e6
    while True:
        try:
            await robot.take_control(steer_by="blind")
            await robot.wait_until(lambda: robot.setpoints.is_armed)
            break
        except (FarhandError, TimeoutError):
            # The lease of the one who was killed before us runs out.
            if now_us() > deadline:
                raise
            await asyncio.sleep(0.05)
    robot.drive(axes)
    _say("driving")


async def _obey(orders: ChildOrders, cut: _Cut) -> None:
    loop = asyncio.get_running_loop()
    async with (
        connect(
            orders.url,
            name="conform-child",
            token=orders.token or None,
            service=orders.service,
        ) as client,
        client.open(orders.robot, cameras=[]) as robot,
    ):
        _say("ready")
        while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if word == "drive":
                await _drive(robot, orders.axes)
            elif word == "cut":
                _say("cut", cut.now())


def main() -> None:
    """Obey until the end of input."""
    orders = msgspec.json.decode(sys.stdin.readline(), type=ChildOrders)
    asyncio.run(_obey(orders, _Cut()))


if __name__ == "__main__":
    main()
