"""Files that hold records: private, durable, copied while they are in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def make_private(path: Path) -> None:
    """Make ``path`` an empty file that only its owner reads, if it is not there; and its folder.

    A folder that is there is left as it is: it may be shared.

    Raises:
        OSError: It cannot be made.

    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(file, 0o600)
    finally:
        os.close(file)
    if is_new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created or renamed in ``folder`` survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database that may be in use to a new file; what is copied is one moment.

    Blocks. A file that is at ``target`` is replaced, as a whole and at the end.

    Raises:
        OSError: A file cannot be written.
        sqlite3.Error: ``source`` is no database, or the disk is full.

    """
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    make_private(part)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            old.backup(new)  # in one step: with several, each write in between begins it anew
            new.execute("PRAGMA journal_mode=DELETE")  # one file, complete by itself
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)
