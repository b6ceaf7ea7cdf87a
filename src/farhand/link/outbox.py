"""What waits to be written to the server's socket: bounded, safety first, newest status only."""

from collections import deque

from farhand.protocol import codec
from farhand.protocol import messages as m

MAX_WAITING = 512
"""More than a second of all an agent says; whoever has that much waiting is not read."""

_URGENT = (m.Stop, m.StopAck, m.GateBeat, m.GateAnswer, m.Control, m.ControlVerdict, m.Pong)


class LinkOutbox:
    """Encoded messages as they leave: safety, control, signaling, the newest status."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._urgent: deque[bytes] = deque()
        self._ordered: deque[bytes] = deque()
        self._status: bytes | None = None

    def put(self, message: m.ClientMessage) -> bool:
        """Queue ``message``. ``False``: its queue is full, and the peer is to be taken for dead."""
        data = codec.encode(message)
        if isinstance(message, m.Status):
            self._status = data
            return True
        queue = self._urgent if isinstance(message, _URGENT) else self._ordered
        if len(queue) >= self._max_waiting:
            return False
        queue.append(data)
        return True

    def pop(self) -> bytes | None:
        """Take the next message to write, or ``None``."""
        if self._urgent:
            return self._urgent.popleft()
        if self._ordered:
            return self._ordered.popleft()
        data, self._status = self._status, None
        return data

    def clear(self) -> None:
        """Forget everything: what was said to a dead connection is said anew by its owner."""
        self._urgent.clear()
        self._ordered.clear()
        self._status = None
