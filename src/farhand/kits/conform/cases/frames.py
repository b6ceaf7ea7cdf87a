"""Control frames that are repeated, reordered, replayed, forged or malformed."""

import asyncio
import math
from dataclasses import replace

from farhand.client.setpoints import now_us
from farhand.errors import Code
from farhand.kits.conform.cases.refusing import EVERY_S, SETTLE_S, judge, refused, seldom
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import Finding, Unable, Violation, case
from farhand.kits.conform.tap import Deliveries, straight
from farhand.protocol.control import MAX_CONTROL_BYTES, ControlFrame

BURST = 0.6


@case(
    "drives",
    "an honest driver moves the robot, and neutral stands it still",
    rule="I11",
    bound="it moves, and stands 1 s after neutral",
)
async def drives(kit: Kit) -> Finding:
    """Prove that the other cases can prove anything."""
    member = await kit.drive()
    since = now_us()
    await asyncio.sleep(0.3)
    if not member.tap.applied(since):
        raise Violation("it moves, but says of no frame that it was applied")
    at_us = now_us()
    member.robot.drive([0.0] * len(kit.manifest.axes))
    return await kit.stands_within(at_us, 1000.0)


@case(
    "duplicated",
    "every frame arrives twice",
    rule="I3",
    bound="each is applied once at most",
    bugs=("hello-robot/stretch_web_teleop#3",),
)
async def duplicated(kit: Kit) -> Finding:
    """Send each frame twice while driving."""
    member = await kit.drive()
    since = now_us()
    member.tap.plan = lambda frame: [(0.0, frame.pack()), (0.0, frame.pack())]
    await asyncio.sleep(BURST)
    seen: set[tuple[int, int]] = set()
    for verdict in member.tap.applied(since):
        if (verdict.epoch, verdict.seq) in seen:
            raise Violation(f"frame {verdict.seq} was applied twice")
        seen.add((verdict.epoch, verdict.seq))
    told = member.tap.count(Code.REPLAYED, since)
    if not seen or not told:
        raise Unable(f"{len(seen)} frames were applied and {told} called repeated.")
    return Finding(f"{told} repeated frames refused, {len(seen)} applied once", 0.0, 0.0, "frames")


@case(
    "reordered",
    "frames arrive in the wrong order",
    rule="I3",
    bound="none is applied behind a newer one",
    bugs=("mavlink/mavlink#916",),
)
async def reordered(kit: Kit) -> Finding:
    """Let each second frame overtake the one before it."""
    member = await kit.drive()
    since = now_us()
    waiting: list[ControlFrame] = []

    def swap(frame: ControlFrame) -> Deliveries:
        waiting.append(frame)
        if len(waiting) < 2:
            return []
        older, newer = waiting
        waiting.clear()
        return [(0.0, newer.pack()), (0.0, older.pack())]

    member.tap.plan = swap
    await asyncio.sleep(BURST)
    newest = -1
    applied = 0
    for verdict in member.tap.verdicts(since):
        if verdict.code is None:
            applied += 1
            if verdict.seq < newest:
                raise Violation(f"frame {verdict.seq} was applied behind frame {newest}")
        newest = max(newest, verdict.seq)
    told = member.tap.count(Code.REPLAYED, since)
    if not told or not applied:
        raise Unable(f"{applied} frames were applied and {told} called old.")
    return Finding(f"{told} overtaken frames refused", 0.0, 0.0, "frames")


@case(
    "replayed-lease",
    "frames recorded under an earlier lease are sent again",
    rule="I1 I3",
    bound="none is applied, no motion",
    bugs=("aliasrobotics/RVD#4", "rai-opensource/spot_ros2#726"),
)
async def replayed_lease(kit: Kit) -> Finding:
    """Drive, record, release; take control again and send the record."""
    member = await kit.drive()
    since = now_us()
    await asyncio.sleep(0.4)
    applied = {(v.epoch, v.seq) for v in member.tap.applied(since)}
    record = [frame for frame in member.tap.frames if (frame.epoch, frame.seq) in applied]
    await kit.ready()
    await member.arm()
    since = now_us()
    member.tap.plan = seldom()
    for frame in record:
        member.robot.send_control(frame.pack())
        await asyncio.sleep(EVERY_S)
    member.tap.plan = straight
    await asyncio.sleep(SETTLE_S)
    await kit.stays(since, 0.0)
    if not record:
        raise Unable("Nothing was recorded.")
    return judge(member, member, since, applied, Code.NOT_HOLDER)


@case(
    "old-epoch",
    "fresh frames under the epoch before",
    rule="I1",
    bound="none is applied, no motion",
    bugs=("dimensionalOS/dimos#3328",),
)
async def old_epoch(kit: Kit) -> Finding:
    """Forge the epoch before ours."""
    return await refused(kit, lambda f: replace(f, epoch=f.epoch - 1), Code.NOT_HOLDER)


@case(
    "next-epoch",
    "fresh frames under an epoch that was never granted",
    rule="I1",
    bound="none is applied, no motion",
)
async def next_epoch(kit: Kit) -> Finding:
    """Forge the epoch behind ours."""
    return await refused(kit, lambda f: replace(f, epoch=f.epoch + 1), Code.NOT_HOLDER)


@case(
    "not-finite",
    "NaN and infinities as setpoints",
    rule="I10",
    bound="none is applied, no motion",
    bugs=("ros-controls/ros_controllers#469",),
)
async def not_finite(kit: Kit) -> Finding:
    """Send NaN, inf and -inf in turn."""
    values = (math.nan, math.inf, -math.inf)

    def forge(frame: ControlFrame) -> ControlFrame:
        value = values[frame.seq % 3]
        return replace(frame, axes=(value, *frame.axes[1:]))

    return await refused(kit, forge, Code.NOT_FINITE)


@case(
    "wrong-axes",
    "frames with one axis too few, and one too many",
    rule="I10",
    bound="none is applied, no motion",
)
async def wrong_axes(kit: Kit) -> Finding:
    """Leave an axis out, or add one."""

    def forge(frame: ControlFrame) -> ControlFrame:
        axes = frame.axes
        is_more = frame.seq % 2 or len(axes) == 1
        return replace(frame, axes=(*axes, 0.1) if is_more else axes[:-1])

    return await refused(kit, forge, Code.BAD_FRAME)


@case(
    "malformed",
    "frames cut short, prolonged, empty, and far too long",
    rule="I10",
    bound="no motion, and honest frames go on to be applied",
    bugs=("aliasrobotics/RVD#5",),
)
async def malformed(kit: Kit) -> Finding:
    """Send what is no frame; the connection and the gate must live on."""

    def forge(frame: ControlFrame) -> bytes:
        data = frame.pack()
        return (
            data[:-1],
            data[:17],
            data + b"\0",
            b"",
            data + bytes(4 * 40),
            b"\xff" * (MAX_CONTROL_BYTES + 1),
            bytes(1000),
        )[frame.seq % 7]

    await refused(kit, forge, None)
    member = await kit.operator()
    if not member.is_usable:
        raise Violation("it hung up")
    since = now_us()
    await asyncio.sleep(0.3)
    if not member.tap.applied(since):
        raise Violation("honest frames are refused afterwards")
    return Finding("no motion; honest frames go on", 0.0, 0.0, "frames")


@case(
    "no-lease",
    "frames of somebody who has no lease",
    rule="I1",
    bound="none is applied, no motion",
    bugs=("equinor/flotilla#889", "pollen-robotics/reachy_mini#605"),
    needs=("second",),
)
async def no_lease(kit: Kit) -> Finding:
    """Let a second operator send frames under the holder's epoch."""
    holder, second = await kit.operator(), await kit.member("second")

    def forge(frame: ControlFrame) -> ControlFrame:
        return replace(frame, epoch=holder.robot.setpoints.epoch or 0, seq=frame.seq + 100_000)

    return await refused(kit, forge, Code.NOT_HOLDER, sender=second)


@case(
    "neutral-first",
    "the first frames after a grant are not neutral",
    rule="I8",
    bound="none is applied, no motion",
    bugs=("bluerobotics/cockpit#368", "betaflight/betaflight#11922"),
)
async def neutral_first(kit: Kit) -> Finding:
    """Hold the stick when control is granted."""
    member = await kit.operator()
    axes = tuple(kit.moving())
    member.tap.plan = lambda frame: straight(replace(frame, axes=axes))
    since = now_us()
    await member.take_control()
    await asyncio.sleep(0.8)
    await kit.stays(since, 0.0)
    applied = len(member.tap.applied(since))
    told = member.tap.count(Code.NEUTRAL_FIRST, since)
    if applied:
        raise Violation(f"{applied} were applied", float(applied), 0.0)
    if not told:
        raise Violation(f"none was applied, but none was told {Code.NEUTRAL_FIRST.value}")
    return Finding(f"{told} refused as {Code.NEUTRAL_FIRST.value}, no motion", 0.0, 0.0, "frames")
