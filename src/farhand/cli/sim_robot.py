"""The simulated rover's part of `farhand agent`: its manifest, cameras and measurements."""

from pathlib import Path

from msgspec.structs import replace

from farhand.agent.telemetry import Measurement
from farhand.errors import Code, ConfigError
from farhand.media.base import VideoSource
from farhand.media.sources.sim import SimSource
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, RobotId
from farhand.protocol.manifest import Camera, Manifest
from farhand.sim import link, spec


def camera(camera_id: CameraId, sim_id: str, sim_socket: Path | None) -> tuple[Camera, VideoSource]:
    """Return the simulator's camera ``sim_id`` under the name ``camera_id``.

    Raises:
        ConfigError: There is no such camera, or no socket was named.

    """
    found = next((known for known in spec.CAMERAS if known.id == sim_id), None)
    if found is None or sim_socket is None:
        known = ", ".join(known.id for known in spec.CAMERAS)
        text = f"camera: the simulator has no {sim_id!r}, or its socket is not named."
        raise ConfigError(Code.CONFIG_INVALID, text, f"Known: {known}. See --sim-socket.")
    return replace(found, id=camera_id), SimSource(sim_socket, found.id, found.fps)


def manifest(robot_id: str, name: str, software: str, cameras: list[Camera]) -> Manifest:
    """Return what the rover declares, with the cameras that were chosen."""
    return replace(link.manifest(RobotId(robot_id), name, software), cameras=tuple(cameras))


class SimMeasurements:
    """The simulator's state as the agent wants it.

    Args:
        sim_socket: The simulator's socket.

    """

    def __init__(self, sim_socket: Path) -> None:
        self._telemetry = link.SimTelemetry(sim_socket)

    def latest(self) -> Measurement | None:
        """Return the newest measurement; ``None``: none yet, or the simulator is gone."""
        state = self._telemetry.latest
        if state is None:
            return None
        return Measurement(
            state.stamp_us,
            m.Pose(state.x, state.y, state.yaw),
            m.Speed(state.linear, state.angular),
            m.Battery(state.battery_percent, state.battery_voltage),
            {
                "linear": state.linear,
                "angular": state.angular,
                "pan": state.pan,
                "tilt": state.tilt,
                "shoulder_pan": state.joints[0],
                "shoulder_lift": state.joints[1],
                "elbow": state.joints[2],
                "wrist": state.joints[3],
                "gripper": state.gripper,
                "tool.x": state.tool[0],
                "tool.y": state.tool[1],
                "tool.z": state.tool[2],
                "holding": float(state.holding),
                "voltage": state.battery_voltage,
                "collided": float(state.collided),
            },
        )

    async def run(self) -> None:
        """Measure until cancelled."""
        await self._telemetry.run()
