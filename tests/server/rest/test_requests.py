"""What holds for every operation: sizes, keys that make it idempotent, system, errors."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from farhand.errors import Code
from farhand.server.problems import Problem
from farhand.server.rest.idempotency import KEEP_S, Idempotency
from farhand.store.records import Service
from tests.server.rest.harness import Place, place


async def test_a_body_has_a_bound_also_when_nobody_says_how_long_it_is(here: Place) -> None:
    answer = await here.ask("POST", "/v1/service", {"name": "x" * 70_000}, status=413)
    assert answer["code"] == Code.TOO_LARGE

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    headers = {"authorization": "Bearer admin"}
    streamed = await here.http.post("/v1/service", content=parts(), headers=headers)
    assert streamed.status_code == 413


@pytest.mark.parametrize("raw", [b"[]", b"{", b"\xff", b'"x"', b"[" * 5000, b'{"id":5}'])
async def test_what_is_no_valid_body_is_refused(here: Place, raw: bytes) -> None:
    headers = {"authorization": "Bearer admin"}
    answer = await here.http.post("/v1/service", content=raw, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, Code.MALFORMED)


async def test_the_same_key_makes_one_service_however_often_it_is_sent(here: Place) -> None:
    before = len(here.store.all(Service))
    sent = [
        here.send("POST", "/v1/service", {"name": "Lab"}, idempotency_key="k-1") for _ in range(3)
    ]
    answers = [*await asyncio.gather(*sent)]
    answers.append(await here.send("POST", "/v1/service", {"name": "Lab"}, idempotency_key="k-1"))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {answer.status_code for answer in answers} == {201}
    assert len(here.store.all(Service)) == before + 1


async def test_the_same_key_with_another_body_is_refused(here: Place) -> None:
    await here.ask("POST", "/v1/service", {"name": "A"}, idempotency_key="k", status=201)
    await here.ask("POST", "/v1/service", {"name": "B"}, idempotency_key="k", status=422)


async def test_keys_are_everybodys_own(here: Place) -> None:
    path, body = "/v1/enrolment", {"serviceId": "site-a"}
    one = await here.ask("POST", path, body, by="boss", idempotency_key="k", status=201)
    two = await here.ask("POST", path, body, by="enroller", idempotency_key="k", status=201)
    assert one["code"] != two["code"]


async def test_a_refused_request_may_be_sent_again_with_its_key(here: Place) -> None:
    body = {"id": "site-c"}
    await here.ask("POST", "/v1/service", body, by="boss", idempotency_key="k", status=403)
    await here.ask("POST", "/v1/service", body, idempotency_key="k", status=201)


async def test_answers_are_kept_for_a_day_and_only_so_many() -> None:
    now = [0.0]
    kept = Idempotency(lambda: now[0], max_kept=3, max_each=2)
    made: list[str] = []

    async def do(name: str) -> bytes:
        async def deed() -> Response:
            made.append(name)
            return Response(name)

        return bytes((await kept.once("ana", (name,), b"", deed)).body)

    assert [await do("a"), await do("a")] == [b"a", b"a"]
    assert made == ["a"]
    now[0] = KEEP_S + 1
    await do("a")
    assert made == ["a", "a"]
    for name in ("b", "c", "a"):
        await do(name)
    assert made == ["a", "a", "b", "c", "a"]  # two of one owner: a was forgotten for c


async def test_a_failure_does_not_hold_up_those_who_wait_for_the_same_key() -> None:
    kept = Idempotency(lambda: 0.0)
    gate = asyncio.Event()

    async def fails() -> Response:
        await gate.wait()
        raise Problem(503, Code.STORE_UNREACHABLE, "no")

    async def works() -> Response:
        return Response("done")

    first = asyncio.create_task(kept.once("ana", ("k",), b"", fails))
    await asyncio.sleep(0)
    second = asyncio.create_task(kept.once("ana", ("k",), b"", works))
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(Problem):
        await first
    assert (await second).body == b"done"


async def test_the_system_page_is_for_admins_and_masks_secrets(here: Place) -> None:
    await here.ask("GET", "/v1/system", by="boss", status=403)
    async with place(None, database="postgresql://u:hunter2@db/x", port=1234) as other:
        system = await other.ask("GET", "/v1/system", by="", status=200)
    assert "hunter2" not in str(system)
    assert system["config"]["port"] == {"value": 1234, "origin": "set"}
    assert system["config"]["host"]["origin"] == "default"
    assert (system["counts"]["services"], system["store"]) == (1, "postgresql")


async def test_health_is_for_everybody_and_robots_are_not(here: Place) -> None:
    assert (await here.ask("GET", "/health", by="", status=200))["status"] == "ok"
    answer = await here.send("GET", "/v1/robot", by="")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["cache-control"] == "no-store"
