"""What a driver has on the screen, and what it claims: no picture, an old one, a loop that lies."""

import asyncio
from dataclasses import replace

from farhand.client.setpoints import now_us
from farhand.errors import Code
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.member import Member
from farhand.kits.conform.model import Finding, Unable, Violation, case
from farhand.kits.conform.tap import Plan, straight
from farhand.protocol.control import ControlFrame

STALE_MS = 500.0
"""So long may the picture stand still."""
RISE_S = 6.0
"""So long may the governor take to believe a driver: it lets go slowly, and never jumps."""
FROZEN = (
    "pollen-robotics/Reachy2Teleoperation#68",
    "livekit/portal#69",
    "dimensionalOS/dimos#2372",
)


@case(
    "no-picture",
    "a driver who steers by video, and has been shown no picture",
    rule="I9 R8",
    bound="every frame is refused, no motion",
    bugs=FROZEN,
    needs=("video",),
)
async def no_picture(kit: Kit) -> Finding:
    """Ask for control by video without watching any camera."""
    member = await kit.operator()
    since = now_us()
    await member.take_control(steer_by="video")
    await asyncio.sleep(1.2)
    told = member.tap.count(Code.VIDEO_STALE, since)
    applied = member.tap.applied(since)
    axes = tuple(kit.moving())
    member.tap.plan = lambda frame: straight(replace(frame, axes=axes))
    since = now_us()
    await asyncio.sleep(0.6)
    await kit.stays(since, 0.0)
    if not told:
        text = f"none was told {Code.VIDEO_STALE.value}; {len(applied)} were applied"
        raise Violation(text, float(len(applied)), 0.0)
    return Finding(f"{told} refused as {Code.VIDEO_STALE.value}, no motion", 0.0, 0.0, "frames")


async def _driving_by_video(kit: Kit) -> Member:
    """Return a member who sees the main camera and drives by it.

    Raises:
        Unable: No pictures come.

    """
    member = await kit.member("watching")
    try:
        await member.robot.wait_until(lambda: member.robot.setpoints.seen_us > 0, 10.0)
    except TimeoutError:
        raise Unable("No picture of the main camera comes.") from None
    return await kit.drive(member, steer_by="video")


@case(
    "frozen-picture",
    "the picture freezes while the robot moves; commands go on",
    rule="I9 R8",
    bound="it stands when the picture has been the same for 500 ms and a tick",
    bugs=FROZEN,
    needs=("video",),
)
async def frozen_picture(kit: Kit) -> Finding:
    """Let `seenUs` stand still."""
    member = await _driving_by_video(kit)
    seen, frozen = member.robot.setpoints.seen_us, now_us()
    axes = tuple(kit.moving())
    member.tap.plan = lambda f: straight(replace(f, seen_us=min(f.seen_us, seen), axes=axes))
    found = await kit.stands_within(frozen, STALE_MS + kit.options.max_age_ms)
    await asyncio.sleep(0.2)
    if not member.tap.count(Code.VIDEO_STALE, frozen):
        raise Violation(f"it stands, but no frame was told {Code.VIDEO_STALE.value}")
    return found


async def _capped(kit: Kit, plan: Plan, limit: float, what: str) -> Finding:
    """Ask for full speed while the driver claims something; the cap must be ``limit`` at most."""
    axis = kit.first_axis
    member = await _driving_by_video(kit)
    member.tap.plan = plan
    await _insist_for(kit, member, RISE_S / 2)
    since = now_us()
    await _insist_for(kit, member, RISE_S / 4)
    samples = kit.motion.since(since)
    if not samples:
        raise Unable("The observer saw nothing.")
    seen = max(abs(sample.linear) for sample in samples)
    cap = member.robot.status.cap if member.robot.status is not None else None
    bound = limit * axis.maximum * 1.05 + 0.005
    told = "it tells of no cap" if cap is None else f"cap {cap.fraction:.0%} ({cap.reason})"
    text = f"{seen:.2f} {axis.unit}, {told}"
    if seen > bound or cap is None or cap.fraction > limit + 0.005:
        raise Violation(f"{what}: {text}", round(seen, 3), round(bound, 3))
    if not seen and not _locked(member, since):
        raise Unable(f"It stood, and said of no frame why: {text}.")
    return Finding(text, round(seen, 3), round(limit * axis.maximum, 3), axis.unit)


async def _insist_for(kit: Kit, member: Member, for_s: float) -> None:
    """Ask for full speed for so long; a robot that has stopped is asked again, neutral first."""
    until = now_us() + for_s * 1e6
    while now_us() < until:
        member.robot.drive(kit.ahead(kit.first_axis.maximum))
        await asyncio.sleep(0.1)


def _locked(member: Member, since_us: int) -> bool:
    codes = (Code.VIDEO_STALE, Code.LOOP_TOO_LONG)
    return any(member.tap.count(code, since_us) for code in codes)


@case(
    "loop-unknown",
    "the driver says nothing of its loop latency (0)",
    rule="I9 R8",
    bound="20 % of the speed at most",
    needs=("video", "fast"),
)
async def loop_unknown(kit: Kit) -> Finding:
    """Claim 0 in every frame."""
    plan = lambda frame: straight(replace(frame, loop_ms=0))  # noqa: E731
    return await _capped(kit, plan, 0.2, "loop unknown")


@case(
    "loop-lie",
    "the driver claims 1 ms, but its pictures are 800 ms old",
    rule="I9 R8",
    bound="a quarter of the speed at most: the robot goes by its own view",
    bugs=("bluerobotics/cockpit#2618",),
    needs=("video", "fast"),
)
async def loop_lie(kit: Kit) -> Finding:
    """Confirm pictures 0.8 s late, and claim that all is well."""

    def plan(frame: ControlFrame) -> list[tuple[float, bytes]]:
        old = max(1, frame.seen_us - 800_000)
        return list(straight(replace(frame, loop_ms=1, seen_us=old)))

    return await _capped(kit, plan, 0.25, "an old picture")


@case(
    "picture-of-the-future",
    "the driver confirms pictures that have not been taken yet",
    rule="I9",
    bound="20 % of the speed at most, or standstill",
    needs=("video", "fast"),
)
async def future_picture(kit: Kit) -> Finding:
    """Put every picture ten seconds ahead."""
    plan = lambda f: straight(replace(f, loop_ms=1, seen_us=f.seen_us + 10_000_000))  # noqa: E731
    return await _capped(kit, plan, 0.2, "a picture of the future")


@case(
    "loop-endless",
    "the loop takes a minute",
    rule="I9 R8",
    bound="it stands within 1 s, and says why",
    bugs=("bluerobotics/cockpit#2618",),
    needs=("video",),
)
async def loop_endless(kit: Kit) -> Finding:
    """Claim the greatest latency that a frame can hold."""
    member = await _driving_by_video(kit)
    axes, since = tuple(kit.moving()), now_us()
    member.tap.plan = lambda frame: straight(replace(frame, loop_ms=0xFFFF, axes=axes))
    found = await kit.stands_within(since, 1000.0)
    await asyncio.sleep(0.3)
    if not member.tap.count(Code.LOOP_TOO_LONG, since):
        raise Violation(f"it stands, but no frame was told {Code.LOOP_TOO_LONG.value}")
    return found
