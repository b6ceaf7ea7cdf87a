"""The verbs against the server itself, on loopback: what they say is what it understands."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from farhand.cli import login
from farhand.server.serve import Server, build_server
from farhand.server.settings import PasswordCost, ServerSettings
from tests.cli.conftest import Farhand

CHEAP = PasswordCost(memory_kib=8, passes=1, lanes=1)
PASSWORD = "correct horse battery"


@dataclass
class Running:
    """A server with accounts."""

    server: Server
    state: Path
    setup: str
    """The code that makes the first admin."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    state, said = tmp_path / "state", list[str]()
    told = threading.Event()

    def tell(line: str) -> None:
        said.append(line)
        told.set()

    settings = ServerSettings(
        host="127.0.0.1", port=0, state=state, auth="accounts", password=CHEAP
    )
    server = build_server(settings, tell)
    thread = threading.Thread(target=server.start)
    thread.start()
    try:
        assert told.wait(20)
        yield Running(server, state, said[0].rpartition("#setup=")[2])
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def admin(
    farhand: Farhand, running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Farhand:
    """Logged in as the first admin, by the code that the server has shown."""
    (tmp_path / "password").write_text(PASSWORD)
    answers = {"Code": running.setup, "Name": "ana"}
    monkeypatch.setattr(typer, "prompt", lambda text, **_: answers[text])
    monkeypatch.setattr(
        login, "secret", lambda file, text, confirm=True: PASSWORD if file else answers[text]
    )
    ran = farhand("login", running.url, "--password-file", str(tmp_path / "password"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"ana is logged in to {running.url} as admin\n"
    return farhand


def said(farhand: Farhand, *words: str) -> Any:
    ran = farhand(*words, "--json")
    assert (ran.code, ran.err) == (0, ""), words
    return json.loads(ran.out)


def test_every_list_of_the_server_is_understood(admin: Farhand) -> None:
    for line in (
        "service ls",
        "robot ls",
        "robot ls -s *",
        "robot codes",
        "room ls",
        "session ls",
        "member ls",
        "user ls",
        "token ls",
        "guest ls",
        "audit ls",
        "audit ls --after 1",
        "webhook ls",
        "event ls --from 2h --to 1h",
    ):
        for words in (line.split(), [*line.split(), "--json"]):
            ran = admin(*words)
            assert (ran.code, ran.err) == (0, ""), line
    assert said(admin, "whoami")["role"] == "admin"


def test_services_and_rooms_are_made_changed_and_removed(admin: Farhand, tmp_path: Path) -> None:
    (tmp_path / "room").write_text("open sesame")
    assert said(admin, "service", "create", "site-a", "--name", "A")["serviceId"] == "site-a"
    assert said(admin, "service", "rename", "site-a", "Site A")["name"] == "Site A"
    words = ["--max-users", "3", "--max-duration", "2h", "--password-file", str(tmp_path / "room")]
    room = said(admin, "room", "add", "lobby", "-s", "site-a", *words)
    assert (room["maxUsers"], room["maxDurationS"], room["hasToken"]) == (3, 7200, True)
    number = str(room["roomId"])
    words = ["--max-duration", "0", "--alias", "The lobby"]
    room = said(admin, "room", "set", number, "-s", "site-a", *words)
    assert (room["maxDurationS"], room["alias"]) == (0, "The lobby")
    assert said(admin, "room", "show", number, "-s", "site-a") == room
    assert admin("room", "rm", number, "-s", "site-a").code == 0
    assert "FH-" in admin("room", "show", number, "-s", "site-a").err
    assert admin("service", "rm", "site-a").out == "removed site-a\n"
    again = admin("service", "show", "site-a")
    assert (again.code, again.err) == (1, "farhand: FH-3021 There is no such service.\n")


def test_codes_and_keys_for_robots(admin: Farhand) -> None:
    made = said(admin, "robot", "code", "--robot-id", "r1", "--tag", "night", "--ttl", "5m")
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", made["code"])
    key = said(admin, "robot", "key", "--uses", "200", "--ttl", "30d")
    assert (key["kind"], key["usesLeft"], key["code"][:4]) == ("key", 200, "fhk_")
    shown = admin("robot", "codes").out
    assert made["code"][-2:] in shown
    assert key["code"] not in shown
    assert admin("robot", "rm-code", key["enrolmentId"]).code == 0
    for line in ("robot enroll AAAA-2222", "robot deny AAAA-2222"):
        assert "FH-2108" in admin(*line.split()).err
    for line in ("show", "revoke", "rm", "rotate", "agent"):
        assert "FH-3020" in admin("robot", line, "r9").err
    assert "FH-3020" in admin("robot", "set", "r9", "--name", "N").err
    assert admin("robot", "start", "r9", "default").code == 1
    assert admin("robot", "stop", "r9", "default").code == 1
    assert admin("session", "close", "s9").code == 1
    assert admin("member", "kick", "m9", "--reason", "end of shift").code == 1


def test_a_code_lets_one_robot_in_and_a_key_as_many_as_it_says(
    admin: Farhand, running: Running, tmp_path: Path
) -> None:
    code = said(admin, "robot", "code", "--robot-id", "r1", "--name", "Arm")["code"]
    join = ["agent", "join", running.url, "--code", code, "--state"]
    assert "enrolled: r1 in service default" in admin(*join, str(tmp_path / "one")).out
    assert "FH-2107" in admin(*join, str(tmp_path / "two")).err
    (tmp_path / "key").write_text(said(admin, "robot", "key", "--uses", "2", "--ttl", "1h")["code"])
    by_key = ["agent", "join", running.url, "--code-file", str(tmp_path / "key")]
    for name, is_let_in in (("r2", True), ("r3", True), ("r4", False)):
        ran = admin(*by_key, "--robot-id", name, "--state", str(tmp_path / name))
        assert (ran.code == 0) is is_let_in, ran.err
    robots = said(admin, "robot", "ls")["robots"]
    assert [(one["robotId"], one["enrolled"]) for one in robots] == [
        ("r1", True),
        ("r2", True),
        ("r3", True),
    ]
    changed = said(admin, "robot", "set", "r2", "--tag", "night", "--name", "Two")
    assert (changed["tags"], changed["name"]) == (["night"], "Two")
    assert [one["robotId"] for one in said(admin, "robot", "ls", "--tag", "night")["robots"]] == [
        "r2"
    ]
    assert said(admin, "guest", "create", "r1", "--ttl", "2h")["url"].startswith(
        f"{running.url}/drive/r1?view=1#guest=fh_"
    )
    assert [one["role"] for one in said(admin, "guest", "ls")["tokens"]] == ["guest"]
    admin("service", "create", "site-b")
    offline = admin("robot", "start", "r1", "site-b", "--username", "ana")
    assert offline.err == "farhand: FH-3029 The robot is not online.\n"
    assert said(admin, "robot", "agent", "r1")["robotId"] == "r1"
    assert "FH-3028" in admin("robot", "agent", "r1", "restart").err
    assert admin("robot", "revoke", "r2").out == "revoked r2\n"
    assert "revoked" in admin("robot", "ls").out
    assert admin("robot", "rm", "r2").out == "removed r2\n"


@pytest.mark.process
def test_a_robot_that_asks_is_let_in_by_the_code_that_it_shows(
    admin: Farhand, running: Running, tmp_path: Path
) -> None:
    join = [sys.executable, "-m", "farhand", "agent", "join", running.url, "--robot-id", "r5"]
    with subprocess.Popen(
        [*join, "--state", str(tmp_path / "five")], stdout=subprocess.PIPE, text=True
    ) as robot:
        try:
            assert robot.stdout is not None
            shown = next(line for line in robot.stdout if line.startswith("code"))
            ran = admin("robot", "enroll", shown.split()[1], "--name", "Five")
            assert (ran.code, ran.out) == (0, "enrolled r5\n")
            assert "enrolled: r5 in service default" in robot.stdout.read()
            assert robot.wait(20) == 0
        finally:
            robot.kill()


def test_somebody_gets_an_account_and_loses_it(
    admin: Farhand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ["--password-file", str(tmp_path / "password")]
    access = ["--access", "operator@default/r1"]
    user = said(admin, "user", "create", "bo", "--role", "operator", *access, *file)
    assert user["access"] == [{"serviceId": "default", "role": "operator", "robotId": "r1"}]
    (tmp_path / "password").write_text(f"another {PASSWORD}")
    assert admin("user", "passwd", "bo", *file).code == 0
    changed = said(admin, "user", "set", "bo", "--access", "viewer@default#night", "--disable")
    assert changed["access"] == [{"serviceId": "default", "role": "viewer", "tag": "night"}]
    assert changed["isDisabled"] is True
    assert admin("user", "rm", "bo").code == 0
    assert [one["name"] for one in said(admin, "user", "ls")["users"]] == ["ana"]


def test_a_token_does_what_it_may_until_it_is_revoked(
    admin: Farhand, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = said(admin, "token", "create", "--role", "viewer", "--ttl", "8h", "--name", "ci")
    with monkeypatch.context() as other:
        other.setenv("FARHAND_TOKEN", made["secret"])
        assert said(admin, "whoami")["role"] == "viewer"
        refused = admin("user", "ls")
        assert (refused.code, "FH-2005" in refused.err) == (1, True)
    assert admin("token", "revoke", made["tokenId"]).code == 0
    monkeypatch.setenv("FARHAND_TOKEN", made["secret"])
    assert admin("whoami").code == 1


def test_a_webhook_is_made_and_removed(admin: Farhand) -> None:
    made = said(admin, "webhook", "create", "https://ops.example/hook")
    assert made["secret"]
    assert "https://ops.example/hook" in admin("webhook", "ls").out
    assert admin("webhook", "rm", made["webhookId"]).code == 0


def test_the_trail_is_the_same_by_the_server_and_by_the_file(
    admin: Farhand, running: Running, tmp_path: Path
) -> None:
    admin("service", "create", "site-a")
    assert "service.create" in admin("audit", "ls").out
    ran = admin("audit", "export", str(tmp_path / "trail.ndjson"))
    lines = (tmp_path / "trail.ndjson").read_text().splitlines()
    assert ran.err == f"{len(lines)} entries in {tmp_path / 'trail.ndjson'}\n"
    by_server = admin("audit", "verify").out
    assert by_server == f"{len(lines)} entries are what they were\n"
    assert admin("audit", "verify", "--state", str(running.state)).out == by_server
    assert "FH-1004" in admin("db", "upgrade", "--state", str(running.state)).err
    copy = tmp_path / "while-it-runs.db"
    assert admin("db", "backup", str(copy), "--state", str(running.state)).code == 0


def test_after_logging_out_the_server_knows_nobody(admin: Farhand, running: Running) -> None:
    assert admin("logout").code == 0
    ran = admin("whoami", "--server", running.url)
    assert (ran.code, "FH-2004" in ran.err) == (1, True)
