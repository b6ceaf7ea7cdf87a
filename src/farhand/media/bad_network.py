"""A bad network on purpose: how bad, in a small file that several programs read.

Only `farhand demo` and tests use it: a program without :data:`FILE_VARIABLE` in its environment
delays and drops nothing.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from farhand.errors import Code, ConfigError

FILE_VARIABLE = "FARHAND_BAD_NETWORK_FILE"
"""Environment variable: the file, which the demo owns."""
MAX_DELAY_MS = 2000
MAX_LOSS_PERCENT = 50.0
LOOK_S = 0.1
_SPEC = re.compile(r"(\d{1,6})ms(?:,(\d{1,3}(?:\.\d{1,2})?)%)?")


class BadNetwork(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How bad the network is, in each direction."""

    delay_ms: Annotated[int, Meta(ge=0, le=MAX_DELAY_MS)] = 0
    """Added to each packet's way."""
    loss_percent: Annotated[float, Meta(ge=0, le=MAX_LOSS_PERCENT)] = 0.0
    """Part of the packets that never arrive; what TCP loses arrives later instead."""

    @property
    def is_good(self) -> bool:
        """Whether nothing is delayed or dropped."""
        return not self.delay_ms and not self.loss_percent

    def __str__(self) -> str:
        """Return it as :func:`parse` takes it."""
        return f"{self.delay_ms}ms,{self.loss_percent:g}%"


GOOD = BadNetwork()


def parse(text: str) -> BadNetwork:
    """Return what ``100ms,5%`` means: delay one way, loss.

    Raises:
        ConfigError: FH-1001, it is nothing like that, or out of range.

    """
    found = _SPEC.fullmatch(text.replace(" ", ""))
    delay_ms, loss = (int(found[1]), float(found[2] or 0)) if found else (-1, 0.0)
    if not 0 <= delay_ms <= MAX_DELAY_MS or loss > MAX_LOSS_PERCENT:
        raise ConfigError(
            Code.CONFIG_INVALID,
            f"bad-network: {text!r} is not delay and loss.",
            f"Write 100ms,5%: 0-{MAX_DELAY_MS} ms one way, 0-{MAX_LOSS_PERCENT:.0f} % loss.",
        )
    return BadNetwork(delay_ms, loss)


def read(file: Path) -> BadNetwork:
    """Return what the file says; a good network where it says nothing of use."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=BadNetwork)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return GOOD


def write(file: Path, value: Struct) -> None:
    """Make the file say ``value``, all of it at once. Raises :class:`OSError`."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_bytes(msgspec.json.encode(value))
    new.replace(file)


async def follow(file: Path, tell: Callable[[BadNetwork], None]) -> None:
    """Tell what the file says, now and whenever that changes, until cancelled."""
    told: BadNetwork | None = None
    stamp: tuple[int, int] | None = None
    while True:
        newest = _stamp(file)
        if newest != stamp:
            stamp, value = newest, read(file)
            if value != told:
                told = value
                tell(value)
        await asyncio.sleep(LOOK_S)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)


class Counts(Struct, frozen=True, rename="camel"):
    """What became of the datagrams of one program."""

    sent: int = 0
    received: int = 0
    dropped: int = 0


def counts_file(file: Path, name: str) -> Path:
    """Return where the program ``name`` keeps its counts."""
    return file.with_name(f"{file.name}.counts-{name}")


def all_counts(file: Path) -> Counts:
    """Return the counts of all programs together."""
    sent = received = dropped = 0
    for one in file.parent.glob(f"{file.name}.counts-*"):
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeError):
            counts = msgspec.json.decode(one.read_bytes(), type=Counts)
            sent, received = sent + counts.sent, received + counts.received
            dropped += counts.dropped
    return Counts(sent, received, dropped)
