"""The build hook: when it builds the console, and with which Node."""

import os
import stat
from pathlib import Path

import hatch_build
import pytest


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, node: str) -> None:
    for name, says in (("node", node), ("npm", "11.0.0")):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {says}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


def hook(root: Path) -> hatch_build.ConsoleHook:
    return hatch_build.ConsoleHook(str(root), {}, None, None, str(root), "wheel")  # type: ignore[arg-type]


def build_page(root: Path) -> None:
    page = root / "src" / "farhand" / "server" / "www" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>")


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.1.0", "v101.0.0"])
def test_a_new_enough_node_is_used(programs: Path, tmp_path: Path, version: str) -> None:
    install(programs, version)
    assert hatch_build.system_npm() == [str(programs / "npm")]
    assert hook(tmp_path).dependencies() == []


@pytest.mark.parametrize("version", ["v20.18.3", "v18.20.0", "v9.99.0", "nonsense", "vx.y.z", ""])
def test_an_old_node_is_replaced_by_the_packaged_one(
    programs: Path, tmp_path: Path, version: str
) -> None:
    install(programs, version)
    assert hatch_build.system_npm() is None
    assert hook(tmp_path).dependencies() == [hatch_build.NODE_PACKAGE]


def test_without_any_node_the_packaged_one_is_asked_for(programs: Path, tmp_path: Path) -> None:
    assert list(programs.iterdir()) == []
    assert hook(tmp_path).dependencies() == [hatch_build.NODE_PACKAGE]


def test_a_built_console_needs_no_node(programs: Path, tmp_path: Path) -> None:
    build_page(tmp_path)
    assert list(programs.iterdir()) == []
    assert hook(tmp_path).dependencies() == []
    hook(tmp_path).initialize("standard", {})


def test_an_editable_install_builds_nothing(programs: Path, tmp_path: Path) -> None:
    assert list(programs.iterdir()) == []
    hook(tmp_path).initialize("editable", {})
    assert not (tmp_path / "src").exists()


def test_the_console_is_built_from_the_lock_file(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    install(programs, "v22.0.0")
    log, page = tmp_path / "log", tmp_path / "src/farhand/server/www/index.html"
    (programs / "npm").write_text(
        f"#!/bin/sh\necho $(pwd -P) $@ >> {log}\n"
        f"case $1 in run) /bin/mkdir -p {page.parent} && echo page > {page};; esac\n"
    )
    hook(tmp_path).initialize("standard", {})
    web = os.path.realpath(tmp_path / "web")
    assert log.read_text().splitlines() == [
        f"{web} ci --no-audit --no-fund",
        f"{web} run build --workspace console",
    ]


def test_a_build_that_leaves_no_page_fails(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    install(programs, "v22.0.0")
    with pytest.raises(RuntimeError, match=r"index\.html"):
        hook(tmp_path).initialize("standard", {})
