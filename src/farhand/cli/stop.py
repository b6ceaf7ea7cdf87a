"""`farhand stop`: STOP from a terminal, over every path, until the robot has confirmed it."""

import asyncio
import contextlib
import getpass
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer

from farhand.cli import credentials, terminal
from farhand.cli.api_client import Api, Server, path
from farhand.cli.remote import Service
from farhand.client import connect
from farhand.client.connection import Credential
from farhand.errors import Code, ConfigError, ConnectionClosed, FarhandError
from farhand.protocol.ids import MAX_NAME_LENGTH, is_valid_id

TIMEOUT_S = 10.0
NOT_THERE, NOT_CONFIRMED = 3, 4


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The robot stands and is latched."""

    stop_id: int
    """Names the latch: a reset clears this one."""
    after_ms: int
    """From the first press to the confirmation."""


def stop(
    robot: Annotated[str, typer.Argument(help="Id of the robot.")],
    *,
    server: Annotated[
        str | None,
        typer.Option(help="Address of the server; else FARHAND_SERVER_URL, else the last login."),
    ] = None,
    service: Service = "default",
    timeout: Annotated[
        float, typer.Option(min=1.0, max=600.0, help="Seconds to wait for the confirmation.")
    ] = TIMEOUT_S,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with an API token; else FARHAND_TOKEN, else the last login."),
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the room's password, where it has one.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Stop a robot and wait until it has confirmed that it stands, latched.

    Exit codes: 0 confirmed, 1 the server is out of reach or refuses, 3 the robot is unknown or
    offline, 4 it did not confirm in time.

    Example: farhand stop jetson-07 --server https://robots.example.org
    """
    where = credentials.chosen(server, token_file)
    password = None if password_file is None else _read(password_file)
    try:
        if not is_valid_id(robot):
            raise FarhandError(Code.UNKNOWN_ROBOT, f"{robot!r} is no robot's id.")
        found = asyncio.run(_press(where, service, robot, password, timeout))
    except FarhandError as exc:
        _give_up(_explained(exc, where, service, robot), json_=json_)
    if json_:
        members = {"robotId": robot, "stopId": found.stop_id, "afterMs": found.after_ms}
        terminal.as_json({"confirmed": True, **members})
        return
    terminal.say(f"{robot} stands: STOP {found.stop_id}, after {found.after_ms} ms")


async def _press(
    where: Server, service: str, robot_id: str, password: str | None, timeout_s: float
) -> Confirmed:
    """Press STOP as soon as the robot's room is entered, over the channel too once there is one."""
    deadline = time.monotonic() + timeout_s
    name = f"{_user()} (farhand stop)"[:MAX_NAME_LENGTH]
    connection = connect(
        where.url,
        name=name,
        token=_credential(where),
        role="viewer",  # whoever may watch may stop
        service=service,
        timeout_s=timeout_s,
    )
    async with (
        connection as client,
        client.open(
            robot_id,
            cameras=[],
            at_once=True,
            password=password,
            timeout_s=max(1.0, deadline - time.monotonic()),
        ) as robot,
    ):
        pressed = time.monotonic()
        stop_id = await robot.stop(timeout_s=max(1.0, deadline - pressed))
        return Confirmed(stop_id, round((time.monotonic() - pressed) * 1000))


def _credential(where: Server, transport: httpx.BaseTransport | None = None) -> Credential | None:
    """Return our token, or what exchanges our login for a ticket: a socket takes no cookie."""
    if where.token or not where.cookie:
        return where.token or None

    def ticket() -> str:
        with Api(where, transport) as api:
            return str(api.post(path("ticket"))["ticket"])

    async def fetch() -> str:
        return await asyncio.to_thread(ticket)

    return fetch


def _explained(exc: FarhandError, where: Server, service: str, robot_id: str) -> FarhandError:
    """Return what is known of a robot that is not in its room: offline, or none at all."""
    if exc.code is not Code.UNKNOWN_ROBOT:
        return exc
    with contextlib.suppress(FarhandError), Api(where) as api:
        known = api.listing(path("robot"), "robots", 500, service=service).get("robots") or []
        if any(robot.get("robotId") == robot_id for robot in known):
            text = f"{robot_id} is offline: it cannot be reached, and stands by its own watchdog."
            return FarhandError(Code.UNKNOWN_ROBOT, text)
    return FarhandError(Code.UNKNOWN_ROBOT, f"There is no robot {robot_id} in {service}.")


def _give_up(exc: FarhandError, *, json_: bool) -> NoReturn:
    codes = {Code.UNKNOWN_ROBOT: NOT_THERE, Code.PEER_CONNECTION_FAILED: NOT_CONFIRMED}
    status = codes.get(exc.code, 1)
    if isinstance(exc, ConnectionClosed) and status == NOT_CONFIRMED:
        fix = "Out of reach it stands by its watchdog; use the stop on the machine."
        exc = ConnectionClosed(exc.code, "The robot has NOT confirmed the stop.", fix)
    if json_:
        terminal.as_json({"confirmed": False, "code": exc.code, "text": exc.text})
    print(f"farhand: {exc}", file=sys.stderr)
    raise typer.Exit(status)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(Code.CONFIG_INVALID, f"{file} cannot be read: {exc}.") from exc


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
