"""`farhand agent join`, `leave` and `status`: the robot's bond with one server."""

import asyncio
import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO, cast
from urllib.parse import quote

import msgspec
import segno
import typer
from rich.console import Console

from farhand.agent.enrolment import Asked, Enroller, Wish
from farhand.agent.identity import (
    KEY_FILE,
    Enrolment,
    read_enrolment,
    remove_enrolment,
    remove_key,
    write_enrolment,
)
from farhand.agent.server_http import http_url
from farhand.config import AgentSection, load
from farhand.errors import Code, ConfigError
from farhand.keys.signing import key_id, load_key
from farhand.protocol.ids import is_valid_id
from farhand.store.folder_lock import lock_folder

KEY_PREFIX = "fhk_"
MAX_CODE_BYTES = 4_096

State = Annotated[Path | None, typer.Option(help="Folder of the robot's key and enrolment.")]
Config = Annotated[Path | None, typer.Option(help="Read this, not ./farhand.toml.")]


def join(  # noqa: PLR0917 - typer's parameters are options
    server: Annotated[str, typer.Argument(help="The server's address.", metavar="URL")],
    code: Annotated[
        str | None, typer.Option(help="A one-time code that somebody made: ABCD-EFGH.")
    ] = None,
    code_file: Annotated[
        Path | None, typer.Option(help="File with a code or an enrolment key; -: standard input.")
    ] = None,
    robot_id: Annotated[str | None, typer.Option(help="The id that the robot wants.")] = None,
    name: Annotated[str | None, typer.Option(help="The robot's name on screens.")] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Enrol this robot at a server.

    Without a code it shows one, which an administrator approves.

    Example: farhand agent join https://robots.example.org
    """
    section = load({"agent": {"state": state}}, config).agent
    wish = Wish(
        _code(code, code_file), _robot_id(robot_id), name or section.name, "", platform.machine()
    )
    with _no_agent_in(section.state):
        found = read_enrolment(section.state)
        if found is not None:
            text = f"This robot is enrolled already, as {found.robot_id} at {found.server}."
            raise ConfigError(Code.CONFLICT, text, "First: farhand agent leave.")
        enrolment = asyncio.run(_enrol(server, section.state, wish, waits=False))
    print(f"enrolled: {enrolment.robot_id} in service {enrolment.service_id}")
    print("Start it with: farhand agent run")


def leave(
    state: State = None,
    config: Config = None,
    *,
    forget_key: Annotated[
        bool, typer.Option("--forget-key", help="The robot's key too: it was revoked or copied.")
    ] = False,
) -> None:
    """Forget the server. The robot's key stays; at the server an administrator removes the robot.

    Example: farhand agent leave
    """
    section = load({"agent": {"state": state}}, config).agent
    with _no_agent_in(section.state):
        was_enrolled = remove_enrolment(section.state)
        if forget_key:
            remove_key(section.state)
    print("left" if was_enrolled else "This robot is not enrolled.")


def status(
    state: State = None,
    config: Config = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say where this robot is enrolled, and under which key.

    Example: farhand agent status --json
    """
    section = load({"agent": {"state": state}}, config).agent
    facts = _facts(section.state, read_enrolment(section.state))
    if json:
        print(msgspec.json.encode(facts).decode())
        return
    for key, value in facts.items():
        print(f"{key:<12} {'—' if value is None else value}")


async def enrol_by_file(section: AgentSection) -> Enrolment | None:
    """Return the robot's enrolment, which it gets now if a code or key lies ready for it.

    Raises:
        FarhandError: The server refused, or the file is of no use.

    """
    found = read_enrolment(section.state)
    if found is not None or section.enrolment_file is None:
        return found
    default = AgentSection.model_fields["robot_id"].default
    wish = Wish(
        _code(None, section.enrolment_file),
        "" if section.robot_id == default else section.robot_id,
        section.name,
        "",
        platform.machine(),
    )
    return await _enrol(section.server, section.state, wish, waits=True)


def show_code(asked: Asked, server: str, console: Console | None = None) -> None:
    """Show the code that an administrator approves, for eyes and for a camera."""
    out = console or Console(highlight=False)
    # In the fragment, which no server sees and no log keeps.
    link = asked.url or f"{http_url(server)}/enroll#code={quote(asked.code)}"
    if out.is_terminal:
        segno.make(link, error="m").terminal(out=cast("TextIO", out.file), compact=True)
    out.print(f"code   [bold]{asked.code}[/]")
    out.print(f"open   {link}", soft_wrap=True)
    out.print("Waiting for an administrator to approve it … (Ctrl-C ends)")
    out.file.flush()  # also where a program reads it


@contextlib.contextmanager
def _no_agent_in(state: Path) -> Iterator[None]:
    """See to it that no agent runs there: it would go on under its old name."""
    lock = lock_folder(state, "agent")
    try:
        yield
    finally:
        os.close(lock)


async def _enrol(server: str, state: Path, wish: Wish, *, waits: bool) -> Enrolment:
    key = load_key(state / KEY_FILE)
    enroller = Enroller(server, key, show=lambda asked: show_code(asked, server), waits=waits)
    enrolment = await enroller.enrol(wish)
    write_enrolment(state, enrolment)
    return enrolment


def _code(code: str | None, file: Path | None) -> str:
    if code is not None and file is not None:
        raise ConfigError(Code.CONFIG_INVALID, "code: given twice.", "Give --code or --code-file.")
    if code is not None and code.strip().startswith(KEY_PREFIX):
        text = "code: that is an enrolment key; arguments are visible to every user of a machine."
        raise ConfigError(Code.CONFIG_INVALID, text, "Put it in a file: --code-file FILE.")
    if file is not None:
        code = _read(file)
        if not code.strip():
            text = f"code_file: {file} is empty."
            raise ConfigError(Code.CONFIG_INVALID, text, "Put a code or a key in it.")
    code = (code or "").strip()
    return code if code.startswith(KEY_PREFIX) else code.upper()


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.read(MAX_CODE_BYTES)
        return file.read_bytes()[:MAX_CODE_BYTES].decode()
    except (OSError, UnicodeDecodeError) as exc:
        text = f"code_file: {file} cannot be read: {exc}."
        raise ConfigError(Code.CONFIG_INVALID, text) from exc


def _robot_id(robot_id: str | None) -> str:
    if robot_id is not None and not is_valid_id(robot_id):
        text = f"robot_id: {robot_id!r} is no id."
        raise ConfigError(Code.CONFIG_INVALID, text, "Use A-Z a-z 0-9 . _ -")
    return robot_id or ""


def _facts(state: Path, enrolment: Enrolment | None) -> dict[str, str | bool | None]:
    key = state / KEY_FILE
    return {
        "enrolled": enrolment is not None,
        "robotId": enrolment.robot_id if enrolment else None,
        "serviceId": enrolment.service_id if enrolment else None,
        "server": enrolment.server if enrolment else None,
        "serverKeyId": key_id(enrolment.server_key) if enrolment else None,
        "keyId": load_key(key).id if key.exists() else None,
    }
