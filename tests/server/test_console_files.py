import re
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import FileResponse

from farhand.errors import Code
from farhand.server.console_files import ConsoleFiles, policy

INDEX = (
    '<!doctype html><html><head><meta charset="utf-8"><base href="/" />'
    '<meta property="csp-nonce" nonce="__CSP_NONCE__">'
    '<script type="module" nonce="__CSP_NONCE__" src="./assets/index-abc123.js"></script>'
    "</head></html>"
)


def request(host: str = "robots.example:8080") -> Request:
    return Request({"type": "http", "headers": [(b"host", host.encode())]})


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "index-abc123.js").write_text("export {}")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("no")
    return folder


def test_a_page_has_a_nonce_of_its_own_in_policy_and_markup(build: Path) -> None:
    files = ConsoleFiles(build)
    one, two = (files.page(request()) for _ in range(2))
    nonces = []
    for page in (one, two):
        html = bytes(page.body).decode()
        [nonce] = set(re.findall(r'nonce="([^"]+)"', html))
        assert f"'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
        nonces.append(nonce)
    assert nonces[0] != nonces[1]


def test_a_page_is_based_at_the_root_path(build: Path) -> None:
    html = bytes(ConsoleFiles(build, "/robots").page(request()).body).decode()
    assert '<base href="/robots/">' in html
    assert html.count("<base") == 1
    (build / "index.html").write_text("<html><head><title>x</title></head></html>")
    html = bytes(ConsoleFiles(build).page(request()).body).decode()
    assert html.startswith('<html><head><base href="/">')


def test_hashed_assets_are_kept_for_ever_and_others_are_asked_for_again(build: Path) -> None:
    files = ConsoleFiles(build)
    asset, icon = files.file("assets/index-abc123.js"), files.file("favicon.svg")
    assert isinstance(asset, FileResponse)
    assert isinstance(icon, FileResponse)
    assert "immutable" in asset.headers["Cache-Control"]
    assert icon.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["../secret", "assets/../../secret", "/etc/passwd", "assets", "", "nothing.js", "index.html"],
)
def test_nothing_else_is_served(build: Path, path: str) -> None:
    assert ConsoleFiles(build).file(path) is None


def test_a_missing_console_is_said_clearly(tmp_path: Path) -> None:
    files = ConsoleFiles(tmp_path)
    page = files.page(request())
    assert page.status_code == 503
    assert Code.CONSOLE_MISSING in bytes(page.body).decode()
    assert files.version() == ConsoleFiles(tmp_path / "nowhere").version()


def test_the_version_changes_with_the_build(build: Path) -> None:
    files = ConsoleFiles(build)
    before = files.version()
    (build / "index.html").write_text(INDEX.replace("abc123", "def456"))
    after = files.version()
    assert before["version"] == after["version"]
    assert before["console"] != after["console"]


def test_a_hostile_host_header_does_not_get_into_the_policy() -> None:
    assert " ws://robots.example:80 wss://robots.example:80;" in policy("n", "robots.example:80")
    assert " ws://[::1]:8080 " in policy("n", "[::1]:8080")
    for host in ("x; script-src *", "a b", "", "a\r\nb", "*"):
        assert "ws://" not in policy("n", host)
