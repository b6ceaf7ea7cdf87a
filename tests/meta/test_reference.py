"""Every setting and every flag is in the documents, with its default and its meaning."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from farhand import config
from farhand.cli.main import VERBS, build
from farhand.server.rest.robot_views import Robot

DOCS = Path(__file__).resolve().parents[2] / "docs"
SETTINGS = (DOCS / "configuration.md").read_text("utf-8")
COMMANDS = (DOCS / "cli.md").read_text("utf-8")
REST = (DOCS / "rest.md").read_text("utf-8")
TABLES: dict[str, tuple[type[BaseModel], str]] = {
    "[server]": (config.ServerSection, "FARHAND_SERVER__"),
    "[server.limits]": (config.LimitsTable, "FARHAND_SERVER__LIMITS__"),
    "[[server.oidc]]": (config.OidcTable, ""),
    "[agent]": (config.AgentSection, "FARHAND_AGENT__"),
    "[agent.lease]": (config.LeaseTable, "FARHAND_AGENT__LEASE__"),
    "[agent.governor]": (config.GovernorTable, "FARHAND_AGENT__GOVERNOR__"),
    "[[agent.cameras]]": (config.CameraTable, ""),
    '[agent.limits."AXIS"]': (config.AxisLimitsTable, ""),
}


def section(text: str, title: str) -> list[str]:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1].splitlines()


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    if isinstance(field.default, BaseModel):
        return "below"
    if isinstance(field.default, float):
        return f"`{field.default:g}`"
    return f"`{msgspec.json.encode(field.default, enc_hook=str).decode()}`"


@pytest.mark.parametrize("title", TABLES)
def test_every_setting_is_documented(title: str) -> None:
    table, prefix = TABLES[title]
    rows = section(SETTINGS, f"`{title}`")
    for name, field in table.model_fields.items():
        row = f"| `{name}` | {default(field)} | {field.description} |"
        assert row + (f" `{prefix}{name.upper()}` |" if prefix else "") in rows
    assert len([row for row in rows if row.startswith("| `")]) == len(table.model_fields)


def test_the_example_is_a_configuration() -> None:
    example = re.search(r"```toml\n(.*?)```", SETTINGS, re.DOTALL)
    assert example
    config.Settings(**tomllib.loads(example[1]))


def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, verb in VERBS.items():
        if not verb.is_hidden:
            command: Any = typer.main.get_command(build(name))
            command = command.commands[name]
            below = getattr(command, "commands", None)
            found |= {f"{name} {b}": c for b, c in below.items()} if below else {name: command}
    return found


@pytest.mark.parametrize(("name", "command"), commands().items(), ids=list(commands()))
def test_every_flag_is_documented(name: str, command: Any) -> None:
    rows = [row for row in section(COMMANDS, f"farhand {name}") if row.startswith("| `")]
    options = [p for p in command.params if not getattr(p, "hidden", False)]
    assert len(rows) == len(options)
    for option, row in zip(options, rows, strict=True):
        is_flag = option.param_type_name == "option"
        assert row.startswith(f"| `{option.opts[0] if is_flag else option.name.upper()}`")
        assert row.endswith(f" | {option.help} |")
        if option.required:
            assert "| required |" in row
        elif option.default and not isinstance(option.default, bool):
            assert f"| `{option.default}` |" in row


def test_every_member_of_a_robot_is_documented() -> None:
    names = [field.encode_name for field in msgspec.structs.fields(Robot)]
    assert re.findall(r"^\| `(\w+)` \|", REST, re.MULTILINE) == names
