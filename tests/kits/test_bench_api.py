"""What `farhand bench api` measures with is right: its load, its records, its peer."""

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from farhand.keys.signing import ROBOT, load_key, verify
from farhand.kits.bench import api_load, api_peer, api_records
from farhand.server.accounts.secret import digest
from farhand.server.composing import DATABASE_FILE, KEY_FILE
from farhand.store.records import Robot, Token
from farhand.store.sql import SqlStore

BODY = bytes(range(256)) * 2000
HEAD_MARK = b"\r\n\r\n"


class _Handler(BaseHTTPRequestHandler):
    """Answers in pieces, as networks do; some begin with what looks like the end of a head."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = HEAD_MARK + BODY if self.path == "/whole" else b""
        self.send_response(200 if body else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(0, len(body), 100_000):
            self.wfile.write(body[at : at + 100_000])
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_body_comes_whole_whatever_pieces_it_comes_in(port: int) -> None:
    assert api_load.fetch(port, api_load.get("/whole", "fh_x")) == HEAD_MARK + BODY


def test_answers_are_counted_and_timed_on_connections_that_stay(port: int) -> None:
    seen = api_load.saturate(port, api_load.get("/whole", "fh_x"), 2, 0.3)
    assert len(seen.delays_ms) > 2
    assert 0.3 <= seen.seconds < 30
    assert seen.per_second == pytest.approx(len(seen.delays_ms) / seen.seconds)
    assert all(0 < delay <= seen.seconds * 1000 for delay in seen.delays_ms)


def test_a_refusal_is_no_answer(port: int) -> None:
    with pytest.raises(ConnectionError, match="403"):
        api_load.fetch(port, api_load.get("/nothing", "fh_x"))
    with pytest.raises(ConnectionError, match="403"):
        api_load.saturate(port, api_load.get("/nothing", "fh_x"), 1, 5)


def test_a_thousand_robots_are_stored_and_the_first_ones_can_prove_themselves(
    tmp_path: Path,
) -> None:
    records = api_records.fill(tmp_path, 2)
    robots, tokens = asyncio.run(_stored(tmp_path / DATABASE_FILE))
    assert len(robots) == api_records.ROBOTS
    assert len({robot.public_key for robot in robots}) == api_records.ROBOTS
    assert [token.digest for token in tokens] == [digest(records.token)]
    known = {key.id: key.public for key in records.keys}
    for number in range(2):
        claims = verify(
            records.robot_token(number),
            typ=ROBOT,
            key_of=known.get,
            audience=load_key(tmp_path / KEY_FILE).id,
            now_s=time.time(),
        )
        assert claims["sub"] == robots[number].id


async def _stored(file: Path) -> tuple[list[Robot], list[Token]]:
    store = SqlStore(file)
    await store.open()
    try:
        return store.all(Robot), store.all(Token)
    finally:
        await store.close()


async def test_the_peer_returns_the_bytes_that_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "50.json").write_bytes(BODY)
    transport = httpx.ASGITransport(api_peer.make_app(tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://peer") as client:
        answer = await client.get("/v1/robot?limit=50")
    assert (answer.status_code, answer.content) == (200, BODY)
