"""An enrolled robot against a real hub: nobody in without a grant, nobody beyond it."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from farhand.agent.identity import Enrolment, Identity
from farhand.errors import Code
from farhand.keys.signing import SigningKey, new_key
from farhand.protocol import codec, control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId
from tests.agent import fakes
from tests.agent.fakes import FakeConnection, SigningDoor, Visitor, World, until

MINE = "sha-256 " + ":".join(["AB"] * 32)
ANOTHER = "sha-256 " + ":".join(["CD"] * 32)


@dataclass
class Home:
    """Where the robot is enrolled."""

    folder: Path
    door: SigningDoor
    robot_key: SigningKey
    clock_error_s: float = 0.0

    def world(self, **options: Any) -> AbstractAsyncContextManager[World]:
        enrolment = Enrolment(RobotId("rover"), DEFAULT_SERVICE, "", self.door.key.public)
        identity = Identity(
            self.robot_key, enrolment, wall_s=lambda: time.time() + self.clock_error_s
        )
        return fakes.world(self.folder, door=self.door, identity=identity, **options)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, SigningDoor(new_key()), new_key())


@pytest.fixture
async def world(home: Home) -> AsyncIterator[World]:
    async with home.world() as made:
        yield made


async def driving(world: World) -> tuple[Visitor, FakeConnection, g.Grant]:
    ana = await world.visitor(fingerprint=MINE)
    connection = await world.connected(ana)
    connection.on_message("messages", codec.encode(m.LeaseRequest()).decode())
    await until(lambda: world.gate.of(g.Grant))
    grant = world.gate.of(g.Grant)[0]
    assert isinstance(grant, g.Grant)
    return ana, connection, grant


async def refusal(visitor: Visitor, code: Code) -> m.Error:
    error = await visitor.hear(m.Error)
    assert error.code is code
    ended = await visitor.hear(m.SessionEnded)
    assert ended.session_id == error.session_id
    return error


async def test_a_granted_operator_is_let_in_and_drives(world: World) -> None:
    _, connection, grant = await driving(world)
    frame = control.ControlFrame(grant.epoch, 1, 1, 1, 0, 0, (0.0, 0.0)).pack()
    connection.on_message("control", frame)
    await until(lambda: world.gate.of(g.Command) == [g.Command(grant.member, frame)])


async def test_without_a_grant_no_peer_connection_is_made(world: World, home: Home) -> None:
    home.door.signs = False
    ana = await world.visitor(fingerprint=MINE)
    await refusal(ana, Code.GRANT_REFUSED)
    assert world.backend.connections == []


@pytest.mark.parametrize(
    "changed",
    [{"aud": "scout"}, {"exp": 1_000_000}, {"sid": "another"}, {"scopes": ["fly"]}, {"role": "x"}],
)
async def test_a_grant_that_is_about_something_else_lets_nobody_in(
    world: World, home: Home, changed: dict[str, object]
) -> None:
    home.door.changed = changed
    ana = await world.visitor(fingerprint=MINE)
    await refusal(ana, Code.GRANT_REFUSED)
    assert world.backend.connections == []


async def test_a_server_with_another_key_lets_nobody_in(world: World, home: Home) -> None:
    home.door.key = new_key()
    ana = await world.visitor(fingerprint=MINE)
    await refusal(ana, Code.GRANT_REFUSED)
    assert world.backend.connections == []


async def test_who_names_no_certificate_is_not_let_in(world: World) -> None:
    ana = await world.visitor()
    await refusal(ana, Code.GRANT_REFUSED)


async def test_an_answer_with_another_certificate_is_never_applied(world: World) -> None:
    ana = await world.visitor(fingerprint=MINE)
    offer = await ana.hear(m.Offer)
    ana.link.send(m.Answer(offer.session_id, fakes.answer_of(ANOTHER)))
    await refusal(ana, Code.FINGERPRINT_MISMATCH)
    connection = world.backend.connections[0]
    await until(lambda: connection.is_closed)
    assert not connection.is_accepted


async def test_the_grant_and_not_the_order_says_what_one_may_do(world: World, home: Home) -> None:
    home.door.changed = {"role": "viewer", "scopes": ["view"]}
    ana = await world.visitor(fingerprint=MINE)
    connection = await world.connected(ana)
    assert "control" not in connection.channels
    ana.say(m.LeaseRequest())
    deny = m.LeaseDeny(Code.MAY_NOT_DRIVE, "Your role may not drive.")
    await until(lambda: codec.encode(deny).decode() in connection.of("messages"))


async def test_without_a_session_nobody_drives_over_the_server(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.LeaseRequest())
    assert (await ana.hear(m.LeaseDeny)).code is Code.MAY_NOT_DRIVE


async def test_stop_needs_no_grant(world: World) -> None:
    vera = await world.visitor("vera", "viewer", media=False)
    vera.say(m.Stop(7))
    assert (await vera.hear(m.StopAck)).nonce == 7


async def test_a_message_on_a_channel_that_the_scopes_do_not_allow_ends_the_session(
    world: World,
) -> None:
    ben = await world.visitor("ben", media=False)
    vera = await world.visitor("vera", "viewer", fingerprint=MINE)
    connection = await world.connected(vera)
    connection.on_message("control", b"\0" * 32)
    await refusal(vera, Code.SCOPE_MISSING)
    event = await ben.event("scope-broken")
    assert (event.code, event.member) == (
        Code.SCOPE_MISSING,
        m.Member(vera.id, "viewer", "vera"),
    )
    await until(lambda: connection.is_closed)
    assert world.gate.of(g.Command) == []


async def test_a_driver_who_opens_a_channel_of_their_own_is_cut_and_the_robot_stands(
    world: World,
) -> None:
    ana, connection, _ = await driving(world)
    assert connection.on_breach is not None
    connection.on_breach("9")
    assert world.agent.authority.lease.holder is None
    connection.on_breach("9")  # what still comes in changes nothing
    await refusal(ana, Code.SCOPE_MISSING)
    await until(lambda: world.gate.of(g.Revoke))
    await until(lambda: connection.is_closed)


@pytest.mark.parametrize("reason", ["revoked", "kicked"])
async def test_when_the_right_is_taken_away_the_robot_stands_in_the_same_turn(
    world: World, reason: str
) -> None:
    ana, connection, _ = await driving(world)
    session = next(iter(world.agent.sessions.live()))
    world.agent._on_message(m.SessionEnded(session, reason))
    assert world.agent.authority.lease.holder is None
    await until(lambda: world.gate.of(g.Revoke))
    await until(lambda: connection.is_closed)
    ana.say(m.LeaseRequest())
    assert (await ana.hear(m.LeaseDeny)).code is Code.MAY_NOT_DRIVE


async def test_who_is_sent_out_by_the_server_drives_no_longer(world: World) -> None:
    ana, connection, _ = await driving(world)
    await world.hub.kick(ana.id)
    await until(lambda: world.gate.of(g.Revoke))
    await until(lambda: connection.is_closed)
    assert world.agent.people.get(ana.id) is None


async def test_a_robot_that_is_revoked_serves_nobody_any_more(world: World, home: Home) -> None:
    _, connection, _ = await driving(world)
    home.door.revoked = True
    await world.hub.revoke(lambda _: True)
    await until(lambda: connection.is_closed)
    assert world.agent.authority.lease.holder is None
    assert world.agent.sessions.live() == {}


async def test_a_guest_sees_the_picture_but_has_no_stop(world: World) -> None:
    gus = await world.visitor("gus", "guest", fingerprint=MINE)
    connection = await world.connected(gus)
    assert "frames" in connection.channels
    connection.on_message("safety", control.StopPress(3).pack())
    error = await gus.hear(m.Error)
    assert (error.code, error.about) == (Code.SCOPE_MISSING, "stop")
    assert world.gate.of(g.Halt) == []
    assert not connection.is_closed


async def test_sessions_outlive_the_server_for_the_grace_and_no_longer(home: Home) -> None:
    async with home.world(offline_grace_s=0.3) as world:
        _, connection, _ = await driving(world)
        await world.hub.kill()
        await until(lambda: not world.agent.link.is_connected)
        assert not connection.is_closed
        await until(lambda: connection.is_closed)
        assert world.agent.authority.lease.holder is None


async def test_a_server_that_is_back_in_time_finds_the_session_alive(home: Home) -> None:
    async with home.world(offline_grace_s=30) as world:
        ana, connection, _ = await driving(world)
        await world.hub.kill()
        await until(lambda: not world.agent.link.is_connected)
        await world.hub.start()
        await ana.hear(m.Welcome)
        sessions = dict.fromkeys(world.agent.sessions.live(), ana.robot)
        join = m.Join(RobotId("rover"), sessions=sessions, fingerprint=MINE)  # type: ignore[arg-type]
        ana.link.send(join)
        assert (await ana.hear(m.SessionStart, lambda start: start.resumed)).session_id in sessions
        assert world.agent.authority.lease.holder is not None
        assert world.backend.connections == [connection]
        assert not connection.is_closed


async def test_a_session_that_comes_back_with_another_certificate_starts_anew(home: Home) -> None:
    async with home.world(offline_grace_s=30) as world:
        ana, connection, _ = await driving(world)
        await world.hub.kill()
        await until(lambda: not world.agent.link.is_connected)
        await world.hub.start()
        await ana.hear(m.Welcome)
        sessions = dict.fromkeys(world.agent.sessions.live(), ana.robot)
        join = m.Join(RobotId("rover"), sessions=sessions, fingerprint=ANOTHER)  # type: ignore[arg-type]
        ana.link.send(join)
        await until(lambda: connection.is_closed)
        assert world.agent.authority.lease.holder is None
        await until(lambda: len(world.backend.connections) == 2)


async def test_a_robot_proves_its_key_and_corrects_a_clock_that_is_hours_off(home: Home) -> None:
    home.door.robot_key = home.robot_key.public
    home.clock_error_s = -5 * 3600
    async with home.world() as world:
        assert home.door.refused >= 1
        assert world.agent.link.is_connected
