"""Moments on the command line: so long ago, or a date."""

import time
from datetime import datetime
from typing import Annotated

import typer

from farhand.cli.remote import duration


def moment_ms(text: str) -> int:
    """Return milliseconds since 1970 of ``2h`` (ago) or ``2026-11-21T09:00`` (local time)."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        pass
    try:
        return int((time.time() - duration(text)) * 1000)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{text!r} is no time: write 2h (ago) or 2026-11-21T09:00"
        ) from None


From = Annotated[
    int | None,
    typer.Option(
        "--from",
        parser=moment_ms,
        metavar="TIME",
        help="Only since then: 2h (ago) or 2026-11-21T09:00.",
    ),
]
To = Annotated[
    int | None,
    typer.Option(parser=moment_ms, metavar="TIME", help="Only until then."),
]
