"""The files around a server: units that systemd takes, and those of `deploy/` are the ones made."""

import shutil
import subprocess
from pathlib import Path

import pytest

from farhand.cli.deploy_files import Unit, caddyfile, nginx

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def test_the_files_of_the_repository_are_those_that_are_made() -> None:
    assert (DEPLOY / "systemd" / "farhand-server.service").read_text() == Unit().text()
    assert (DEPLOY / "Caddyfile").read_text() == caddyfile()
    assert (DEPLOY / "nginx.conf").read_text() == nginx()


def test_nothing_of_the_home_folders_is_seen_unless_the_server_lives_there() -> None:
    assert "ProtectHome=yes" in Unit().text()
    at_home = Unit("/home/ana/.venv/bin/farhand", "/home/ana/prod/farhand.toml")
    assert "ProtectHome=read-only" in at_home.text()


def test_a_path_with_blanks_and_signs_is_one_word_to_systemd() -> None:
    text = Unit("/opt/a b/farhand", "/etc/50%/$x.toml", Path("/srv/a b")).text()
    assert 'ExecStart="/opt/a b/farhand" serve --config "/etc/50%%/$$x.toml"' in text
    assert 'ReadWritePaths="/srv/a b"' in text
    assert "WorkingDirectory=/srv/a b\n" in text


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("state", [None, "a place"])
def test_systemd_takes_the_unit_and_finds_it_well_shut(tmp_path: Path, state: str | None) -> None:
    folder = None if state is None else tmp_path / state
    file = tmp_path / "farhand-server.service"
    # A command that is there: systemd looks for it.
    file.write_text(Unit("/bin/true", "/etc/farhand/config.toml", folder, "root").text())
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    # At most 3.0 of 10: "OK", where an unhardened unit has 9.6.
    shut = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shut.returncode == 0, shut.stdout
