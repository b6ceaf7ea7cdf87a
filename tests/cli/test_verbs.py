"""Each verb sends the request of the contract, and shows what the server said."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from farhand.cli.main import VERBS, build
from tests.cli.conftest import Farhand, Server

V1 = "/v1"
ROBOT = {
    "robotId": "jetson-07",
    "serviceId": "default",
    "name": "Arm 7",
    "online": True,
    "revoked": False,
    "tags": ["warehouse", "night"],
    "model": "xArm",
    "lastSeenMs": 1_795_000_000_000,
}
USER = {"userId": "u-1", "name": "ana", "role": "operator", "isDisabled": False, "createdMs": 0}
USER["access"] = [
    {"serviceId": "default", "role": "operator", "robotId": "jetson-07"},
    {"serviceId": "site-a", "role": "viewer", "tag": "night"},
]

READS: list[tuple[str, str, dict[str, str], str, dict[str, Any], list[str]]] = [
    # words, path, query, plural, a row, words of the table
    (
        "service ls",
        "/service",
        {"limit": "500"},
        "services",
        {"serviceId": "site-a", "name": "Site A", "robots": 3},
        ["site-a", "Site A", "3"],
    ),
    (
        "robot ls --tag night --q arm --online",
        "/robot",
        {"service": "default", "tag": "night", "q": "arm", "online": "true", "limit": "500"},
        "robots",
        ROBOT,
        ["jetson-07", "Arm 7", "online", "warehouse, night", "xArm"],
    ),
    (
        "robot ls --offline -s site-a",
        "/robot",
        {"service": "site-a", "online": "false", "limit": "500"},
        "robots",
        {**ROBOT, "online": False},
        ["offline"],
    ),
    (
        "robot codes",
        "/enrolment",
        {"limit": "500"},
        "enrolments",
        {"enrolmentId": "e-1", "kind": "key", "hint": "9Z", "usesLeft": 17, "status": "open"},
        ["e-1", "key", "9Z", "17", "open"],
    ),
    (
        "room ls --service site-a",
        "/service/site-a/room",
        {"limit": "500"},
        "rooms",
        {"roomId": 1000, "name": "lobby", "hasToken": True, "maxUsers": 0, "members": [{}, {}]},
        ["1000", "lobby", "yes", "—", "2"],
    ),
    (
        "session ls",
        "/service/default/session",
        {"limit": "500"},
        "sessions",
        {"sessionId": "s1", "robotId": "r1", "member": {"name": "ana", "role": "operator"}},
        ["s1", "r1", "ana", "operator"],
    ),
    (
        "member ls",
        "/service/default/member",
        {"limit": "500"},
        "members",
        {"memberId": "m1", "name": "ana", "role": "viewer", "robotId": None, "room": "r1"},
        ["m1", "ana", "viewer", "—", "r1"],
    ),
    (
        "user ls",
        "/user",
        {"limit": "500"},
        "users",
        USER,
        ["u-1", "ana", "operator@default/jetson-07 viewer@site-a#night", "no"],
    ),
    (
        "token ls",
        "/token",
        {"limit": "500"},
        "tokens",
        {"tokenId": "t-1", "name": "ci", "role": "program", "expiresMs": None, "lastUsedMs": 0},
        ["t-1", "ci", "program", "never"],
    ),
    (
        "guest ls",
        "/token",
        {"role": "guest", "limit": "500"},
        "tokens",
        {"tokenId": "t-2", "role": "guest", "isRevoked": True},
        ["t-2", "guest", "revoked"],
    ),
    (
        "audit ls --after 7 --robot r1 --action lease. --limit 3",
        "/audit",
        {"after": "7", "robot": "r1", "action": "lease.", "limit": "3"},
        "entries",
        {"seq": 8, "actor": "user:u-1", "actorName": "ana", "action": "lease.granted"},
        ["8", "ana", "lease.granted"],
    ),
    (
        "audit ls",
        "/audit",
        {"newest": "true", "limit": "200"},
        "entries",
        {"seq": 9, "actor": "robot:r1", "actorName": "", "action": "robot.enrol"},
        ["9", "robot:r1", "robot.enrol"],
    ),
    (
        "webhook ls",
        "/webhook",
        {"limit": "500"},
        "webhooks",
        {"webhookId": "w-1", "url": "https://ops.example/hook", "lastStatus": 204},
        ["w-1", "https://ops.example/hook", "204"],
    ),
    (
        "event ls --robot r1 --type stopped --from 2026-01-02T00:00+00:00 --limit 5",
        "/event",
        {"robot": "r1", "type": "stopped", "from": "1767312000000", "limit": "5"},
        "events",
        {"atMs": 1_767_312_000_000, "type": "stopped", "robotId": "r1", "member": {"name": "ana"}},
        ["2026-01-0", "stopped", "r1", "ana"],
    ),
]


@pytest.mark.parametrize(("line", "where", "query", "plural", "row", "seen"), READS)
def test_a_list_is_asked_for_and_shown_as_a_table(
    *,
    farhand: Farhand,
    server: Server,
    line: str,
    where: str,
    query: dict[str, str],
    plural: str,
    row: dict[str, Any],
    seen: list[str],
) -> None:
    server.answers[f"GET {V1}{where}"] = {plural: [row], "total": 1, "next": None}
    ran = farhand(*line.split())
    assert (ran.code, ran.err) == (0, "")
    assert dict(server.last.url.params) == query
    for word in seen:
        assert word in ran.out.splitlines()[1]


@pytest.mark.parametrize(("line", "where", "query", "plural", "row", "seen"), READS)
def test_json_is_what_the_server_said(
    *,
    farhand: Farhand,
    server: Server,
    line: str,
    where: str,
    query: dict[str, str],
    plural: str,
    row: dict[str, Any],
    seen: list[str],
) -> None:
    body = {plural: [row], "total": 1, "next": None}
    server.answers[f"GET {V1}{where}"] = body
    assert json.loads(farhand(*line.split(), "--json").out) == body


WRITES: list[tuple[str, str, Any, str]] = [
    # words, request, its body, words of the output
    ("service show site-a", "GET /service/site-a", None, "site-a"),
    ("service create", "POST /service", {}, "created new-id"),
    (
        "service create site-a --name A",
        "POST /service",
        {"id": "site-a", "name": "A"},
        "created new-id",
    ),
    ("service rename site-a B", "PATCH /service/site-a", {"name": "B"}, "site-a is called B"),
    ("service rm site-a", "DELETE /service/site-a", None, "removed site-a"),
    ("service rm site-a --force", "DELETE /service/site-a?force=true", None, "removed site-a"),
    ("robot show r1 -s site-a", "GET /robot/r1?service=site-a", None, "r1"),
    (
        "robot set r1 --name N --tag a --tag b",
        "PATCH /robot/r1?service=default",
        {"name": "N", "tags": ["a", "b"]},
        "changed r1",
    ),
    ("robot revoke r1", "POST /robot/r1/revoke?service=default", {}, "revoked r1"),
    ("robot rm r1", "DELETE /robot/r1?service=default", None, "removed r1"),
    ("robot start r1 site-b", "POST /robot/r1/site-b/start", {}, "r1 is in site-b"),
    (
        "robot start r1 site-b --username ana",
        "POST /robot/r1/site-b/start",
        {"username": "ana"},
        "r1 is in site-b",
    ),
    ("robot stop r1 site-b", "POST /robot/r1/site-b/stop", {}, "r1 has left site-b"),
    ("robot agent r1", "GET /robot/r1/agent?service=default", None, "r1"),
    ("robot agent r1 restart", "POST /robot/r1/agent/restart?service=default", {}, "restart: r1"),
    (
        "robot enroll ABCD-EFGH --robot-id r1 --tag t",
        "POST /enrolment/approve",
        {"code": "ABCD-EFGH", "serviceId": "default", "robotId": "r1", "tags": ["t"]},
        "enrolled r1",
    ),
    ("robot deny ABCD-EFGH", "POST /enrolment/deny", {"code": "ABCD-EFGH"}, "denied"),
    (
        "robot code --robot-id r1 --ttl 5m",
        "POST /enrolment",
        {"kind": "code", "serviceId": "default", "robotId": "r1", "ttlS": 300},
        "on the robot: farhand agent join http://x --code ABCD-EFGH",
    ),
    (
        "robot key --uses 200 --ttl 30d --tag t",
        "POST /enrolment",
        {"kind": "key", "serviceId": "default", "tags": ["t"], "ttlS": 2592000, "uses": 200},
        "ABCD-EFGH   until",
    ),
    ("robot rotate r1", "POST /robot/r1/rotate?service=default", {}, "ABCD-EFGH   until"),
    ("robot rm-code e-1", "DELETE /enrolment/e-1", None, "revoked e-1"),
    ("room show 1000", "GET /service/default/room/1000", None, "1000"),
    (
        "room add lobby --type audio --max-users 8 --max-duration 2h --alias L",
        "POST /service/default/room",
        {"name": "lobby", "type": "audio", "maxUsers": 8, "maxDurationS": 7200, "alias": "L"},
        "added room 1001",
    ),
    (
        "room set 1000 --max-duration 0 -s site-a",
        "PATCH /service/site-a/room/1000",
        {"maxDurationS": 0},
        "changed room 1000",
    ),
    ("room rm 1000", "DELETE /service/default/room/1000", None, "removed room 1000"),
    ("session close s1", "DELETE /service/default/session/s1", None, "closed s1"),
    ("member kick m1", "DELETE /service/default/member/m1", None, "kicked m1"),
    (
        "user create bo --no-password --role viewer --access viewer@default",
        "POST /user",
        {
            "name": "bo",
            "role": "viewer",
            "access": [{"serviceId": "default", "role": "viewer"}],
        },
        "created bo (u-1)",
    ),
    (
        "user set ana --disable --access operator@default#night",
        "PATCH /user/u-1",
        {
            "access": [{"serviceId": "default", "role": "operator", "tag": "night"}],
            "isDisabled": True,
        },
        "changed ana",
    ),
    ("user rm u-1", "DELETE /user/u-1", None, "removed u-1"),
    (
        "token create --role operator --robot r1 --ttl 8h",
        "POST /token",
        {
            "name": "operator",
            "role": "operator",
            "access": [{"serviceId": "default", "role": "operator", "robotId": "r1"}],
            "ttlS": 28800,
        },
        "fh_secret",
    ),
    (
        "token create --role admin --name ci",
        "POST /token",
        {"name": "ci", "role": "admin", "access": []},
        "fh_secret",
    ),
    ("token revoke t-1", "DELETE /token/t-1", None, "revoked t-1"),
    (
        "guest create r1 --ttl 45s",
        "POST /guest-link",
        {"robotId": "r1", "serviceId": "default", "ttlS": 45},
        "http://x/drive/r1?view=1#guest=abc",
    ),
    ("guest revoke t-2", "DELETE /token/t-2", None, "revoked t-2"),
    ("audit verify", "GET /audit/verify", None, "12 entries"),
    (
        "webhook create https://ops.example/h --event robot.offline --service site-a",
        "POST /webhook",
        {"url": "https://ops.example/h", "events": ["robot.offline"], "serviceId": "site-a"},
        "whsec",
    ),
    ("webhook rm w-1", "DELETE /webhook/w-1", None, "removed w-1"),
    ("webhook test w-1", "POST /webhook/w-1/test", {}, "200"),
    ("whoami", "GET /me", None, "ana"),
]
CONTRACT: dict[str, Any] = {
    "GET /service/site-a": {"serviceId": "site-a", "name": "A"},
    "POST /service": {"serviceId": "new-id"},
    "GET /robot/r1": {"robotId": "r1"},
    "GET /robot/r1/agent": {"robotId": "r1", "version": "0.1.0"},
    "POST /enrolment/approve": {"robotId": "r1"},
    "POST /enrolment": {
        "enrolmentId": "e-1",
        "code": "ABCD-EFGH",
        "expiresMs": 1_795_000_000_000,
        "line": "farhand agent join http://x --code ABCD-EFGH",
    },
    "GET /service/default/room/1000": {"roomId": 1000},
    "POST /service/default/room": {"roomId": 1001},
    "GET /user": {"users": [USER], "total": 1, "next": None},
    "POST /robot/r1/rotate": {"code": "ABCD-EFGH"},
    "POST /user": {"userId": "u-1"},
    "POST /token": {"tokenId": "t-1", "secret": "fh_secret"},
    "POST /guest-link": {
        "tokenId": "t-2",
        "url": "http://x/drive/r1?view=1#guest=abc",
        "expiresMs": 1,
    },
    "GET /audit/verify": {"ok": True, "entries": 12, "brokenAt": None},
    "POST /webhook": {"webhookId": "w-1", "secret": "whsec"},
    "POST /webhook/w-1/test": {"status": 200},
    "GET /me": {"kind": "user", "name": "ana"},
}


@pytest.mark.parametrize(("line", "request_line", "body", "seen"), WRITES)
def test_a_verb_sends_its_request_and_says_what_came_of_it(
    *, farhand: Farhand, server: Server, line: str, request_line: str, body: Any, seen: str
) -> None:
    for key, answer in CONTRACT.items():
        server.answers[key.replace(" /", f" {V1}/")] = answer
    ran = farhand(*line.split())
    assert (ran.code, ran.err) == (0, "")
    asked = server.last
    assert f"{asked.method} {asked.url.raw_path.decode().removeprefix(V1)}" == request_line
    assert server.body == body
    assert seen in ran.out


@pytest.mark.parametrize(("line", "request_line", "body", "seen"), WRITES)
def test_curl_shows_the_request_and_sends_nothing(
    *, farhand: Farhand, server: Server, line: str, request_line: str, body: Any, seen: str
) -> None:
    ran = farhand(*line.split(), "--curl")
    assert (ran.code, server.requests) == (0, [])
    method, where = request_line.split()
    where = where.replace("/u-1", "/ana") if "ana" in line else where
    assert ran.out.startswith(f"curl -sS -X {method} ")
    assert f"http://localhost:8080/v1{where}" in ran.out


LOCAL = {"demo", "serve", "agent", "gate", "sim", "bench", "init", "config", "db"}
"""Verbs that ask no server."""


def test_every_verb_of_a_noun_that_talks_to_a_server_is_in_these_tables() -> None:
    there = set()
    for name in set(VERBS) - LOCAL:
        command: Any = typer.main.get_command(build(name))
        there |= {f"{name} {b}" for b in getattr(command.commands[name], "commands", {})}
    lines = [row[0] for row in READS] + [row[0] for row in WRITES]
    here = {" ".join(line.split()[:2]) for line in lines}
    assert there - here == {"audit export", "user passwd"}  # further down


def test_every_command_s_help_has_an_example_of_itself() -> None:
    for name, verb in VERBS.items():
        if verb.is_hidden:
            continue
        group: Any = typer.main.get_command(build(name))
        command = group.commands[name]
        below = getattr(command, "commands", None)
        for path, found in (
            {f"{name} {b}": c for b, c in below.items()} if below else {name: command}
        ).items():
            assert f"Example: farhand {path}" in found.help, path


def test_a_password_comes_from_a_file_and_goes_nowhere_else(
    farhand: Farhand, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    ran = farhand("user", "create", "bo", "--password-file", str(file))
    assert server.body["password"] == "correct horse"
    server.answers["GET /v1/user"] = {"users": [USER]}
    farhand("user", "passwd", "ana", "--password-file", str(file))
    assert server.last.url.path == "/v1/user/u-1"
    assert server.body == {"password": "correct horse"}
    farhand("room", "set", "1000", "--password-file", str(file))
    assert server.body == {"token": "correct horse"}
    shown = farhand("user", "create", "bo", "--password-file", str(file), "--curl").out
    assert "correct horse" not in ran.out + ran.err + shown
    assert '"password":"\'"$PASSWORD"\'"' in shown


def test_one_s_own_password_needs_the_old_one_from_a_terminal(
    farhand: Farhand, server: Server
) -> None:
    ran = farhand("user", "passwd")
    assert ran.code == 1
    assert "no terminal to ask on" in ran.err
    assert server.requests == []


def test_a_member_is_told_why(farhand: Farhand, server: Server) -> None:
    farhand("member", "kick", "m1", "--reason", "end of shift")
    assert server.body == {"reason": "end of shift"}


def test_nothing_to_change_is_said_before_anything_is_sent(
    farhand: Farhand, server: Server
) -> None:
    for line in ("robot set r1", "room set 1000", "user set ana"):
        ran = farhand(*line.split())
        assert (ran.code, "Nothing to change" in ran.err) == (1, True)
    assert server.requests == []


def test_empty_words_take_all_tags_away(farhand: Farhand, server: Server) -> None:
    farhand("robot", "set", "r1", "--tag", "")
    assert server.body == {"tags": []}


@pytest.mark.parametrize(
    "line",
    [
        "guest create r1 --ttl 5",
        "guest create r1 --ttl 0m",
        "guest create r1 --ttl 2w",
        "token create --role operator --access operator",
        "token create --role king",
        "event ls --from yesterday",
        "robot agent r1 explode",
    ],
)
def test_a_word_that_cannot_be_is_a_mistake_of_usage(
    farhand: Farhand, server: Server, line: str
) -> None:
    assert farhand(*line.split()).code == 2
    assert server.requests == []


def test_a_qr_code_is_drawn_beside_the_secret(farhand: Farhand, server: Server) -> None:
    server.answers["POST /v1/guest-link"] = CONTRACT["POST /guest-link"]
    ran = farhand("guest", "create", "r1", "--ttl", "1h", "--qr")
    assert "http://x/drive/r1?view=1#guest=abc" in ran.out
    assert "█" in ran.out


def test_an_account_that_is_none_is_said(farhand: Farhand, server: Server) -> None:
    server.answers["GET /v1/user"] = {"users": [USER]}
    ran = farhand("user", "rm", "nobody")
    assert (ran.code, len(server.requests)) == (1, 1)
    assert "There is no account 'nobody'" in ran.err


def test_an_export_goes_on_until_nothing_new_comes(
    farhand: Farhand, server: Server, tmp_path: Path
) -> None:
    import httpx

    def page(request: httpx.Request) -> httpx.Response:
        after = int(request.url.params.get("after", "0"))
        lines = [json.dumps({"seq": seq}) for seq in range(after + 1, min(after + 3, 6))]
        return httpx.Response(200, text="".join(f"{line}\n" for line in lines))

    server.answers["GET /v1/audit"] = page
    file = tmp_path / "trail.ndjson"
    ran = farhand("audit", "export", str(file), "--robot", "r1")
    assert (ran.code, ran.err) == (0, f"5 entries in {file}\n")
    assert [json.loads(line)["seq"] for line in file.read_text().splitlines()] == [1, 2, 3, 4, 5]
    assert all(r.url.params["format"] == "ndjson" for r in server.requests)
    assert farhand("audit", "export", str(file)).code == 1  # it is there already
    assert file.read_text().count("\n") == 5


def test_a_trail_that_is_broken_is_a_failure_with_the_place(
    farhand: Farhand, server: Server
) -> None:
    server.answers["GET /v1/audit/verify"] = {"ok": False, "entries": 12, "brokenAt": 7}
    ran = farhand("audit", "verify")
    assert ran.code == 1
    assert "FH-8004" in ran.err
    assert "7" in ran.err
    assert farhand("audit", "verify", "--json").code == 1
