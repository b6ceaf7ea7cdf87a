"""The gateway as `farhand bench relay` measures it: as in production but for the rate limits.

Prints its port. Run as a module, by the bench.
"""

import sys

import structlog

from farhand.core.limits import Limits
from farhand.server.serve import Server, run_server
from farhand.server.settings import ServerSettings

_NO_LIMIT = 1e12
_MANY = 10**12


def main() -> None:
    """Serve on any free port until SIGTERM."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    limits = Limits(
        rate=_NO_LIMIT,
        burst=_NO_LIMIT,
        robot_rate=_NO_LIMIT,
        robot_burst=_NO_LIMIT,
        candidates=_MANY,
    )
    settings = ServerSettings(
        host="127.0.0.1", port=0, limits=limits, strangers_per_address=100_000
    )
    run_server(settings, _tell_port)


def _tell_port(server: Server) -> None:
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
