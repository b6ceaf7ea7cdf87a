"""The lease as people meet it: an agent, a real hub, what each of them hears and sees."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from farhand.core.lease_rules import LeaseRules
from farhand.errors import Code
from farhand.protocol import codec
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch, MemberId
from tests.agent import fakes
from tests.agent.fakes import Visitor, World, until

PATIENT = LeaseRules(ttl_us=60_000_000)
"""A test that holds the lease says nothing for long."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with fakes.world(tmp_path, lease=PATIENT) as made:
        yield made


async def shown(visitor: Visitor, is_so: Callable[[m.LeaseState], object]) -> m.LeaseState:
    """Return the next lease in a status of which that holds; those before it are forgotten."""
    while not is_so((status := await visitor.hear(m.Status)).lease):
        pass
    return status.lease


async def taken(visitor: Visitor) -> m.LeaseGrant:
    visitor.say(m.LeaseRequest())
    grant = await visitor.hear(m.LeaseGrant)
    await visitor.event("control-taken")
    return grant


async def asked(world: World) -> tuple[Visitor, Visitor, m.LeaseGrant, m.LeasePending]:
    """Let Ana drive and Ben ask for it."""
    ana = await world.visitor("ana", media=False)
    ben = await world.visitor("ben", media=False)
    grant = await taken(ana)
    await ben.event("control-taken")
    ben.say(m.LeaseRequest(reason="my shift", steer_by="blind"))
    return ana, ben, grant, await ben.hear(m.LeasePending)


async def test_a_question_is_shown_to_everybody_and_a_yes_hands_over_through_standstill(
    world: World,
) -> None:
    ana, ben, grant, pending = await asked(world)
    assert (pending.holder, pending.holder_name) == (ana.id, "ana")
    assert 14_000 < pending.ends_in_ms <= 15_000
    event = await ana.event("control-asked")
    assert (event.member, event.text) == (m.Member(ben.id, "operator", "ben"), "my shift")
    for visitor in (ana, ben):
        lease = await shown(visitor, lambda lease: lease.asking)
        assert lease.asking is not None
        assert replace(lease.asking, ends_in_ms=0) == m.LeaseAsking(
            pending.ask, ben.id, "ben", "operator", 0, "refuse", "my shift"
        )
        assert 0 < lease.asking.ends_in_ms <= pending.ends_in_ms
        assert (lease.holder, lease.holder_role) == (ana.id, "operator")
    ana.say(m.LeaseAnswer(pending.ask, True))
    assert await ana.hear(m.LeaseRevoke) == m.LeaseRevoke(
        grant.epoch, "transferred", from_=ana.robot
    )
    assert (await ben.hear(m.LeaseGrant)).epoch > grant.epoch
    assert (await ben.event("control-taken")).text == "transferred by ana"
    await until(lambda: len(world.gate.of(g.Grant)) == 2)
    kinds = [type(message) for message in world.gate.received if not isinstance(message, g.Forget)]
    assert kinds[-3:] == [g.Grant, g.Revoke, g.Grant]


async def test_a_no_is_told_to_the_asker_and_to_everybody(world: World) -> None:
    ana, ben, _, pending = await asked(world)
    await shown(ana, lambda lease: lease.asking)
    ana.say(m.LeaseAnswer(pending.ask, False))
    deny = await ben.hear(m.LeaseDeny)
    assert (deny.code, deny.holder_name) == (Code.REFUSED_BY_HOLDER, "ana")
    event = await ana.event("control-refused")
    assert (event.member, event.code) == (
        m.Member(ben.id, "operator", "ben"),
        Code.REFUSED_BY_HOLDER,
    )
    assert event.text == "ana said no"
    assert (await shown(ana, lambda lease: not lease.asking)).holder == ana.id


async def test_a_third_is_told_no_while_somebody_waits(world: World) -> None:
    _, _, _, _ = await asked(world)
    eve = await world.visitor("eve", media=False)
    eve.say(m.LeaseRequest())
    deny = await eve.hear(m.LeaseDeny)
    assert (deny.code, deny.holder_name) == (Code.HELD, "ana")


@pytest.mark.parametrize("on_silence", ["refuse", "grant"])
async def test_silence_is_what_the_owner_says_it_is(tmp_path: Path, on_silence: str) -> None:
    rules = LeaseRules(
        ttl_us=60_000_000, ask_us=300_000, on_silence="grant" if on_silence == "grant" else "refuse"
    )
    async with fakes.world(tmp_path, lease=rules) as world:
        _, ben, _, pending = await asked(world)
        assert pending.ends_in_ms <= 300
        if on_silence == "grant":
            await ben.hear(m.LeaseGrant)
            assert (await ben.event("control-taken")).text == "transferred: ana said nothing"
        else:
            assert (await ben.hear(m.LeaseDeny)).code is Code.REFUSED_BY_HOLDER
            assert (await ben.event("control-refused")).text == "ana said nothing"


async def test_a_question_taken_back_is_gone_and_an_answer_to_it_is_refused(world: World) -> None:
    ana, ben, _, pending = await asked(world)
    await shown(ana, lambda lease: lease.asking)
    ben.say(m.LeaseCancel())
    await shown(ana, lambda lease: not lease.asking)
    ana.say(m.LeaseAnswer(pending.ask, True))
    ben.say(m.LeaseRequest())
    assert (await ben.hear(m.LeasePending)).ask > pending.ask
    assert world.agent.authority.state().holder == ana.id
    assert len(world.gate.of(g.Grant)) == 1


async def test_who_answers_what_is_not_theirs_is_told_so(world: World) -> None:
    ana = await world.visitor("ana")
    connection = await world.connected(ana)
    for grant, code in ((False, Code.NOT_HOLDER), (True, Code.WRONG_STATE)):
        if grant:
            connection.on_message("messages", codec.encode(m.LeaseRequest()).decode())
            await ana.event("control-taken")
        connection.on_message("messages", codec.encode(m.LeaseAnswer(7, True)).decode())
        said = codec.decode_channel(connection.of("messages")[-1])
        assert isinstance(said, m.Error)
        assert (said.code, said.about) == (code, "lease-answer")


async def test_stop_denies_the_asker(world: World) -> None:
    ana, ben, _, _ = await asked(world)
    ben.say(m.Stop(1))
    assert (await ben.hear(m.LeaseDeny)).code is Code.LATCHED
    assert (await ana.hear(m.LeaseRevoke)).reason == "stopped"
    lease = await shown(ben, lambda lease: lease.holder is None)
    assert lease.asking is None


async def test_nobody_gets_the_lease_while_a_stop_holds_the_robot(world: World) -> None:
    ana, ben, _, _ = await asked(world)
    ben.say(m.Stop(1))
    await ben.hear(m.LeaseDeny)
    await shown(ben, lambda lease: lease.holder is None)
    grants = len(world.gate.of(g.Grant))
    for message in (m.LeaseRequest(), m.LeaseRequest(), m.LeaseForce("at once")):
        ben.say(message)
        assert (await ben.hear(m.LeaseDeny)).code is Code.LATCHED
    assert len(world.gate.of(g.Grant)) == grants
    ana.say(m.StopReset(1))
    assert (await ana.hear(m.StopResetAck)).code is None
    await taken(ben)


async def test_a_start_latch_is_no_stop_and_a_grant_may_end_it(world: World) -> None:
    world.gate.say(g.GateState(0, "start", 1, "", False, 0, {}, 0))
    await taken(await world.visitor("ana", media=False))
    assert len(world.gate.of(g.Grant)) == 1


async def test_a_stop_from_before_this_agent_holds_too(world: World) -> None:
    ana = await world.visitor("ana", media=False)
    world.gate.say(g.GateState(0, "stop", 7, "Ben", False, 0, {}, 0))
    while (await ana.hear(m.Status)).stop is None:
        pass
    ana.say(m.LeaseRequest())
    assert (await ana.hear(m.LeaseDeny)).code is Code.LATCHED


async def test_a_lost_gate_denies_the_asker(world: World) -> None:
    _, ben, _, _ = await asked(world)
    await world.gate.close()
    assert (await ben.hear(m.LeaseDeny)).code is Code.GATE_LOST


async def test_the_asker_gets_what_the_holder_gives_back_or_leaves(world: World) -> None:
    ana, ben, grant, _ = await asked(world)
    ana.say(m.LeaseRelease(grant.epoch))
    mine = await ben.hear(m.LeaseGrant)
    assert (await ben.event("control-taken")).text == ""
    ana.say(m.LeaseRequest())
    await ana.hear(m.LeasePending)
    await ben.close()
    assert (await ana.hear(m.LeaseGrant)).epoch > mine.epoch


async def test_an_asker_that_leaves_is_forgotten(world: World) -> None:
    ana, ben, _, _ = await asked(world)
    await shown(ana, lambda lease: lease.asking)
    await ben.close()
    assert (await shown(ana, lambda lease: not lease.asking)).holder == ana.id


async def test_who_ranks_higher_forces_with_a_reason_that_everybody_hears(world: World) -> None:
    ana = await world.visitor("ana", media=False)
    ben = await world.visitor("ben", media=False)
    bot = await world.visitor("bot", "program", media=False)
    grant = await taken(bot)
    ben.say(m.LeaseRequest())
    await ben.hear(m.LeasePending)
    ana.say(m.LeaseForce(" "))
    assert (await ana.hear(m.LeaseDeny)).code is Code.REASON_MISSING
    ana.say(m.LeaseForce("somebody on the track"))
    assert (await bot.hear(m.LeaseRevoke)).reason == "forced"
    assert (await ana.hear(m.LeaseGrant)).epoch > grant.epoch
    event = await bot.hear(m.Event, lambda event: event.text.startswith("forced: "))
    assert (event.kind, event.text) == ("control-taken", "forced: somebody on the track")
    assert event.member == m.Member(ana.id, "operator", "ana")
    deny = await ben.hear(m.LeaseDeny)
    assert (deny.code, deny.holder) == (Code.HELD, ana.id), "passed over"
    for lower in (ben, bot):
        lower.say(m.LeaseForce("my turn"))
        assert (await lower.hear(m.LeaseDeny)).code is Code.HELD


async def test_the_holder_names_who_goes_on(world: World) -> None:
    ana = await world.visitor("ana", media=False)
    grant = await taken(ana)
    bot = await world.visitor("bot", "program", media=False)
    vera = await world.visitor("vera", "viewer", media=False)
    ana.say(m.LeaseTransfer(grant.epoch, MemberId("nobody")))
    assert (await ana.hear(m.LeaseDeny)).code is Code.UNKNOWN_MEMBER
    ana.say(m.LeaseTransfer(grant.epoch, vera.id))
    assert (await ana.hear(m.LeaseDeny)).code is Code.MAY_NOT_DRIVE
    ana.say(m.LeaseTransfer(grant.epoch, bot.id))
    await bot.hear(m.LeaseGrant)
    assert (await bot.event("control-taken")).text == "transferred by ana"
    lease = await shown(bot, lambda lease: lease.holder == bot.id)
    assert (lease.holder_role, lease.steer_by) == ("program", "blind"), "it gets no pictures"
    ana.say(m.LeaseTransfer(grant.epoch, ana.id))
    assert (await ana.hear(m.LeaseDeny)).code is Code.NOT_HOLDER


@pytest.mark.parametrize(
    ("has_cameras", "said", "held_to"),
    [(True, "video", "video"), (True, "local", "blind"), (False, "video", "blind")],
)
async def test_nobody_over_the_net_is_local_and_nobody_sees_without_a_camera(
    tmp_path: Path, has_cameras: bool, said: m.SteerBy, held_to: str
) -> None:
    manifest = fakes.MANIFEST if has_cameras else replace(fakes.MANIFEST, cameras=())
    async with fakes.world(tmp_path, lease=PATIENT, manifest=manifest) as world:
        ana = await world.visitor(media=False)
        ana.say(m.LeaseRequest(steer_by=said))
        await until(lambda: world.gate.of(g.Grant))
        assert [grant.steer_by for grant in world.gate.of(g.Grant)] == [held_to]  # type: ignore[union-attr]
        assert (await shown(ana, lambda lease: lease.holder)).steer_by == held_to


async def test_idle_hands_lose_the_lease_with_a_warning_and_moving_ones_do_not(
    tmp_path: Path,
) -> None:
    rules = LeaseRules(ttl_us=60_000_000, idle_us=900_000, idle_warning_us=400_000)
    async with fakes.world(tmp_path, lease=rules) as world:
        ana = await world.visitor(media=False)
        epoch = (await taken(ana)).epoch
        await shown(ana, lambda lease: lease.idle_release_in_ms)
        ana.say(frame(epoch, 1, 0.5))
        lease = await shown(ana, lambda lease: lease.idle_release_in_ms is None and lease.holder)
        assert lease.held_ms >= 400, "it is the same driver still"
        ana.say(frame(epoch, 2, 0.0))
        warned = await shown(ana, lambda lease: lease.idle_release_in_ms)
        assert warned.idle_release_in_ms is not None
        assert warned.idle_release_in_ms <= 500
        assert (await ana.hear(m.LeaseRevoke)).reason == "idle"
        released = await ana.event("control-released")
        assert released.text == "idle"


def frame(epoch: int, seq: int, speed: float) -> m.Control:
    now_us = time.monotonic_ns() // 1000
    return m.Control(Epoch(epoch), seq, now_us, 1, 0, 0, (speed, 0.0))


async def test_where_the_epoch_cannot_be_stored_nobody_drives_and_everybody_concerned_hears(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben, grant, _ = await asked(world)

    def store(_epoch: Epoch) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(world.agent.authority._epochs, "store", store)
    ana.say(m.LeaseRequest())
    assert await ana.hear(m.LeaseRevoke) == m.LeaseRevoke(grant.epoch, "revoked", from_=ana.robot)
    assert (await ana.hear(m.LeaseDeny)).code is Code.INTERNAL
    assert (await ben.hear(m.LeaseDeny)).code is Code.INTERNAL
    assert (await shown(ana, lambda lease: lease.holder is None)).asking is None
    assert len(world.gate.of(g.Grant)) == 1
