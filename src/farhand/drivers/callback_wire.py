"""What the driver ``callbacks`` and the robot's own program say to each other.

Msgpack arrays, each behind its length (u32, big-endian), over a Unix socket on which the robot's
program listens.  A connection becomes what it asks for: the agent asks once what moves, the gate
attaches and feeds.  Times are integer microseconds of this machine's monotonic clock.
"""

import math
import os
import select
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol.control import MAX_AXES
from farhand.protocol.gate_link import MAX_LINK_MESSAGE, LinkReader
from farhand.protocol.ids import is_valid_id
from farhand.protocol.manifest import StopBehavior

VERSION = 1
DEVICE_TIMEOUT_S = 0.1
"""After so long without a frame the robot's program is called with zero by its own runtime."""
MAX_AGE_US = 100_000
"""Older frames lay in the socket while somebody slept: they are no command any more."""
HANG_S = 0.1
"""A callback that has not returned after so long is a fault."""
MAX_FAULT = 200
WRITE_S = 0.015
"""Less than one tick of the gate: who does not read is an error, never a wait."""

Text = Annotated[str, Meta(max_length=64)]


class DeclaredAxis(Struct, frozen=True, array_like=True):
    """One axis as the robot's program declares it, in m or rad and seconds."""

    id: Text
    label: Text
    unit: Literal["m/s", "rad/s"]
    group: Text
    minimum: float
    maximum: float
    acceleration: float
    deceleration: float
    jerk: float
    position_minimum: float | None = None
    position_maximum: float | None = None


# --- to the robot's program ----------------------------------------------------------------------


class Ask(Struct, frozen=True, tag=1, array_like=True):
    """What moves? Answered with :class:`Declaration`."""


class Attach(Struct, frozen=True, tag=2, array_like=True):
    """Be the gate; a newer one takes over.

    Answered with :class:`Declaration`, or with :class:`Fault` while a callback hangs.
    """


class Setpoint(Struct, frozen=True, tag=3, array_like=True):
    """Setpoint number ``n``: one rate for each axis."""

    n: int
    sent_us: int
    axes: tuple[float, ...]


class Stop(Struct, frozen=True, tag=4, array_like=True):
    """Setpoint number ``n``: do what stop means."""

    n: int
    sent_us: int


class Halt(Struct, frozen=True, tag=5, array_like=True):
    """Stop by whatever means is left. From any connection."""


# --- from it -------------------------------------------------------------------------------------


class Declaration(Struct, frozen=True, tag=21, array_like=True):
    """What moves, and what stopping means."""

    version: int
    axes: tuple[DeclaredAxis, ...]
    stop_behavior: StopBehavior


class Took(Struct, frozen=True, tag=22, array_like=True):
    """The callback has returned from setpoint ``n``; where the axes are, as far as it is known."""

    n: int
    positions: tuple[float | None, ...] = ()


class Fault(Struct, frozen=True, tag=23, array_like=True):
    """A callback raised or hangs: the robot does not obey."""

    text: Annotated[str, Meta(max_length=MAX_FAULT)]


ToProgram = Ask | Attach | Setpoint | Stop | Halt
FromProgram = Declaration | Took | Fault

_UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
_encoder = msgspec.msgpack.Encoder()
_to_program: msgspec.msgpack.Decoder[ToProgram] = msgspec.msgpack.Decoder(ToProgram)
_from_program: msgspec.msgpack.Decoder[FromProgram] = msgspec.msgpack.Decoder(FromProgram)

__all__ = ["LinkReader"]


def pack(message: ToProgram | FromProgram) -> bytes:
    """Return ``message`` with its length in front."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def decode_to_program(body: bytes) -> ToProgram:
    """Decode what the agent or the gate sent.

    Raises:
        RemoteProtocolError: Not a message of ours.

    """
    try:
        return _to_program.decode(body)
    except _UNDECODABLE as exc:
        raise RemoteProtocolError(Code.MALFORMED, f"The driver's socket: {exc}.") from exc


def decode_from_program(body: bytes) -> FromProgram:
    """Decode what the robot's program sent.

    Raises:
        RemoteProtocolError: Not a message of ours, or a declaration without sense.

    """
    try:
        message = _from_program.decode(body)
        if isinstance(message, Declaration):
            check(message)
    except (*_UNDECODABLE, ValueError) as exc:
        raise RemoteProtocolError(Code.MALFORMED, f"The driver's socket: {exc}.") from exc
    return message


def check(declaration: Declaration) -> None:
    """Refuse what no gate could keep to.

    Raises:
        ValueError: With the axis and what is wrong with it.

    """
    if declaration.version != VERSION:
        raise ValueError(f"version {declaration.version} of the protocol, not {VERSION}")
    names = [axis.id for axis in declaration.axes]
    if not 1 <= len(names) <= MAX_AXES or len(set(names)) != len(names):
        raise ValueError(f"1 to {MAX_AXES} axes with ids of their own, not {names}")
    for axis in declaration.axes:
        _check_axis(axis)
    size = len(_encoder.encode(declaration))
    if size > MAX_LINK_MESSAGE:
        raise ValueError(f"{size} bytes, more than {MAX_LINK_MESSAGE}: choose shorter labels")


def _check_axis(axis: DeclaredAxis) -> None:
    if not is_valid_id(axis.id):
        raise ValueError(f"{axis.id!r} is no id: use A-Z a-z 0-9 . _ -")
    changes = (axis.acceleration, axis.deceleration, axis.jerk)
    where = [p for p in (axis.position_minimum, axis.position_maximum) if p is not None]
    if not all(map(math.isfinite, (axis.minimum, axis.maximum, *changes, *where))):
        raise ValueError(f"{axis.id}: all limits must be finite")
    if not axis.minimum <= 0 <= axis.maximum or min(changes) <= 0:
        raise ValueError(f"{axis.id}: zero must lie within the range, the others above zero")
    if where != sorted(where):
        raise ValueError(f"{axis.id}: the lowest position is above the highest")


def dial(path: Path | str, timeout_s: float) -> socket.socket:
    """Return a blocking connection to the robot's program.

    Raises:
        OSError: Nobody answers, or somebody of another user.

    """
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(timeout_s)
        link.connect(str(path))
        if not is_same_user(link):
            raise PermissionError("it belongs to another user")
    except OSError:
        link.close()
        raise
    return link


def is_same_user(connection: socket.socket) -> bool:
    """Say whether the other end runs as our own user."""
    size = struct.calcsize("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return bool(struct.unpack("3i", raw)[1] == os.getuid())


def write(link: socket.socket, data: bytes) -> None:
    """Send all of ``data``, or raise :class:`OSError` after 15 ms."""
    while data:
        try:
            data = data[link.send(data) :]
        except BlockingIOError:
            if not select.select([], [link], [], WRITE_S)[1]:
                raise TimeoutError("it does not read") from None


def are_finite(values: Sequence[float]) -> bool:
    """Say whether all of ``values`` are numbers that a motor can be told."""
    return all(map(math.isfinite, values))
