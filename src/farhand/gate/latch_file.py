"""The one small file that the gate writes: its stop latch, which survives everything."""

import os
from pathlib import Path

from farhand.core.gate_latch import LatchRecord, pack_record
from farhand.errors import Code, StoreError

NAME = "stop-latch.json"


class LatchFile:
    """The latch in a folder. Writing is atomic: the old content or the new one, never half.

    Args:
        folder: The gate's state folder.

    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def read(self) -> bytes | None:
        """Return the content; ``None``: there is no file; empty: it cannot be read."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            return b""

    def write(self, record: LatchRecord) -> None:
        """Replace the content and return when it is on disk.

        Raises:
            StoreError: It is not.

        """
        new = self.path.with_suffix(".new")
        try:
            with new.open("wb", buffering=0) as file:
                file.write(pack_record(record))
                os.fsync(file.fileno())
            new.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # the rename itself must survive a power cut, too
            finally:
                os.close(folder)
        except OSError as exc:
            raise StoreError(
                Code.LATCH_NOT_SAVED, f"The stop latch cannot be written: {exc}."
            ) from exc
