"""Drivers who fall silent: a lost link, a hung page, a killed program, a connection hung up."""

import asyncio
import signal

from farhand.client.setpoints import now_us
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import Finding, case
from farhand.kits.conform.tap import nothing

NO_TIMEOUT = (
    "turtlebot/turtlebot_apps#55",
    "ROBOTIS-GIT/turtlebot3#1154",
    "PR2/pr2_mechanism#25",
    "amor-ros-pkg/rosaria#51",
)


@case(
    "silence",
    "the driver sends nothing any more while the robot moves",
    rule="I7 R1",
    bound="it stands 300 ms and a tick after the last sending",
    bugs=(*NO_TIMEOUT, "duckietown/Software#200", "yujinrobot/yujin_ocs#16"),
)
async def silence(kit: Kit) -> Finding:
    """Stop sending; connection and lease stay."""
    member = await kit.drive()
    member.tap.plan = nothing
    return await kit.stands_within(member.tap.last_sent_us, kit.options.promise_ms)


@case(
    "silence-then-late",
    "silence, then the old setpoint again without a neutral one",
    rule="I7 I8",
    bound="it stands, and stays so until neutral has come",
    bugs=("umrover/mrover-workspace#159", "space-concordia-robotics/robotics-prototype#144"),
)
async def silence_then_more(kit: Kit) -> Finding:
    """Come back after the watchdog with the stick still held."""
    member = await kit.drive()
    last = member.tap.last_sent_us
    member.tap.plan = nothing
    found = await kit.stands_within(last, kit.options.promise_ms)
    axes = tuple(kit.moving())
    since = now_us()
    for _ in range(25):
        member.robot.send_control(member.tap.honest_frame(axes).pack())
        await asyncio.sleep(0.02)
    await kit.stays(since, 0.0)
    return Finding(f"{found.text}, and stayed so", found.measured, found.bound, "ms")


@case(
    "hung-up",
    "a key is held, and the peer connection is closed without a word",
    rule="I7 R1",
    bound="it stands 300 ms and a tick after the last sending",
    bugs=(
        "turtlebot/turtlebot_apps#55",
        "RobotWebTools/rosbridge_suite#357",
        "innate-inc/innate-os#452",
        "tue-robotics/tue_robocup#472",
    ),
)
async def hung_up(kit: Kit) -> Finding:
    """Close the peer connection in the middle of the drive; no neutral goes out before."""
    member = await kit.drive()
    session = member.robot.session
    assert session is not None  # noqa: S101 - it drives
    member.tap.plan = nothing
    last = member.tap.last_sent_us
    closing = asyncio.create_task(session.close())
    found = await kit.stands_within(last, kit.options.promise_ms)
    await closing
    return found


@case(
    "driver-killed",
    "the operator's program is killed (SIGKILL)",
    rule="I7 R1",
    bound="it stands 300 ms and a tick after the kill",
    bugs=(*NO_TIMEOUT, "frodobots-org/earth-rovers-sdk#29"),
    timeout_s=60.0,
)
async def driver_killed(kit: Kit) -> Finding:
    """Kill a program that drives."""
    child = await kit.child()
    return await kit.stands_within(child.signal(signal.SIGKILL), kit.options.promise_ms)


@case(
    "driver-frozen",
    "the operator's program is frozen (SIGSTOP): its connection stays open",
    rule="I7 R1",
    bound="it stands 300 ms and a tick after the freeze",
    bugs=("pollen-robotics/reachy_mini#1370", "bluerobotics/cockpit#1377"),
    timeout_s=60.0,
)
async def driver_frozen(kit: Kit) -> Finding:
    """Freeze a program that drives."""
    child = await kit.child()
    return await kit.stands_within(child.signal(signal.SIGSTOP), kit.options.promise_ms)


@case(
    "link-cut",
    "everything that the operator sends is lost, to the robot and to the server",
    rule="I7 R1 R9",
    bound="it stands 300 ms and a tick after the cut",
    bugs=(*NO_TIMEOUT, "tue-robotics/tue_robocup#472", "ROBOTIS-GIT/OpenCR#169"),
    timeout_s=60.0,
)
async def link_cut(kit: Kit) -> Finding:
    """Swallow all datagrams of a program that drives."""
    child = await kit.child()
    return await kit.stands_within(await child.cut(), kit.options.promise_ms)


@case(
    "idle",
    "somebody holds control for a minute and drives nothing",
    rule="I11",
    bound="control is released after 60 s, with a warning before",
    needs=("slow",),
    timeout_s=100.0,
)
async def idle(kit: Kit) -> Finding:
    """Send neutral for a minute."""
    member = await kit.operator()
    await member.arm()
    begun = now_us()
    warned = await member.robot.wait_for(lambda s: s.lease.idle_release_in_ms is not None, 55.0)
    await member.robot.wait_for(lambda s: s.lease.holder is None, 30.0)
    measured = (now_us() - begun) / 1e6
    warning = (warned.lease.idle_release_in_ms or 0) / 1000
    return Finding(
        f"released after {measured:.0f} s, warned {warning:.0f} s before", measured, 65.0, "s"
    )
