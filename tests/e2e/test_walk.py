"""What a newcomer does with a server that has accounts, by the commands of the README."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farhand.kits.browser import Chromium, Page
from farhand.kits.stack import HOST, Options, Stack
from tests.e2e.harness import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

PASSWORD = "correct horse battery"


class Newcomer:
    """Somebody at a terminal, with the first admin's token in a file."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.token = folder / "token"
        self.token.write_text(stack.options.token)
        self.token.chmod(0o600)
        self.password = folder / "password"
        self.password.write_text(PASSWORD)
        self.running: list[subprocess.Popen[bytes]] = []

    def farhand(self, *words: str) -> Any:
        """Run a command on the server and return what it printed as JSON."""
        remote = ["--server", self.stack.url, "--token-file", str(self.token), "--json"]
        return json.loads(self.run(*words, *remote))

    def run(self, *words: str) -> str:
        argv = [sys.executable, "-m", "farhand", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"farhand {' '.join(words)}: {done.stderr}"
        return done.stdout

    def start(self, *words: str) -> None:
        log = (self.folder / f"{words[0]}.log").open("ab")
        environment = {**os.environ, "FARHAND_DIE_WITH_PARENT": "1"}
        argv = [sys.executable, "-m", "farhand", *words]
        with log:
            self.running.append(subprocess.Popen(argv, stdout=log, stderr=log, env=environment))

    def evidence(self) -> Iterator[tuple[str, str]]:
        for log in sorted(self.folder.glob("*.log")):
            yield log.name, log.read_text()[-4000:]

    def close(self) -> None:
        for process in reversed(self.running):
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack(Options(accounts=True)) as started:
        yield started


@pytest.fixture
def newcomer(stack: Stack, tmp_path: Path) -> Iterator[Newcomer]:
    somebody = Newcomer(stack, tmp_path)
    yield somebody
    somebody.close()


def status_of(page: Page, path: str) -> tuple[int, str]:
    script = """async path => { const answer = await fetch(path);
        return [answer.status, await answer.text()]; }"""
    status, body = page.evaluate(script, path)
    return int(status), str(body)


def enrol_second_robot(newcomer: Newcomer, service: str) -> None:
    stack, state = newcomer.stack, newcomer.folder / "robot"
    made = newcomer.farhand("robot", "code", "--service", service, "--robot-id", "sim-two")
    join = ["agent", "join", stack.url, "--code", made["code"], "--state", str(state)]
    newcomer.run(*join, "--name", "Second")
    sim_socket = stack.folder / "two.sock"  # a socket's path is short
    newcomer.start("sim", "run", "--socket", str(sim_socket), "--robot-id", "sim-two")
    wait_for("the simulator", sim_socket.exists)
    server = f"http://{HOST}:{stack.port}"
    driver = ["--driver", "sim", "--sim-socket", str(sim_socket), "--unlatch-on-grant"]
    gate = ["--gate-socket", str(stack.folder / "two-gate.sock")]
    run = ["agent", "run", "--server", server, "--robot-id", "sim-two", "--name", "Second"]
    newcomer.start(*run, "--state", str(state), *gate, *driver)
    wait_for(
        "the second robot is online",
        lambda: newcomer.farhand("robot", "show", "sim-two", "--service", service)["online"],
    )


def test_a_newcomer_sets_up_a_service_and_its_operator_drives_and_sees_nothing_else(
    newcomer: Newcomer, shared_browser: Chromium
) -> None:
    service = newcomer.farhand("service", "create", "--name", "Site B")["serviceId"]
    enrol_second_robot(newcomer, service)
    access = f"operator@{service}/sim-two"
    account = ["--role", "operator", "--access", access, "--password-file", str(newcomer.password)]
    newcomer.farhand("user", "create", "ben", *account)
    strangers = [
        f"/v1/robot/{id_}?service={where}"
        for id_, where in (("sim-rover", "default"), ("nobody", "default"), ("nobody", service))
    ]
    strangers += ["/v1/service/default", "/v1/service/nowhere", "/v1/service/default/room"]
    strangers += ["/v1/service/default/member", "/v1/service/default/session"]

    context = shared_browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{newcomer.stack.url}/drive/sim-two")
        page.get_by_label("Name").fill("ben")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_test_id("take-control").click(timeout=20_000)
        wait_for(
            "ben is in control",
            lambda: "IN CONTROL" in page.get_by_test_id("control-state").inner_text(),
        )
        page.keyboard.down("w")
        wait_for("the second robot moves", lambda: speed(newcomer, service) > 0.1)
        page.keyboard.up("w")
        answers = {path: status_of(page, path) for path in strangers}
        assert {status for status, _ in answers.values()} == {404}, answers
        assert status_of(page, f"/v1/robot/sim-two?service={service}")[0] == 200
        assert status_of(page, "/v1/user")[0] == 403
    finally:
        context.close()
    trail = newcomer.farhand("audit", "ls")["entries"]
    deeds = {(entry["action"], entry["actorName"]) for entry in trail}
    assert any(action.startswith("login") and who == "ben" for action, who in deeds), deeds
    assert newcomer.farhand("audit", "verify")["ok"]


def speed(newcomer: Newcomer, service: str) -> float:
    shown = newcomer.farhand("robot", "show", "sim-two", "--service", service)
    status = shown["status"] or {}
    return abs(float((status.get("speed") or {}).get("linear", 0.0)))
