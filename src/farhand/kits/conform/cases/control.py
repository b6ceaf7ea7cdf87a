"""Who drives: two who ask, take-overs, force, watchers who send, epochs."""

import asyncio
import contextlib
import itertools
import signal
from dataclasses import replace

from farhand.client.setpoints import now_us
from farhand.errors import Code, FarhandError
from farhand.kits.conform.cases.refusing import refused
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.member import Member
from farhand.kits.conform.model import Finding, Skipped, Unable, Violation, case
from farhand.kits.conform.options import strike
from farhand.kits.conform.tap import straight
from farhand.protocol import messages as m
from farhand.protocol.control import ControlFrame

GRANTS = 8
ANSWER_S = 8.0
BOTH_S = 0.5
TWO_DRIVERS = (
    "equinor/flotilla#889",
    "hcrlab/rws#12",
    "wpilibsuite/SystemcoreTesting#304",
)


async def _outcome(asked: "asyncio.Task[m.LeaseGrant]") -> bool:
    with contextlib.suppress(FarhandError, TimeoutError):
        await asked
        return True
    return False


@case(
    "two-ask",
    "two operators ask for control at the same moment",
    rule="I1 R16",
    bound="exactly one gets it; the other's frames are refused",
    bugs=TWO_DRIVERS,
    needs=("second",),
)
async def two_ask(kit: Kit) -> Finding:
    """Ask twice at once; whoever has lost sends frames under the winner's epoch."""
    first, second = await kit.operator(), await kit.member("second")
    asked = [asyncio.create_task(who.take_control()) for who in (first, second)]
    await asyncio.sleep(0.7)
    winners = [who for who in (first, second) if who.robot.lease is not None]
    if len(winners) != 1:
        for task in asked:
            task.cancel()
        raise Violation(f"{len(winners)} of 2 have control", float(len(winners)), 1.0)
    winner = winners[0]
    loser = second if winner is first else first
    assert winner.robot.lease is not None  # noqa: S101 - it has won
    epoch, since = winner.robot.lease.epoch, now_us()
    for _ in range(20):
        frame = loser.tap.honest_frame(kit.moving())
        loser.robot.send_control(replace(frame, epoch=epoch, seq=frame.seq + 10_000).pack())
        await asyncio.sleep(0.02)
    await kit.stays(since, 0.0)
    if loser.tap.applied(since):
        raise Violation("frames of the one who was refused were applied")
    loser.tap.say(m.LeaseCancel())
    await winner.robot.release()
    await asyncio.gather(*(_outcome(task) for task in asked))
    return Finding("one has control, nothing of the other was applied", 1.0, 1.0, "drivers")


async def _asked(holder: Member, asker: Member) -> tuple["asyncio.Task[m.LeaseGrant]", int]:
    """Let ``asker`` ask; return its request and the question's number, as the holder is shown it.

    Raises:
        Violation: The holder is not asked.

    """
    task = asyncio.create_task(asker.take_control(timeout_s=ANSWER_S))
    try:
        status = await holder.robot.wait_for(lambda s: s.lease.asking is not None, 3.0)
    except TimeoutError:
        task.cancel()
        raise Violation("the holder was not asked within 3 s") from None
    assert status.lease.asking is not None  # noqa: S101 - just waited for
    return task, status.lease.asking.ask


@case(
    "asked-refused",
    "somebody asks the driver, who says no",
    rule="I1",
    bound="the driver goes on, the asker is refused",
    bugs=TWO_DRIVERS,
    needs=("second",),
)
async def asked_refused(kit: Kit) -> Finding:
    """Refuse a question while driving."""
    holder, asker = await kit.drive(), await kit.member("second")
    task, ask = await _asked(holder, asker)
    since = now_us()
    holder.tap.say(m.LeaseAnswer(ask, accept=False))
    if await _outcome(task):
        raise Violation("the asker got control although the driver said no")
    await asyncio.sleep(0.3)
    if not holder.tap.applied(since) or holder.robot.lease is None:
        raise Violation("the driver lost control by being asked")
    return Finding("the driver goes on, the asker is refused")


async def _hand_over(kit: Kit, holder: Member, newcomer: Member, since: int, epoch: int) -> Finding:
    """Check a take-over that has just happened: standstill, and neutral first of the newcomer.

    Both go on sending motion: the one before under the old epoch, the new one without neutral.
    """
    axes = tuple(kit.moving())
    until = now_us() + BOTH_S * 1e6
    granted = now_us()
    while now_us() < until:
        old = holder.tap.honest_frame(axes)
        holder.robot.send_control(replace(old, epoch=epoch, seq=old.seq + 10_000).pack())
        await asyncio.sleep(0.02)
    found = await kit.stands_within(since, kit.options.promise_ms)
    after = now_us() - int(BOTH_S * 0.5e6)
    await kit.stays(max(after, since + int((found.measured or 0) * 1000) + 20_000), 0.0)
    for who, name in ((holder, "the one before"), (newcomer, "the new one")):
        if [v for v in who.tap.applied(granted + 20_000) if who is newcomer or v.epoch == epoch]:
            raise Violation(f"motion of {name} was applied in the hand-over")
    newcomer.tap.plan = straight
    await newcomer.armed()
    await kit.drive(newcomer)
    return found


def _insist(kit: Kit, member: Member) -> None:
    axes = tuple(kit.moving())
    member.tap.plan = lambda frame: straight(replace(frame, axes=axes))


@case(
    "handed-over",
    "the driver gives control to somebody who asks, both with the stick held",
    rule="I2 I8 R16",
    bound="it stands first, and moves only after neutral of the new one",
    bugs=("bluerobotics/cockpit#368",),
    needs=("second",),
)
async def handed_over(kit: Kit) -> Finding:
    """Accept a question while driving."""
    holder, asker = await kit.drive(), await kit.member("second")
    assert holder.robot.lease is not None  # noqa: S101 - it drives
    epoch = holder.robot.lease.epoch
    task, ask = await _asked(holder, asker)
    _insist(kit, asker)
    since = now_us()
    holder.tap.say(m.LeaseAnswer(ask, accept=True))
    if not await _outcome(task):
        raise Violation("the asker did not get control although the driver said yes")
    return await _hand_over(kit, holder, asker, since, epoch)


async def _ranks(kit: Kit) -> tuple[str, str, str]:
    """Return who drives, who is above, and who is equal to the driver.

    A server without accounts has no supervisors; there an operator is above a program.
    """
    with contextlib.suppress(Skipped):
        await kit.member("supervisor")
        return "operator", "supervisor", "second"
    return "program", "operator", "equal"


@case(
    "forced",
    "somebody of higher rank takes control by force, with a reason, while the robot moves",
    rule="I2 I8",
    bound="it stands first, and moves only after neutral of the new one",
    needs=("rank",),
)
async def forced(kit: Kit) -> Finding:
    """Take a moving robot."""
    driving, above, _ = await _ranks(kit)
    holder, chief = await kit.member(driving), await kit.member(above)
    await kit.drive(holder)
    assert holder.robot.lease is not None  # noqa: S101 - it drives
    epoch = holder.robot.lease.epoch
    _insist(kit, chief)
    since = now_us()
    chief.tap.say(m.LeaseForce("conformance test", steer_by="blind"))
    try:
        await chief.robot.wait_until(lambda: chief.robot.lease is not None, 3.0)
    except TimeoutError:
        raise Violation(f"a {chief.role} with a reason did not get control") from None
    return await _hand_over(kit, holder, chief, since, epoch)


@case(
    "force-refused",
    "force without a reason, and force by an equal",
    rule="I1",
    bound="the driver goes on driving",
    bugs=TWO_DRIVERS,
    needs=("rank",),
)
async def force_refused(kit: Kit) -> Finding:
    """Try both while somebody drives."""
    driving, above, beside = await _ranks(kit)
    holder = await kit.member(driving)
    chief, equal = await kit.member(above), await kit.member(beside)
    await kit.drive(holder)
    since = now_us()
    chief.tap.say(m.LeaseForce("", steer_by="blind"))
    equal.tap.say(m.LeaseForce("because", steer_by="blind"))
    await asyncio.sleep(0.8)
    for who, why in ((chief, "without a reason"), (equal, "from an equal")):
        if who.robot.lease is not None:
            raise Violation(f"control was taken {why}")
    if holder.robot.lease is None or not holder.tap.applied(since):
        raise Violation("the driver lost control")
    told = [x.code for x in chief.tap.messages if isinstance(x, m.LeaseDeny)]
    if Code.REASON_MISSING not in told:
        raise Violation(f"the one above was not told {Code.REASON_MISSING.value}")
    return Finding(f"both refused ({Code.REASON_MISSING.value}), the driver goes on")


@case(
    "watcher-sends",
    "somebody who may only watch asks for control, and sends control frames",
    rule="I1 I6",
    bound="no control, none is applied, no motion",
    bugs=("pollen-robotics/reachy_mini#605", "aliasrobotics/RVD#9"),
    needs=("viewer",),
)
async def watcher_sends(kit: Kit) -> Finding:
    """Let a viewer try under the holder's epoch."""
    viewer, holder = await kit.member("viewer"), await kit.operator()
    if await _outcome(asyncio.create_task(viewer.take_control())):
        raise Violation("a viewer got control")

    def forge(frame: ControlFrame) -> ControlFrame:
        return replace(frame, epoch=holder.robot.setpoints.epoch or 0, seq=frame.seq + 100_000)

    return await refused(kit, forge, None, sender=viewer)


@case(
    "epochs-rise",
    "control is taken and given back eight times",
    rule="I1",
    bound="each epoch is above all before it",
    bugs=("dimensionalOS/dimos#3328",),
)
async def epochs_rise(kit: Kit) -> Finding:
    """Count the epochs."""
    member = await kit.operator()
    epochs: list[int] = []
    for _ in range(GRANTS):
        epochs.append((await member.take_control()).epoch)
        await member.robot.release()
    return _rising(epochs)


def _rising(epochs: list[int]) -> Finding:
    if any(b <= a for a, b in itertools.pairwise(epochs)):
        raise Violation(f"the epochs were {epochs}")
    return Finding(f"{len(epochs)} epochs, from {epochs[0]} to {epochs[-1]}")


@case(
    "epochs-survive",
    "the robot's agent is killed between two grants",
    rule="I1 R2",
    bound="the epoch after is above the one before",
    needs=("agent",),
    timeout_s=90.0,
)
async def epochs_survive(kit: Kit) -> Finding:
    """Kill the agent, and ask again."""
    member = await kit.operator()
    before = (await member.take_control()).epoch
    await member.robot.release()
    strike(kit.options.programs["agent"](), signal.SIGKILL)
    await asyncio.sleep(0.5)
    member = await kit.member("operator", fresh=True)
    await kit.ready()
    member = await kit.operator()
    try:
        after = (await member.take_control(timeout_s=ANSWER_S)).epoch
    except FarhandError as exc:
        raise Unable(f"Nobody gets control after the agent was killed: {exc}") from exc
    return _rising([before, after])
