"""`farhand gate`: picks the driver and runs the gate."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farhand.cli.log import logging_to
from farhand.drivers.base import Driver
from farhand.errors import Code, ConfigError
from farhand.gate import process
from farhand.gate.governing import parse_governor
from farhand.gate.limits import parse_overrides

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The last process before the motors.",
)


@app.callback()
def _root() -> None:
    pass


def make_driver(
    name: str, sim_socket: Path | None, null: str, driver_socket: Path | None = None
) -> Driver:
    """Return the driver called ``name``, not yet connected.

    Raises:
        ConfigError: No such driver, or it lacks an option.

    """
    if name == "sim":
        if sim_socket is None:
            raise ConfigError(
                Code.CONFIG_INVALID, "sim_socket: missing.", "The driver `sim` needs --sim-socket."
            )
        from farhand.drivers.sim import SimDriver  # noqa: PLC0415 - only the driver in use is loaded

        return SimDriver(str(sim_socket))
    if name == "null":
        from farhand.drivers.null import NullDriver, NullOptions  # noqa: PLC0415

        try:
            return NullDriver(msgspec.json.decode(null.encode(), type=NullOptions))
        except msgspec.DecodeError as exc:
            raise ConfigError(Code.CONFIG_INVALID, f"null: {exc}.") from exc
    if name == "callbacks":
        if driver_socket is None:
            text, fix = "driver_socket: missing.", "The driver `callbacks` needs --driver-socket."
            raise ConfigError(Code.CONFIG_INVALID, text, fix)
        from farhand.drivers.callbacks import CallbackDriver  # noqa: PLC0415 - as above

        return CallbackDriver(driver_socket)
    known = "Known: sim, null, callbacks."
    raise ConfigError(Code.CONFIG_INVALID, f"driver: unknown {name!r}.", known)


@app.command()
def run(
    *,
    socket: Annotated[Path, typer.Option(help="Unix socket that the agent connects to.")],
    state: Annotated[Path, typer.Option(help="Folder of the stop latch.")],
    driver: Annotated[str, typer.Option(help="What moves: sim, null or callbacks.")] = "null",
    sim_socket: Annotated[Path | None, typer.Option(help="The simulator's socket.")] = None,
    driver_socket: Annotated[
        Path | None, typer.Option(help="The socket of your own program, for callbacks.")
    ] = None,
    max_age_ms: Annotated[int, typer.Option(help="Oldest command that is obeyed, 20-400.")] = 150,
    limits: Annotated[str, typer.Option(help='Lower limits: {"linear.x": {"maximum": 0.5}}')] = "",
    governor: Annotated[
        str, typer.Option(help='Slower by latency: {"t_ref_ms": 200, "blind_distance_m": 0.1}')
    ] = "",
    unlatch_on_grant: Annotated[
        bool, typer.Option(help="The first grant clears the start latch: simulated robots only.")
    ] = False,
    accept_no_device_timeout: Annotated[
        bool, typer.Option(help="Take a device that never stops by itself.")
    ] = False,
    wait_agent_s: Annotated[
        float, typer.Option(help="End after so long without an agent; 0: never.")
    ] = 10.0,
    null: Annotated[str, typer.Option(hidden=True)] = "{}",
) -> None:
    """Run the gate: it checks every command and owns the driver.

    Example: farhand gate run --socket /run/farhand/gate.sock --state /var/lib/farhand --driver null
    """
    settings = process.GateSettings(
        socket=socket,
        state=state,
        max_age_ms=max_age_ms,
        unlatch_on_grant=unlatch_on_grant,
        accept_no_device_timeout=accept_no_device_timeout,
        limits=parse_overrides(limits),
        governor=parse_governor(governor),
        wait_agent_s=wait_agent_s,
    )
    with logging_to():
        process.run(settings, lambda: make_driver(driver, sim_socket, null, driver_socket))
