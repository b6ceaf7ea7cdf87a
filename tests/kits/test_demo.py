"""`farhand demo`: the local one says that it is open; `--lan` lets people in by a one-time code."""

import io
import os
import pty
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from farhand.kits import demo
from farhand.kits.demo import DemoOptions, Invitation, robot_list, stack_for
from farhand.kits.demo_lan import Lan, own_address, qr
from farhand.kits.demo_network import DemoNetwork
from farhand.kits.keys_pressed import keys_pressed
from farhand.kits.stack import Stack, free_port
from farhand.media.bad_network import BadNetwork

ROBOTS = robot_list(2)


@pytest.fixture
def lan() -> Iterator[Lan]:
    found = Lan(1, ROBOTS, "127.0.0.1")
    yield found
    found.close()


def printed(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


def test_the_local_demo_says_that_whoever_is_here_may_drive() -> None:
    stream = io.StringIO()
    stack = stack_for(DemoOptions(browser=False), 1)
    try:
        demo._welcome(Console(file=stream), stack, DemoOptions(browser=False), None)
    finally:
        stack.close()
    assert "no login" in stream.getvalue()
    assert not {"--auth", "0.0.0.0"} & set(stack.programs["server"].argv)


def test_secrets_of_a_demo_on_a_network_are_this_user_s_alone_and_go_with_it(lan: Lan) -> None:
    assert lan.folder.stat().st_mode & 0o777 == 0o700
    for file in lan.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0
    key = (lan.folder / "enrolment-key").read_text()
    stack = stack_for(DemoOptions(robots=2, lan=True), 1, lan)
    stack.close()
    words = [word for program in stack.programs.values() for word in program.argv]
    assert not [word for word in words if key in word or lan.token in word]
    lan.close()
    assert not lan.folder.exists()


def test_a_code_is_shown_once_and_again_when_asked_for_or_new(lan: Lan) -> None:
    stream = io.StringIO()
    invitation = Invitation(Console(file=stream), lan)
    invitation.show()
    assert printed(stream) == ""  # the server has made none yet
    lan.code_file.write_text("first")
    invitation.show()
    assert "http://127.0.0.1:1/login#code=first\n" in printed(stream)
    invitation.show()
    assert printed(stream) == ""
    invitation.show(again=True)
    assert "#code=first" in printed(stream)
    lan.code_file.write_text("second")
    invitation.show()
    assert "#code=second" in printed(stream)


def test_a_terminal_gets_the_code_for_a_camera_too(lan: Lan) -> None:
    lan.code_file.write_text("first")
    stream = io.StringIO()
    Invitation(Console(file=stream, force_terminal=True, width=200), lan).show()
    assert qr(lan.link("first")).splitlines()[0] in stream.getvalue()


def test_the_own_address_is_one_of_ipv4() -> None:
    assert [int(part) <= 255 for part in own_address().split(".")] == [True] * 4


def test_a_key_is_read_without_a_line_and_the_terminal_is_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import termios

    user, terminal = pty.openpty()
    with open(terminal, closefd=True) as stdin, open(user, "wb", buffering=0) as keyboard:
        monkeypatch.setattr("sys.stdin", stdin)
        before = termios.tcgetattr(stdin)
        with keys_pressed() as key:
            assert not termios.tcgetattr(stdin)[3] & termios.ICANON
            keyboard.write(b"p")
            assert key(10) == "p"
            assert key(0) == ""
        assert termios.tcgetattr(stdin) == before


def test_where_no_terminal_is_no_key_is_ever_pressed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "in").write_text("ppp")
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with keys_pressed() as key:
            assert key(0) == ""


@pytest.mark.process
def test_on_a_network_each_code_lets_one_browser_in_and_the_robots_have_enrolled() -> None:
    port = free_port()
    options = DemoOptions(robots=2, lan=True, stamp=False)
    lan = Lan(port, ROBOTS, "127.0.0.1")
    try:
        with (
            DemoNetwork(port, BadNetwork(20, 1.0)) as network,
            stack_for(options, port, lan, network) as stack,
            httpx.Client(base_url=lan.url) as browser,
        ):
            assert browser.get("/v1/demo/network").status_code == 401
            _walk(lan, stack, browser)
            assert browser.get("/v1/demo/network").json()["delayMs"] == 20
    finally:
        lan.close()


def _walk(lan: Lan, stack: Stack, browser: httpx.Client) -> None:
    assert browser.get("/v1/robot").status_code == 401
    code = lan.code()
    assert code
    assert browser.post("/v1/login/code", json={"code": "x" + code}).status_code == 401
    came = browser.post("/v1/login/code", json={"code": code})
    assert (came.status_code, came.json()["me"]["role"]) == (200, "operator")
    robots = browser.get("/v1/robot").json()["robots"]
    assert [(r["robotId"], r["online"], r["enrolled"]) for r in robots] == [
        ("sim-rover", True, True),
        ("sim-scout", True, True),
    ]
    assert demo.fetch_robots(stack) != []
    with httpx.Client(base_url=lan.url) as other:
        assert other.post("/v1/login/code", json={"code": code}).status_code == 401
        deadline = time.monotonic() + 10
        while lan.code() == code and time.monotonic() < deadline:
            os.sched_yield()
        assert other.post("/v1/login/code", json={"code": lan.code()}).status_code == 200
