"""Control changes hands between programs of the SDK: asked, refused, transferred, forced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from farhand.client import Robot, connect
from farhand.errors import Code, LeaseDenied
from farhand.kits.stack import Stack
from farhand.protocol import messages as m
from farhand.sim.observer import Observer

pytestmark = [pytest.mark.webrtc, pytest.mark.process, pytest.mark.slow]

AHEAD = (0.3, 0.8)
PATIENCE_S = 20.0


@asynccontextmanager
async def people(stack: Stack, **roles: m.Role) -> AsyncIterator[list[Robot]]:
    """Let everybody named watch no camera of the robot, which nobody drives."""
    async with AsyncExitStack() as exits:
        robots = []
        for name, role in roles.items():
            client = await exits.enter_async_context(connect(stack.url, name=name, role=role))
            robots.append(await exits.enter_async_context(client.open("sim-rover", cameras=[])))
        await robots[0].wait_for(lambda status: status.lease.holder is None, PATIENCE_S)
        stop = robots[0].status.stop if robots[0].status else None
        if stop is not None and stop.latch == "stop":
            await robots[0].reset(stop.stop_id)
        yield robots


async def drive(robot: Robot) -> None:
    """Drive in a circle until the robot moves."""
    axes = [*AHEAD, *[0.0] * (len(robot.manifest.axes) - 2)]
    async with asyncio.timeout(PATIENCE_S):
        while True:
            robot.drive(axes)
            try:
                await robot.wait_for(lambda s: s.speed is not None and s.speed.linear > 0.03, 1.0)
            except TimeoutError:
                continue
            return


async def asking(robot: Robot, name: str = "ben") -> m.LeaseAsking:
    """Return the question of ``name``, which everybody sees."""

    def is_open(status: m.Status) -> bool:
        return status.lease.asking is not None and status.lease.asking.name == name

    question = (await robot.wait_for(is_open, PATIENCE_S)).lease.asking
    assert question is not None
    return question


async def test_a_question_is_answered_yes_and_the_wheels_stand_between(stack: Stack) -> None:
    async with people(stack, ana="operator", ben="operator") as (ana, ben):
        first = await ana.take_control()
        await drive(ana)
        with Observer(stack.sim_socket("sim-rover")) as observer:
            wants = asyncio.create_task(ben.take_control(reason="my shift"))
            question = await asking(ana)
            assert (question.name, question.reason) == ("ben", "my shift")
            await ben.wait_until(lambda: ben.pending is not None, PATIENCE_S)
            assert ben.pending is not None
            assert ben.pending.holder_name == "ana"
            ana.answer(question.ask, True)
            second = await wants
            assert second.epoch > first.epoch
            await ana.wait_until(lambda: ana.lease is None, PATIENCE_S)
            stood = await asyncio.to_thread(observer.wait_for_standstill, 0, timeout_s=PATIENCE_S)
            assert stood is not None
        event = await taken(ben, "ben")
        assert event.text == "transferred by ana"
        await drive(ben)


async def taken(robot: Robot, name: str) -> m.Event:
    """Return the event of who took control, of all that have been heard and will be."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in robot.events():
            if event.kind == "control-taken" and event.member and event.member.name == name:
                return event
    raise AssertionError


async def test_a_no_a_question_taken_back_and_one_that_waits_in_vain(stack: Stack) -> None:
    async with people(stack, ana="operator", ben="operator", eve="operator") as (ana, ben, eve):
        grant = await ana.take_control()
        ana.on_asked = lambda asking: False if asking.reason == "now" else None
        with pytest.raises(LeaseDenied) as refused:
            await ben.take_control(reason="now")
        assert refused.value.code is Code.REFUSED_BY_HOLDER
        assert refused.value.holder_name == "ana"

        wants = asyncio.create_task(ben.take_control(reason="later"))
        await ben.wait_until(lambda: ben.pending is not None, PATIENCE_S)
        with pytest.raises(LeaseDenied) as third:
            await eve.take_control()
        assert third.value.code is Code.HELD
        ben.cancel()
        with pytest.raises(LeaseDenied):
            await wants
        await ana.wait_for(lambda status: status.lease.asking is None, PATIENCE_S)

        with pytest.raises(LeaseDenied):
            await ben.take_control(timeout_s=2.0)
        await ana.wait_for(lambda status: status.lease.asking is None, PATIENCE_S)
        assert ana.lease == grant, "nothing of it has cost the holder anything"


async def test_whoever_waits_gets_what_is_given_back_and_nobody_after_a_stop(stack: Stack) -> None:
    async with people(stack, ana="operator", ben="operator") as (ana, ben):
        await ana.take_control()
        wants = asyncio.create_task(ben.take_control())
        await asking(ana)
        await ana.release()
        await wants
        wants = asyncio.create_task(ana.take_control())
        await asking(ben, "ana")
        stop_id = await ana.stop()
        with pytest.raises(LeaseDenied) as denied:
            await wants
        assert denied.value.code is Code.LATCHED
        await ana.reset(stop_id)


async def test_a_program_drives_under_the_same_lease_with_a_lower_rank(stack: Stack) -> None:
    async with people(stack, policy="program", ana="operator") as (policy, ana):
        first = await policy.take_control()
        status = await policy.wait_for(lambda status: status.lease.holder is not None, PATIENCE_S)
        assert (status.lease.holder_role, status.lease.steer_by) == ("program", "blind")
        await drive(policy)

        with pytest.raises(LeaseDenied) as mute:
            await ana.force("  ")
        assert mute.value.code is Code.REASON_MISSING
        forced = await ana.force("it drives towards the stairs")
        assert forced.epoch > first.epoch
        await policy.wait_until(lambda: policy.lease is None, PATIENCE_S)
        event = await taken(policy, "ana")
        assert event.text == "forced: it drives towards the stairs"
        with pytest.raises(LeaseDenied) as refused:
            await policy.force("I know better")
        assert refused.value.code is Code.HELD
        assert ana.lease == forced

        asked: list[str] = []

        def accept(question: m.LeaseAsking) -> bool:
            asked.append(question.name)
            return True

        ana.on_asked = accept
        await policy.take_control(reason="the stairs are behind me")
        assert asked == ["policy"]
        policy.on_asked = accept
        await ana.take_control()
        assert asked == ["policy", "ana"]
        await drive(ana)

        await ana.transfer(policy.me)
        await policy.wait_until(lambda: policy.lease is not None, PATIENCE_S)
        assert ana.lease is None
        with pytest.raises(LeaseDenied) as not_ours:
            await ana.transfer(policy.me)
        assert not_ours.value.code is Code.NOT_HOLDER
        await drive(policy)
