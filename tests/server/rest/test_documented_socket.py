"""The documented WebSocket, row by row of the table in docs/rest.md."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from farhand.protocol import messages as m
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.serve import Server
from tests.server.harness import client, running, until
from tests.server.teleop import SDP, peer, token_of

DOCUMENTED = ("/v1/service/default/", "/v1/service/default", "/default", "/default/")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


async def refusal(port: int, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as caught:
        async with peer(port, path, **options):
            pass
    response = caught.value.response
    assert response.body is not None
    return response.status_code, json.loads(response.body)


@pytest.mark.parametrize("path", DOCUMENTED)
async def test_the_token_of_the_service_opens_the_documented_paths(
    server: Server, path: str
) -> None:
    async with peer(server.port, f"{path}?token={token_of(server)}") as ana:
        assert await ana.join("ana.other") != ""
        assert await ana.get("room-clients") == [
            {"id": ana.id, "name": "ana.other", "type": "console"}
        ]


@pytest.mark.parametrize("carrier", ["query", "X-Auth-Token", "authKey", "x-auth-token=", "TOKEN="])
async def test_each_carrier_of_the_token_will_do(server: Server, carrier: str) -> None:
    token = token_of(server)
    headers = {} if "=" in carrier or carrier == "query" else {carrier: token}
    query = {"query": "token=", "x-auth-token=": carrier, "TOKEN=": carrier}.get(carrier, "a=")
    # One that is wrong beside one that is right: deployed agents send both.
    path = f"/default?token=wrong&{query}{token}"
    async with peer(server.port, path, additional_headers=headers) as ana:
        assert await ana.join("ana.map") != ""


@pytest.mark.parametrize("path", DOCUMENTED)
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%00", "?TOKEN=fh_x"])
async def test_no_token_or_a_wrong_one_is_a_401(server: Server, path: str, query: str) -> None:
    status, body = await refusal(server.port, path + query)
    assert status in {401, 429}  # the tenth in a minute is told to come later
    assert set(body) == {"code", "message", "detail"}
    assert body["code"] == status


async def test_a_service_that_is_not_there_is_refused_in_the_same_words() -> None:
    with running() as server:
        token = token_of(server)
        here = await refusal(server.port, "/default?token=wrong")
        assert here[0] == 401
        assert await refusal(server.port, f"/nowhere?token={token}") == here
        assert await refusal(server.port, "/v1/service/nowhere/?token=wrong") == here


async def test_failures_are_counted_and_a_good_token_passes_all_the_same() -> None:
    with running() as server:
        found = [(await refusal(server.port, "/default?token=wrong"))[0] for _ in range(11)]
        assert found == [401] * 10 + [429]
        async with peer(server.port, f"/default?token={token_of(server)}") as ana:
            assert await ana.join("ana") != ""


@pytest.mark.parametrize("path", [*DOCUMENTED, "/v1/service/default/ws"])
async def test_a_native_client_with_a_token_in_its_address_is_refused(
    server: Server, path: str
) -> None:
    native = [Subprotocol(SUBPROTOCOL)]
    status, body = await refusal(
        server.port, f"{path}?token={token_of(server)}", subprotocols=native
    )
    assert (status, body["code"]) in {(400, "FH-2004"), (404, "FH-3021")}
    if path in {"/default", "/v1/service/default/ws"}:
        assert status == 400


@pytest.mark.parametrize("path", ["/default", "/v1/service/default/ws"])
async def test_the_native_protocol_stays_what_it_is(server: Server, path: str) -> None:
    async with client(server.port, path) as native:
        await native.hello()
        assert native.welcome.service_id == "default"


async def test_a_reserved_word_is_no_service(server: Server) -> None:
    for path in ("/v1?token=x", "/docs?token=x", "/admin?token=x", "/v1/service/a/b?token=x"):
        status, body = await refusal(server.port, path)
        assert (status, body["code"]) == (404, "FH-3021")


async def test_pages_of_others_are_refused_before_their_token_is_looked_at(server: Server) -> None:
    path = f"/default?token={token_of(server)}"
    status, _ = await refusal(server.port, path, origin="https://evil.example")
    assert status == 403


# --- what two peers do ---------------------------------------------------------------------------


async def test_two_peers_of_the_dialect_call_each_other(server: Server) -> None:
    path = f"/v1/service/default/?token={token_of(server)}"
    async with peer(server.port, path) as rover, peer(server.port, path) as ana:
        await rover.join("rover.Teleop", type="robot")
        await ana.join("ana.Teleop", type="console")
        await rover.say("call-all")
        assert await ana.get("make-peer-call") == [rover.id]
        offer = {"type": "offer", "sdp": SDP}
        await ana.say("call-peer", {"toId": rover.id, "offer": offer})
        got = await rover.get("peer-call-received")
        assert got == {"toId": rover.id, "fromId": ana.id, "offer": offer}
        answer = {"type": "answer", "sdp": SDP}
        await rover.say("make-peer-call-answer", {"toId": ana.id, "answer": answer})
        assert (await ana.get("peer-call-answer-received"))["answer"] == answer
        whole = {"candidate": "candidate:1 1 udp 1 192.0.2.7 9 typ host", "sdpMid": "0"}
        await ana.say("send-ice-candidate", {"toId": rover.id, "candidate": whole})
        found = (await rover.get("ice-candidate-received"))["candidate"]
        assert found == {**whole, "sdpMLineIndex": 0}
        await ana.say("leave-room")
        assert [one["name"] for one in await rover.get("room-clients")] == ["rover.Teleop"]


async def test_stored_rooms_keep_their_password_and_their_bound() -> None:
    with running() as server:
        path = f"/default?token={token_of(server)}"
        base = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
            body = {"name": "lobby", "token": "sesame", "maxUsers": 1}
            made = await http.post("/v1/service/default/room", json=body)
            assert made.status_code == 201, made.text
            async with peer(server.port, path) as ana, peer(server.port, path) as ben:
                assert await ana.join("ana", room="lobby") == ""
                assert (await ana.get("system-message"))["code"] == "FH-2301"
                assert await ana.join("ana", room="lobby", password="sesame") != ""
                assert await ben.join("ben", room="lobby", password="sesame") == ""
                assert (await ben.get("system-message"))["code"] == "FH-2302"
                seen = (await http.get("/v1/service/default/room/lobby")).json()["members"]
                assert seen == [{"memberId": ana.id, "name": "ana", "role": "operator"}]
                found = await http.get(
                    "/v1/service/default/rooms/lobby", headers={"X-Auth-Token": "x"}
                )
                assert found.json()["participants_list"][0]["client_name"] == "ana"
                # Removed: everybody is put out.
                await http.delete("/v1/service/default/room/lobby")
                assert await ana.get("left") == {"room": "lobby"}


async def test_members_of_the_dialect_can_be_thrown_out() -> None:
    with running() as server:
        base = f"http://127.0.0.1:{server.port}"
        async with (
            peer(server.port, f"/default?token={token_of(server)}") as ana,
            httpx.AsyncClient(base_url=base, trust_env=False) as http,
        ):
            await ana.join("ana")
            where = f"/v1/service/default/member/{ana.id}"
            assert (await http.get(where)).json()["name"] == "ana"
            gone = await http.request("DELETE", where, json={"reason": "enough"})
            assert gone.status_code == 204, gone.text
            code, heard = await ana.closed()
            assert (code, heard[-1]["data"]["code"]) == (4011, "FH-2005")
            assert (await http.get(where)).status_code == 404


async def test_what_is_too_large_or_no_text_ends_or_is_told(server: Server) -> None:
    path = f"/default?token={token_of(server)}"
    async with peer(server.port, path) as ana:
        await ana.socket.send(b"\x00\x01")
        assert (await ana.get("system-message"))["code"] == "FH-3001"
        await ana.socket.send("x" * (256 * 1024 + 1))
        code, heard = await ana.closed()
        assert (code, heard[-1]["data"]["code"]) == (1009, "FH-3002")


async def test_a_description_has_a_bound_of_its_own(server: Server) -> None:
    path = f"/default?token={token_of(server)}"
    async with peer(server.port, path) as ana, peer(server.port, path) as ben:
        await ana.join("ana", room="map")
        await ben.join("ben", room="map")
        sdp = "v=0\r\n" + "a=x:" + "y" * 132_000
        await ana.say("call-peer", {"toId": ben.id, "offer": {"type": "offer", "sdp": sdp}})
        assert (await ana.get("system-message"))["code"] == "FH-3002"
        await ana.say("call-peer", {"toId": ben.id, "offer": {"type": "offer", "sdp": sdp[: 9**5]}})
        assert len((await ben.get("peer-call-received"))["offer"]["sdp"]) == 9**5


async def test_who_does_not_read_is_cut_and_delays_nobody() -> None:
    with running() as server:
        path = f"/default?token={token_of(server)}"
        async with peer(server.port, path, max_queue=1) as mute, peer(server.port, path) as ana:
            await mute.join("mute", room="map")
            await ana.join("ana", room="map")
            mute.socket.transport.pause_reading()
            sdp = "v=0\r\n" + "a=x:" + "y" * 120_000
            offer = {"toId": mute.id, "offer": {"type": "offer", "sdp": sdp}}
            async with asyncio.timeout(20):
                while len(server.gateway.dialect.members()) > 1:  # type: ignore[union-attr]
                    await ana.say("call-peer", offer)
                    await asyncio.sleep(0.02)
            mute.socket.transport.abort()
            await ana.say("leave-room")


async def test_a_server_that_goes_says_goodbye() -> None:
    with running() as server:
        async with peer(server.port, f"/default?token={token_of(server)}") as ana:
            await ana.join("ana")
            server.should_exit = True
            assert (await ana.closed())[0] == 1001


async def test_native_members_and_those_of_the_dialect_do_not_meet(server: Server) -> None:
    async with (
        client(server.port) as native,
        peer(server.port, f"/default?token={token_of(server)}") as ana,
    ):
        await native.hello()
        await native.join("map")
        await ana.join("ana", room="map")
        assert [one["name"] for one in await ana.get("room-clients")] == ["ana"]
        await native.say(m.Ping(7, 10_000))
        assert (await native.get(m.Pong)).n == 7  # and nothing of ana came before
    await until(lambda: server.gateway.sockets == 0)


async def test_the_list_of_routes(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        found = (await http.get("/v1/control", headers={"X-Auth-Token": "x"})).json()
        assert all(set(one) == {"path", "name"} for one in found)
        assert {"path": "/v1/robot", "name": "list_robots"} in found
        assert (await http.get("/v1/control/download?filename=../x")).status_code == 404
