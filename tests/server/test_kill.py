"""kill -9 of a real server while a thousand records are being written over REST."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from farhand.kits.accounts import found
from farhand.kits.stack import free_port
from tests.e2e.harness import wait_for

pytestmark = [pytest.mark.process, pytest.mark.slow]

WRITES = 1000
KILL_AFTER = 300
LIMITS = {
    "FARHAND_SERVER__LIMITS__API_PER_ADDRESS": "100000/minute",
    "FARHAND_SERVER__LIMITS__API_PER_ACCOUNT": "100000/minute",
}


class Server:
    """`farhand serve` with accounts, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.log = folder / "server.log"
        self.token = found(self.state).admin_token
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [sys.executable, "-m", "farhand", "serve", "--auth", "accounts"]
        argv += ["--host", "127.0.0.1", "--port", self.url.rpartition(":")[2]]
        argv += ["--state", str(self.state)]
        with self.log.open("ab") as log:
            environment = {**os.environ, **LIMITS, "FARHAND_DIE_WITH_PARENT": "1"}
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        wait_for("the server", self.is_up)

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    @property
    def client(self) -> dict[str, Any]:
        return {"base_url": self.url, "headers": {"Authorization": f"Bearer {self.token}"}}

    def evidence(self) -> Iterator[tuple[str, str]]:
        yield "server", self.log.read_text()[-4000:]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()


async def write_until_killed(server: Server, kill_after: int) -> set[str]:
    """Write many services at once, kill the server on the way; return what it acknowledged."""
    acknowledged: set[str] = set()
    limits = httpx.Limits(max_connections=100)

    async def write(client: httpx.AsyncClient, number: int) -> None:
        try:
            answer = await client.post("/v1/service", json={"id": f"site-{number}"})
        except httpx.HTTPError:
            return  # it was killed before it answered
        assert answer.status_code == 201, answer.text
        acknowledged.add(answer.json()["serviceId"])
        if len(acknowledged) == kill_after:
            server.kill()

    async with httpx.AsyncClient(**server.client, limits=limits, timeout=30) as client:
        await asyncio.gather(*(write(client, number) for number in range(WRITES)))
    return acknowledged


def every_service(client: httpx.Client) -> set[str]:
    found_ids: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "500", **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/service", params=query).raise_for_status().json()
        found_ids |= {one["serviceId"] for one in page["services"]}
        cursor = page["next"]
    return found_ids


def test_no_acknowledged_record_is_lost_and_the_chain_verifies(server: Server) -> None:
    acknowledged = asyncio.run(write_until_killed(server, KILL_AFTER))
    assert KILL_AFTER <= len(acknowledged) < WRITES, "it was killed in the middle"
    server.start()
    with httpx.Client(**server.client, timeout=30) as client:
        assert acknowledged <= every_service(client)
        verdict = client.get("/v1/audit/verify").raise_for_status().json()
    assert verdict["ok"], verdict
    assert verdict["entries"] >= len(acknowledged)
