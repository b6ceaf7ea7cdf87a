"""The epoch on disk: never issued twice, whatever dies when."""

import os
from pathlib import Path

from farhand.errors import Code, ConfigError
from farhand.protocol.ids import Epoch

MAX_EPOCH = 2**32 - 1
"""What a control frame can carry."""


class EpochFile:
    """Stores the highest epoch that may have been issued.

    Args:
        folder: The agent's state folder; made when it is not there.

    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "epoch"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.newest = Epoch(int(self._path.read_text()) if self._path.exists() else 0)
            if not 0 <= self.newest < MAX_EPOCH:
                raise ValueError(self.newest)
        except ValueError as exc:
            # Guessing here could give two people the same epoch.
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"{self._path} holds no epoch.",
                "Restore it, or write a number above any epoch used.",
            ) from exc
        except OSError as exc:
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"state: {folder}: {exc.strerror}.",
                "Name a folder of your own.",
            ) from exc

    def store(self, epoch: Epoch) -> None:
        """Return when ``epoch`` survives a power cut.

        It blocks the event loop for one fsync: at a grant nobody drives, and STOP waits no
        longer than the disk.

        Raises:
            OSError: The disk is full or gone; the epoch must not be used.

        """
        scratch = self._path.with_suffix(".new")
        with scratch.open("w") as file:
            file.write(str(epoch))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.newest = epoch
