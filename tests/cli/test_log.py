"""One form for the log of every program."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from farhand.cli.log import WAITING, logging_to


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("farhand")
    before = root.handlers, root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers, level, our_level, logging.raiseExceptions = before
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.reset_defaults()


def test_a_file_gets_one_json_object_a_line_of_ours_and_of_libraries() -> None:
    stream = io.StringIO()
    with logging_to(stream):
        structlog.get_logger("farhand.agent").info("agent ended", robot="r1")
        structlog.get_logger("farhand.agent").debug("not this")
        logging.getLogger("aioice").warning("no %s", "address")
        logging.getLogger("aioice").info("nor this")
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["robot"], ours["level"]) == ("agent ended", "r1", "info")
    assert (theirs["event"], theirs["level"]) == ("no address", "warning")
    assert ours["timestamp"].endswith("Z")


def test_a_mishap_is_one_line_too() -> None:
    stream = io.StringIO()
    with logging_to(stream):
        try:
            raise ValueError("bad")
        except ValueError:
            structlog.get_logger("farhand.gate").exception("gate failed")
    [line] = stream.getvalue().splitlines()
    assert "ValueError: bad" in json.loads(line)["exception"]


def test_a_terminal_gets_text() -> None:
    stream = Terminal()
    with logging_to(stream):
        structlog.get_logger("farhand.server").info("listening", port=8080)
    assert "listening" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_who_logs_is_not_held_up_by_a_pipe_that_nobody_reads() -> None:
    code = (
        "import os, structlog\n"
        "from farhand.cli.log import logging_to\n"
        "with logging_to():\n"
        f"    for _ in range({4 * WAITING}):\n"
        "        structlog.get_logger('farhand.x').info('x' * 10_000)\n"
        "    print('done', flush=True)\n"
        "    os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        try:
            assert program.stdout is not None
            program.wait(20)  # nothing was read from it until here
            assert program.stdout.read() == b"done\n"
        finally:
            program.kill()
