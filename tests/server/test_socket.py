"""The socket from outside: handshake, framing, bad input. One server, real connections."""

import asyncio
import http.client
import json
import socket
import time

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from farhand.core.limits import Limits
from farhand.errors import Code
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.version import SUBPROTOCOL
from farhand.server.serve import Server
from tests.server.harness import TIMEOUT_S, Client, client, robot, running, until
from tests.stalls import StallWatch


async def refused(port: int, path: str | None = None, **options: object) -> tuple[int, str]:
    """Return status and code of a refused handshake."""
    with pytest.raises(InvalidStatus) as caught:
        async with client(port, path, **options):
            pass
    response = caught.value.response
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.body is not None
    problem = json.loads(response.body)
    assert problem["status"] == response.status_code
    return response.status_code, problem["code"]


async def test_the_subprotocol_is_echoed_on_both_paths(port: int) -> None:
    for path in ("/v1/service/default/ws", "/default"):
        async with client(port, path) as made:
            assert made.socket.subprotocol == SUBPROTOCOL
            await made.hello()


async def test_the_native_path_needs_no_subprotocol_the_short_one_does(port: int) -> None:
    async with client(port, subprotocols=None) as made:
        assert made.socket.subprotocol is None
        await made.hello()
    for offered in (None, ["mqtt"]):  # there it is the documented dialect, which wants its token
        with pytest.raises(InvalidStatus) as caught:
            async with client(port, "/default", subprotocols=offered):
                pass
        assert caught.value.response.status_code == 401
        assert b"farhand.v1" in (caught.value.response.body or b"")


@pytest.mark.parametrize(
    "path", ["/v1/service/lab/ws", "/lab", "/", "/v1/service//ws", "/v1/robot", "/default/x"]
)
async def test_an_unknown_service_is_refused_with_404(port: int, path: str) -> None:
    assert await refused(port, path) == (404, Code.UNKNOWN_SERVICE)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_page_of_another_origin_is_refused(port: int, origin: str) -> None:
    assert await refused(port, origin=origin) == (403, Code.ORIGIN_REFUSED)


async def test_our_own_pages_and_programs_may_connect(port: int) -> None:
    async with client(port, origin=f"http://127.0.0.1:{port}") as made:
        await made.hello()
    async with client(port) as made:
        await made.hello()


async def test_origins_of_the_configuration_may_connect() -> None:
    with running(origins=("https://fleet.example",)) as server:
        async with client(server.port, origin="https://fleet.example") as made:
            await made.hello()
        assert await refused(server.port, origin="https://fleet.example.evil") == (
            403,
            Code.ORIGIN_REFUSED,
        )


async def test_compression_is_never_negotiated(port: int) -> None:
    async with client(port, compression="deflate") as made:
        assert made.socket.protocol.extensions == []
        await made.hello()


async def test_an_oversized_message_gets_its_code_and_then_1009(port: int) -> None:
    async with client(port) as made:
        await made.hello()
        await made.socket.send("x" * (codec.MAX_MESSAGE_BYTES + 1))
        code, heard = await made.closed()
    assert code == 1009
    assert isinstance(heard[-1], m.Error)
    assert heard[-1].code is Code.TOO_LARGE


async def test_a_fragmented_message_counts_as_a_whole_for_the_limit(port: int) -> None:
    async with client(port) as made:
        await made.hello()
        half = "x" * (codec.MAX_MESSAGE_BYTES // 2 + 1)
        await made.socket.send(iter([half, half]))
        code, heard = await made.closed()
    assert code == 1009
    assert isinstance(heard[-1], m.Error)


async def test_a_fragmented_message_is_one_message(port: int) -> None:
    async with client(port) as made:
        await made.hello()
        whole = codec.encode(m.Ping(3, 1000)).decode()
        await made.socket.send(iter([whole[:5], "", whole[5:9], whole[9:]]))
        assert await made.get(m.Pong) == m.Pong(3)
        await made.say(m.Ping(4, 1000))
        assert await made.get(m.Pong) == m.Pong(4)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x00\x01", Code.MALFORMED),
        ("not json", Code.MALFORMED),
        ("[]", Code.MALFORMED),
        ("{}", Code.UNKNOWN_TYPE),
        ('{"type":"join"}', Code.MALFORMED),
        ('{"type":"fly"}', Code.UNKNOWN_TYPE),
        ('{"type":"joined"}', Code.MALFORMED),
        ("", Code.MALFORMED),
        ("[" * 5000, Code.MALFORMED),
    ],
)
async def test_a_bad_message_gets_its_code_and_the_socket_lives(
    port: int, data: str | bytes, code: Code
) -> None:
    async with client(port) as made:
        await made.hello()
        await made.socket.send(data)
        assert (await made.get(m.Error)).code is code
        await made.say(m.Ping(1, 1000))
        assert await made.get(m.Pong) == m.Pong(1)


async def test_twenty_bad_frames_close_the_socket(port: int) -> None:
    async with client(port) as made:
        await made.hello()
        for _ in range(20):
            await made.socket.send(b"\x00")
        code, heard = await made.closed()
    assert code == 4002
    assert len([e for e in heard if isinstance(e, m.Error)]) == 20


async def test_a_wrong_version_is_told_both_versions(port: int) -> None:
    async with client(port) as made:
        await made.say(m.Hello("operator", "ana", protocol="2.0", min="2.0"))
        code, [error] = await made.closed()
    assert code == 4002
    assert isinstance(error, m.Error)
    assert error.code is Code.VERSION
    assert "2.0" in error.text
    assert "1.0" in error.text


async def test_hello_must_be_first(port: int) -> None:
    async with client(port) as made:
        await made.say(m.Ping(1, 1000))
        code, [error] = await made.closed()
    assert code == 4002
    assert isinstance(error, m.Error)
    assert error.code is Code.HELLO_FIRST


async def test_an_sdp_of_a_megabyte_is_cut_with_its_code(port: int) -> None:
    async with client(port) as made:
        await robot(made, "sdp-bomb")
        offer = json.dumps({"type": "offer", "sessionId": "s", "sdp": "x" * 2**20})
        await made.socket.send(offer)
        code, heard = await made.closed()
    assert code == 1009
    assert isinstance(heard[-1], m.Error)
    assert heard[-1].code is Code.TOO_LARGE


async def test_an_sdp_of_65_kb_is_refused_and_the_socket_lives(port: int) -> None:
    async with client(port) as made:
        await robot(made, "sdp-65")
        offer = json.dumps({"type": "offer", "sessionId": "s", "sdp": "x" * (65 * 1024)})
        await made.socket.send(offer)
        assert (await made.get(m.Error)).code is Code.SDP_TOO_LARGE
        await made.say(m.Ping(1, 1000))
        await made.get(m.Pong)


async def pair(port: int, one: Client, two: Client, room: str) -> m.SessionStart:
    await robot(one, room)
    await one.join(room)
    await two.hello()
    await two.join(room)
    start = await one.get(m.SessionStart)
    await one.say(m.Offer(start.session_id, "v=0"))
    await two.get(m.Offer)
    await two.say(m.Answer(start.session_id, "v=0"))
    await one.get(m.Answer)
    return start


async def test_ten_thousand_candidates_are_cut_and_the_robot_gets_forty(port: int) -> None:
    async with client(port) as rover, client(port) as ana:
        start = await pair(port, rover, ana, "flooded")
        candidate = codec.encode(m.Candidate(start.session_id, m.IceCandidate("candidate:1")))
        frame = Frame(Opcode.TEXT, candidate).serialize(mask=True)
        for _ in range(10):
            ana.socket.transport.write(frame * 1000)
        code, heard = await ana.closed()
        assert code in {4002, None}  # None: reset while it still wrote
        codes = {error.code for error in heard if isinstance(error, m.Error)}
        assert codes >= {Code.TOO_MANY_CANDIDATES}
        got = 0
        while not isinstance(message := await rover.read(), m.Event):
            got += isinstance(message, m.Candidate)
        assert got == 40


async def test_an_unmasked_frame_fails_the_connection(port: int) -> None:
    async with client(port) as made:
        await made.hello()
        made.socket.transport.write(Frame(Opcode.TEXT, b"{}").serialize(mask=False))
        code, _ = await made.closed()
    assert code == 1002


async def test_websocket_pings_are_answered(port: int) -> None:
    async with client(port) as made:
        await made.hello()
        async with asyncio.timeout(TIMEOUT_S):
            await (await made.socket.ping())


async def test_twenty_sockets_that_say_no_hello_keep_the_next_one_of_their_address_out() -> None:
    with running(strangers_per_address=20) as server:
        silent = [client(server.port) for _ in range(20)]
        for one in silent:
            await one.__aenter__()
        assert await refused(server.port) == (429, Code.TOO_MANY_CONNECTIONS)
        await silent.pop().__aexit__(None, None, None)
        await until(lambda: sum(server.gateway.door._strangers.values()) < 20)
        async with client(server.port) as made:
            await made.hello()
            async with client(server.port):
                pass
        for one in silent:
            await one.__aexit__(None, None, None)


async def test_a_socket_that_never_says_hello_is_closed_when_its_time_is_over() -> None:
    with running(limits=Limits(hello_timeout_s=0.5)) as server, StallWatch() as watch:
        started = time.monotonic()
        async with client(server.port) as made, asyncio.timeout(TIMEOUT_S):
            await made.socket.wait_closed()
            took_s = time.monotonic() - started
        assert took_s > 0.5
        assert took_s - watch.lost_s < 1.5
        assert made.socket.close_code == 4002


def test_a_half_open_request_does_not_keep_a_real_client_out(server: Server) -> None:
    held = []
    try:
        for _ in range(200):
            half = socket.create_connection(("127.0.0.1", server.port))
            half.send(b"GET /v1/service/default/ws HTTP/1.1\r\nHost: x\r\n")
            held.append(half)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        for half in held:
            half.close()


async def test_a_request_that_is_no_handshake_is_refused_by_the_framing(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /v1/service/default/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 99\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), TIMEOUT_S)
    assert b" 101 " not in answer
    assert answer.startswith(b"HTTP/1.1 4")
    writer.close()
