"""What holds the robot still until somebody clears it on purpose.

``start``: the gate has just started.  ``stop``: a person pressed STOP, or the driver failed; this
one is kept in a file and survives every restart.  A reset names the number of the latch it clears,
so it can never clear one that came later.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from farhand.errors import Code

Kind = Literal["start", "stop"]
MAX_BY = 100
MAX_STOP_ID = 2**32 - 1


class LatchRecord(Struct, frozen=True, rename="camel"):
    """What the latch file holds."""

    stop_id: int
    """Number of the newest latch, so that numbers are not used twice."""
    is_stopped: bool
    by: str = ""


def read_record(data: bytes | None, spare_id: int) -> LatchRecord:
    """Return what the file held; anything that cannot be read is a latch.

    Args:
        data: The file's content, ``None`` if there is no file yet.
        spare_id: Number of the latch if the file is unreadable; larger than any used before.

    """
    if data is None:
        return LatchRecord(0, is_stopped=False)
    try:
        record = msgspec.json.decode(data, type=LatchRecord)
    except msgspec.DecodeError:
        return LatchRecord(spare_id, is_stopped=True, by="unreadable latch file")
    if not 0 <= record.stop_id <= MAX_STOP_ID:
        return LatchRecord(spare_id, is_stopped=True, by="unreadable latch file")
    return record


def pack_record(record: LatchRecord) -> bytes:
    """Return the file's content."""
    return msgspec.json.encode(record) + b"\n"


class Latch:
    """The latch of one gate.

    Args:
        record: What the file said at start.

    """

    def __init__(self, record: LatchRecord) -> None:
        self.kind: Kind | None = "stop" if record.is_stopped else "start"
        self.stop_id = record.stop_id
        self.by = record.by
        self.is_saved = record.is_stopped
        """Whether the file says so too. If not: save :attr:`record`, then :meth:`mark_saved`."""
        if not record.is_stopped:
            self._number()

    @property
    def record(self) -> LatchRecord:
        """What the file must hold now."""
        return LatchRecord(self.stop_id, self.kind == "stop", self.by)

    @property
    def cleared_record(self) -> LatchRecord:
        """What the file must hold before the latch is cleared."""
        return LatchRecord(self.stop_id, is_stopped=False)

    def mark_saved(self, record: LatchRecord) -> None:
        """Note that ``record`` is in the file, for good."""
        self.is_saved = record == self.record

    def press(self, by: str) -> None:
        """Latch ``stop``; while it is latched, further presses change nothing."""
        if self.kind != "stop":
            self.kind, self.by = "stop", by[:MAX_BY]
            self._number()

    def open_start(self) -> None:
        """Clear a ``start`` latch; a ``stop`` stays."""
        if self.kind == "start":
            self.kind = None

    def why_not(self, stop_id: int) -> Code | None:
        """Say why a reset that names ``stop_id`` clears nothing; ``None``: it does."""
        if self.kind is None:
            return Code.NOTHING_TO_RESET
        return None if stop_id == self.stop_id else Code.WRONG_STOP_ID

    def clear(self) -> None:
        """Clear the latch; the file already says so."""
        self.kind, self.by, self.is_saved = None, "", True

    def _number(self) -> None:
        self.stop_id = self.stop_id % MAX_STOP_ID + 1
        self.is_saved = False
