"""A server with accounts, an enrolled robot and its real agent: who drives, and who no longer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from farhand.agent.enrolment import Asked, Enroller, Wish
from farhand.agent.identity import Identity
from farhand.client import Client, connect
from farhand.errors import Code, FarhandError, LeaseDenied, NotAllowed, RemoteProtocolError
from farhand.keys.signing import new_key
from farhand.kits.stack import Options, Stack
from farhand.link.websocket import LinkEvents, ServerLink, service_url
from farhand.media.aiortc_.certificate import Certificate
from farhand.protocol import control
from farhand.protocol import messages as m
from farhand.protocol.manifest import Manifest
from farhand.sim.observer import Observer
from tests.agent.fakes import HubServer, SigningDoor
from tests.client.test_drive import PATIENCE_S, drives, stood
from tests.stalls import StallWatch

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

ROBOT = "sim-rover"
STAND_S = 1.0
CUT_S = 2.0


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    with Stack(Options(accounts=True, governor={"blind_cap": 1.0})) as started:
        yield started


@pytest.fixture
def stack(programs: Stack) -> Stack:
    programs.wait_until_online(ROBOT)
    return programs


async def new_token(stack: Stack, role: str, robot: str | None = ROBOT) -> dict[str, Any]:
    line = {"serviceId": "default", "role": role}
    if robot is not None:
        line["robotId"] = robot
    body = {"name": role, "role": role, "access": [line]}
    answer = await call(stack, "POST", "token", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def call(stack: Stack, method: str, path: str, body: object = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {stack.options.token}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        url = f"http://127.0.0.1:{stack.port}/v1/{path}"
        return await client.request(method, url, json=body)


async def hears(client: Client, code: Code) -> None:
    """Try to open the robot until it, or the server for it, has said ``code``."""

    async def enter() -> None:
        async with client.open(ROBOT, cameras=[], timeout_s=PATIENCE_S):
            raise AssertionError("let in")

    trying = asyncio.create_task(enter())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not any(e.code is code for e in (client.robot.errors if client.robot else ())):
                assert not trying.done()
                await asyncio.sleep(0.02)
        assert client.robot is not None
        assert not client.robot.has_open(control.SAFETY)
    finally:
        trying.cancel()
        await asyncio.wait([trying])


async def test_an_operator_of_this_robot_sees_and_drives_it(stack: Stack) -> None:
    token = (await new_token(stack, "operator"))["secret"]
    async with connect(stack.url, name="ana", token=token) as client:
        assert [robot.robot_id for robot in await client.robots()] == [ROBOT]
        async with client.open(ROBOT, cameras=["front"]) as robot:
            await drives(robot)
            await robot.wait_until(lambda: robot.frames["front"] > 0, PATIENCE_S)  # type: ignore[index]
            await robot.release()


async def test_a_viewer_watches_and_does_not_drive(stack: Stack) -> None:
    token = (await new_token(stack, "viewer"))["secret"]
    async with (
        connect(stack.url, name="vera", token=token) as client,
        client.open(ROBOT, cameras=["front"]) as robot,
    ):
        await robot.wait_until(lambda: robot.frames["front"] > 0, PATIENCE_S)  # type: ignore[index]
        with pytest.raises(LeaseDenied, match=Code.MAY_NOT_DRIVE.value):
            await robot.take_control()


async def test_a_viewer_who_talks_on_the_control_channel_is_cut_and_audited(stack: Stack) -> None:
    made = await new_token(stack, "viewer")
    async with (
        connect(stack.url, name="vera", token=made["secret"]) as client,
        client.open(ROBOT, cameras=[]) as robot,
    ):
        await robot.wait_until(lambda: robot.has_open(control.CONTROL), PATIENCE_S)
        assert robot.send_control(control.ControlFrame(1, 1, 1, 1, 0, 0, (0.5, 0.0)).pack())
        await robot.wait_until(
            lambda: any(error.code is Code.SCOPE_MISSING for error in robot.errors), PATIENCE_S
        )
        await robot.wait_until(
            lambda: robot.session is not None and robot.session.state == "closed", PATIENCE_S
        )
    answer = await call(stack, "GET", f"audit?robot={ROBOT}&action=rule.broken")
    entry = answer.json()["entries"][-1]
    assert (entry["result"], entry["robotId"]) == (Code.SCOPE_MISSING.value, ROBOT)
    assert entry["actor"] == f"token:{made['tokenId']}"


@pytest.mark.parametrize("token", [None, "", "fh_" + "A" * 43, "nonsense"])
async def test_nobody_without_a_credential_gets_in(stack: Stack, token: str | None) -> None:
    with pytest.raises(RemoteProtocolError, match=Code.UNAUTHENTICATED.value):
        async with connect(stack.url, name="eve", token=token):
            raise AssertionError("let in")


async def test_an_operator_of_another_robot_does_not_find_this_one(stack: Stack) -> None:
    token = (await new_token(stack, "operator", "sim-other"))["secret"]
    async with connect(stack.url, name="olga", token=token) as client:
        assert await client.robots() == []
        with pytest.raises(RemoteProtocolError):
            async with client.open(ROBOT, cameras=[], timeout_s=5):
                raise AssertionError("let in")


class Impostor(Certificate):
    """Announces somebody else's certificate."""

    def __init__(self) -> None:
        super().__init__()
        self._own = self.fingerprint
        self.fingerprint = Certificate().fingerprint

    def only_ours(self, sdp: str) -> str:
        return sdp


async def test_the_robot_refuses_a_certificate_that_the_server_did_not_vouch_for(
    stack: Stack,
) -> None:
    token = (await new_token(stack, "operator"))["secret"]
    async with connect(stack.url, name="eve", token=token) as client:
        client._certificate = Impostor()
        await hears(client, Code.FINGERPRINT_MISMATCH)


async def test_a_driver_whose_token_is_revoked_is_stopped_and_stays_out(stack: Stack) -> None:
    made = await new_token(stack, "operator")
    with Observer(stack.sim_socket(ROBOT)) as observer:
        async with (
            connect(stack.url, name="ana", token=made["secret"]) as client,
            client.open(ROBOT, cameras=[]) as robot,
        ):
            await drives(robot)
            observer.reset_gap()
            revoked_us = time.monotonic_ns() // 1000
            with StallWatch() as watch:
                answer = await call(stack, "DELETE", f"token/{made['tokenId']}")
                assert answer.is_success, answer.text
                await robot.wait_until(lambda: client.lost is not None, PATIENCE_S)
            assert time.monotonic() - revoked_us / 1e6 - watch.lost_s < CUT_S
            assert client.lost is not None
            assert client.lost.code is Code.REVOKED
            assert await stood(observer, revoked_us) < STAND_S
            assert robot.lease is None
    with pytest.raises(RemoteProtocolError, match=Code.REVOKED.value):
        async with connect(stack.url, name="ana", token=made["secret"]):
            raise AssertionError("let in again")


async def test_driving_outlives_the_server_and_the_session_is_granted_anew(stack: Stack) -> None:
    token = (await new_token(stack, "operator"))["secret"]
    async with (
        connect(stack.url, name="ana", token=token) as client,
        client.open(ROBOT, cameras=[]) as robot,
    ):
        await drives(robot)
        session, grant = robot.session, robot.lease
        stack.kill("server")
        await robot.wait_until(lambda: not client.is_connected, PATIENCE_S)
        client.members = {}
        await drives(robot)
        await robot.wait_until(lambda: client.is_connected and len(client.members) == 2, PATIENCE_S)
        await drives(robot)
        assert robot.session is session
        assert robot.lease == grant


@pytest.mark.parametrize("verdict", ["approve", "deny"])
async def test_a_robot_that_asks_is_in_when_an_admin_approves_its_code(
    stack: Stack, verdict: str
) -> None:
    shown: asyncio.Queue[Asked] = asyncio.Queue()
    enroller = Enroller(stack.url, new_key(), show=shown.put_nowait, poll_s=0.05)
    asking = asyncio.create_task(enroller.enrol(Wish(name="Second", architecture="arm64")))
    asked = await asyncio.wait_for(shown.get(), PATIENCE_S)
    body = {"code": asked.code}
    if verdict == "approve":
        body |= {"serviceId": "default", "robotId": "second"}
    answer = await call(stack, "POST", f"enrolment/{verdict}", body)
    assert answer.is_success, answer.text
    if verdict == "approve":
        enrolment = await asyncio.wait_for(asking, PATIENCE_S)
        assert (enrolment.robot_id, enrolment.service_id) == ("second", "default")
    else:
        with pytest.raises(NotAllowed, match=Code.FORBIDDEN.value):
            await asyncio.wait_for(asking, PATIENCE_S)


async def test_a_robot_that_is_revoked_is_sent_away_for_good(stack: Stack) -> None:
    key = new_key()
    made = await call(stack, "POST", "enrolment", {"kind": "code", "serviceId": "default"})
    assert made.status_code == 201, made.text
    enroller = Enroller(stack.url, key, show=lambda _: None)
    enrolment = await enroller.enrol(Wish(made.json()["code"], robot_id="third"))
    with pytest.raises(NotAllowed, match=Code.CODE_USED.value):
        await Enroller(stack.url, new_key(), show=lambda _: None).enrol(Wish(made.json()["code"]))
    identity = Identity(key, enrolment)
    async with robot_link(stack, identity) as (welcomed, lost):
        await asyncio.wait_for(welcomed.wait(), PATIENCE_S)
        answer = await call(stack, "POST", "robot/third/revoke?service=default")
        assert answer.is_success, answer.text
        await asyncio.wait_for(lost.get(), CUT_S)
    async with robot_link(stack, identity) as (welcomed, lost):
        assert (await asyncio.wait_for(lost.get(), PATIENCE_S)).code is Code.REVOKED
        assert not welcomed.is_set()


@contextlib.asynccontextmanager
async def robot_link(
    stack: Stack, identity: Identity
) -> AsyncIterator[tuple[asyncio.Event, asyncio.Queue[FarhandError]]]:
    """Connect as a robot without anything behind it."""
    lost: asyncio.Queue[FarhandError] = asyncio.Queue()
    welcomed = asyncio.Event()
    robot_id = identity.enrolment.robot_id
    manifest = Manifest(robot_id, "Third")
    link = ServerLink(
        service_url(stack.url, identity.enrolment.service_id),
        lambda _: m.Hello(
            "robot", "Third", robot_id=robot_id, manifest=manifest, token=identity.token()
        ),
        LinkEvents(lambda _: welcomed.set(), lambda _: None, lambda why, _: lost.put_nowait(why)),
    )
    keeper = asyncio.create_task(link.run())
    try:
        yield welcomed, lost
    finally:
        await link.close()
        keeper.cancel()
        await asyncio.wait([keeper])


@contextlib.asynccontextmanager
async def impostor(stack: Stack, door: SigningDoor) -> AsyncIterator[str]:
    """Stand in the server's place, on its port, without its key; the robot's agent comes."""
    server = stack.programs["server"]
    server.restart = False
    stack.kill("server")
    assert server.process is not None
    await asyncio.to_thread(server.process.wait)
    hub = HubServer(b"i" * 32, door)
    hub.port = stack.port
    await hub.start()
    try:
        yield f"http://127.0.0.1:{hub.port}"
    finally:
        await hub.kill()
        server.restart = True


async def drives_not_over_the_server(client: Client) -> None:
    """Return when the robot, which needs a moment to notice, has come and denied the lease."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(RemoteProtocolError):
                async with client.open(ROBOT, over_server=True) as robot:
                    with pytest.raises(LeaseDenied, match=Code.MAY_NOT_DRIVE.value):
                        await robot.take_control()
                    return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("signs", [True, False], ids=["forged", "missing"])
async def test_a_server_without_the_key_gets_nobody_into_the_robot(
    stack: Stack, *, signs: bool
) -> None:
    door = SigningDoor(new_key())
    door.signs = signs
    async with impostor(stack, door) as url, connect(url, name="eve") as client:
        await drives_not_over_the_server(client)
        await hears(client, Code.GRANT_REFUSED)
