"""STOP: by whom, under which load, how often; what ends it, and what does not."""

import asyncio
from dataclasses import replace as changed

from farhand.client.setpoints import now_us
from farhand.errors import Code, FarhandError, NotAllowed
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.member import Member
from farhand.kits.conform.model import Finding, Unable, Violation, case
from farhand.kits.conform.tap import straight

CONFIRMED_MS = 200.0
"""And the link's delay, one round trip."""
FLOODED_MS = 500.0
FLOOD_HZ = 2000
FLOOD_EVERY_S = 0.01
FLOODING_S = 1.0
SETTLE_S = 0.3
"""So long may a status be under way."""
RESUMING = (
    "farm-ng/tractor#82",
    "ros-industrial/motoman#154",
    "UbiquityRobotics/ubiquity_motor#58",
    "PR2/pr2_robot#61",
)
STOP_LATE = ("dimensionalOS/dimos#3004", "cfry/dde#20")


def _round_trip_ms(member: Member) -> float:
    trips = sorted(member.robot.setpoints.round_trips_us)
    return trips[len(trips) // 2] / 1000 if trips else 0.0


async def _press(kit: Kit, member: Member, bound_ms: float, delay_ms: float) -> Finding:
    """Press STOP and return when the robot stood and had confirmed, whichever was later.

    Raises:
        Violation: Later than the bound, or never.

    """
    bound = round(bound_ms + delay_ms, 1)
    pressed = now_us()
    try:
        await member.robot.stop()
    except FarhandError as exc:
        raise Violation(
            f"STOP was not confirmed within 5 s: {exc.code.value}", None, bound
        ) from exc
    confirmed = round((now_us() - pressed) / 1000, 1)
    stood = await kit.stands_within(pressed, bound)
    if confirmed > bound:
        raise Violation(f"confirmed after {confirmed:.0f} ms", confirmed, bound)
    await _is_latched(member)
    text = f"confirmed after {confirmed:.0f} ms, {stood.text}"
    return Finding(text, max(confirmed, stood.measured or 0.0), max(bound, stood.bound or 0), "ms")


async def _is_latched(member: Member) -> int:
    """Return the number of the latch that a STOP has left.

    Raises:
        Violation: There is none.

    """
    try:
        status = await member.robot.wait_for(
            lambda s: s.stop is not None and s.stop.latch == "stop", 1.0
        )
    except TimeoutError:
        raise Violation("it has confirmed STOP, but tells of no latch") from None
    return status.stop.stop_id if status.stop is not None else 0


@case(
    "stop",
    "the driver presses STOP",
    rule="I6",
    bound="it stands and has confirmed after 200 ms and a round trip",
    bugs=STOP_LATE,
    needs=("reset",),
)
async def stop(kit: Kit) -> Finding:
    """Press STOP while driving."""
    member = await kit.drive()
    return await _press(kit, member, CONFIRMED_MS, _round_trip_ms(member))


@case(
    "stop-by-watcher",
    "somebody who only watches presses STOP, without lease or scope",
    rule="I6 R17",
    bound="it stands and has confirmed after 200 ms and a round trip",
    bugs=("equinor/flotilla#1045",),
    needs=("viewer", "reset"),
)
async def stop_by_watcher(kit: Kit) -> Finding:
    """Let a viewer press STOP."""
    viewer = await kit.member("viewer")
    member = await kit.drive()
    found = await _press(kit, viewer, CONFIRMED_MS, _round_trip_ms(member))
    await asyncio.sleep(0.2)
    if member.robot.lease is not None:
        raise Violation("the driver still has control")
    return found


@case(
    "stop-flooded",
    "the driver floods the robot with 2000 frames a second; somebody else presses STOP",
    rule="I6 R12 R17",
    bound="it stands and has confirmed after 500 ms and a round trip",
    bugs=("aliasrobotics/RVD#5", "hello-robot/stretch_web_teleop#109"),
    needs=("second", "reset"),
    timeout_s=45.0,
)
async def stop_flooded(kit: Kit) -> Finding:
    """Flood, then stop."""
    second = await kit.member("second")
    member = await kit.drive()
    delay_ms = _round_trip_ms(member)
    sent = 0
    begun = now_us()

    async def flood() -> None:
        nonlocal sent
        axes = kit.moving()
        while True:
            for _ in range(round(FLOOD_HZ * FLOOD_EVERY_S)):
                sent += member.robot.send_control(member.tap.honest_frame(axes).pack())
            await asyncio.sleep(FLOOD_EVERY_S)

    flooding = asyncio.create_task(flood())
    try:
        await asyncio.sleep(FLOODING_S)
        rate = sent / ((now_us() - begun) / 1e6)
        found = await _press(kit, second, FLOODED_MS, delay_ms)
    finally:
        flooding.cancel()
    if rate < FLOOD_HZ / 4:
        raise Unable(f"Only {rate:.0f} frames a second could be sent.")
    return changed(found, text=f"{found.text} ({rate:.0f} frames a second)")


@case(
    "stop-repeated",
    "three people press STOP, one of them ten times",
    rule="I6",
    bound="all are confirmed, all name one latch",
    bugs=("4am-robotics/cob_command_tools#84",),
    needs=("second", "viewer", "reset"),
)
async def stop_repeated(kit: Kit) -> Finding:
    """Press STOP again and again."""
    second, viewer = await kit.member("second"), await kit.member("viewer")
    member = await kit.drive()
    latches = {await member.robot.stop()}
    for _ in range(9):
        latches.add(await member.robot.stop())
    latches.add(await second.robot.stop())
    latches.add(await viewer.robot.stop())
    if len(latches) != 1:
        raise Violation(f"{len(latches)} latches: {sorted(latches)}", float(len(latches)), 1.0)
    return Finding("12 presses confirmed, one latch", 1.0, 1.0, "latches")


async def _stopped(kit: Kit) -> tuple[Member, int]:
    member = await kit.drive()
    stop_id = await member.robot.stop()
    await kit.stands_within(now_us(), kit.options.promise_ms)
    await _is_latched(member)
    return member, stop_id


@case(
    "stop-outlives-grant",
    "control is taken after STOP, and the stick moved",
    rule="I5",
    bound="every frame is refused, no motion",
    bugs=RESUMING,
    needs=("reset",),
)
async def stop_outlives_grant(kit: Kit) -> Finding:
    """Take control of a stopped robot."""
    member, _ = await _stopped(kit)
    axes = tuple(kit.moving())
    since = now_us()
    try:
        await member.take_control()
    except FarhandError as exc:
        await kit.stays(since, 0.5)
        return Finding(f"no control while it is stopped ({exc.code.value}), no motion")
    await asyncio.sleep(0.4)  # neutral, in case that were enough
    member.tap.plan = lambda frame: straight(changed(frame, axes=axes))
    await asyncio.sleep(0.5)
    await kit.stays(since, 0.0)
    applied = member.tap.applied(since)
    if applied:
        raise Violation(f"{len(applied)} frames were applied", float(len(applied)), 0.0)
    return Finding(f"{member.tap.count(Code.LATCHED, since)} refused as {Code.LATCHED.value}")


@case(
    "wrong-reset",
    "a reset that names another latch",
    rule="I5",
    bound="it is refused, and the robot stays stopped",
    bugs=("Yaskawa-Global/motoros2#444",),
    needs=("reset",),
)
async def wrong_reset(kit: Kit) -> Finding:
    """Name a latch that is not there."""
    member, stop_id = await _stopped(kit)
    for other in (stop_id + 1, max(0, stop_id - 1)):
        try:
            await member.robot.reset(other, timeout_s=1.0)
        except FarhandError as exc:
            told = exc.code
        else:
            raise Violation(f"a reset of latch {other} was carried out, the latch is {stop_id}")
        await asyncio.sleep(SETTLE_S)
        stop_now = member.robot.status.stop if member.robot.status is not None else None
        if stop_now is None or stop_now.stop_id != stop_id:
            raise Violation(f"a reset of latch {other} has cleared latch {stop_id}")
    return Finding(f"refused as {told.value}, it stays stopped")


@case(
    "watcher-resets",
    "somebody who may only watch resets STOP",
    rule="I5",
    bound="it is refused, and the robot stays stopped",
    bugs=("aliasrobotics/RVD#1443",),
    needs=("viewer", "reset"),
)
async def watcher_resets(kit: Kit) -> Finding:
    """Let a viewer reset."""
    viewer = await kit.member("viewer")
    _, stop_id = await _stopped(kit)
    try:
        await viewer.robot.reset(stop_id)
    except NotAllowed as exc:
        return Finding(f"refused as {exc.code.value}")
    raise Violation("a viewer has reset STOP")


@case(
    "reset-moves-nothing",
    "STOP is reset while the stick is held",
    rule="I5 I8",
    bound="no motion, and control must be taken anew",
    bugs=RESUMING,
    needs=("reset",),
)
async def reset_moves_nothing(kit: Kit) -> Finding:
    """Hold the stick through STOP, a new grant, and the reset."""
    member, stop_id = await _stopped(kit)
    axes = tuple(kit.moving())
    member.tap.plan = lambda frame: straight(changed(frame, axes=axes))
    since = now_us()
    try:
        await member.take_control()
        await asyncio.sleep(0.2)
    except FarhandError:
        pass  # no control while stopped: just as good
    await member.robot.reset(stop_id)
    for _ in range(30):
        member.robot.send_control(member.tap.honest_frame(axes).pack())
        await asyncio.sleep(0.02)
    await kit.stays(since, 0.0)
    if member.tap.applied(since):
        raise Violation("motion was applied after the reset")
    await kit.ready()
    await kit.drive(member)
    return Finding("no motion; it moves again for a new driver")
