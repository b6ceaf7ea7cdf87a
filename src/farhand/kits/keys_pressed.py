"""Single keys of a terminal, without waiting for a line."""

import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator

Read = Callable[[float], str]
"""Return the key pressed within so many seconds; empty: none."""


@contextlib.contextmanager
def keys_pressed() -> Iterator[Read]:
    """Hand out what reads keys; where no terminal is, none are ever pressed.

    Ctrl-C still interrupts.
    """
    try:
        import termios  # noqa: PLC0415 - not on Windows
        import tty  # noqa: PLC0415 - the same

        fd = sys.stdin.fileno()
        before = termios.tcgetattr(fd)
    except (ImportError, OSError, ValueError, termios.error):
        yield _nothing
        return
    tty.setcbreak(fd)
    try:
        yield lambda seconds: _read(fd, seconds)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _read(fd: int, seconds: float) -> str:
    ready, _, _ = select.select([fd], [], [], seconds)
    return os.read(fd, 1).decode("ascii", "replace") if ready else ""


def _nothing(seconds: float) -> str:
    select.select([], [], [], seconds)
    return ""
