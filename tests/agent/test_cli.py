"""From settings to the agent's parts."""

import os
from pathlib import Path

import msgspec
import pytest

from farhand.cli import agent
from farhand.cli import agent_parts as parts
from farhand.config import AgentSection, AxisLimitsTable, CameraTable
from farhand.errors import ConfigError
from farhand.store.folder_lock import lock_folder


def test_a_camera_flag_names_id_source_and_size() -> None:
    assert parts.camera_flag("front=rtsp://cam/1?x=y") == {
        "id": "front",
        "source": "rtsp://cam/1?x=y",
    }
    assert parts.camera_flag("arm=v4l2:/dev/video0#1280x720@15") == {
        "id": "arm",
        "source": "v4l2:/dev/video0",
        "width": 1280,
        "height": 720,
        "fps": 15,
    }


@pytest.mark.parametrize("spec", ["front", "=file:x", "a b=file:x", "front=", "front=file:x#big"])
def test_a_camera_flag_that_is_none_is_refused(spec: str) -> None:
    with pytest.raises(ConfigError, match="camera"):
        parts.camera_flag(spec)


def test_limits_reach_the_gate_and_the_manifest() -> None:
    section = AgentSection(limits={"linear.x": AxisLimitsTable(minimum=-0.2, maximum=5.0)})
    settings = parts.agent_settings(section, [], starts_gate=True)
    axis = settings.manifest.axes[0]
    assert (axis.minimum, axis.maximum) == (-0.2, 1.0)
    command = settings.gate_command
    given = msgspec.json.decode(command[command.index("--limits") + 1])
    assert given == {"linear.x": {"minimum": -0.2, "maximum": 5.0}}
    assert "--unlatch-on-grant" not in command
    assert "--accept-no-device-timeout" not in command


def test_what_the_owner_allows_reaches_the_gate() -> None:
    section = AgentSection(
        max_age_ms=300, unlatch_on_grant=True, accept_no_device_timeout=True, driver="null"
    )
    command = parts.agent_settings(section, [], starts_gate=True).gate_command
    assert {"--unlatch-on-grant", "--accept-no-device-timeout"} <= set(command)
    assert command[command.index("--max-age-ms") + 1] == "300"


def test_without_starting_a_gate_there_is_no_command() -> None:
    assert not parts.agent_settings(AgentSection(), [], starts_gate=False).gate_command


def test_two_agents_do_not_share_a_state_folder(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path, "agent")
    try:
        with pytest.raises(ConfigError, match="FH-1004 state: another agent runs"):
            agent.run(state=tmp_path)
    finally:
        os.close(lock)


def test_an_id_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="robot_id"):
        parts.agent_settings(AgentSection(robot_id="a b"), [], starts_gate=False)


def test_cameras_get_a_rate_by_their_size() -> None:
    table = CameraTable(id="front", source="pattern:", width=1280, height=720)
    ((camera, _, rate),) = parts.cameras(AgentSection(cameras=(table,)))
    assert (camera.id, camera.label, camera.main, rate) == ("front", "Front", True, 2_500_000)
