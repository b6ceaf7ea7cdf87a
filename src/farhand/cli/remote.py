"""What all verbs that talk to a server share: their options, how they answer, how they fail."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from farhand.cli import credentials, terminal
from farhand.cli.api_client import Api, rows_of
from farhand.cli.curl_line import CurlShown
from farhand.cli.terminal import Columns
from farhand.errors import Code, ConfigError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd])")
_ACCESS = re.compile(
    r"(?P<role>[a-z]+)@(?P<service>[\w.-]+)(?:/(?P<robot>[\w.-]+))?(?:#(?P<tag>.+))?"
)

transport: httpx.BaseTransport | None = None
"""Instead of the network."""


def duration(text: str) -> int:
    """Return the seconds of ``45s``, ``10m``, ``8h`` or ``30d``."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise typer.BadParameter(f"{text!r} is no duration: write 45s, 10m, 8h or 30d")
    return int(found[1]) * _UNITS[found[2]]


def access_lines(given: list[str] | None) -> list[dict[str, str]] | None:
    """Return an access list of ``ROLE@SERVICE``, ``…/ROBOT`` and ``…#TAG``; '' alone: of none.

    Raises:
        typer.BadParameter: One of them is nothing like that.

    """
    return None if given is None else [_access_line(text) for text in given if text]


def _access_line(text: str) -> dict[str, str]:
    found = _ACCESS.fullmatch(text)
    if found is None:
        fix = "write ROLE@SERVICE, ROLE@SERVICE/ROBOT or ROLE@SERVICE#TAG"
        raise typer.BadParameter(f"--access {text!r}: {fix}")
    line = {"serviceId": found["service"], "role": found["role"]}
    line |= {"robotId": found["robot"]} if found["robot"] else {}
    return line | ({"tag": found["tag"]} if found["tag"] else {})


Service = Annotated[str, typer.Option("--service", "-s", help="Id of the service.")]
Limit = Annotated[int, typer.Option(min=1, help="The most records to list.")]
Ttl = Annotated[
    int | None,
    typer.Option(parser=duration, metavar="TIME", help="Valid for so long: 45s, 10m, 8h, 30d."),
]
AccessList = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE@SERVICE",
        help="A role on a service, on a robot of it (ROLE@SERVICE/ROBOT) or on all robots with a "
        "tag (ROLE@SERVICE#TAG); repeatable.",
    ),
]
Qr = Annotated[bool, typer.Option("--qr", help="Show it as a QR code too.")]

_COMMON: dict[str, tuple[Any, Any]] = {
    "server": (
        Annotated[
            str | None,
            typer.Option(
                help="Address of the server; else FARHAND_SERVER_URL, else the last login."
            ),
        ],
        None,
    ),
    "token_file": (
        Annotated[
            Path | None,
            typer.Option(help="File with an API token; else FARHAND_TOKEN, else the last login."),
        ],
        None,
    ),
    "json_": (Annotated[bool, typer.Option("--json", help="Print what the server said.")], False),
    "curl": (
        Annotated[
            bool, typer.Option("--curl", help="Print the request as a line for curl; do nothing.")
        ],
        False,
    ),
}


@dataclass(frozen=True, slots=True)
class Remote:
    """A server, and how to show what it says."""

    api: Api
    is_json: bool = False
    is_dry: bool = False

    def listing(
        self, where: str, plural: str, columns: Columns, limit: int, **query: object
    ) -> None:
        """Show a list."""
        answer = self.api.listing(where, plural, limit, **query)
        if self.is_json:
            terminal.as_json(answer)
            return
        rows = rows_of(answer, plural)
        if not rows:
            terminal.say(f"No {plural}.")
            return
        terminal.table(rows, columns)
        total = answer.get("total")
        if isinstance(total, int) and total > len(rows):
            print(f"{len(rows)} of {total}: more with --limit", file=sys.stderr)

    def record(self, answer: Mapping[str, Any]) -> None:
        """Show one record."""
        if self.is_json:
            terminal.as_json(answer)
        else:
            terminal.record(answer)

    def done(self, answer: Mapping[str, Any], text: str) -> None:
        """Show that something was done."""
        if self.is_json:
            terminal.as_json(answer)
        else:
            terminal.say(text)


Work = Callable[..., None]


def verb(app: typer.Typer, name: str) -> Callable[[Work], Work]:
    """Register a function whose first argument is a `Remote` as a command of ``app``."""

    def register(work: Work) -> Work:
        app.command(name)(command_of(work))
        return work

    return register


def command_of(work: Work) -> Work:
    """Return a command that calls ``work`` with a `Remote` and its own options.

    The options that all such verbs share come behind its own.
    """

    def command(**given: Any) -> None:
        options = {key: given.pop(key) for key in _COMMON}
        server = credentials.chosen(options["server"], options["token_file"])
        with Api(server, transport, is_dry=options["curl"]) as api:
            try:
                work(Remote(api, options["json_"], options["curl"]), **given)
            except CurlShown as shown:
                print(shown.line)

    own = list(inspect.signature(work, eval_str=True).parameters.values())[1:]
    kind = inspect.Parameter.KEYWORD_ONLY
    common = [
        inspect.Parameter(key, kind, default=default, annotation=annotation)
        for key, (annotation, default) in _COMMON.items()
    ]
    parameters = [*(p.replace(kind=kind) for p in own), *common]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__doc__ = work.__doc__
    return command


def noun(text: str) -> typer.Typer:
    """Return an app for the verbs of one noun."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help=text,
    )
    app.callback()(lambda: None)  # else an app of one verb would be that verb
    return app


def changes(**given: object) -> dict[str, object]:
    """Return what was given on the command line.

    Raises:
        ConfigError: FH-1001 nothing was.

    """
    found = {key: value for key, value in given.items() if value is not None}
    if not found:
        raise ConfigError(Code.CONFIG_INVALID, "Nothing to change.", "See --help for what can be.")
    return found


def words(given: list[str] | None) -> list[str] | None:
    """Return repeated words of one option; one empty word stands for none at all."""
    return None if given is None else [word for word in given if word]


def secret(file: Path | None, prompt: str, *, confirm: bool = True) -> str:
    """Return a secret from ``file``, or asked for on the terminal; never from an argument.

    Raises:
        ConfigError: FH-1001 the file cannot be read, or there is no terminal to ask on.

    """
    if file is not None:
        try:
            return file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(Code.CONFIG_INVALID, f"{file} cannot be read: {exc}.") from exc
    if not sys.stdin.isatty():
        text = f"{prompt}: there is no terminal to ask on."
        raise ConfigError(Code.CONFIG_INVALID, text, "Give a file: --password-file FILE.")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm))
