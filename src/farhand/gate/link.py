"""The gate's end of the local socket: one agent at a time, of the same user, never waited for."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from farhand.errors import Code, ConfigError
from farhand.protocol.gate_link import (
    FromGate,
    LinkReader,
    ToGate,
    decode_to_gate,
    pack_link,
)

READ_BYTES = 65536
MAX_WAITING = 64 * 1024
"""Bytes that may wait for an agent that does not read; then all but acknowledgements is dropped."""
MAX_UNREAD = 256 * 1024
"""Bytes at which such an agent is cut off."""


class AgentLink:
    """The connection to the agent.

    Args:
        connection: An accepted socket.

    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.dropped = 0
        self._reader = LinkReader()
        self._out = bytearray()

    @property
    def has_output(self) -> bool:
        """Whether bytes wait for the agent to read."""
        return bool(self._out)

    def receive(self) -> Iterator[ToGate]:
        """Yield what the agent has sent by now.

        Raises:
            ConnectionError: The agent is gone.
            RemoteProtocolError: It sends nonsense.

        """
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError("end of stream")
        for body in self._reader.feed(data):
            yield decode_to_gate(body)

    def send(self, message: FromGate, *, must: bool = False) -> None:
        """Send at once what the socket takes; the rest waits, or is dropped if it need not arrive.

        Raises:
            ConnectionError: The agent is gone, or reads nothing.

        """
        if len(self._out) > MAX_WAITING and not must:
            self.dropped += 1
            return
        if len(self._out) > MAX_UNREAD:
            raise ConnectionAbortedError("it does not read")
        data = pack_link(message)
        if self._out:
            self._out += data
            return
        sent = self._write(data)
        if sent < len(data):
            self._out += data[sent:]

    def flush(self) -> None:
        """Send what waits, as far as the socket takes it.

        Raises:
            ConnectionError: The agent is gone.

        """
        del self._out[: self._write(self._out)]

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0


def listen(path: Path) -> socket.socket:
    """Return the listening socket at ``path``, for this user alone.

    Whoever calls holds the state folder's lock: a socket file that is there is left over.

    Raises:
        ConfigError: It cannot be made.

    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as exc:
        listener.close()
        raise ConfigError(
            Code.CONFIG_INVALID,
            f"socket: {path} cannot be opened: {exc}.",
            "Choose a shorter path in a folder that you may write to.",
        ) from exc
    finally:
        os.umask(mask)
    listener.listen(4)
    return listener


def is_same_user(connection: socket.socket) -> bool:
    """Say whether the other end runs as our own user."""
    size = struct.calcsize("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return bool(struct.unpack("3i", raw)[1] == os.getuid())
