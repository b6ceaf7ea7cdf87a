"""`farhand conform`: whom to test, what may be done to it, where the report goes."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farhand.cli import credentials
from farhand.errors import Code, ConfigError
from farhand.kits.conform import own, report, runner
from farhand.kits.conform.model import Report, Result
from farhand.kits.conform.options import Options, may_kill

PARTS = ("second", "viewer", "supervisor", "watching", "program", "equal")


def conform(  # noqa: PLR0917 - typer's parameters are options
    robot: Annotated[
        str | None, typer.Argument(help="Id of the robot; none with --own or --list.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="Address of the server; else FARHAND_SERVER_URL, else the last login."),
    ] = None,
    service: Annotated[str, typer.Option("--service", "-s", help="Id of the service.")] = "default",
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with an API token; else FARHAND_TOKEN, else the last login."),
    ] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART=FILE",
            help="Token of another part: second, viewer, supervisor, program; repeatable. Without, "
            "all parts have the operator's.",
        ),
    ] = None,
    case: Annotated[list[str] | None, typer.Option(help="Only this case; repeatable.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the cases, and end.")] = False,
    own_: Annotated[
        bool, typer.Option("--own", help="Start a server and a simulated robot here, test those.")
    ] = False,
    observer: Annotated[
        str,
        typer.Option(help="Who sees it move: telemetry, sim:SOCKET, or MODULE:FUNCTION of yours."),
    ] = "telemetry",
    speed: Annotated[float, typer.Option(help="Part of each axis' range that is driven.")] = 0.2,
    yes_it_may_move: Annotated[
        bool, typer.Option("--yes-it-may-move", help="The robot is real, and the space is clear.")
    ] = False,
    may_kill_: Annotated[
        list[str] | None,
        typer.Option(
            "--may-kill",
            metavar="NAME=PIDFILE",
            help="A program of this machine that may be killed and is started again by somebody: "
            "agent, gate or server; repeatable.",
        ),
    ] = None,
    slow: Annotated[bool, typer.Option("--slow", help="Run cases of more than a minute.")] = False,
    braking_ms: Annotated[
        float, typer.Option(help="How long the brakes take; for observers of the speed.")
    ] = 300.0,
    max_age_ms: Annotated[
        int, typer.Option(help="The robot's own setting.", min=20, max=400)
    ] = 150,
    acceleration: Annotated[
        float | None, typer.Option(help="The first axis' limit, in m/s² or rad/s².")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write a JSON report here.")] = None,
) -> None:
    """Test whether a robot keeps the rules of docs/safety.md, by breaking everything around it.

    It moves the robot. Exit code 0: no case failed. Ctrl-C stops the robot.

    Example: farhand conform sim-rover --server http://localhost:8080 --junit report.xml
    """
    is_color = sys.stdout.isatty()
    if list_:
        print(report.listing(report.all_cases(), color=is_color), end="")
        return
    cases = runner.chosen(case or [])
    if (robot is None) != own_:
        text = "Name a robot, or say --own." if robot is None else "--own has a robot of its own."
        raise ConfigError(Code.CONFIG_INVALID, text)

    def tell(result: Result) -> None:
        print(report.line(result, color=is_color), flush=True)

    if own_:
        found = own.run(cases, tell, is_slow_too=slow)
    else:
        login = credentials.chosen(server, token_file)
        options = Options(
            url=login.url,
            robot=robot or "",
            service=service,
            tokens={"operator": login.token, **_tokens(token or [])},
            speed=speed,
            observer=observer,
            braking_ms=braking_ms,
            max_age_ms=max_age_ms,
            acceleration=acceleration,
            is_slow_too=slow,
            may_move=yes_it_may_move,
            programs=may_kill(may_kill_ or []),
        )
        found = runner.run_to_end(options, cases, tell)
    print("\n" + report.table(found, color=is_color), end="")
    _write(found, junit, json)
    if not found.is_passed:
        sys.exit(1)


def _tokens(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        part, _, file = text.partition("=")
        if part not in PARTS or not file:
            fix = f"Write PART=FILE, with PART one of {', '.join(PARTS)}."
            raise ConfigError(Code.CONFIG_INVALID, f"token: {text!r}.", fix)
        found[part] = credentials.chosen("http://localhost", Path(file)).token
    return found


def _write(found: Report, junit: Path | None, json: Path | None) -> None:
    texts = {}
    if junit is not None:
        texts[junit] = report.junit(found).encode()
    if json is not None:
        texts[json] = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    for path, data in texts.items():
        try:
            path.write_bytes(data)
        except OSError as exc:
            text = f"{path} cannot be written: {exc.strerror}."
            raise ConfigError(Code.CONFIG_INVALID, text) from exc
