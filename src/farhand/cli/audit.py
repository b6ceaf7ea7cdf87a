"""`farhand audit`: who did what to which robot."""

import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer

from farhand.cli import terminal
from farhand.cli.api_client import PAGE, path
from farhand.cli.remote import Limit, Remote, noun, verb
from farhand.cli.terminal import Row, at
from farhand.errors import Code, ConfigError, FarhandError, StoreError

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
    """List the last entries, or with --after those behind a number; oldest first.

    Example: farhand audit ls --robot jetson-07 --action lease.
    """
    query = {"after": after or None, "robot": robot, "action": action}
    query["newest"] = (not after and limit <= PAGE) or None
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


@verb(app, "verify")
def verify(
    remote: Remote,
    *,
    state: Annotated[
        Path | None,
        typer.Option(help="Read the records in this state folder instead of asking the server."),
    ] = None,
) -> None:
    """Check that no entry was changed, removed or put in between; exit code 1 if one was.

    Example: farhand audit verify --state /var/lib/farhand
    """
    if state is None:
        found = remote.api.get(path("audit", "verify"))
    else:
        from farhand.cli.db import verified  # noqa: PLC0415 - the database is slow to load

        trail = verified(state)
        found = {"ok": trail.is_whole, "entries": trail.entries, "brokenAt": trail.broken_at}
    if found.get("ok") is True:
        remote.done(found, f"{found.get('entries')} entries are what they were")
        return
    if remote.is_json:
        remote.done(found, "")
    text = f"Entry {terminal.cell(found.get('brokenAt'))} of the audit trail is not what it was."
    raise StoreError(Code.AUDIT_BROKEN, text, retryable=False)


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
