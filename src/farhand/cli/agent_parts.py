"""From the settings of an agent to its parts: cameras, manifest, telemetry, the gate's command."""

import asyncio
import os
import re
import sys
from pathlib import Path

import msgspec
import structlog
from msgspec.structs import replace

from farhand import __version__
from farhand.agent.identity import KEY_FILE, Enrolment, Identity
from farhand.agent.settings import AgentSettings
from farhand.agent.side_message import AppliedLog
from farhand.agent.telemetry import Measurement, TelemetrySource
from farhand.config import AgentSection, CameraTable, GovernorTable, LeaseTable
from farhand.core.lease_rules import LeaseRules
from farhand.errors import Code, ConfigError
from farhand.keys.signing import load_key
from farhand.media.base import VideoSource
from farhand.media.encoder import EncoderSettings, default_bitrate_bps
from farhand.media.feed import OnFault, SharedCamera
from farhand.protocol.ids import CameraId, RobotId, ServiceId, is_valid_id
from farhand.protocol.manifest import Axis, Camera, Manifest

log = structlog.get_logger(__name__)

_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})(?:@(\d{1,3}))?")

SOCKET_PATH_BYTES = 107
"""unix(7): ``sun_path`` holds 108, with a zero at the end."""
NULL_AXES = (
    Axis("linear.x", "Forward", "m/s", -1.0, 1.0, "base"),
    Axis("angular.z", "Turn left", "rad/s", -1.0, 1.0, "base"),
    Axis("pan", "Pan left", "rad/s", -1.0, 1.0, "camera"),
    Axis("tilt", "Tilt up", "rad/s", -1.0, 1.0, "camera"),
)
"""Of the driver that moves nothing."""


def camera_flag(spec: str) -> dict[str, str | int]:
    """Return a camera's table from ``ID=URI[#WxH[@FPS]]``.

    Raises:
        ConfigError: It does not look like that.

    """
    camera_id, _, rest = spec.partition("=")
    uri, has_size, size = rest.partition("#")
    match = _SIZE.fullmatch(size)
    if not (is_valid_id(camera_id) and uri) or (has_size and match is None):
        raise ConfigError(Code.CONFIG_INVALID, f"camera: {spec!r}.", "Write ID=URI[#WxH@FPS].")
    table: dict[str, str | int] = {"id": camera_id, "source": uri}
    if match is not None:
        table |= {"width": int(match[1]), "height": int(match[2]), "fps": int(match[3] or 30)}
    return table


def cameras(section: AgentSection) -> list[tuple[Camera, VideoSource, int]]:
    """Return each camera with its source and its bit rate. Nothing is opened yet.

    Raises:
        ConfigError: An id is none or there twice, there is no such source, or the simulator's
            socket is not named.

    """
    is_simulated = section.driver == "sim" or any(
        table.source.startswith("sim:") for table in section.cameras
    )
    if is_simulated and section.sim_socket is None:
        text = "sim_socket: missing."
        raise ConfigError(Code.CONFIG_INVALID, text, "Name the simulator's with --sim-socket.")
    tables = section.cameras
    if not tables and section.driver == "sim":
        tables = tuple(CameraTable(id=name, source=f"sim:{name}") for name in ("front", "rear"))
    _check_ids([table.id for table in tables])
    made = []
    for index, table in enumerate(tables):
        camera, source = _camera(table, section.sim_socket, is_main=index == 0)
        rate = table.bitrate_bps or default_bitrate_bps(camera.width, camera.height)
        made.append((camera, source, rate))
    return made


def feed(
    camera: Camera, source: VideoSource, bitrate_bps: int, applied: AppliedLog, on_fault: OnFault
) -> SharedCamera:
    """Return the shared encoder of one camera."""
    settings = EncoderSettings(camera.fps, bitrate_bps, bitrate_bps)
    return SharedCamera(camera.id, source, settings, last_applied=applied.lookup, on_fault=on_fault)


def enrolled(
    section: AgentSection, enrolment: Enrolment | None
) -> tuple[AgentSection, Identity | None]:
    """Return the settings as the enrolment has them, and who the robot is.

    What it is called and where it belongs was decided at its enrolment; only the server's address
    may have changed since.
    """
    if enrolment is None:
        return section, None
    default = AgentSection.model_fields["server"].default
    changed: dict[str, str] = {
        "robot_id": enrolment.robot_id,
        "service": enrolment.service_id,
        "server": enrolment.server if section.server == default else section.server,
    }
    if section.robot_id not in (enrolment.robot_id, AgentSection.model_fields["robot_id"].default):
        log.warning(
            "enrolled under another id", robot_id=enrolment.robot_id, wanted=section.robot_id
        )
    identity = Identity(load_key(section.state / KEY_FILE), enrolment)
    return section.model_copy(update=changed), identity


def agent_settings(
    section: AgentSection,
    cameras: list[Camera],
    identity: Identity | None = None,
    *,
    starts_gate: bool,
) -> AgentSettings:
    """Return what the agent is told.

    Raises:
        ConfigError: An id is none, or the path of the gate's socket is too long for one.

    """
    for key, value in (("robot_id", section.robot_id), ("service", section.service)):
        if not is_valid_id(value):
            text = f"{key}: {value!r} is no id."
            raise ConfigError(Code.CONFIG_INVALID, text, "Use A-Z a-z 0-9 . _ -")
    gate_socket = section.gate_socket or section.state / "gate.sock"
    size = len(os.fsencode(gate_socket))
    if size > SOCKET_PATH_BYTES:
        text = f"gate_socket: {gate_socket} has {size} bytes, more than {SOCKET_PATH_BYTES}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Give a shorter --gate-socket or --state.")
    return AgentSettings(
        server=section.server,
        service=ServiceId(section.service),
        identity=identity,
        offline_grace_s=section.offline_grace_s,
        lease=_lease_rules(section.lease),
        manifest=_manifest(section, cameras),
        state=section.state,
        gate_socket=gate_socket,
        gate_command=_gate_command(section, gate_socket) if starts_gate else (),
    )


def _lease_rules(table: LeaseTable) -> LeaseRules:
    return LeaseRules(
        ask_us=round(table.ask_s * 1e6),
        on_silence=table.on_silence,
        idle_us=round(table.idle_release_s * 1e6),
        idle_warning_us=round(table.idle_warning_s * 1e6),
    )


def telemetry(section: AgentSection) -> TelemetrySource:
    """Return where measurements come from."""
    if section.driver != "sim" or section.sim_socket is None:
        return _NoTelemetry()
    from farhand.cli import sim_robot  # noqa: PLC0415 - only with a simulator

    return sim_robot.SimMeasurements(section.sim_socket)


def _camera(
    table: CameraTable, sim_socket: Path | None, *, is_main: bool
) -> tuple[Camera, VideoSource]:
    camera_id = CameraId(table.id)
    if table.source.startswith("sim:"):
        from farhand.cli import sim_robot  # noqa: PLC0415 - only with a simulator

        return sim_robot.camera(camera_id, table.source.removeprefix("sim:"), sim_socket)
    from farhand.media.sources.opening import open_source  # noqa: PLC0415 - loads FFmpeg

    _warn_if_absent(table)
    label = table.label or table.id.replace("-", " ").capitalize()
    camera = Camera(camera_id, label, table.width, table.height, table.fps, main=is_main)
    return camera, open_source(table.source, table.width, table.height, table.fps)


def _check_ids(ids: list[str]) -> None:
    for camera_id in ids:
        if not is_valid_id(camera_id):
            text = f"cameras: {camera_id!r} is no id."
            raise ConfigError(Code.CONFIG_INVALID, text, "Use A-Z a-z 0-9 . _ -")
        if ids.count(camera_id) > 1:
            text = f"cameras: {camera_id!r} is there twice."
            raise ConfigError(Code.CONFIG_INVALID, text, "Give each camera an id of its own.")


def _warn_if_absent(table: CameraTable) -> None:
    # No error: it is opened when somebody watches, and may be plugged in by then.
    kind, _, path = table.source.partition(":")
    if kind in ("v4l2", "file") and not Path(path.removeprefix("//")).expanduser().exists():
        log.warning("camera is not there yet", camera=table.id, path=path, fix="see --camera")


def _manifest(section: AgentSection, cameras: list[Camera]) -> Manifest:
    name = section.name or section.robot_id
    software = f"farhand {__version__}"
    if section.driver == "sim":
        from farhand.cli import sim_robot  # noqa: PLC0415 - only with a simulator

        manifest = sim_robot.manifest(section.robot_id, name, software, cameras)
    elif section.driver == "callbacks":
        from farhand.cli import callback_robot  # noqa: PLC0415 - only with such a program

        manifest = callback_robot.manifest(
            section.robot_id, name, software, cameras, section.driver_socket
        )
    else:
        manifest = Manifest(
            RobotId(section.robot_id),
            name,
            software=software,
            cameras=tuple(cameras),
            axes=NULL_AXES,
            device_timeout_s=0.25,
            simulated=True,
        )
    axes = tuple(_limited(axis, section) for axis in manifest.axes)
    return replace(manifest, axes=axes, max_age_s=section.max_age_ms / 1000)


def _limited(axis: Axis, section: AgentSection) -> Axis:
    """Show people the limits that the gate will hold them to."""
    limit = section.limits.get(axis.id)
    if limit is None:
        return axis
    minimum = axis.minimum if limit.minimum is None else max(axis.minimum, limit.minimum)
    maximum = axis.maximum if limit.maximum is None else min(axis.maximum, limit.maximum)
    low, high = limit.position_minimum, limit.position_maximum
    return replace(
        axis,
        minimum=minimum,
        maximum=maximum,
        position_minimum=axis.position_minimum if low is None else low,
        position_maximum=axis.position_maximum if high is None else high,
    )


def _gate_command(section: AgentSection, gate_socket: Path) -> list[str]:
    command = [sys.executable, "-m", "farhand", "gate", "run"]
    command += ["--socket", str(gate_socket), "--state", str(section.state)]
    command += ["--driver", section.driver, "--max-age-ms", str(section.max_age_ms)]
    if section.sim_socket is not None:
        command += ["--sim-socket", str(section.sim_socket)]
    if section.driver_socket is not None:
        command += ["--driver-socket", str(section.driver_socket)]
    if section.limits:
        limits = {k: v.model_dump(exclude_none=True) for k, v in section.limits.items()}
        command += ["--limits", msgspec.json.encode(limits).decode()]
    if section.governor != GovernorTable():
        governor = section.governor.model_dump(exclude_defaults=True)
        command += ["--governor", msgspec.json.encode(governor).decode()]
    command += ["--unlatch-on-grant"] if section.unlatch_on_grant else []
    command += ["--accept-no-device-timeout"] if section.accept_no_device_timeout else []
    return command


class _NoTelemetry:
    """A robot that measures nothing."""

    def latest(self) -> Measurement | None:
        """Return nothing."""
        return None

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()
