"""`farhand login` and `logout`: from a password or a code to a token of this machine's own."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from farhand.cli import credentials, login, remote
from tests.cli.conftest import Farhand, Server, refusal

URL = "https://robots.example/fleet"
ME = {"kind": "user", "id": "u-1", "name": "ana", "role": "supervisor", "access": [{"a": 1}]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A terminal on which somebody answers each question with ``the …``."""
    questions: list[str] = []

    def prompt(text: str, **_: Any) -> str:
        questions.append(text)
        return f"the {text}"

    def secret(file: Path | None, text: str, *, confirm: bool = True) -> str:
        return file.read_text() if file else prompt(text)

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(login, "secret", secret)
    return questions


def ready(server: Server, **auth: Any) -> None:
    prefix = "/fleet/v1"
    cookie = {"Set-Cookie": "farhand_session=c00kie; HttpOnly; Secure; SameSite=Strict; Path=/"}
    came = httpx.Response(200, json={"me": ME}, headers=cookie)
    server.answers |= {
        f"GET {prefix}/auth": {"mode": "accounts", "needsSetup": False, "providers": [], **auth},
        f"POST {prefix}/login": came,
        f"POST {prefix}/login/code": came,
        f"GET {prefix}/me": ME,
        f"POST {prefix}/token": {"tokenId": "t-9", "secret": "fh_new"},
    }


def test_a_password_becomes_a_token_that_is_kept(
    farhand: Farhand, server: Server, credentials_file: Path, asked: list[str]
) -> None:
    ready(server)
    ran = farhand("login", URL)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"ana is logged in to {URL} as supervisor\n"
    assert asked == ["Name", "Password"]
    _, came, _, made, gone = server.requests
    assert (came.url.path, came.content) == (
        "/fleet/v1/login",
        b'{"name":"the Name","password":"the Password"}',
    )
    assert made.url.path == "/fleet/v1/token"
    assert b'"role":"supervisor"' in made.content
    assert b'"access":[{"a":1}]' in made.content
    assert b'"ttlS":7776000' in made.content
    # The cookie counts only beside the origin of the server itself.
    assert made.headers["Cookie"] == "farhand_session=c00kie"
    assert made.headers["Origin"] == "https://robots.example"
    assert gone.url.path == "/fleet/v1/logout"
    kept = credentials.load(credentials_file)
    assert kept.current == URL
    assert (kept.servers[URL].token, kept.servers[URL].token_id) == ("fh_new", "t-9")
    assert not kept.servers[URL].cookie
    farhand("whoami")
    assert server.last.headers["Authorization"] == "Bearer fh_new"
    assert "Cookie" not in server.last.headers


def test_the_first_admin_names_himself_by_the_code_that_the_server_has_shown(
    farhand: Farhand, server: Server, asked: list[str]
) -> None:
    ready(server, needsSetup=True)
    assert farhand("login", URL).code == 0
    assert asked == ["Code", "Name", "Password"]
    assert server.requests[1].url.path == "/fleet/v1/login/code"


def test_a_code_alone_will_do(farhand: Farhand, server: Server, asked: list[str]) -> None:
    ready(server)
    assert farhand("login", URL, "--code").code == 0
    assert asked == ["Code"]
    assert server.requests[1].content == b'{"code":"the Code"}'


def test_who_may_make_no_token_keeps_the_login(
    farhand: Farhand, server: Server, credentials_file: Path, asked: list[str]
) -> None:
    ready(server)
    server.answers["POST /fleet/v1/token"] = refusal(403, "FH-2005", "No.")
    assert farhand("login", URL, "--name", "ana").code == 0
    assert credentials.load(credentials_file).servers[URL].cookie == "c00kie"
    farhand("robot", "ls")
    assert server.last.headers["Cookie"] == "farhand_session=c00kie"
    assert server.last.headers["Origin"] == "https://robots.example"


def test_a_wrong_password_is_kept_nowhere(
    farhand: Farhand, server: Server, credentials_file: Path, asked: list[str]
) -> None:
    ready(server)
    server.answers["POST /fleet/v1/login"] = refusal(401, "FH-2004", "Wrong name or password.")
    ran = farhand("login", URL)
    assert (ran.code, credentials_file.exists()) == (1, False)
    assert ran.err == "farhand: FH-2004 Wrong name or password.\n"


def test_a_server_without_accounts_asks_for_nothing(
    farhand: Farhand, server: Server, credentials_file: Path, asked: list[str]
) -> None:
    ready(server, mode="open")
    assert "asks for no login" in farhand("login", URL).out
    assert asked == []
    assert credentials.load(credentials_file).current == URL


@pytest.mark.parametrize(
    ("url", "is_warned"),
    [("http://192.0.2.7", True), ("http://localhost:8080", False), ("https://192.0.2.7", False)],
)
def test_a_password_on_an_open_wire_is_said(
    farhand: Farhand, server: Server, asked: list[str], url: str, is_warned: bool
) -> None:
    ready(server)
    server.answers = {key.replace("/fleet", ""): value for key, value in server.answers.items()}
    assert ("this is http" in farhand("login", url).err) is is_warned


def test_without_a_terminal_nothing_is_asked(farhand: Farhand, server: Server) -> None:
    ready(server)
    ran = farhand("login", URL, "--name", "ana")
    assert ran.code == 1
    assert "no terminal to ask on" in ran.err


def test_logging_out_revokes_the_token_and_forgets_it(
    farhand: Farhand, server: Server, credentials_file: Path, asked: list[str]
) -> None:
    ready(server)
    farhand("login", URL)
    ran = farhand("logout")
    assert (ran.code, ran.out) == (0, f"logged out of {URL}\n")
    assert (server.last.method, server.last.url.path) == ("DELETE", "/fleet/v1/token/t-9")
    assert credentials.load(credentials_file).servers == {}
    again = farhand("logout")
    assert (again.code, "Not logged in" in again.err) == (1, True)


@pytest.mark.parametrize(("status", "code"), [(401, 0), (404, 0), (500, 1)])
def test_a_token_that_is_gone_already_is_forgotten_all_the_same(
    *,
    farhand: Farhand,
    server: Server,
    credentials_file: Path,
    asked: list[str],
    status: int,
    code: int,
) -> None:
    ready(server)
    farhand("login", URL)
    server.answers["DELETE /fleet/v1/token/t-9"] = refusal(status, "FH-2004", "No.")
    assert farhand("logout", URL).code == code
    assert credentials.load(credentials_file).servers == {}


def test_the_real_prompt_is_only_used_on_a_terminal() -> None:
    with pytest.raises(Exception, match="no terminal"):
        remote.secret(None, "Password")
