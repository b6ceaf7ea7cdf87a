"""The log of all programs: lines for people on a terminal, else one JSON object a line."""

import contextlib
import logging
import queue
import sys
from collections.abc import Iterator
from logging.handlers import QueueHandler, QueueListener
from typing import TextIO

import structlog

WAITING = 256
"""Lines that wait for a reader; what comes after them is lost."""


@contextlib.contextmanager
def logging_to(stream: TextIO | None = None) -> Iterator[None]:
    """Write structlog's lines, and warnings of libraries, to ``stream`` until the block ends.

    A thread of its own writes them: a terminal or pipe that nobody reads holds up neither a gate
    nor an agent.

    Args:
        stream: Where to; standard error.

    """
    stream = stream or sys.stderr
    lines: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
    handler = QueueHandler(lines)
    handler.setFormatter(_render(is_terminal=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("farhand").setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full queue is no reason to write to the same blocked pipe
    listener = QueueListener(lines, logging.StreamHandler(stream))
    listener.start()
    try:
        yield
    finally:
        with contextlib.suppress(queue.Full):  # nobody reads: there is nobody to say goodbye to
            listener.stop()


def _render(*, is_terminal: bool) -> logging.Formatter:
    common: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        foreign_pre_chain=common,
    )
