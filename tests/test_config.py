import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from farhand import config
from farhand.errors import Code, ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this machine counts: an empty folder, an empty environment."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(config.PREFIX):
            monkeypatch.delenv(name)
    files = [Path("farhand.toml"), tmp_path / "user.toml", tmp_path / "etc.toml"]
    monkeypatch.setattr(config, "default_files", lambda: list(files))
    return tmp_path


def refused(*arguments: Any, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config.load(*arguments, **options)
    return caught.value


def test_without_anything_the_defaults_hold() -> None:
    settings = config.load()
    assert settings.server.port == 8080
    assert settings.agent.max_age_ms == 150
    assert not settings.agent.unlatch_on_grant
    assert not settings.agent.accept_no_device_timeout


def test_each_place_beats_the_ones_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [config.load().server.port]
    (folder / "etc.toml").write_text("[server]\nport = 1\nhost = 'etc'")
    seen.append(config.load().server.port)
    (folder / "user.toml").write_text("[server]\nport = 2")
    seen.append(config.load().server.port)
    (folder / "farhand.toml").write_text("[server]\nport = 3")
    seen.append(config.load().server.port)
    monkeypatch.setenv("FARHAND_SERVER__PORT", "4")
    seen.append(config.load().server.port)
    flags = {"server": {"port": 5, "host": None}}
    seen.append(config.load(flags).server.port)
    assert seen == [8080, 1, 2, 3, 4, 5]
    assert config.load(flags).server.host == "etc"  # tables merge key by key


def test_a_named_file_takes_the_place_of_the_one_here(folder: Path) -> None:
    (folder / "farhand.toml").write_text("[server]\nport = 3")
    (folder / "other.toml").write_text("[server]\nhost = 'other'")
    settings = config.load(file=folder / "other.toml")
    assert (settings.server.port, settings.server.host) == (8080, "other")


def test_a_named_file_must_be_there(folder: Path) -> None:
    assert refused(file=folder / "no.toml").code == Code.CONFIG_INVALID


def test_a_robot_s_file(folder: Path) -> None:
    (folder / "farhand.toml").write_text(
        """
        [agent]
        robot_id = "jetson-07"
        max_age_ms = 100
        [[agent.cameras]]
        id = "front"
        source = "v4l2:/dev/video0"
        width = 1280
        height = 720
        [agent.limits."linear.x"]
        maximum = 0.5
        """
    )
    agent = config.load().agent
    assert [(c.id, c.width, c.fps) for c in agent.cameras] == [("front", 1280, 30.0)]
    assert agent.limits["linear.x"].maximum == 0.5
    assert agent.limits["linear.x"].minimum is None


@pytest.mark.parametrize(
    ("text", "name", "nearest"),
    [
        ("[server]\nprot = 1", "server.prot", "server.port"),
        ("[agnet]\n", "agnet", "agent"),
        ("[[agent.cameras]]\nid='a'\nsource='b'\nbitrate=1", "bitrate", "bitrate_bps"),
        ("[agent.limits.pan]\nmaxmum = 1", "agent.limits.pan.maxmum", "maximum"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(
    folder: Path, text: str, name: str, nearest: str
) -> None:
    (folder / "farhand.toml").write_text(text)
    error = refused()
    assert error.code == Code.CONFIG_UNKNOWN_KEY
    assert name in error.text
    assert "farhand.toml" in error.text
    assert nearest in error.fix


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("FARHAND_SERVER__PROT", "server.port"),
        ("FARHAND_PROT", "FARHAND_SERVER__PORT"),
        ("FARHAND_SERVER", "FARHAND_SERVER__"),
        ("FARHAND_AGNET__NAME", "FARHAND_AGENT__NAME"),
    ],
)
def test_an_unknown_variable_is_an_error(
    monkeypatch: pytest.MonkeyPatch, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "1")
    error = refused()
    assert error.code == Code.CONFIG_UNKNOWN_KEY
    assert "environment" in error.text
    assert nearest in error.fix


def test_a_name_that_resembles_nothing_gets_the_list(folder: Path) -> None:
    (folder / "farhand.toml").write_text("xyzzyq = 1")
    assert refused().fix == "Known: server, agent."


def test_variables_that_are_no_settings_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in config.NO_SETTINGS:
        monkeypatch.setenv(variable, "1")
    assert config.load() == config.Settings()


@pytest.mark.parametrize("value", ["70000", "-1", "many"])
def test_a_value_that_cannot_be_names_key_and_place(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FARHAND_SERVER__PORT", value)
    error = refused()
    assert error.code == Code.CONFIG_INVALID
    assert "server.port (the environment)" in error.text


def test_a_flag_that_cannot_be_names_the_command_line() -> None:
    assert "server.port (the command line)" in refused({"server": {"port": -1}}).text


def test_a_missing_key_names_the_table(folder: Path) -> None:
    (folder / "farhand.toml").write_text("[[agent.cameras]]\nid = 'front'")
    assert "agent.cameras.0.source" in refused().text


def test_a_list_in_the_environment_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARHAND_SERVER__ORIGINS", '["https://a.example"]')
    assert config.load().server.origins == ("https://a.example",)
    monkeypatch.setenv("FARHAND_SERVER__ORIGINS", "https://a.example")
    assert refused().code == Code.CONFIG_INVALID


@pytest.mark.parametrize("data", [b"[server\n", b"\xff"])
def test_a_file_that_is_no_toml_is_named(folder: Path, data: bytes) -> None:
    (folder / "farhand.toml").write_bytes(data)
    error = refused()
    assert error.code == Code.CONFIG_INVALID
    assert "farhand.toml" in error.text


@pytest.mark.parametrize(
    "table",
    [
        config.ServerSection,
        config.LimitsTable,
        config.OidcTable,
        config.AgentSection,
        config.CameraTable,
        config.AxisLimitsTable,
    ],
)
def test_every_setting_says_what_it_means(table: type[BaseModel]) -> None:
    assert [name for name, field in table.model_fields.items() if not field.description] == []


def test_places_are_here_the_user_s_and_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    here, user, machine = config.default_files()
    assert here == Path("farhand.toml")
    assert user.parts[-2:] == ("farhand", "config.toml")
    assert machine == Path("/etc/farhand/config.toml")


def test_a_list_shorter_than_the_path_is_not_the_origin() -> None:
    assert refused({"agent": {"cameras": [{"id": "a"}]}}).text.startswith("agent.cameras.0.source")


def test_a_warning_that_would_come_after_the_release_is_refused() -> None:
    error = refused({"agent": {"lease": {"idle_warning_s": 60}}})
    assert error.code is Code.CONFIG_INVALID
    assert "agent.lease" in error.text
    never = config.load({"agent": {"lease": {"idle_release_s": 0}}}).agent.lease
    assert never.idle_release_s == 0
