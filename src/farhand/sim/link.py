"""Clients of a running simulator: its state, its fault switches, and what its manifest says."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from farhand.errors import Code, DriverError, RemoteProtocolError
from farhand.protocol.ids import RobotId
from farhand.protocol.manifest import Manifest
from farhand.sim import spec, wire

RETRY_S = 0.2
ANSWER_TIMEOUT_S = 2.0


def manifest(robot_id: RobotId, name: str, software: str = "") -> Manifest:
    """Return what the rover declares about itself; its parts are in :mod:`farhand.sim.spec`."""
    return Manifest(
        robot_id=robot_id,
        name=name,
        model=spec.MODEL,
        software=software,
        cameras=spec.CAMERAS,
        axes=spec.AXES,
        telemetry=spec.TELEMETRY,
        pose_frame=spec.POSE_FRAME,
        device_timeout_s=spec.DEVICE_TIMEOUT_S,
        simulated=True,
    )


class SimTelemetry:
    """The rover's state, newest first choice, for ever: reconnects by itself.

    Iterate over it, or start :meth:`run` and look at :attr:`latest`.

    Args:
        socket_path: The simulator's socket.
        rate_hz: How many states a second.

    """

    def __init__(self, socket_path: Path | str, rate_hz: float = 20.0) -> None:
        self._path = Path(socket_path)
        self._rate_hz = rate_hz
        self.latest: wire.State | None = None
        """Newest state; ``None``: none yet, or the simulator is gone."""

    async def run(self) -> None:
        """Keep :attr:`latest` up to date until cancelled."""
        async for _ in self:
            pass

    async def __aiter__(self) -> AsyncIterator[wire.State]:
        """Yield states as they are measured."""
        while True:
            try:
                async with contextlib.aclosing(self._connect()) as states:
                    async for state in states:
                        self.latest = state
                        yield state
            except (OSError, RemoteProtocolError):
                pass
            self.latest = None
            await asyncio.sleep(RETRY_S)

    async def _connect(self) -> AsyncGenerator[wire.State, None]:
        reader, writer = await asyncio.open_unix_connection(str(self._path))
        try:
            writer.write(wire.pack(wire.WatchState(self._rate_hz)))
            cutter = wire.LinkReader()
            while data := await reader.read(65536):
                newest = None
                for body in cutter.feed(data):
                    message = wire.decode_from_sim(body)
                    newest = message if isinstance(message, wire.State) else newest
                if newest is not None:
                    yield newest
        finally:
            writer.close()


class SimControl:
    """Fault switches and questions, for tests, benches and the command line. Blocking.

    Args:
        socket_path: The simulator's socket.

    Raises:
        DriverError: Nobody is there (FH-6003).

    """

    def __init__(self, socket_path: Path | str) -> None:
        try:
            self._link = wire.dial(socket_path)
        except OSError as exc:
            raise unreachable(socket_path) from exc
        self._link.settimeout(ANSWER_TIMEOUT_S)
        self._reader = wire.LinkReader()
        self._path = socket_path

    def set_fault(self, fault: wire.Fault, *, is_on: bool) -> wire.Report:
        """Switch a fault on or off."""
        return self._ask(wire.SetFault(fault, is_on))

    def report(self) -> wire.Report:
        """Return how the simulator is."""
        return self._ask(wire.AskReport())

    def halt(self) -> None:
        """Zero the wheels now; motion needs a neutral setpoint first."""
        self._ask(wire.Halt(), wire.AskReport())

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def __enter__(self) -> "SimControl":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, *messages: Struct) -> wire.Report:
        try:
            self._link.sendall(b"".join(map(wire.pack, messages)))
            while data := self._link.recv(65536):
                for body in self._reader.feed(data):
                    answer = wire.decode_from_sim(body)
                    if isinstance(answer, wire.Report):
                        return answer
        except (OSError, RemoteProtocolError) as exc:
            raise unreachable(self._path) from exc
        raise unreachable(self._path)


def unreachable(path: Path | str) -> DriverError:
    """Return the error for a simulator that is not there."""
    text = f"No simulator answers at {path}."
    fix = f"Start one: farhand sim run --socket {path}"
    return DriverError(Code.SIM_UNREACHABLE, f"{text} {fix}", retryable=True)


def receive_descriptor(link: socket.socket) -> tuple[bytes, list[int]]:
    """Receive bytes and the file descriptors that came with them, without waiting.

    Raises :class:`OSError`.
    """
    data, descriptors, _, _ = socket.recv_fds(link, 65536, 1)
    return data, list(descriptors)
