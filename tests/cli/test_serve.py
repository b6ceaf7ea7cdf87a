"""What `farhand serve` says when it starts."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from farhand.cli import serve
from farhand.errors import ConfigError
from farhand.server.settings import ServerSettings


@pytest.mark.parametrize(
    ("given", "path"),
    [("", ""), ("/", ""), ("robots", "/robots"), ("/robots/", "/robots"), ("/a/b", "/a/b")],
)
def test_a_prefix_begins_with_a_slash_and_ends_without(given: str, path: str) -> None:
    assert serve.root_path_of(given) == path


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://localhost:80"),
        ("192.0.2.7", "http://192.0.2.7:80"),
        ("2001:db8::7", "http://[2001:db8::7]:80"),
    ],
)
def test_the_address_said_is_one_that_answers(
    capsys: pytest.CaptureFixture[str], host: str, url: str
) -> None:
    serve.announce(ServerSettings(host=host), 80)
    assert capsys.readouterr().out.splitlines()[0] == f"farhand serves {url}"


@pytest.mark.parametrize(("host", "is_warned"), [("localhost", False), ("0.0.0.0", True)])
def test_who_opens_it_to_others_is_told_that_there_are_no_accounts(
    tmp_path: Path, host: str, is_warned: bool
) -> None:
    with capture_logs() as logs:
        serve.announce(ServerSettings(host=host, console=tmp_path), 80)
    assert any("no accounts" in line["event"] for line in logs) is is_warned


def test_a_console_that_was_not_built_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "PACKAGED", tmp_path)
    with capture_logs() as logs:
        serve.announce(ServerSettings(), 80)
    assert [line["fix"] for line in logs] == ["make console"]


@pytest.mark.parametrize("origin", ["fleet.example", "https://fleet.example/", "https://a@b", "*"])
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    with pytest.raises(ConfigError, match="without a path"):
        serve.check_origins(["https://fleet.example:8443", origin])


def test_origins_with_scheme_host_and_port_are_taken() -> None:
    serve.check_origins(["https://fleet.example", "http://[::1]:80", "capacitor://localhost"])
