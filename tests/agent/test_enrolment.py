"""Enrolling at a server that is scripted here, request by request, over real HTTP."""

import asyncio
import time

import pytest

from farhand.agent.enrolment import Asked, Enroller, Wish
from farhand.agent.identity import Enrolment
from farhand.errors import Code, ConnectionClosed, NotAllowed
from farhand.keys.signing import ROBOT, key_id, new_key, verify
from farhand.protocol.ids import RobotId, ServiceId
from tests.agent.enrolling import AHEAD_S, ENROLLED, SERVER, WAITING, Reply, Script, served

ROBOT_KEY = new_key()


async def enrol(script: Script, wish: Wish, shown: list[Asked] | None = None) -> Enrolment:
    show = (shown if shown is not None else []).append
    enroller = Enroller(script.url, ROBOT_KEY, show=show, poll_s=0.001)
    async with asyncio.timeout(20):
        return await enroller.enrol(wish)


async def test_a_code_gets_the_robot_in_at_once_and_pins_the_servers_key() -> None:
    with served(Script((201, ENROLLED))) as script:
        found = await enrol(script, Wish("ABCD-EFGH", "rover", "Rover", "m1", "arm64"))
    assert found == Enrolment(RobotId("rover"), ServiceId("site-a"), script.url, SERVER.public)
    path, body = script.seen[0]
    assert (path, body["code"], body["robotId"]) == ("/v1/enrol", "ABCD-EFGH", "rover")
    assert body["publicKey"] == ROBOT_KEY.public


async def test_the_proof_is_for_this_server_by_this_key_and_by_the_servers_clock() -> None:
    with served(Script((201, ENROLLED))) as script:
        await enrol(script, Wish("ABCD-EFGH"))
    _, body = script.seen[0]
    public = {ROBOT_KEY.id: ROBOT_KEY.public}
    claims = verify(
        body["proof"],
        typ=ROBOT,
        key_of=public.get,
        audience=key_id(SERVER.public),
        now_s=time.time() + AHEAD_S,
    )
    assert claims["iss"] == ROBOT_KEY.id
    assert "robotId" not in body


async def test_without_a_code_it_shows_one_and_asks_until_it_is_approved() -> None:
    pending: Reply = (202, {"status": "pending"})
    shown: list[Asked] = []
    busy: Reply = (429, {"code": "FH-3013", "title": "Slowly."})
    script = Script((202, WAITING), pending, busy, (503, {}), pending, (201, ENROLLED))
    with served(script):
        found = await enrol(script, Wish(), shown)
    assert found.robot_id == "rover"
    assert [asked.code for asked in shown] == ["ABCD-EFGH"]
    assert "code" not in script.seen[0][1]
    polls = [body for path, body in script.seen if path == "/v1/enrol/poll"]
    assert polls == [{"poll": "secret"}] * 5


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, Code.FORBIDDEN), (404, Code.CODE_UNKNOWN), (403, Code.REVOKED)],
)
async def test_a_request_that_is_denied_or_expires_ends_with_the_servers_code(
    status: int, code: Code
) -> None:
    script = Script((202, WAITING), (status, {"code": code.value, "title": "No."}))
    with served(script), pytest.raises(NotAllowed) as refused:
        await enrol(script, Wish())
    assert refused.value.code is code


async def test_a_code_that_was_used_is_said_to_be() -> None:
    used = (409, {"code": "FH-2107", "title": "This code was used already."})
    with served(Script(used)) as script, pytest.raises(NotAllowed) as refused:
        await enrol(script, Wish("ABCD-EFGH"))
    assert refused.value.code is Code.CODE_USED


async def test_a_server_that_shows_one_key_and_gives_another_is_not_believed() -> None:
    other = ENROLLED | {"serverKey": new_key().public}
    with served(Script((201, other))) as script, pytest.raises(NotAllowed) as refused:
        await enrol(script, Wish("ABCD-EFGH"))
    assert refused.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("bad", [{"robotId": "../x"}, {"serviceId": ""}])
async def test_a_name_that_is_none_is_refused(bad: dict[str, str]) -> None:
    with served(Script((201, ENROLLED | bad))) as script, pytest.raises(NotAllowed) as refused:
        await enrol(script, Wish("ABCD-EFGH"))
    assert refused.value.code is Code.INVALID_ID


@pytest.mark.parametrize("reply", [(404, {"detail": "Not Found"}), (201, {}), (302, {})])
async def test_what_is_no_server_that_enrols_robots_is_refused(reply: Reply) -> None:
    with served(Script(reply)) as script, pytest.raises(NotAllowed):
        await enrol(script, Wish("ABCD-EFGH"))


@pytest.fixture
async def nowhere() -> str:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_a_server_that_is_not_there_is_said_so(nowhere: str) -> None:
    enroller = Enroller(nowhere, ROBOT_KEY, show=lambda _: None)
    with pytest.raises(ConnectionClosed) as refused:
        await enroller.enrol(Wish("ABCD-EFGH"))
    assert refused.value.code is Code.SERVER_UNREACHABLE


async def test_a_robot_that_starts_before_its_server_waits_for_it(nowhere: str) -> None:
    enroller = Enroller(nowhere, ROBOT_KEY, show=lambda _: None, waits=True)
    task = asyncio.create_task(enroller.enrol(Wish("ABCD-EFGH")))
    done, _ = await asyncio.wait([task], timeout=0.2)
    assert not done
    task.cancel()
    await asyncio.wait([task])
