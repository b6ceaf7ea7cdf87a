"""A whole server with accounts: real sockets, records on disk, revocation while somebody is in."""

import asyncio
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from farhand.errors import Code, ConfigError, FarhandError
from farhand.keys import signing
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId
from farhand.protocol.manifest import Manifest
from farhand.server import serve
from farhand.server.serve import Server, build_server, check_authentication
from farhand.server.settings import ServerSettings
from tests.server.accounts.rig import CHEAP, PASSWORD
from tests.server.harness import TIMEOUT_S, Client, client, running

SOON_S = 2.0
OPEN_HOSTS = ["0.0.0.0", "::", "192.0.2.7", "robots.example"]


@pytest.mark.parametrize("host", OPEN_HOSTS)
def test_without_accounts_a_server_beyond_this_machine_refuses_to_start(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_server(ServerSettings(host=host, port=0))
    assert caught.value.code is Code.NO_AUTHENTICATION
    assert "--insecure" in caught.value.fix


@pytest.mark.parametrize("host", OPEN_HOSTS)
def test_with_accounts_or_when_told_so_it_starts(host: str) -> None:
    check_authentication(ServerSettings(host=host, auth="accounts"))
    check_authentication(ServerSettings(host=host, insecure=True))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.2.1", "::1"])
def test_this_machine_alone_needs_no_accounts(host: str) -> None:
    check_authentication(ServerSettings(host=host))


def test_the_code_of_the_first_admin_stands_in_the_fragment() -> None:
    settings = ServerSettings(auth="accounts", root_path="/r")
    line = serve.setup_line(settings, 81, "CODE")
    assert line.endswith("http://localhost:81/r/login#setup=CODE")
    named = ServerSettings(auth="accounts", public_url="https://fleet.example/r")
    assert serve.setup_line(named, 81, "CODE").endswith("https://fleet.example/r/login#setup=CODE")


class Site:
    """A server that runs, and its first admin."""

    def __init__(self, server: Server, code: str) -> None:
        self.server = server
        self.port = server.port
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"Origin": f"http://127.0.0.1:{server.port}"},
            trust_env=False,
        )
        self.code = code

    async def __aenter__(self) -> "Site":
        body = {"code": self.code, "name": "root", "password": PASSWORD}
        answer = await self.http.post("/v1/login/code", json=body)
        assert answer.status_code == 200, answer.text
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def token(self, role: str, **line: str) -> tuple[str, str]:
        access = [{"serviceId": "default", "role": role, **line}]
        body = {"name": role, "role": role, "access": access}
        made = (await self.http.post("/v1/token", json=body)).json()
        return made["id"], made["secret"]


def site(monkeypatch: pytest.MonkeyPatch, state: Path) -> Any:
    """Return the context managers of a server and its site."""
    lines: list[str] = []
    monkeypatch.setattr(serve.build_server, "__defaults__", (lines.append, None))
    return running(auth="accounts", state=state, password=CHEAP), lines


async def code_in(lines: list[str]) -> str:
    async with asyncio.timeout(TIMEOUT_S):
        while not lines:  # noqa: ASYNC110 - the server runs on another thread
            await asyncio.sleep(0.01)
    return lines[0].partition("#setup=")[2]


def robot_token(site: Site, key: signing.SigningKey) -> str:
    now_s = int(time.time())
    claims = {
        "iss": key.id,
        "sub": "rover",
        "aud": site.server.built.key.id,
        "iat": now_s,
        "exp": now_s + 60,
        "jti": secrets.token_hex(16),
    }
    return key.sign(signing.ROBOT, claims)


async def enrol(site: Site) -> signing.SigningKey:
    """Enrol a robot over REST, as an agent does."""
    made = (
        await site.http.post(
            "/v1/enrolment", json={"kind": "code", "serviceId": "default", "robotId": "rover"}
        )
    ).json()
    key = signing.new_key()
    body = {"publicKey": key.public, "proof": robot_token(site, key), "code": made["code"]}
    answer = await site.http.post("/v1/enrol", json={**body, "robotId": "rover"})
    assert answer.status_code == 201, answer.text
    return key


async def robot(site: Site, socket: Client, key: signing.SigningKey) -> Client:
    await socket.hello(
        "robot",
        "rover",
        robot_id=RobotId("rover"),
        manifest=Manifest(RobotId("rover"), "rover"),
        token=robot_token(site, key),
    )
    await socket.join()
    return socket


async def test_a_revoked_token_closes_its_socket_and_ends_its_session_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, lines = site(monkeypatch, tmp_path)
    with server as started:
        async with Site(started, await code_in(lines)) as here:
            key = await enrol(here)
            token_id, secret = await here.token("operator")
            async with client(here.port) as rover, client(here.port) as ana:
                await robot(here, rover, key)
                await ana.hello(token=secret)
                await ana.join(fingerprint="sha-256 " + ":".join(["AB"] * 32))
                start = await rover.get(m.SessionStart)
                assert start.grant is not None
                claims = signing.verify(
                    start.grant,
                    typ=signing.GRANT,
                    key_of={started.built.key.id: started.built.key.public}.get,
                    audience="rover",
                    now_s=time.time(),
                )
                assert claims["sub"] == token_id
                assert claims["sid"] == start.session_id
                began = time.monotonic()
                assert (await here.http.delete(f"/v1/token/{token_id}")).status_code == 204
                ended = await rover.get(m.SessionEnded)
                assert ended.session_id == start.session_id
                code, heard = await ana.closed()
                assert time.monotonic() - began < SOON_S
                assert code == 4010
                assert any(isinstance(x, m.Error) and x.code is Code.REVOKED for x in heard)


@pytest.mark.parametrize("how", ["logout", "disabled", "access"])
async def test_who_loses_an_account_or_a_robot_is_out_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    server, lines = site(monkeypatch, tmp_path)
    with server as started:
        async with Site(started, await code_in(lines)) as here:
            key = await enrol(here)
            line = {"serviceId": "default", "role": "operator", "robotId": "rover"}
            body = {"name": "ana", "role": "operator", "password": PASSWORD, "access": [line]}
            made = (await here.http.post("/v1/user", json=body)).json()
            person = httpx.AsyncClient(
                base_url=here.http.base_url, headers=here.http.headers, trust_env=False
            )
            async with person, client(here.port) as rover, client(here.port) as ana:
                await person.post("/v1/login", json={"name": "ana", "password": PASSWORD})
                ticket = (await person.post("/v1/ticket")).json()["ticket"]
                await robot(here, rover, key)
                await ana.hello(token=ticket)
                await ana.join(fingerprint="sha-256 " + ":".join(["AB"] * 32))
                start = await rover.get(m.SessionStart)
                path = f"/v1/user/{made['id']}"
                if how == "logout":
                    await person.post("/v1/logout")
                elif how == "disabled":
                    await here.http.patch(path, json={"isDisabled": True})
                else:
                    await here.http.patch(path, json={"access": []})
                began = time.monotonic()
                ended = await rover.get(m.SessionEnded)
                assert ended.session_id == start.session_id
                assert time.monotonic() - began < SOON_S


async def test_a_revoked_robot_is_cut_and_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, lines = site(monkeypatch, tmp_path)
    with server as started:
        async with Site(started, await code_in(lines)) as here:
            key = await enrol(here)
            async with client(here.port) as rover, client(here.port) as again:
                await robot(here, rover, key)
                await here.http.post("/v1/robot/rover/revoke")
                code, _ = await rover.closed()
                assert code == 4010
                token = robot_token(here, key)
                await again.say(m.Hello("robot", "rover", robot_id=RobotId("rover"), token=token))
                assert (await again.get(m.Error)).code is Code.REVOKED


async def test_accounts_survive_a_restart_and_no_second_code_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, lines = site(monkeypatch, tmp_path)
    with server as started:
        async with Site(started, await code_in(lines)) as here:
            _, secret = await here.token("viewer")
            key_id = started.built.key.id
    again, more = site(monkeypatch, tmp_path)
    with again as started:
        assert started.built.key.id == key_id
        async with httpx.AsyncClient(trust_env=False) as http:
            headers = {"Authorization": f"Bearer {secret}"}
            answer = await http.get(f"http://127.0.0.1:{started.port}/v1/me", headers=headers)
            assert answer.json()["role"] == "viewer"
            assert (await http.get(f"http://127.0.0.1:{started.port}/v1/auth")).json()[
                "needsSetup"
            ] is False
    assert more == []


async def test_two_servers_do_not_share_a_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, lines = site(monkeypatch, tmp_path)
    with server:
        await code_in(lines)
        second = build_server(ServerSettings(host="127.0.0.1", port=0, state=tmp_path))
        with pytest.raises(FarhandError) as caught:
            await asyncio.to_thread(second.start)
    assert caught.value.code is Code.STATE_IN_USE


@pytest.mark.process
def test_the_command_refuses_in_one_line_to_let_a_network_drive(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "farhand", "serve", "--host", "0.0.0.0", "--port", "0"]
    command += ["--state", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert Code.NO_AUTHENTICATION in done.stderr


@pytest.mark.process
def test_a_password_on_the_command_line_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "farhand", "serve", "--port", "0"]
    command += ["--state", str(tmp_path), "--database", "postgresql://me:hunter2@db/x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "hunter2" not in done.stderr + done.stdout
    assert "command line" in done.stderr
