"""Setpoints beyond what the robot may do."""

import asyncio

from farhand.client.setpoints import now_us
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import Finding, Skipped, Unable, Violation, case

WATCH_S = 0.8
TOLERANCE = 1.05
"""Of a measured speed: wheels overshoot, and estimates of it are noisy."""
JUMP_MS = 40.0
"""A robot that is at full speed within two ticks of 20 ms has no acceleration limit to speak of."""


@case(
    "over-limit",
    "setpoints of a hundred times the limit",
    rule="I9",
    bound="the speed stays within the manifest's limit",
    bugs=("ros-controls/ros_controllers#243", "Ekumen-OS/andino#148"),
    needs=("fast",),
)
async def over_limit(kit: Kit) -> Finding:
    """Ask for far too much, forwards and backwards."""
    axis, top = kit.first_axis, 0.0
    for value, limit in ((axis.maximum * 100, axis.maximum), (axis.minimum * 100, -axis.minimum)):
        if limit <= 0:
            continue
        since = now_us()
        await kit.drive(axes=kit.ahead(value))
        await asyncio.sleep(WATCH_S)
        seen = max(abs(sample.linear) for sample in kit.motion.since(since))
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
    bound="it takes longer than 40 ms, or what --acceleration asks",
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
    seen = [s for s in kit.motion.since(since) if s.linear]
    goal = max((abs(s.linear) for s in seen), default=0.0) * 0.9
    if not goal:
        raise Unable("No motion of the first axis was seen.")
    rise_ms = round(
        (next(s.at_us for s in seen if abs(s.linear) >= goal) - seen[0].at_us) / 1000, 1
    )
    asked = kit.options.acceleration
    bound = JUMP_MS if asked is None else goal / asked * 1000 * 0.9
    if rise_ms < bound:
        text = f"90 % of {value:.2f} {axis.unit} after {rise_ms:.0f} ms"
        raise Violation(text, rise_ms, bound)
    text = f"90 % of {value:.2f} {axis.unit} after {rise_ms:.0f} ms"
    return Finding(text, rise_ms, round(bound, 1), "ms, at least")
