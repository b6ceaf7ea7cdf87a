"""`farhand audit`: who did what to which robot."""

import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer

from farhand.cli.api_client import PAGE, path
from farhand.cli.remote import Limit, Remote, noun, verb
from farhand.cli.terminal import Row, at
from farhand.errors import Code, ConfigError, FarhandError

app = noun("The audit trail: who did what to which robot.")

Robot = Annotated[str | None, typer.Option(help="Only what was done to this robot.")]
Action = Annotated[str | None, typer.Option(help="Only actions that begin so: robot.")]
After = Annotated[int, typer.Option(min=0, help="Only entries behind this number.")]


def _actor(row: Row) -> object:
    return row.get("actorName") or row.get("actor")


COLUMNS = (
    ("NO", "seq"),
    ("TIME", at("atMs")),
    ("WHO", _actor),
    ("ACTION", "action"),
    ("RESULT", "result"),
    ("ROBOT", "robotId"),
    ("TARGET", "target"),
    ("ADDRESS", "address"),
)


@verb(app, "ls")
def ls(
    remote: Remote,
    *,
    after: After = 0,
    robot: Robot = None,
    action: Action = None,
    limit: Limit = 200,
) -> None:
    """List entries.

    Example: farhand audit ls --robot jetson-07 --action lease.
    """
    query = {"after": after or None, "robot": robot, "action": action}
    remote.listing(path("audit"), "entries", COLUMNS, limit, **query)


@verb(app, "export")
def export(
    remote: Remote,
    file: Annotated[Path | None, typer.Argument(help="Where to; else standard output.")] = None,
    *,
    after: After = 0,
    robot: Robot = None,
    action: Action = None,
) -> None:
    """Write entries as they are, one JSON object a line, oldest first.

    Example: farhand audit export trail.ndjson --after 12000
    """
    query = {"robot": robot, "action": action}
    if file is None:
        _export(remote, sys.stdout.buffer, after, query)
        return
    try:
        with file.open("xb") as out:
            count = _export(remote, out, after, query)
    except OSError as exc:
        text = f"{file} cannot be written: {exc.strerror}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Name a file that is not there yet.") from exc
    print(f"{count} entries in {file}", file=sys.stderr)


def _export(remote: Remote, out: BinaryIO, after: int, query: dict[str, Any]) -> int:
    count = 0
    while True:
        last = after
        asked = {**query, "after": after or None, "limit": PAGE, "format": "ndjson"}
        for line in remote.api.lines(path("audit"), **asked):
            after = max(after, _number(line))
            out.write(line + b"\n")
            count += 1
        if after == last:  # nothing new: that was the end
            out.flush()
            return count


def _number(line: bytes) -> int:
    try:
        return int(msgspec.json.decode(line, type=dict[str, Any])["seq"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as exc:
        text = "The server sent a line that is no entry of the trail."
        raise FarhandError(Code.INTERNAL, text) from exc
