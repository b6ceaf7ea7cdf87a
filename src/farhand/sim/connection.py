"""One client, as the simulator's loop sees it: bytes in, bounded bytes out, never waiting."""

import contextlib
import socket
from dataclasses import dataclass, field

from msgspec import Struct

from farhand.errors import RemoteProtocolError
from farhand.sim import wire

OUT_LIMIT = 64 * 1024
"""What a client that does not read may have waiting before it is cut."""


@dataclass(slots=True)
class Connection:
    """A client and what it asked for."""

    link: socket.socket
    reader: wire.LinkReader = field(default_factory=wire.LinkReader)
    is_driver: bool = False
    is_observer: bool = False
    lost: int = 0
    """Observations left out since the last one sent."""
    camera: str | None = None
    fps: float = 0.0
    state_every_us: int = 0
    state_due_us: int = 0
    is_closed: bool = False
    _waiting: bytearray = field(default_factory=bytearray)

    def receive(self) -> list[wire.ToSim] | None:
        """Return what arrived; ``None``: the client is gone or talks nonsense."""
        try:
            data = self.link.recv(65536)
            if not data:
                return None
            return [wire.decode_to_sim(body) for body in self.reader.feed(data)]
        except BlockingIOError:
            return []
        except (OSError, RemoteProtocolError):
            return None

    def offer(self, message: Struct) -> bool:
        """Send ``message`` unless an earlier one still waits: for streams."""
        self._flush()
        if self._waiting or self.is_closed:
            return False
        self._write(wire.pack(message))
        return True

    def reply(self, message: Struct) -> None:
        """Send ``message`` in any case; who lets 64 KB wait is cut."""
        self._flush()
        self._write(wire.pack(message))
        if len(self._waiting) > OUT_LIMIT:
            self.is_closed = True
            with contextlib.suppress(OSError):
                self.link.shutdown(socket.SHUT_RDWR)  # the loop then reads its end

    def hand_over(self, message: Struct, descriptor: int) -> None:
        """Send ``message`` with a file descriptor."""
        try:
            socket.send_fds(self.link, [wire.pack(message)], [descriptor])
        except OSError:
            self.is_closed = True

    def _flush(self) -> None:
        if self._waiting:
            data, self._waiting = bytes(self._waiting), bytearray()
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._waiting:
            self._waiting += data
            return
        try:
            sent = self.link.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.is_closed = True
            return
        self._waiting += data[sent:]
