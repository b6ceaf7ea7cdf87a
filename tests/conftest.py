"""What a test needs from the machine: `require` skips with the reason, and fails on CI."""

import functools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator
from importlib import metadata
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, settings

from tests import evidence


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _has_console() -> bool:
    return files("farhand").joinpath("server", "www", "index.html").is_file()


def _is_installed() -> bool:
    return any(metadata.distributions(name="farhand"))


@functools.cache  # it makes one to find out
def _has_lab() -> bool:
    from farhand.kits.lab import lab

    return lab.missing() is None


def _has_postgres() -> bool:
    from tests.store import postgres

    return all(postgres.program(name) for name in ("initdb", "pg_ctl", "psql"))


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (
        _program("chromium", "chromium-browser", "google-chrome"),
        "Chromium: apt install chromium",
    ),
    "console": (_has_console, "the built console: make console"),
    "ip": (_program("ip"), "the program ip: apt install iproute2"),
    "node": (_program("node"), "Node.js 20.19 or newer"),
    "lab": (
        _has_lab,
        "network namespaces: Linux, root, /dev/net/tun and the programs ip and nsenter",
    ),
    "linux": (lambda: sys.platform == "linux", "Linux"),
    "package": (_is_installed, "farhand installed, not only on the path: make setup"),
    "postgres": (_has_postgres, "PostgreSQL: apt install postgresql"),
    "root": (lambda: os.geteuid() == 0, "root"),
}


def require(what: str) -> None:
    """Skip the test where ``what`` is missing; on CI (``CI=true``) fail it instead."""
    is_there, words = NEEDS[what]
    if is_there():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"This test needs {words}. On CI nothing required may be skipped.")
    pytest.skip(f"needs {words}")


# An example that the machine held up is no slow code: times are measured in bench/.
settings.register_profile(
    "farhand",
    settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("farhand")


def pytest_configure() -> None:
    """Let the programs that tests start die of Ctrl-C, also where a shell runs us in background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the last words of the programs and pages that a failed test has used to its report."""
    report = yield
    if report.failed and report.when != "teardown":
        load = " ".join(f"{x:.1f}" for x in os.getloadavg())
        report.sections.append(("load of the machine", f"{load} on {os.cpu_count()} cores"))
        report.sections += evidence.collected(getattr(item, "funcargs", {}).values())
    return report
