"""The robot's own programs, killed and frozen: only where whoever runs the kit has said so."""

import asyncio
import signal

from farhand.client.setpoints import now_us
from farhand.errors import FarhandError
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import Finding, Violation, case
from farhand.kits.conform.options import strike

TICK_MS = 20.0
SCHEDULING_MS = 60.0
"""A device's time-out is checked by a program, too."""
GONE_S = 1.0
RECOVERY_S = 90.0
DRIVER_DIES = (
    "ROBOTIS-GIT/OpenCR#169",
    "RoverRobotics-archive/rr_openrover_stack#48",
    "frodobots-org/earth-rovers-sdk#29",
)


async def _struck(kit: Kit, program: str, signum: signal.Signals, bound_ms: float) -> Finding:
    """Strike a program while the robot moves."""
    await kit.drive()
    pid = kit.options.programs[program]()
    at_us = now_us()
    strike(pid, signum)
    try:
        return await kit.stands_within(at_us, bound_ms)
    finally:
        if signum is signal.SIGSTOP:
            await asyncio.sleep(GONE_S)
            strike(pid, signal.SIGCONT)


async def _and_is_back(kit: Kit, found: Finding) -> Finding:
    await kit.member("operator", fresh=True)
    await kit.ready()
    await kit.drive()
    return found


@case(
    "agent-killed",
    "the robot's agent is killed while it moves",
    rule="I7 R2",
    bound="it stands 300 ms and a tick after",
    bugs=DRIVER_DIES,
    needs=("agent",),
    timeout_s=RECOVERY_S,
)
async def agent_killed(kit: Kit) -> Finding:
    """Kill the agent."""
    return await _and_is_back(
        kit, await _struck(kit, "agent", signal.SIGKILL, kit.options.promise_ms)
    )


@case(
    "agent-frozen",
    "the robot's agent is frozen while it moves",
    rule="I7 R2",
    bound="it stands 300 ms and a tick after",
    bugs=DRIVER_DIES,
    needs=("agent",),
    timeout_s=RECOVERY_S,
)
async def agent_frozen(kit: Kit) -> Finding:
    """Freeze the agent for a second."""
    return await _and_is_back(
        kit, await _struck(kit, "agent", signal.SIGSTOP, kit.options.promise_ms)
    )


def _device_ms(kit: Kit) -> float:
    return (kit.manifest.device_timeout_s or 0.0) * 1000 + TICK_MS + SCHEDULING_MS


@case(
    "gate-killed",
    "the last program before the motors is killed while the robot moves",
    rule="I7",
    bound="the device stands after its own time-out",
    bugs=DRIVER_DIES,
    needs=("gate", "device-timeout"),
    timeout_s=RECOVERY_S,
)
async def gate_killed(kit: Kit) -> Finding:
    """Kill the gate."""
    return await _and_is_back(kit, await _struck(kit, "gate", signal.SIGKILL, _device_ms(kit)))


@case(
    "gate-frozen",
    "the last program before the motors is frozen while the robot moves",
    rule="I7",
    bound="the device stands after its own time-out",
    bugs=DRIVER_DIES,
    needs=("gate", "device-timeout"),
    timeout_s=RECOVERY_S,
)
async def gate_frozen(kit: Kit) -> Finding:
    """Freeze the gate for a second."""
    return await _and_is_back(kit, await _struck(kit, "gate", signal.SIGSTOP, _device_ms(kit)))


async def _without_server(kit: Kit, signum: signal.Signals) -> Finding:
    """Strike the server: the driver keeps control by the peer connection, and STOP works."""
    member = await kit.drive()
    pid = kit.options.programs["server"]()
    strike(pid, signum)
    try:
        await asyncio.sleep(GONE_S)
        since = now_us()
        await asyncio.sleep(0.3)
        applied = len(member.tap.applied(since))
        pressed = now_us()
        try:
            await member.robot.stop()
        except FarhandError as exc:
            raise Violation(f"STOP was not confirmed without the server: {exc.code.value}") from exc
        confirmed = (now_us() - pressed) / 1000
        found = await kit.stands_within(pressed, kit.options.promise_ms)
    finally:
        if signum is signal.SIGSTOP:
            strike(pid, signal.SIGCONT)
    if not applied:
        raise Violation("the driver lost control with the server, although the robot is reachable")
    text = f"driven on; STOP confirmed after {confirmed:.0f} ms, {found.text}"
    return Finding(text, found.measured, found.bound, "ms")


@case(
    "server-killed",
    "the server is killed while somebody drives",
    rule="I6 R3 R17",
    bound="driving goes on by the peer connection, and STOP works",
    bugs=("livekit/livekit#4663",),
    needs=("server", "reset"),
    timeout_s=RECOVERY_S,
)
async def server_killed(kit: Kit) -> Finding:
    """Kill the server."""
    return await _and_is_back(kit, await _without_server(kit, signal.SIGKILL))


@case(
    "server-frozen",
    "the server is frozen while somebody drives",
    rule="I6 R3 R17",
    bound="driving goes on by the peer connection, and STOP works",
    bugs=("livekit/livekit#4663",),
    needs=("server", "reset"),
    timeout_s=RECOVERY_S,
)
async def server_frozen(kit: Kit) -> Finding:
    """Freeze the server."""
    return await _and_is_back(kit, await _without_server(kit, signal.SIGSTOP))
