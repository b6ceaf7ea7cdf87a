"""The client of the REST interface: whose token goes where, and what people are shown."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from farhand.cli import credentials, terminal
from farhand.cli.api_client import Api, Server, path
from farhand.cli.credentials import Credentials, Known
from farhand.cli.curl_line import curl
from farhand.errors import ConfigError
from tests.cli import conftest
from tests.cli.conftest import Farhand, refusal

FakeServer = conftest.Server


def test_a_refusal_is_one_line_with_its_code_and_what_to_do(
    farhand: Farhand, server: FakeServer
) -> None:
    server.answers["GET /v1/robot/r9"] = refusal(
        404, "FH-3020", "There is no such robot.", "See: farhand robot ls"
    )
    ran = farhand("robot", "show", "r9")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "farhand: FH-3020 There is no such robot. See: farhand robot ls\n"


def test_a_detail_that_says_nothing_more_is_not_said_twice(
    farhand: Farhand, server: FakeServer
) -> None:
    server.answers["GET /v1/robot/r9"] = refusal(404, "FH-3020", "There is no such robot.")
    ran = farhand("robot", "show", "r9")
    assert ran.err == "farhand: FH-3020 There is no such robot.\n"


def test_a_code_of_a_newer_server_is_shown_as_it_is(farhand: Farhand, server: FakeServer) -> None:
    server.answers["GET /v1/me"] = refusal(400, "FH-2999", "Not on Sundays.")
    assert farhand("whoami").err == "farhand: FH-9000 FH-2999 Not on Sundays.\n"


def test_who_asked_too_often_is_told_when_to_come_back(
    farhand: Farhand, server: FakeServer
) -> None:
    slow = refusal(429, "FH-3013", "Too many requests.", **{"Retry-After": "7"})
    server.answers["GET /v1/me"] = slow
    assert "Try again in 7 s." in farhand("whoami").err


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>a router</html>"),
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(200, json=["a", "list"]),
        httpx.Response(302, headers={"Location": "http://elsewhere.example/"}),
    ],
)
def test_what_is_no_farhand_server_is_said(
    farhand: Farhand, server: FakeServer, answer: httpx.Response
) -> None:
    server.answers["GET /v1/me"] = answer
    ran = farhand("whoami")
    assert ran.code == 1
    assert "Is this the address of a farhand server?" in ran.err


def test_a_server_that_is_not_there_is_said(farhand: Farhand) -> None:
    ran = farhand("whoami", "--server", "http://127.0.0.1:1")
    assert ran.code == 1
    assert ran.err.startswith("farhand: FH-4001 http://127.0.0.1:1 cannot be reached:")


def test_a_list_without_its_list_is_refused(farhand: Farhand, server: FakeServer) -> None:
    server.answers["GET /v1/service"] = {"things": []}
    assert "has no services" in farhand("service", "ls").err


def test_no_text_of_the_network_moves_the_terminal(farhand: Farhand, server: FakeServer) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\r\n\u202egnp\u0085[red]"
    row = {"robotId": evil, "name": evil, "tags": [evil], "manifest": {evil: evil}}
    server.answers["GET /v1/robot"] = {"robots": [row]}
    server.answers["GET /v1/robot/r1"] = row
    server.answers["GET /v1/me"] = refusal(400, "FH-3001", evil, evil)
    said = [farhand(*line.split()) for line in ("robot ls", "robot ls --json", "robot show r1")]
    said.append(farhand("whoami"))
    said.append(farhand("robot", "set", evil, "--name", evil))
    said.append(farhand("robot", "set", evil, "--name", evil, "--curl"))
    for ran in said:
        text = ran.out + ran.err
        assert not [c for c in text.replace("\n", "") if not c.isprintable()]
        assert len(text.splitlines()) == text.count("\n")
    assert "[red]" in said[0].out  # nor is it taken as rich's markup


def test_long_lists_are_fetched_page_by_page(farhand: Farhand, server: FakeServer) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        first = int(request.url.params.get("cursor", "0"))
        rows = [{"serviceId": f"s{i}"} for i in range(first, first + 500)]
        return httpx.Response(200, json={"services": rows, "total": 9000, "next": str(first + 500)})

    server.answers["GET /v1/service"] = page
    ran = farhand("service", "ls", "--limit", "1100")
    assert [r.url.params["limit"] for r in server.requests] == ["500", "500", "100"]
    assert len(ran.out.splitlines()) == 1101
    assert ran.err == "1100 of 9000: more with --limit\n"


def test_one_long_value_fills_no_line_of_a_pipe_with_blanks(
    farhand: Farhand, server: FakeServer
) -> None:
    server.answers["GET /v1/me"] = httpx.Response(200, json={"name": "ana", "note": "x" * 300})
    lines = farhand("whoami").out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert "x" * 300 in lines[1]


def test_no_records_are_said_so(farhand: Farhand, server: FakeServer) -> None:
    server.answers["GET /v1/room"] = {"rooms": []}
    server.answers["GET /v1/service/default/room"] = {"rooms": [], "total": 0}
    assert farhand("room", "ls").out == "No rooms.\n"


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert path("robot", "../user", "a/b?c#d") == "/v1/robot/..%2Fuser/a%2Fb%3Fc%23d"


def test_what_is_made_once_is_asked_for_again_with_the_same_key() -> None:
    keys: list[str] = []

    def broken_once(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            raise httpx.ReadError("gone", request=request)
        return httpx.Response(201, json={"id": "u-1"})

    with Api(Server("http://x"), httpx.MockTransport(broken_once)) as api:
        assert api.create("/v1/user", {"name": "ana"}) == {"id": "u-1"}
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_the_line_for_curl_is_one_that_a_shell_understands() -> None:
    body = {"name": "it's $HOME", "password": "hidden"}
    line = curl("POST", "http://x/v1/user?a=b&c=d", body, needs_token=True)
    line = line.replace("curl ", "printf '%s\\n' ", 1)
    shell = f"FARHAND_TOKEN=fh_1; PASSWORD='p w'; {line}"
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    words = said.stdout.splitlines()
    assert words[:4] == ["-sS", "-X", "POST", "-H"]
    assert "Authorization: Bearer fh_1" in words
    assert json.loads(words[-2]) == {"name": "it's $HOME", "password": "p w"}
    assert words[-1] == "http://x/v1/user?a=b&c=d"
    assert "hidden" not in line


# --- whose token goes where ---


def test_a_token_comes_from_a_file_the_environment_or_the_last_login(
    farhand: Farhand,
    server: FakeServer,
    credentials_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credentials.save(
        credentials_file,
        Credentials("https://a.example", {"https://a.example": Known("ana", token="fh_kept")}),
    )
    farhand("whoami")
    assert str(server.last.url) == "https://a.example/v1/me"
    assert server.last.headers["Authorization"] == "Bearer fh_kept"
    monkeypatch.setenv("FARHAND_TOKEN", "fh_env")
    monkeypatch.setenv("FARHAND_SERVER_URL", "https://b.example/robots/")
    farhand("whoami")
    assert str(server.last.url) == "https://b.example/robots/v1/me"
    assert server.last.headers["Authorization"] == "Bearer fh_env"
    (tmp_path / "t").write_text("fh_file\n")
    farhand("whoami", "--token-file", str(tmp_path / "t"), "--server", "https://c.example")
    assert str(server.last.url) == "https://c.example/v1/me"
    assert server.last.headers["Authorization"] == "Bearer fh_file"


def test_a_kept_token_goes_to_no_other_server(
    farhand: Farhand, server: FakeServer, credentials_file: Path
) -> None:
    credentials.save(
        credentials_file,
        Credentials("https://a.example", {"https://a.example": Known("ana", token="fh_kept")}),
    )
    for other in ("https://b.example", "http://a.example", "https://a.example:8443"):
        farhand("whoami", "--server", other)
        assert "Authorization" not in server.last.headers
    farhand("whoami", "--server", "https://A.example/")
    assert server.last.headers["Authorization"] == "Bearer fh_kept"


def test_no_verb_takes_a_token_as_an_argument(farhand: Farhand, server: FakeServer) -> None:
    assert farhand("whoami", "--token", "fh_x").code == 2


@pytest.mark.parametrize(
    "url", ["robots.example", "ftp://x", "https://", "https://a:b@x", "https://x?a", "https://x#a"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="https://HOST"):
        credentials.server_url(url)


@pytest.mark.parametrize("content", ["", "two words", "späßig", "a\nb"])
def test_a_file_that_holds_no_token_is_refused(
    farhand: Farhand, server: FakeServer, tmp_path: Path, content: str
) -> None:
    (tmp_path / "t").write_text(content)
    ran = farhand("whoami", "--token-file", str(tmp_path / "t"))
    assert (ran.code, server.requests) == (1, [])
    assert "holds no token" in ran.err


def test_credentials_are_this_user_s_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "credentials.json"
    credentials.save(file, Credentials("http://x", {"http://x": Known(token="fh_1")}))
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in file.parent.iterdir()] == ["credentials.json"]
    assert credentials.load(file).servers["http://x"].token == "fh_1"
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        credentials.load(file)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"servers": 1}'])
def test_credentials_that_are_damaged_are_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "credentials.json"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="log in again"):
        credentials.load(file)


# --- what people read ---


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"),
        ("", "—"),
        ([], "—"),
        (0, "0"),
        (False, "no"),
        (True, "yes"),
        (["a", "b"], "a, b"),
        ({"a": [1]}, '{"a": [1]}'),
        ("Größe 手臂", "Größe 手臂"),
        ("a\nb\x1b", "a\\nb\\x1b"),
    ],
)
def test_values_as_people_read_them(value: Any, shown: str) -> None:
    assert terminal.cell(value) == shown


@pytest.mark.parametrize("value", [None, 0, "soon", True, 1e30, -1e30])
def test_a_time_that_is_none_breaks_no_table(value: object) -> None:
    assert isinstance(terminal.moment(value), str)


def test_a_pipe_gets_whole_cells_and_no_colour(farhand: Farhand, server: FakeServer) -> None:
    long = "x" * 400
    server.answers["GET /v1/service"] = {"services": [{"serviceId": long, "name": long}]}
    out = farhand("service", "ls").out
    assert out.splitlines()[1].split()[:2] == [long, long]
    assert "\x1b" not in out


def test_words_of_a_shell_line_are_quoted() -> None:
    assert shlex.split(curl("GET", "http://x/a b", None, needs_token=False))[-1] == "http://x/a b"
