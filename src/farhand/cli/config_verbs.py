"""`farhand config`: what is in force and why, and whether a file can be used."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from farhand import config
from farhand.cli.remote import noun
from farhand.cli.settings_in_force import settings_in_force
from farhand.cli.toml_text import in_force
from farhand.config import Settings

app = noun("Configuration: what is in force and why, and whether a file can be used.")

_SECTIONS = {"serve": "server", "agent": "agent"}


@app.command()
def show(
    program: Annotated[
        Literal["serve", "agent"] | None, typer.Argument(help="serve or agent; else both.")
    ] = None,
    *,
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="Say of each value which place it came from.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--config", help="Read this, not ./farhand.toml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the settings in force here; passwords in them are masked.

    Example: farhand config show serve --show-origin
    """
    section = _SECTIONS[program] if program else None
    print_config(section, {}, file, origins=show_origin, as_json=as_json)


def print_config(
    section: str | None,
    flags: Mapping[str, Mapping[str, Any]],
    file: Path | None,
    *,
    origins: bool,
    as_json: bool = False,
) -> None:
    """Print what is in force.

    Args:
        section: ``server`` or ``agent``; ``None``: both.
        flags: As of `config.load`.
        file: As of `config.load`.
        origins: Say where each value came from.
        as_json: As JSON instead of TOML.

    Raises:
        ConfigError: As of `config.load`.

    """
    found = [s for s in settings_in_force(flags, file) if section in {None, s.path[0]}]
    if as_json:
        print(json.dumps({s.name: {"value": s.value, "origin": s.origin} for s in found}))
        return
    for line in in_force(found, origins=origins):
        print(line)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="The file.")]) -> None:
    """Say whether a file can be used, without what other places say.

    Example: farhand config check /etc/farhand/config.toml
    """
    config.check_file(file)
    print(f"{file}: good")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the file, for editors.

    Example: farhand config schema > farhand.schema.json
    """
    print(json.dumps(Settings.model_json_schema(), indent=2))
