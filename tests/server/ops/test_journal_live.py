"""A real server remembers, counts, tells and audits what its robots and people do."""

import time
from typing import Any

import httpx
import pytest

from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch
from farhand.server.serve import Server
from tests.server.harness import client, robot, running, until
from tests.server.ops.receiver import receiving


async def get(server: Server, path: str, **headers: str) -> Any:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"http://127.0.0.1:{server.port}{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text


async def test_from_a_robots_word_to_history_figures_webhook_and_trail() -> None:
    with running(webhook_networks=("127.0.0.0/8",)) as server:
        async with receiving() as receiver, httpx.AsyncClient(trust_env=False) as http:
            made = await http.post(
                f"http://127.0.0.1:{server.port}/v1/webhook", json={"url": receiver.url()}
            )
            assert made.status_code == 201
            async with client(server.port) as rover, client(server.port) as ana:
                await robot(rover, "r9")
                await rover.join("r9")
                await ana.hello()
                await ana.join("r9")
                member = m.Member(ana.id, "operator", "ana")
                low = m.Battery(12.5)
                await rover.say(
                    m.Status(1, "idle", m.LeaseState(Epoch(1)), battery=low),
                    m.Status(2, "driving", m.LeaseState(Epoch(1)), battery=low),
                    m.Event("control-taken", "n-1", member, epoch=Epoch(1)),
                    m.Event("stopped", "n-2", member, stop_id=4),
                )
                got = await receiver.wait_for(4)
                assert [one.json["event"] for one in got] == [
                    "robot.online", "battery.low", "control.taken", "robot.stopped"
                ]  # fmt: skip
                samples = (await get(server, "/v1/robot/r9/status"))["statuses"]
                assert [one["status"]["stampUs"] for one in samples] == [1]
                assert abs(samples[0]["atMs"] - time.time() * 1000) < 60_000
                figures = await get(server, "/metrics")
                assert 'farhand_stops_total{by="operator"} 1.0' in figures
                assert 'farhand_members{role="robot"} 1.0' in figures
                assert "farhand_robots_online 1.0" in figures
                assert "r9" not in figures
            gone = (await receiver.wait_for(5))[4].json
            assert gone["event"] == "robot.offline"
            assert gone["data"]["reason"]
            events = (await get(server, "/v1/event?robot=r9"))["events"]
            assert [one["type"] for one in events] == [
                "robot-online", "control-taken", "stopped", "robot-offline"
            ]  # fmt: skip
            trail = (await get(server, "/v1/audit?robot=r9"))["entries"]
            actions = [one["action"] for one in trail]
            assert {"control.taken", "stop", "session.begin", "session.end"} <= set(actions)
            [stop] = [one for one in trail if one["action"] == "stop"]
            assert stop["actorName"] == "ana"


async def test_every_message_counts_for_the_sample_that_is_timed() -> None:
    with running() as server:
        async with client(server.port) as ana:
            await ana.hello()
            for number in range(64):
                await ana.say(m.Ping(number, 1000))
            for _ in range(64):
                await ana.get(m.Pong)
        figures = await get(server, "/metrics")
        [count] = [
            float(line.split()[1])
            for line in figures.splitlines()
            if line.startswith("farhand_signaling_seconds_count")
        ]
        assert count == 65 // 16


@pytest.mark.process
async def test_history_is_there_again_after_a_restart(tmp_path: Any) -> None:
    with running(state=tmp_path) as server:
        async with client(server.port) as rover:
            await robot(rover, "r9")
            await rover.say(m.Status(1, "idle", m.LeaseState(Epoch(1))), m.Event("reset", "n-1"))
            await rover.say(m.Ping(1, 1000))
            await rover.get(m.Pong)
    with running(state=tmp_path) as server:
        await until(lambda: server.started)
        events = (await get(server, "/v1/event?robot=r9"))["events"]
        assert [one["type"] for one in events] == ["robot-online", "reset", "robot-offline"]
        assert len((await get(server, "/v1/robot/r9/status"))["statuses"]) == 1


async def test_one_who_speaks_the_documented_dialect_gets_no_server_error() -> None:
    with running() as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            for path in ("/v1/event", "/v1/webhook", "/v1/robot/none/status", "/v1/webhook/none"):
                url = f"http://127.0.0.1:{server.port}{path}"
                answer = await http.get(url, headers={"X-Auth-Token": "x"})
                assert answer.status_code < 500, path
