"""What waits to be written to one peer: four classes, each with a bound of its own.

safety     never dropped; what is not out within 1 s means that the peer must be cut
signaling  in order, never dropped; 256 messages or 1 MiB waiting means that the peer must be cut
state      the newest value of each key wins
log        the oldest is dropped

Knows no sockets: who owns it writes what :meth:`Outbox.pop` gives whenever the socket takes it.
"""

from collections import deque
from enum import IntEnum

from farhand.protocol import messages as m

SAFETY_WAIT_S = 1.0
MAX_SIGNALING = 256
MAX_STATE = 256
MAX_LOG = 64
MAX_BYTES = 1024 * 1024
"""Per peer and over all classes; NATS allows 64 MiB, but our messages are small."""


class Traffic(IntEnum):
    """Class of a message; the lower one leaves first."""

    SAFETY = 0
    SIGNALING = 1
    STATE = 2
    LOG = 3


_SAFETY = (m.Stop, m.StopAck, m.StopReset, m.StopResetAck, m.LeaseRevoke)
# Each makes the one before it worthless: the gate takes only rising numbers, screens new stamps.
_STATE = (m.Status, m.Config, m.Control, m.ControlVerdict, m.GateBeat, m.GateAnswer)
_PRESENCE = frozenset({"joined", "left", "robot-online", "robot-offline"})


def classify(message: m.ServerMessage) -> tuple[Traffic, str]:
    """Return the class of ``message`` and, for state, the key under which the newest wins."""
    if isinstance(message, _SAFETY):
        return Traffic.SAFETY, ""
    if isinstance(message, _STATE):
        return Traffic.STATE, f"{type(message).__name__} {message.from_}"
    if isinstance(message, m.Ping):
        return Traffic.STATE, "Ping"  # one that waited 10 s says nothing that the next does not say
    if isinstance(message, m.Event) and message.kind not in _PRESENCE:
        return Traffic.LOG, ""
    if isinstance(message, m.System | m.Error):
        return Traffic.LOG, ""
    return Traffic.SIGNALING, ""


class Outbox:
    """Bounded send queue of one peer, of encoded messages."""

    __slots__ = (
        "_log",
        "_safety",
        "_signaling",
        "_state",
        "bytes_waiting",
        "dropped_log",
        "dropped_state",
    )

    def __init__(self) -> None:
        self.bytes_waiting = 0
        self.dropped_state = 0
        """Messages of this class that were never sent."""
        self.dropped_log = 0
        """The same."""
        self._safety: deque[tuple[float, bytes]] = deque()
        self._signaling: deque[bytes] = deque()
        self._state: dict[str, bytes] = {}
        self._log: deque[bytes] = deque()

    @property
    def dropped(self) -> int:
        """Messages that were never sent."""
        return self.dropped_state + self.dropped_log

    def __len__(self) -> int:
        return len(self._safety) + len(self._signaling) + len(self._state) + len(self._log)

    def put(self, data: bytes, traffic: Traffic, key: str, now: float) -> bool:
        """Queue one encoded message. ``False``: the peer must be cut."""
        if traffic is Traffic.STATE:
            self._put_state(key, data)
        elif traffic is Traffic.LOG:
            self._put_log(data)
        elif not self._make_room(len(data)):
            return False
        elif traffic is Traffic.SAFETY:
            self.bytes_waiting += len(data)
            self._safety.append((now, data))
        else:
            self.bytes_waiting += len(data)
            self._signaling.append(data)
        return not self.is_overdue(now) and len(self._signaling) <= MAX_SIGNALING

    def pop(self) -> bytes | None:
        """Take the next message to write, or ``None``."""
        if self._safety:
            data = self._safety.popleft()[1]
        elif self._signaling:
            data = self._signaling.popleft()
        elif self._state:
            data = self._state.pop(next(iter(self._state)))
        elif self._log:
            data = self._log.popleft()
        else:
            return None
        self.bytes_waiting -= len(data)
        return data

    def is_overdue(self, now: float) -> bool:
        """Say whether a safety message has waited too long: the peer must be cut."""
        return bool(self._safety) and now - self._safety[0][0] >= SAFETY_WAIT_S

    def _put_state(self, key: str, data: bytes) -> None:
        old = self._state.get(key)
        if old is not None:
            # The newer value keeps the place of the older: a fast sender cannot starve the others.
            self.dropped_state += 1
            self.bytes_waiting -= len(old)
        elif len(self._state) >= MAX_STATE:
            self._drop_state()
        self._state[key] = data
        self.bytes_waiting += len(data)
        while self.bytes_waiting > MAX_BYTES and self._state:
            self._drop_state()

    def _put_log(self, data: bytes) -> None:
        if self.bytes_waiting + len(data) > MAX_BYTES:
            self.dropped_log += 1
            return
        if len(self._log) >= MAX_LOG:
            self._drop_log()
        self._log.append(data)
        self.bytes_waiting += len(data)

    def _make_room(self, size: int) -> bool:
        while self.bytes_waiting + size > MAX_BYTES:
            if self._log:
                self._drop_log()
            elif self._state:
                self._drop_state()
            else:
                return False
        return True

    def _drop_log(self) -> None:
        self.dropped_log += 1
        self.bytes_waiting -= len(self._log.popleft())

    def _drop_state(self) -> None:
        self.dropped_state += 1
        self.bytes_waiting -= len(self._state.pop(next(iter(self._state))))
