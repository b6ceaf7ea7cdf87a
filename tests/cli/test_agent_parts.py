"""What a newcomer to `farhand agent run` got wrong is said before anything starts."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from farhand.cli import agent_parts as parts
from farhand.config import AgentSection, CameraTable, LeaseTable
from farhand.errors import ConfigError


def test_a_path_too_long_for_a_socket_is_refused() -> None:
    section = AgentSection(state=Path("/tmp", "x" * 100))
    with pytest.raises(ConfigError, match="--state"):
        parts.agent_settings(section, [], starts_gate=True)


def test_a_service_that_is_no_id_is_refused() -> None:
    with pytest.raises(ConfigError, match="service"):
        parts.agent_settings(AgentSection(service="a b"), [], starts_gate=True)


@pytest.mark.parametrize(
    "section",
    [
        AgentSection(driver="sim"),
        AgentSection(cameras=(CameraTable(id="front", source="sim:front"),)),
    ],
)
def test_the_simulator_needs_its_socket(section: AgentSection) -> None:
    with pytest.raises(ConfigError, match="--sim-socket"):
        parts.cameras(section)


def test_a_simulator_s_camera_that_is_none_is_refused_with_those_that_are() -> None:
    table = CameraTable(id="front", source="sim:top")
    with pytest.raises(ConfigError, match="Known: front, rear"):
        parts.cameras(AgentSection(cameras=(table,), sim_socket=Path("sim.sock")))


@pytest.mark.parametrize("source", ["v4l2:{}", "file:{}", "file://{}"])
def test_a_camera_that_is_not_there_yet_is_a_warning(tmp_path: Path, source: str) -> None:
    path = tmp_path / "camera"
    section = AgentSection(cameras=(CameraTable(id="front", source=source.format(path)),))
    with capture_logs() as missing:
        parts.cameras(section)
    path.touch()
    with capture_logs() as there:
        parts.cameras(section)
    assert [line["camera"] for line in missing] == ["front"]
    assert there == []


@pytest.mark.parametrize(("ids", "words"), [(("a", "a"), "twice"), (("a b",), "no id")])
def test_each_camera_has_an_id_of_its_own(ids: tuple[str, ...], words: str) -> None:
    tables = tuple(CameraTable(id=camera_id, source="pattern:") for camera_id in ids)
    with pytest.raises(ConfigError, match=words):
        parts.cameras(AgentSection(cameras=tables))


def test_the_rules_of_the_lease_reach_the_agent_in_microseconds() -> None:
    table = LeaseTable(on_silence="grant", ask_s=5, idle_release_s=90, idle_warning_s=60.5)
    rules = parts.agent_settings(AgentSection(lease=table), [], starts_gate=True).lease
    assert (rules.on_silence, rules.ask_us) == ("grant", 5_000_000)
    assert (rules.idle_us, rules.idle_warning_us) == (90_000_000, 60_500_000)
