"""``farhand``: one command, verbs and nouns below it, each imported only when it is asked for."""

import ctypes
import importlib
import os
import signal
import sys
from typing import Any, NamedTuple

import typer

from farhand import __version__
from farhand.errors import FarhandError

_PR_SET_PDEATHSIG = 1


class Verb(NamedTuple):
    """Where a command lives."""

    module: str
    attribute: str
    """A typer app, or a function that becomes one command."""
    help: str
    is_hidden: bool = False


VERBS = {
    "demo": Verb("farhand.cli.demo", "demo", "Server, agent, gate and simulated robots here."),
    "serve": Verb("farhand.cli.serve", "serve", "The gateway server with the console."),
    "agent": Verb("farhand.cli.agent", "app", "The robot agent."),
    "gate": Verb("farhand.cli.gate", "app", "The last process before the motors."),
    "init": Verb("farhand.cli.init", "init", "A folder with configuration, secrets and units."),
    "config": Verb("farhand.cli.config_verbs", "app", "What is configured, and why."),
    "db": Verb("farhand.cli.db", "app", "The server's records: upgrade, backup, restore."),
    "login": Verb("farhand.cli.login", "login", "Log in to a server."),
    "logout": Verb("farhand.cli.login", "logout", "Log out of a server."),
    "whoami": Verb("farhand.cli.login", "whoami_command", "Who you are at the server."),
    "service": Verb("farhand.cli.service", "app", "Services."),
    "robot": Verb("farhand.cli.robot", "app", "Robots: list, name, enrol, move, revoke."),
    "room": Verb("farhand.cli.room", "app", "Rooms of a service."),
    "stop": Verb("farhand.cli.stop", "stop", "Stop a robot, and wait for its confirmation."),
    "session": Verb("farhand.cli.session", "app", "Who is connected with which robot."),
    "member": Verb("farhand.cli.member", "app", "Who is connected to a service."),
    "user": Verb("farhand.cli.user", "app", "Accounts of people."),
    "token": Verb("farhand.cli.token", "app", "API tokens."),
    "guest": Verb("farhand.cli.token", "guest", "Links to watch one robot."),
    "audit": Verb("farhand.cli.audit", "app", "Who did what to which robot."),
    "event": Verb("farhand.cli.event", "app", "What happened to the robots."),
    "webhook": Verb("farhand.cli.webhook", "app", "Where events are posted to."),
    "conform": Verb("farhand.cli.conform", "conform", "Test whether a robot keeps the rules."),
    "bench": Verb("farhand.cli.bench", "bench", "Measure farhand beside its peers."),
    "sim": Verb("farhand.cli.sim", "app", "A simulated robot.", is_hidden=True),
}


def build(asked_for: str | None) -> typer.Typer:
    """Return the command line, with only the verb that was asked for imported."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="See and drive robots from a browser. Start with: farhand demo",
    )
    for name, verb in VERBS.items():
        if name != asked_for:
            # Listed by --help; never called, since then it would have been asked for.
            app.command(name, help=verb.help, hidden=verb.is_hidden)(lambda: None)
            continue
        target: Any = getattr(importlib.import_module(verb.module), verb.attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name, help=verb.help, hidden=verb.is_hidden)
        else:
            app.command(name, hidden=verb.is_hidden)(target)
    app.command("version", help="Print the version.")(_version)
    return app


def _version() -> None:
    print(__version__)


def _die_with_parent() -> None:
    # Taken out of the environment, so that a gate that we start outlives us (docs/safety.md).
    if os.environ.pop("FARHAND_DIE_WITH_PARENT", "") and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 failure (one line with its code), 2 usage, 130 interrupted.
    """
    _die_with_parent()
    try:
        build(next((word for word in sys.argv[1:] if not word.startswith("-")), None))()
    except FarhandError as exc:
        print(f"farhand: {exc}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Nobody reads our output any more: do not complain again when stdout is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
