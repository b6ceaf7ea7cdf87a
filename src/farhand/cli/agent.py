"""`farhand agent`: reads the settings, picks the parts and runs the agent."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Literal

import structlog
import typer

from farhand.agent.agent import Agent
from farhand.agent.side_message import AppliedLog
from farhand.cli import agent_join
from farhand.cli import agent_parts as parts
from farhand.cli.config_verbs import print_config
from farhand.cli.log import logging_to
from farhand.config import AgentSection, load
from farhand.errors import MediaError
from farhand.media.bad_network import FILE_VARIABLE
from farhand.protocol.ids import CameraId
from farhand.store.folder_lock import lock_folder

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The robot agent.",
)


app.command()(agent_join.join)
app.command()(agent_join.leave)
app.command()(agent_join.status)


@app.command()
def run(  # noqa: PLR0917 - typer's parameters are options
    config: Annotated[Path | None, typer.Option(help="Read this, not ./farhand.toml.")] = None,
    server: Annotated[str | None, typer.Option(help="The server's address.")] = None,
    service: Annotated[str | None, typer.Option(help="The service to join.")] = None,
    robot_id: Annotated[str | None, typer.Option(help="The robot's id: A-Z a-z 0-9 . _ -")] = None,
    name: Annotated[str | None, typer.Option(help="The robot's name on screens.")] = None,
    driver: Annotated[str | None, typer.Option(help="What moves: sim, null, callbacks.")] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            help="ID=URI[#WxH@FPS], once for each camera: sim:front, file:CLIP, rtsp://..., "
            "v4l2:/dev/video0, pattern:. With --driver sim the simulator's if none is given."
        ),
    ] = None,
    sim_socket: Annotated[Path | None, typer.Option(help="The simulator's socket.")] = None,
    driver_socket: Annotated[
        Path | None, typer.Option(help="The socket of your own program, for callbacks.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Folder of the epoch and the stop latch.")
    ] = None,
    gate_socket: Annotated[
        Path | None, typer.Option(help="The gate's socket; default: gate.sock in --state.")
    ] = None,
    gate: Annotated[
        Literal["start", "found"], typer.Option(help="Start a gate, or use one that is there.")
    ] = "start",
    unlatch_on_grant: Annotated[
        bool | None,
        typer.Option(help="The first grant clears the start latch: simulated robots only."),
    ] = None,
    accept_no_device_timeout: Annotated[
        bool | None, typer.Option(help="Take a device that never stops by itself.")
    ] = None,
    max_age_ms: Annotated[
        int | None, typer.Option(help="Oldest command that is obeyed, 20-400.")
    ] = None,
    enrolment_file: Annotated[
        Path | None, typer.Option(help="File with a code or key, for a robot not enrolled yet.")
    ] = None,
    bitrate: Annotated[
        int,
        typer.Option(
            help="The most that one viewer is sent of each camera, in bit/s; 0: by its size.",
            min=0,
        ),
    ] = 0,
    ice_address: Annotated[
        list[str] | None, typer.Option(help="Offer only this address of this machine.")
    ] = None,
    show_config: Annotated[
        bool, typer.Option("--print-config", help="Print the settings in force, and end.")
    ] = False,
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="With --print-config: where each came from.")
    ] = False,
) -> None:
    """Run the agent on a robot.

    It dials out to the server and starts its gate.

    Example: farhand agent run --robot-id jetson-07 --camera front=v4l2:/dev/video0
    """
    flags = {
        "server": server,
        "service": service,
        "robot_id": robot_id,
        "name": name,
        "driver": driver,
        "cameras": [parts.camera_flag(spec) for spec in camera] if camera else None,
        "sim_socket": sim_socket,
        "driver_socket": driver_socket,
        "state": state,
        "gate_socket": gate_socket,
        "unlatch_on_grant": unlatch_on_grant,
        "accept_no_device_timeout": accept_no_device_timeout,
        "max_age_ms": max_age_ms,
        "enrolment_file": enrolment_file,
    }
    if show_config:
        print_config("agent", {"agent": flags}, config, origins=show_origin)
        return
    section = load({"agent": flags}, config).agent
    lock_folder(section.state, "agent")  # before the epoch is read: two would issue the same one
    with logging_to():
        _run(_serve(section, bitrate, ice_address, starts_gate=gate == "start"))


async def _serve(
    section: AgentSection, bitrate_bps: int, addresses: list[str] | None, *, starts_gate: bool
) -> None:
    from farhand.media.aiortc_ import AiortcBackend, late  # noqa: PLC0415 - slow to load

    agent: Agent | None = None

    def on_fault(camera: CameraId, fault: MediaError | None) -> None:
        if agent is not None:
            agent.on_camera_fault(camera, fault)

    applied = AppliedLog()
    section, identity = parts.enrolled(section, await agent_join.enrol_by_file(section))
    cameras = parts.cameras(section)
    feeds = [
        parts.feed(camera, source, bitrate_bps or rate, applied, on_fault)
        for camera, source, rate in cameras
    ]
    agent = Agent(
        parts.agent_settings(
            section, [c for c, _, _ in cameras], identity, starts_gate=starts_gate
        ),
        backend=AiortcBackend(addresses=addresses),
        feeds=feeds,
        telemetry=parts.telemetry(section),
        applied=applied,
    )
    bad_network = os.environ.get(FILE_VARIABLE)
    impairing = late.start(Path(bad_network), section.robot_id) if bad_network else None
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await agent.run()
    finally:
        if impairing is not None:
            impairing.cancel()
        for feed in feeds:
            await feed.close()


def _run(work: Coroutine[None, None, None]) -> None:
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    try:
        import uvloop  # noqa: PLC0415 - not on Windows

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    with asyncio.Runner(loop_factory=factory) as runner:
        try:
            runner.run(work)
        except asyncio.CancelledError:
            structlog.get_logger(__name__).info("agent ended")
