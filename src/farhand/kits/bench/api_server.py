"""The gateway as `farhand bench api` measures it: with accounts, in production but for the rates.

Prints its port. Run as a module, by the bench, with the state folder.
"""

import logging
import sys
from pathlib import Path

import structlog

from farhand.core.limits import Limits
from farhand.server.serve import Server, run_server
from farhand.server.settings import Rates, ServerSettings

_NO_LIMIT = 1e12
_MANY = 10**12
_ALWAYS = "1000000000/second"


def main(state: Path) -> None:
    """Serve on any free port until SIGTERM."""
    logging.getLogger().setLevel(logging.WARNING)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    limits = Limits(
        rate=_NO_LIMIT,
        burst=_NO_LIMIT,
        robot_rate=_NO_LIMIT,
        robot_burst=_NO_LIMIT,
        candidates=_MANY,
    )
    rates = Rates(*[_ALWAYS] * 6)
    settings = ServerSettings(
        host="127.0.0.1",
        port=0,
        state=state,
        auth="accounts",
        limits=limits,
        rates=rates,
        strangers_per_address=100_000,
    )
    run_server(settings, _tell_port)


def _tell_port(server: Server) -> None:
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
