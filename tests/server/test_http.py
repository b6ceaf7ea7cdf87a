"""REST and errors, over HTTP."""

import asyncio
import json
import re
import urllib.error
import urllib.request
from typing import Any

from farhand.core.member import Answered
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch
from farhand.server.serve import Server
from tests.server.harness import client, robot


async def get(port: int, path: str, method: str = "GET") -> tuple[int, Any, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)

    def fetch() -> tuple[int, bytes, str]:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.read(), exc.headers["Content-Type"]

    status, body, kind = await asyncio.to_thread(fetch)
    return status, json.loads(body), kind


async def test_health_says_that_it_runs_and_how_much_is_going_on(port: int) -> None:
    async with client(port) as rover, client(port) as ana:
        await robot(rover, "healthy")
        await rover.join("healthy")
        await ana.hello()
        await ana.join("healthy")
        status, health, _ = await get(port, "/health")
    assert status == 200
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", health.pop("timestamp"))
    assert health == {"status": "ok", "robots": 1, "clients": 1, "sessions": 1}


async def test_a_robot_is_listed_with_manifest_status_and_presence(port: int) -> None:
    async with client(port) as rover, client(port) as ana:
        await robot(rover, "listed")
        await rover.join("listed")
        await rover.say(m.Status(7, "idle", m.LeaseState(Epoch(3))))
        await ana.hello()
        await ana.join("listed")
        await ana.get(m.Status)
        _, listing, _ = await get(port, "/v1/robot")
        [entry] = [one for one in listing["robots"] if one["robotId"] == "listed"]
        assert (entry["online"], entry["people"], entry["room"]) == (True, 1, "listed")
        assert entry["manifest"] == {"robotId": "listed", "name": "listed"}
        assert entry["status"]["stampUs"] == 7
        assert (await get(port, "/v1/robot/listed"))[1]["memberId"] == rover.id
        assert (await get(port, "/v1/robot?service=default"))[1]["robots"] != []


async def test_a_robot_that_left_is_remembered_as_offline(port: int) -> None:
    async with client(port) as watcher:
        await watcher.hello()
        async with client(port) as rover:
            await robot(rover, "gone")
        while (await watcher.get(m.Event)).kind != "robot-offline":
            pass
        status, entry, _ = await get(port, "/v1/robot/gone")
        _, listing, _ = await get(port, "/v1/robot")
    assert (status, entry["online"], entry["status"]) == (200, False, None)
    assert entry["lastSeenMs"] > 1_600_000_000_000
    assert entry in listing["robots"]


async def test_errors_are_problem_details_with_a_code(port: int) -> None:
    for path, code in (
        ("/v1/robot/nobody", Code.UNKNOWN_ROBOT),
        ("/v1/robot?service=lab", Code.UNKNOWN_SERVICE),
        ("/nothing", Code.NOT_FOUND),
        ("/../../etc/passwd", Code.NOT_FOUND),
    ):
        status, problem, kind = await get(port, path)
        assert (status, problem["code"], kind) == (404, code, "application/problem+json")


async def test_a_wrong_method_is_a_problem_too(port: int) -> None:
    status, problem, kind = await get(port, "/health", "DELETE")
    assert (status, problem["status"], kind) == (405, 405, "application/problem+json")
    assert problem["code"] == Code.WRONG_METHOD


async def test_the_server_itself_can_instruct_a_member(server: Server) -> None:
    answers: list[Answered] = []
    gateway = server.gateway
    gateway.on_answer = answers.append
    async with client(server.port) as ana:
        await ana.hello()
        loop = gateway.loop
        assert loop is not None
        loop.call_soon_threadsafe(gateway.signal, ana.id, "join-room")
        signal = await ana.get(m.Signal)
        await ana.say(m.SignalResult(signal.id, Code.INVALID_ID, "which?"))
        await ana.say(m.Ping(1, 1000))
        await ana.get(m.Pong)
    assert [(a.member, a.id, a.code) for a in answers] == [(ana.id, signal.id, Code.INVALID_ID)]
