"""A server process that is given secrets in every way does not write one of them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from farhand.protocol.version import SUBPROTOCOL

pytestmark = pytest.mark.process

CANARY = "CANARYxQ7w8E5r2T1y6U3i4O0pLkJhGfDsAzXcVbNmWqErTy"
JWT = f"eyJhbGciOiJFZERTQSJ9.{CANARY}.{CANARY}"
SDP = f"v=0\r\na=ice-ufrag:x\r\na=ice-pwd:{CANARY}\r\n"


class Serving:
    """A process, and all that it has written once it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def ended(self) -> str:
        self.process.terminate()
        out, err = self.process.communicate(timeout=30)
        return (out + err).decode()


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    command = [sys.executable, "-m", "farhand", "serve", "--host", "127.0.0.1", "--port", "0"]
    command += ["--state", str(folder / "state")]
    for level in ("debug", "uvicorn=debug", "websockets=debug", "asyncio=debug", "httpx=debug"):
        command += ["--log-level", level]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=folder) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline().decode()
            while "farhand serves" not in said:
                assert said, "it ended before it served"
                said = process.stdout.readline().decode()
            yield Serving(process, int(said.strip().rpartition(":")[2].partition("/")[0]))
        finally:
            process.kill()


async def requests(base: str) -> AsyncIterator[int]:
    """Send secrets over HTTP."""
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        headers: list[dict[str, str]] = [
            {"Authorization": f"Bearer fh_{CANARY}"},
            {"Authorization": f"Bearer {JWT}"},
            {"Authorization": f"Basic {CANARY}"},
            {"X-Auth-Token": CANARY},
            {"Cookie": f"farhand_session={CANARY}"},
        ]
        for one in headers:
            yield (await http.get("/v1/me", headers=one)).status_code
            yield (await http.get(f"/v1/service?x-auth-token={CANARY}", headers=one)).status_code
        bodies: dict[str, dict[str, Any]] = {
            "/v1/login": {"name": "ana", "password": CANARY},
            "/v1/login/code": {"code": CANARY, "name": "ana", "password": CANARY},
            "/v1/enrol": {"publicKey": CANARY, "proof": JWT, "code": f"fhk_{CANARY}"},
            "/v1/enrol/poll": {"poll": CANARY},
            "/v1/webhook": {"url": f"https://u:{CANARY}@ops.example/?token={CANARY}"},
            "/v1/user": {"name": "ben", "password": CANARY, "role": "operator"},
            "/v1/service/default/room": {"name": "lobby", "token": CANARY},
        }
        for path, body in bodies.items():
            yield (await http.post(path, json=body)).status_code
            broken = '{"password": "' + CANARY
            yield (await http.post(path, content=broken.encode())).status_code


async def sockets(base: str) -> AsyncIterator[None]:
    """Send secrets over WebSockets, well formed and not."""
    url = base.replace("http", "ws")
    ours = Subprotocol(SUBPROTOCOL)
    for path, protocols in (
        ("/v1/service/default/ws", [ours, Subprotocol(f"bearer.fh_{CANARY}")]),
        (f"/v1/service/default/ws?token={CANARY}", [ours]),
        ("/v1/service/default/ws", [ours]),
    ):
        try:
            async with connect(url + path, subprotocols=protocols, proxy=None) as socket:
                for message in (
                    f'{{"type":"hello","role":"operator","name":"ana","token":"fh_{CANARY}"}}',
                    f'{{"type":"hello","role":"operator","name":"ana","resume":"{CANARY}"}}',
                    f'{{"type":"join","room":"x","password":"{CANARY}"}}',
                    f'{{"type":"offer","sessionId":"s","sdp":"{SDP!r}","token":"{CANARY}"}}',
                    f'{{"type":"offer","password":"{CANARY}',
                ):
                    await socket.send(message)
                async with asyncio.timeout(1):
                    await socket.recv()
        except (WebSocketException, TimeoutError, OSError):
            pass  # refused: that is one more thing that might be logged
        yield None


async def documented(base: str) -> list[str]:
    """Speak the documented dialect, by a wrong token and by the right one; return the latter."""
    url = base.replace("http", "ws")
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        service = (await http.get("/v1/service/default")).json()
    rights = [service["token"]] if "token" in service else []
    for path in ("/default", "/v1/service/default/"):
        for name in ("token", "x-auth-token", "TOKEN"):
            for token in (CANARY, *rights):
                try:
                    async with connect(f"{url}{path}?a=1&{name}={token}", proxy=None) as socket:
                        for frame in (
                            f'{{"event":"join-room","data":{{"name":"a","password":"{CANARY}"}}}}',
                            f'{{"event":"robot-dance","data":{{"token":"{CANARY}"}}}}',
                            f'{{"event":"call-peer","data":{{"toId":"x","offer":"{CANARY}',
                        ):
                            await socket.send(frame)
                        async with asyncio.timeout(1):
                            await socket.recv()
                except (WebSocketException, TimeoutError, OSError):
                    assert token == CANARY  # the right one is let in
    return rights


@pytest.mark.parametrize("auth", ["open", "accounts"])
async def test_no_secret_is_in_what_a_server_writes(
    auth: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARHAND_SERVER__AUTH", auth)
    with serving(tmp_path) as server:
        base = f"http://127.0.0.1:{server.port}"
        statuses = [status async for status in requests(base)]
        assert len(statuses) == 24
        assert not {status for status in statuses if status >= 500}
        async for _ in sockets(base):
            pass
        rights = await documented(base)
        assert len(rights) == (auth == "open")
        written = await asyncio.to_thread(server.ended)
    assert '"event": "listening"' in written
    assert server.process.returncode == 0
    assert CANARY not in written
    assert all(right not in written for right in rights)
    assert "robot-dance" in written or not rights
