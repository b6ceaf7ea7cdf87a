"""One process of a kind for each state folder: one gate, one agent, one server."""

import fcntl
import os
from pathlib import Path

from farhand.errors import Code, ConfigError


def lock_folder(folder: Path, program: str) -> int:
    """Lock ``folder`` for ``program`` until this process ends; return the open file.

    Raises:
        ConfigError: FH-1004 another one has it, FH-1001 it cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / f"{program}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise ConfigError(
            Code.CONFIG_INVALID, f"state: {folder} cannot be used: {exc}.", "Choose another folder."
        ) from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(file)
        raise ConfigError(
            Code.STATE_IN_USE,
            f"state: another {program} runs in {folder}.",
            "Two must not share a driver, an epoch or records: end the other one first.",
        ) from exc
    return file
