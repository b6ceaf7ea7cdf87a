"""What a person reads: tables, records, times, QR codes; no foreign text moves the terminal."""

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import segno
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]
Cell = str | Callable[[Row], object]
Columns = Sequence[tuple[str, Cell]]
"""Titles, each with the member of a row or what makes the cell of it."""
NOTHING = "—"
_UNBOUND = 10_000
"""Columns of a pipe: nothing is cut off where a program reads."""


def plain(value: object) -> str:
    """Return ``value`` as text that moves no cursor and turns no direction.

    What comes from the network may hold escape sequences, line breaks and marks that reverse what
    stands beside them: all that is not printable is written as its escape.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cell(value: object) -> str:
    """Return a JSON value as people read it."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
        return plain(", ".join(map(str, value)))
    if isinstance(value, dict | list | tuple):
        return plain(json.dumps(value, ensure_ascii=False))
    return plain(value)


def moment(ms: object) -> str:
    """Return milliseconds since 1970 as local time."""
    if not isinstance(ms, int | float) or isinstance(ms, bool) or not ms:
        return NOTHING
    try:
        return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return plain(ms)


def at(name: str) -> Callable[[Row], str]:
    """Return what makes a cell of the time in member ``name``."""
    return lambda row: moment(row.get(name))


def console() -> Console:
    """Return where tables are written: standard output, as it is now."""
    width = None if sys.stdout.isatty() else _UNBOUND
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)


def table(rows: Iterable[Row], columns: Columns) -> None:
    """Print one line for each row."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title, _ in columns:
        found.add_column(title)
    for row in rows:
        found.add_row(*(Text(_cell(row, make)) for _, make in columns))
    _print(found)


def _print(found: Table) -> None:
    out = console()
    if out.is_terminal:
        out.print(found)
        return
    # One long value would fill every line with blanks up to its end.
    with out.capture() as capture:
        out.print(found)
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _cell(row: Row, make: Cell) -> str:
    return cell(row.get(make)) if isinstance(make, str) else cell(make(row))


def record(row: Row) -> None:
    """Print one record, a line for each member."""
    found = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, value in row.items():
        shown = moment(value) if name.endswith("Ms") else cell(value)
        found.add_row(Text(plain(name), style="bold"), Text(shown))
    _print(found)


def as_json(value: object) -> None:
    """Print what the server said; in ASCII, so that no terminal obeys it."""
    print(json.dumps(value, indent=2 if sys.stdout.isatty() else None))


def say(text: str) -> None:
    """Print a line in which texts from the network stand."""
    print(plain(text))


def qr(text: str) -> str:
    """Return ``text`` as a QR code of half blocks, whatever the terminal's colours."""
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()
