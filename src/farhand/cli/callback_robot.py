"""The part of `farhand agent` for a robot that its own program moves: its manifest."""

from pathlib import Path

from farhand.drivers import callbacks
from farhand.drivers.callback_wire import DEVICE_TIMEOUT_S, DeclaredAxis
from farhand.errors import Code, ConfigError
from farhand.protocol.ids import RobotId
from farhand.protocol.manifest import Axis, Camera, Manifest

WAIT_S = 10.0
"""So long the program may come up after the agent."""


def manifest(
    robot_id: str, name: str, software: str, cameras: list[Camera], driver_socket: Path | None
) -> Manifest:
    """Return what the robot's program declares; it is asked once, and waited for a little.

    Raises:
        ConfigError: No socket was named.
        DriverError: The program does not answer (FH-6001).

    """
    if driver_socket is None:
        text, fix = "driver_socket: missing.", "Name your program's with --driver-socket."
        raise ConfigError(Code.CONFIG_INVALID, text, fix)
    declared = callbacks.ask(driver_socket, WAIT_S)
    return Manifest(
        RobotId(robot_id),
        name,
        software=software,
        cameras=tuple(cameras),
        axes=tuple(map(_axis, declared.axes)),
        device_timeout_s=DEVICE_TIMEOUT_S,
        stop_behavior=declared.stop_behavior,
    )


def _axis(axis: DeclaredAxis) -> Axis:
    return Axis(
        axis.id,
        axis.label,
        axis.unit,
        axis.minimum,
        axis.maximum,
        axis.group,
        axis.position_minimum,
        axis.position_maximum,
    )
