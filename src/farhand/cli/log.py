"""The log of all programs: lines for people on a terminal, else one JSON object a line."""

import contextlib
import logging
import queue
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from logging.handlers import QueueHandler, QueueListener
from typing import Annotated, TextIO

import structlog
import typer

from farhand.cli.masking import masked
from farhand.errors import Code, ConfigError

WAITING = 256
"""Lines that wait for a reader; what comes after them is lost."""
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_DEFAULTS = {"": logging.WARNING, "farhand": logging.INFO}
"""Libraries tell us of trouble only."""
_LOGGER = re.compile(r"[A-Za-z_][\w.]*")

LogLevel = Annotated[
    list[str] | None,
    typer.Option(
        "--log-level",
        metavar="[LOGGER=]LEVEL",
        help="debug, info, warning or error; of one logger: farhand.server=debug. Repeatable.",
    ),
]


def levels_of(options: Sequence[str] | None) -> dict[str, int]:
    """Return the level of each logger that ``--log-level`` names; without a name: `farhand`.

    Raises:
        ConfigError: FH-1001.

    """
    levels: dict[str, int] = {}
    for option in options or ():
        name, _, level = option.rpartition("=")
        if level.lower() not in LEVELS or not _LOGGER.fullmatch(name or "farhand"):
            text = f"log-level: {option!r} is no level."
            fix = f"Write {', '.join(LEVELS)}, or LOGGER=LEVEL such as farhand.server=debug."
            raise ConfigError(Code.CONFIG_INVALID, text, fix)
        levels[name or "farhand"] = LEVELS[level.lower()]
    return levels


@contextlib.contextmanager
def logging_to(
    stream: TextIO | None = None, levels: Mapping[str, int] | None = None
) -> Iterator[None]:
    """Write structlog's lines, and warnings of libraries, to ``stream`` until the block ends.

    A thread of its own writes them: a terminal or pipe that nobody reads holds up neither a gate
    nor an agent. Secrets are masked.

    Args:
        stream: Where to; standard error.
        levels: By name of a logger, as :func:`levels_of` returns; others: warnings of libraries,
            `info` of ours.

    """
    stream = stream or sys.stderr
    lines: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
    handler = QueueHandler(lines)
    handler.setFormatter(_render(is_terminal=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    before = {name: logging.getLogger(name).level for name in levels or {}}
    for name, level in {**_DEFAULTS, **(levels or {})}.items():
        logging.getLogger(name).setLevel(level)
    logging.raiseExceptions = False  # a full queue is no reason to write to the same blocked pipe
    listener = QueueListener(lines, logging.StreamHandler(stream))
    listener.start()
    try:
        yield
    finally:
        with contextlib.suppress(queue.Full):  # nobody reads: there is nobody to say goodbye to
            listener.stop()
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


class _Masking(structlog.stdlib.ProcessorFormatter):
    """Renders a line, then takes secrets out of the whole of it, traceback and all."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line to write."""
        return masked(super().format(record))


def _render(*, is_terminal: bool) -> logging.Formatter:
    common: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        # Not rich's tracebacks: they print the values of all variables.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        # The level is that of the standard library's logger: one place for ours and theirs.
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return _Masking(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        foreign_pre_chain=common,
    )
