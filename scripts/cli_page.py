"""Makes docs/cli.md from the commands themselves: ``python scripts/cli_page.py [--check]``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from farhand.cli.main import VERBS, build

PAGE = Path("docs/cli.md")
HEAD = """# Command line

Made from the commands by `scripts/cli_page.py`. `farhand VERB --help` says the same on the spot.
Exit codes: 0 done, 1 failure (one line with its [code](errors.md)), 2 usage, 130 interrupted. Where
no default stands, the [configuration](configuration.md) has it.

Verbs on a running server (`service`, `robot`, `room`, `session`, `member`, `user`, `token`,
`guest`, `audit`, `event`, `webhook`, `whoami`, `stop`) take the server from `--server`, else
`FARHAND_SERVER_URL`, else the last `farhand login`; and the token from `--token-file`, else
`FARHAND_TOKEN`, else that login. A token is never an argument: those are seen by every user of a
machine. What a login has given is kept in `~/.config/farhand/credentials.json`, readable by its
owner alone, and goes to the server that gave it and to no other. Durations are written `45s`,
`10m`, `8h`, `30d`.
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command that is not hidden, with its name behind ``farhand``."""
    for name, verb in VERBS.items():
        if verb.is_hidden:
            continue
        command: Any = typer.main.get_command(build(name))
        command = command.commands[name]
        below = getattr(command, "commands", None)
        if below:
            yield from ((f"{name} {b}", c) for b, c in below.items())
        else:
            yield name, command


def section(name: str, command: Any) -> str:
    """Return what the page says about one command."""
    *words, last = " ".join(command.help.split("\n\n")).split("Example: ")
    text = " ".join(" ".join(words).split())
    lines = [f"## farhand {name}", "", text, "", "```console", last.strip(), "```"]
    rows = [row(option) for option in command.params if not getattr(option, "hidden", False)]
    if rows:
        lines += ["", "| | default | |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def row(option: Any) -> str:
    """Return the row of a table for one option or argument."""
    names = option.opts[:1] + option.secondary_opts[:1]
    if option.param_type_name != "option":
        names = [option.name.upper()]
    title = " / ".join(f"`{name}`" for name in names)
    return f"| {title} | {default_of(option, names)} | {option.help} |"


def default_of(option: Any, names: list[str]) -> str:
    """Return a default as the page shows it."""
    if option.required:
        return "required"
    if isinstance(option.default, bool):
        if option.secondary_opts:
            return f"`{names[0] if option.default else names[1]}`"
        return ""
    return "" if option.default is None or option.default == "" else f"`{option.default}`"


def main() -> None:
    """Write the page, or with ``--check`` say whether it is what it should be."""
    text = HEAD + "".join(f"\n{section(name, command)}" for name, command in commands())
    text += "\n## farhand version\n\nPrint the version.\n"
    if "--check" in sys.argv[1:]:
        if PAGE.read_text("utf-8") != text:
            sys.exit(f"{PAGE} is not what the commands say: python scripts/cli_page.py")
        return
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
