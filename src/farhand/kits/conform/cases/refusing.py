"""Frames that must not be obeyed, sent among honest ones: what the gate says, what the robot does.

A robot that refuses everything would pass any such case, so honest neutral frames go along and
must be applied.
"""

import asyncio
from collections.abc import Callable, Sequence

from farhand.client.setpoints import now_us
from farhand.errors import Code
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.member import Member
from farhand.kits.conform.model import Finding, Unable, Violation
from farhand.kits.conform.tap import Deliveries, straight
from farhand.protocol.control import ControlFrame

FOR_S = 0.6
EVERY_S = 0.02
HONEST_EVERY = 5
"""One honest neutral frame for so many forged ones: enough for the watchdog, and seldom enough for
a forged one that is obeyed to show."""
SETTLE_S = 0.3

Forge = Callable[[ControlFrame], bytes | ControlFrame]


async def refused(
    kit: Kit,
    forge: Forge,
    code: Code | None,
    *,
    sender: Member | None = None,
    axes: Sequence[float] | None = None,
) -> Finding:
    """Arm the robot, then send forged motion for 0.6 s.

    Args:
        kit: The robot.
        forge: Makes the forged frame of an honest one that would move the robot.
        code: Which refusal the sender must be told; ``None``: any, or none at all.
        sender: Who sends the forged ones; default: the holder.
        axes: What they ask for; default: the motion of all cases.

    Raises:
        Violation: One of them was applied, or the robot moved, or nothing was told.

    """
    holder = await kit.operator()
    await holder.arm()
    sender = sender or holder
    started = now_us()
    holder.tap.plan = seldom()
    numbers = await _send(sender, forge, kit.moving() if axes is None else axes)
    holder.tap.plan = straight
    await asyncio.sleep(SETTLE_S)
    await kit.stays(started, 0.0)
    return judge(sender, holder, started, numbers, code)


def seldom() -> Callable[[ControlFrame], Deliveries]:
    """Return a plan that lets one frame of five through."""
    count = 0

    def plan(frame: ControlFrame) -> Deliveries:
        nonlocal count
        count += 1
        return straight(frame) if count % HONEST_EVERY == 0 else []

    return plan


async def _send(sender: Member, forge: Forge, axes: Sequence[float]) -> set[tuple[int, int]]:
    numbers = set()
    for _ in range(round(FOR_S / EVERY_S)):
        forged = forge(sender.tap.honest_frame(axes))
        if isinstance(forged, ControlFrame):
            numbers.add((forged.epoch, forged.seq))
            forged = forged.pack()
        sender.robot.send_control(forged)
        await asyncio.sleep(EVERY_S)
    return numbers


def judge(
    sender: Member,
    holder: Member,
    since_us: int,
    numbers: set[tuple[int, int]],
    code: Code | None,
) -> Finding:
    """Return what was refused.

    Raises:
        Violation: A frame of ``numbers`` was applied, or its sender was not told why not.
        Unable: The holder's honest frames were refused, too: that proves nothing.

    """
    applied = sum((v.epoch, v.seq) in numbers for v in sender.tap.applied(since_us))
    if applied:
        raise Violation(f"{applied} of {len(numbers)} were applied", float(applied), 0.0)
    if not holder.tap.applied(since_us):
        raise Unable("No honest frame was applied meanwhile, so the refusals prove nothing.")
    if code is None:
        return Finding("none applied, no motion", 0.0, 0.0, "frames")
    told = sender.tap.count(code, since_us)
    if not told:
        raise Violation(f"none was applied, but its sender was not told {code.value}")
    return Finding(f"{told} refused as {code.value}, no motion", 0.0, 0.0, "frames")
