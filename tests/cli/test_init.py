"""`farhand init`, `farhand config`: files that are made from the one table of settings."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from farhand import config
from farhand.cli.toml_text import commented, toml_value
from farhand.keys.signing import load_key
from tests.cli.conftest import Farhand


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No configuration but that of the test counts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "default_files", lambda: [Path("farhand.toml")])
    return tmp_path


def test_init_writes_all_that_a_server_begins_with(farhand: Farhand, folder: Path) -> None:
    ran = farhand("init", "prod", "--public-url", "https://robots.example/fleet/", "--port", "9001")
    assert (ran.code, ran.err) == (0, "")
    prod = folder / "prod"
    names = {str(path.relative_to(prod)) for path in prod.rglob("*") if path.is_file()}
    assert names == {
        "farhand.toml",
        "farhand-server.service",
        "Caddyfile",
        "README.md",
        "state/server-key.pem",
        "state/resume-secret",
    }
    server = config.load(file=prod / "farhand.toml").server
    assert (server.auth, server.port) == ("accounts", 9001)
    assert (server.public_url, server.root_path) == ("https://robots.example/fleet", "/fleet")
    assert server.state == prod / "state"
    assert server.trusted_proxies == ("127.0.0.1", "::1")
    assert f"serve --config {prod}/farhand.toml" in (prod / "farhand-server.service").read_text()
    assert "robots.example {" in (prod / "Caddyfile").read_text()
    assert len((prod / "README.md").read_text().splitlines()) == 3


def test_the_secrets_are_new_each_time_and_for_this_user_alone(
    farhand: Farhand, folder: Path
) -> None:
    farhand("init", "a")
    farhand("init", "b")
    for name in ("server-key.pem", "resume-secret"):
        files = [folder / place / "state" / name for place in "ab"]
        assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
        assert files[0].read_bytes() != files[1].read_bytes()
    assert (folder / "a" / "state").stat().st_mode & 0o777 == 0o700
    load_key(folder / "a" / "state" / "server-key.pem")  # the server takes it
    assert len((folder / "a" / "state" / "resume-secret").read_bytes()) == 32


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://a.example:8443", "a.example:8443"),  # Caddy gets a certificate for it
        ("http://a.example/fleet", "http://a.example"),  # and none for this
    ],
)
def test_the_proxy_speaks_what_people_are_told_to_ask_for(
    farhand: Farhand, folder: Path, url: str, site: str
) -> None:
    farhand("init", "prod", "--public-url", url)
    assert f"\n{site} {{\n" in (folder / "prod" / "Caddyfile").read_text()


@pytest.mark.parametrize("name", ["farhand.toml", "README.md", "state"])
def test_init_touches_nothing_that_is_there(farhand: Farhand, folder: Path, name: str) -> None:
    (folder / "prod").mkdir()
    (folder / "prod" / name).write_text("mine")
    ran = farhand("init", "prod")
    assert ran.code == 1
    assert f"{name} is there already" in ran.err
    assert [p.name for p in (folder / "prod").iterdir()] == [name]
    assert (folder / "prod" / name).read_text() == "mine"


TABLES_OF_THEIR_OWN = {"limits", "oidc", "cameras", "lease", "governor"}


def test_every_setting_stands_in_the_file_with_its_meaning() -> None:
    text = "\n".join(commented({}))
    for table in (
        config.ServerSection,
        config.AgentSection,
        config.OidcTable,
        config.LimitsTable,
        config.CameraTable,
        config.AxisLimitsTable,
    ):
        for name, field in table.model_fields.items():
            if name not in TABLES_OF_THEIR_OWN:
                assert f"# {field.description}\n# {name} =" in text


def test_what_is_commented_out_is_the_default() -> None:
    lines = [re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in commented({})]
    found = config.Settings(**tomllib.loads("\n".join(lines)))
    assert [len(found.server.oidc), len(found.agent.cameras), len(found.agent.limits)] == [1, 1, 1]
    server = found.server.model_copy(update={"oidc": ()})
    agent = found.agent.model_copy(update={"cameras": (), "limits": {}})
    assert (server, agent) == (config.ServerSection(), config.AgentSection())


def test_a_file_that_is_all_defaults_is_the_defaults(folder: Path) -> None:
    (folder / "farhand.toml").write_text("\n".join(commented({})))
    assert config.load() == config.Settings()


@pytest.mark.parametrize(
    "value", ["", 'a"b\\c\n\x00\x7f', "späß 手", 0, -1.5, True, [], ["a", {"b": [1, {}]}]]
)
def test_what_is_written_as_toml_is_read_again(value: object) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value


# --- farhand config ---


def test_what_is_in_force_is_shown_with_the_place_it_came_from(
    farhand: Farhand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "farhand.toml").write_text("[server]\nport = 9000\n[server.limits]\nconnections = 5")
    monkeypatch.setenv("FARHAND_SERVER__HOST", "::1")
    lines = farhand("config", "show", "serve", "--show-origin").out.splitlines()
    said = {line.split(" = ")[0]: line for line in lines}
    assert re.fullmatch(r"port = 9000 +# farhand\.toml", said["port"])
    assert re.fullmatch(r'host = "::1" +# the environment', said["host"])
    assert re.fullmatch(r"connections = 5 +# farhand\.toml", said["connections"])
    assert re.fullmatch(r"insecure = false +# default", said["insecure"])
    assert "[agent]" not in lines
    both = tomllib.loads(farhand("config", "show").out)
    assert config.Settings(**both) == config.load()


def test_passwords_in_settings_are_masked(farhand: Farhand, folder: Path) -> None:
    (folder / "farhand.toml").write_text(
        """
        [server]
        database = "postgresql://farhand:s3cret@db.example/farhand?password=s3cret2&sslmode=require"
        [[agent.cameras]]
        id = "front"
        source = "rtsp://admin:s3cret3@192.0.2.7/stream"
        """
    )
    for words in (["--show-origin"], ["--json"], []):
        out = farhand("config", "show", *words).out
        assert "s3cret" not in out
        assert "farhand:***@db.example/farhand?password=***&sslmode=require" in out
        assert "rtsp://admin:***@192.0.2.7/stream" in out


def test_config_show_as_json(farhand: Farhand) -> None:
    found = json.loads(farhand("config", "show", "agent", "--json").out)
    assert found["agent.max_age_ms"] == {"value": 150, "origin": "default"}
    assert not [name for name in found if name.startswith("server.")]


def test_a_file_is_checked_by_itself(
    farhand: Farhand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARHAND_SERVER__PORT", "never looked at")
    good, bad = folder / "good.toml", folder / "bad.toml"
    good.write_text("[server]\nport = 1")
    bad.write_text("[server]\nprot = 1")
    assert farhand("config", "check", str(good)).out == f"{good}: good\n"
    ran = farhand("config", "check", str(bad))
    assert ran.code == 1
    assert ran.err == (
        f"farhand: FH-1102 Unknown key `server.prot` ({bad}). Did you mean `server.port`?\n"
    )
    assert farhand("config", "check", str(folder / "no.toml")).code == 1


def test_the_schema_knows_every_setting_and_what_it_means(farhand: Farhand) -> None:
    schema = json.loads(farhand("config", "schema").out)
    server = schema["$defs"]["ServerSection"]
    assert server["properties"]["port"]["description"] == "Port; 0: any free one."
    assert server["additionalProperties"] is False
    assert set(server["properties"]) == set(config.ServerSection.model_fields)
