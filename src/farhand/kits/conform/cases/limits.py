"""Setpoints beyond what the robot may do."""

import asyncio
from collections.abc import Sequence

from farhand.client.setpoints import now_us
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import Finding, Skipped, Unable, Violation, case
from farhand.kits.conform.observation import Sample

WATCH_S = 0.8
RISE_S = 2.5
"""So long does a governor take to let a driver by video go at full speed."""
TOLERANCE = 1.05
"""Of a measured speed: wheels overshoot, and estimates of it are noisy."""
WINDOW_US = 40_000
TICK_US = 20_000


@case(
    "over-limit",
    "setpoints of a hundred times the limit",
    rule="I9",
    bound="the speed stays within the manifest's limit",
    bugs=("ros-controls/ros_controllers#243", "Ekumen-OS/andino#148"),
    needs=("fast",),
)
async def over_limit(kit: Kit) -> Finding:
    """Ask for far too much, forwards and backwards; by video, where there is a camera."""
    axis, top, has_video = kit.first_axis, 0.0, bool(kit.manifest.cameras)
    for value, limit in ((axis.maximum * 100, axis.maximum), (axis.minimum * 100, -axis.minimum)):
        if limit <= 0:
            continue
        member = await kit.member("watching" if has_video else "operator")
        since = now_us()
        await kit.drive(member, kit.ahead(value), steer_by="video" if has_video else "blind")
        await asyncio.sleep(RISE_S if has_video else WATCH_S)
        seen = max((abs(sample.linear) for sample in kit.motion.since(since)), default=0.0)
        await kit.ready()
        if seen > limit * TOLERANCE:
            text = f"it went at {seen:.2f} {axis.unit}, the limit is {limit:.2f}"
            raise Violation(text, seen, limit)
        top = max(top, seen)
    if not top:
        raise Unable("No motion of the first axis was seen.")
    text = f"{top:.2f} of at most {axis.maximum:.2f} {axis.unit}"
    return Finding(text, round(top, 3), axis.maximum, axis.unit)


@case(
    "blind-cap",
    "full speed asked for by a driver who sees no picture",
    rule="I9",
    bound="it moves at 20 % of the limit at most",
    needs=("fast",),
)
async def blind_cap(kit: Kit) -> Finding:
    """Steer blind, and ask for everything."""
    axis = kit.first_axis
    since = now_us()
    member = await kit.drive(axes=kit.ahead(axis.maximum))
    await asyncio.sleep(WATCH_S)
    seen = max(abs(sample.linear) for sample in kit.motion.since(since))
    cap = member.robot.status.cap if member.robot.status is not None else None
    if cap is None:
        raise Violation(f"it went at {seen:.2f} {axis.unit}, and tells of no cap", seen)
    if seen > cap.fraction * axis.maximum * TOLERANCE + 0.005:
        text = f"it went at {seen:.2f} {axis.unit} under a cap of {cap.fraction:.0%}"
        raise Violation(text, seen, cap.fraction * axis.maximum)
    if cap.fraction >= 1:
        raise Skipped("the robot's owner lets blind drivers go at full speed")
    text = f"{seen:.2f} {axis.unit} under a cap of {cap.fraction:.0%} ({cap.reason})"
    return Finding(text, round(seen, 3), round(cap.fraction * axis.maximum, 3), axis.unit)


@case(
    "step",
    "a step from standstill to the speed of the cases",
    rule="I9",
    bound="no jump: within 40 ms it rises by half of the step at most, or as --acceleration allows",
    bugs=("ros-controls/ros2_controllers#242", "iRobotEducation/create3_sim#247"),
    needs=("command",),
)
async def step(kit: Kit) -> Finding:
    """Measure the rise of the output."""
    axis = kit.first_axis
    value = axis.maximum * kit.options.speed
    since = now_us()
    await kit.drive(axes=kit.ahead(value))
    await asyncio.sleep(0.3)
    seen = kit.motion.since(since)
    top = max((abs(sample.linear) for sample in seen), default=0.0)
    if not top:
        raise Unable("No motion of the first axis was seen.")
    rise = round(steepest(seen), 3)
    asked = kit.options.acceleration
    # The output is given in ticks: a window of two holds the rise of three.
    bound = round(top / 2 if asked is None else asked * (WINDOW_US + TICK_US) / 1e6 * 1.1, 3)
    text = f"it rises by {rise:.2f} of {top:.2f} {axis.unit} in 40 ms"
    if rise > bound:
        raise Violation(text, rise, bound)
    return Finding(text, rise, bound, axis.unit)


def steepest(seen: Sequence[Sample]) -> float:
    """Return by how much the speed of the first axis rises at most within 40 ms."""
    worst, start = 0.0, 0
    for sample in seen:
        while sample.at_us - seen[start].at_us > WINDOW_US:
            start += 1
        worst = max(worst, abs(sample.linear) - abs(seen[start].linear))
    return worst
