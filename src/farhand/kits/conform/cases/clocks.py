"""Commands that are late, early, or stamped by a clock that lies."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from farhand.client.setpoints import now_us
from farhand.errors import Code
from farhand.kits.conform.cases.refusing import refused
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import Finding, Unable, Violation, case
from farhand.kits.conform.tap import Deliveries, delayed, straight
from farhand.protocol.control import ControlFrame

WATCH_S = 1.0
FORGED = 10_000
HEARD_SLACK_MS = 350
NEEDED = 0.6
"""Part of the frames of a slow but allowed link that must be applied: machines have hiccups."""


@case(
    "late-100",
    "commands 50 ms younger than the limit (100 ms late): allowed",
    rule="I4 R9",
    bound="they are applied, and it moves",
)
async def late_allowed(kit: Kit) -> Finding:
    """Delay every frame, honestly, by less than the robot allows."""
    member = await kit.operator()
    delay_s = (kit.options.max_age_ms - 50) / 1000
    await member.arm()
    member.tap.plan = delayed(delay_s)
    await kit.drive(member)
    since = now_us()
    await asyncio.sleep(WATCH_S)
    applied, all_told = len(member.tap.applied(since)), len(member.tap.verdicts(since))
    if not all_told or applied < NEEDED * all_told:
        raise Violation(f"{applied} of {all_told} were applied", float(applied), NEEDED * all_told)
    return Finding(f"{applied} of {all_told} applied at {delay_s * 1000:.0f} ms")


@case(
    "late-200",
    "commands 50 ms older than the limit (200 ms late), stamps honest",
    rule="I4 R9",
    bound="none is applied; it stands when the last good one is 320 ms old",
    bugs=(
        "hello-robot/stretch_web_teleop#3",
        "rai-opensource/spot_ros2#726",
        "PR2/pr2_controllers#320",
    ),
)
async def late_refused(kit: Kit) -> Finding:
    """Switch on too much delay while driving."""
    member = await kit.drive()
    delay_s = (kit.options.max_age_ms + 50) / 1000
    switched, first = now_us(), member.robot.setpoints.seq + 1
    last = member.tap.last_sent_us
    axes = tuple(kit.moving())
    member.tap.plan = lambda frame: [(delay_s, replace(frame, axes=axes).pack())]
    found = await kit.stands_within(last, kit.options.promise_ms)
    await asyncio.sleep(WATCH_S)
    late = [v for v in member.tap.applied(switched) if v.seq >= first]
    if late:
        raise Violation(f"{len(late)} late frames were applied", float(len(late)), 0.0)
    if not member.tap.count(Code.TOO_OLD, switched):
        raise Unable(f"None was called too old ({Code.TOO_OLD.value}).")
    await kit.stays(last + int((found.measured or 0.0) * 1000) + 50_000, 0.0)
    return found


@case(
    "future",
    "stamps one second ahead: they would stay fresh for a second",
    rule="I4",
    bound="none is applied, no motion",
)
async def future(kit: Kit) -> Finding:
    """Forge the stamp."""
    forge = lambda frame: replace(frame, sent_us=frame.sent_us + 1_000_000)  # noqa: E731
    return await refused(kit, forge, Code.FROM_THE_FUTURE)


@case(
    "old-beat",
    "fresh stamps, but the echoed beat is a second old",
    rule="I4",
    bound="none is applied, no motion",
    bugs=("aliasrobotics/RVD#4",),
)
async def old_beat(kit: Kit) -> Finding:
    """Echo a beat that was sent long ago, as a recording would."""
    forge = lambda frame: replace(frame, heard=max(1, frame.heard - 20))  # noqa: E731
    return await refused(kit, forge, Code.BEAT_TOO_OLD)


@case(
    "beat-of-nobody",
    "the echoed beat has never been sent",
    rule="I4",
    bound="none is applied, no motion",
)
async def forged_beat(kit: Kit) -> Finding:
    """Echo a beat of the future."""
    forge = lambda frame: replace(frame, heard=frame.heard + 1_000)  # noqa: E731
    return await refused(kit, forge, Code.BEAT_TOO_OLD)


@case(
    "no-answers",
    "the driver answers no beat: its clock is unknown",
    rule="I4",
    bound="none is applied, no motion",
    bugs=("PR2/pr2_controllers#320",),
)
async def no_answers(kit: Kit) -> Finding:
    """Take control without ever answering."""
    member = await kit.operator()
    member.tap.answer = lambda _answer: None
    since = now_us()
    await member.take_control()
    member.tap.plan = straight
    await asyncio.sleep(WATCH_S)
    told = member.tap.count(Code.CLOCK_UNKNOWN, since)
    applied = len(member.tap.applied(since))
    if applied:
        raise Violation(f"{applied} frames of an unknown clock were applied", float(applied), 0.0)
    if not told:
        raise Violation(f"none was applied, but none was told {Code.CLOCK_UNKNOWN.value}")
    await kit.stays(since, 0.0)
    return Finding(f"{told} refused as {Code.CLOCK_UNKNOWN.value}", 0.0, 0.0, "frames")


@case(
    "frozen-beat",
    "the driver goes on, but hears no beat any more",
    rule="I4 I7",
    bound="it stands when the last beat heard is 820 ms old",
)
async def frozen_beat(kit: Kit) -> Finding:
    """Freeze the echo while driving, as a downlink that is cut does."""
    member = await kit.drive()
    heard, frozen = member.robot.setpoints.heard, now_us()
    member.tap.plan = lambda frame: straight(replace(frame, heard=heard))
    bound = kit.options.max_age_ms + HEARD_SLACK_MS + kit.options.promise_ms
    return await kit.stands_within(frozen, bound)


@case(
    "clock-jump",
    "the stamps jump by ten seconds, forwards and back, against the clock that answers the beats",
    rule="I4 R19",
    bound="each time it stands when the last good command is 320 ms old",
    bugs=("mavlink/mavros#1141",),
)
async def clock_jump(kit: Kit) -> Finding:
    """Shift the stamps; a clock that jumps as a whole would be measured anew, and rightly so."""
    forwards = await _jump(kit, 10_000_000)
    await kit.ready()
    back = await _jump(kit, -10_000_000)
    return max(forwards, back, key=lambda found: found.measured or 0.0)


async def _jump(kit: Kit, by_us: int) -> Finding:
    member = await kit.drive()
    axes, last = tuple(kit.moving()), member.tap.last_sent_us

    def plan(frame: ControlFrame) -> Deliveries:
        return straight(replace(frame, sent_us=max(0, frame.sent_us + by_us), axes=axes))

    member.tap.plan = plan
    return await kit.stands_within(last, kit.options.promise_ms)


Late = Callable[[ControlFrame, float], ControlFrame]


@case(
    "clock-lie",
    "a clock that lies so that commands 600 ms late look fresh",
    rule="I4",
    bound="none is applied, no motion",
    bugs=("rai-opensource/spot_ros2#726", "ros-teleop/teleop_tools#30"),
)
async def clock_lie(kit: Kit) -> Finding:
    """Deliver late, with stamps of the time of delivery: only the echoed beat tells."""
    return await _late_but(kit, lambda f, late: replace(f, sent_us=f.sent_us + round(late * 1e6)))


@case(
    "clock-drift",
    "a clock that runs 10 % fast, so that commands 600 ms late look younger and younger",
    rule="I4",
    bound="none is applied, no motion",
    bugs=("mavlink/mavros#1141",),
)
async def clock_drift(kit: Kit) -> Finding:
    """Let the driver's clock gain, in stamps and answers alike, and deliver late."""
    member, begun = await kit.operator(), now_us()

    def fast(stamp_us: int) -> int:
        return stamp_us + (now_us() - begun) // 10

    member.tap.answer = lambda answer: replace(answer, peer_us=fast(answer.peer_us))
    return await _late_but(kit, lambda f, _late: replace(f, sent_us=fast(f.sent_us)))


async def _late_but(kit: Kit, forge: Late) -> Finding:
    """Send forged motion late, among neutral frames that keep the robot armed."""
    member = await kit.operator()
    await member.arm()
    axes = tuple(kit.moving())
    late_s = (kit.options.max_age_ms + HEARD_SLACK_MS + 100) / 1000
    first, since = member.robot.setpoints.seq, now_us()

    def plan(frame: ControlFrame) -> Deliveries:
        # Behind every honest frame that will have come by then.
        forged = forge(replace(frame, axes=axes, seq=frame.seq + FORGED), late_s)
        return [*straight(frame), (late_s, forged.pack())]

    member.tap.plan = plan
    await asyncio.sleep(late_s + WATCH_S)
    member.tap.plan = straight
    applied = member.tap.applied(since)
    lies = [v for v in applied if v.seq > first + FORGED]
    if lies:
        raise Violation(f"{len(lies)} were applied", float(len(lies)), 0.0)
    if not applied:
        raise Unable("No honest frame was applied meanwhile, so the refusals prove nothing.")
    await kit.stays(since, 0.0)
    told = sum(v.code is not None and v.seq > first + FORGED for v in member.tap.verdicts(since))
    if not told:
        raise Violation("none was applied, but their sender was not told why")
    return Finding(f"{told} refused, no motion", 0.0, 0.0, "frames")
