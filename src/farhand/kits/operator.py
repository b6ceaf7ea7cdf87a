"""A person who drives in a circle, as a program that tests and benches kill, freeze and command.

``python -m farhand.kits.operator URL ROBOT`` says ``ready`` on standard output, then obeys lines
on standard input:

    watch      be there, without control; says ``watching``
    drive      take control (after a reset where STOP holds) and drive; says ``driving EPOCH``
    stop       press STOP; says ``stopped MICROSECONDS_OF_THE_PRESS STOP_ID``
    close      close the peer connection without a word
    quit       leave
"""

import asyncio
import sys
import time
from collections.abc import Callable

from farhand.client.connection import Client, connect
from farhand.client.robot import Robot
from farhand.errors import FarhandError
from farhand.protocol import control
from farhand.protocol.messages import LeaseGrant

SPEED = 0.4
TURN = 0.8
PATIENCE_S = 10.0
ARMED_WITHIN_S = 0.6


def say(*words: object) -> None:
    """Write one line to whoever commands us."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def drive(robot: Robot) -> None:
    """Take control as soon as the robot lets us, and drive in a circle, which meets no wall."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            grant = await take(robot)
            break
        except (FarhandError, TimeoutError):
            # The one before us was killed: its lease runs out; the gate is just starting again;
            # or so many packets are lost that nothing was applied.
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
    robot.drive([SPEED, TURN, *[0.0] * (len(robot.manifest.axes) - 2)])
    say("driving", grant.epoch)


async def take(robot: Robot) -> LeaseGrant:
    """Reset the robot if STOP holds it, and take control.

    Raises:
        FarhandError: Not now.
        TimeoutError: We may, but nothing is obeyed.

    """
    status = await robot.wait_for(lambda status: status.gate == "ok", PATIENCE_S)
    if status.stop and status.stop.latch == "stop":
        await robot.reset()
    grant = await robot.take_control()
    # A STOP of a moment ago may not be in the status yet: then nothing is obeyed, and we ask again.
    await robot.wait_until(lambda: robot.setpoints.is_armed, ARMED_WITHIN_S)
    return grant


async def obey(client: Client, robot_id: str, next_line: Callable[[], str]) -> None:
    """Carry out commands until ``quit`` or the end of input."""
    say("ready")
    loop = asyncio.get_running_loop()
    first = await loop.run_in_executor(None, next_line)
    word = first.strip()
    async with client.open(robot_id, cameras=[]) as robot:
        while word not in {"", "quit"}:
            if word == "drive":
                await drive(robot)
            elif word == "watch":
                await robot.wait_until(lambda: robot.has_open(control.SAFETY), PATIENCE_S)
                say("watching")
            elif word == "stop":
                pressed = time.monotonic_ns() // 1000
                say("stopped", pressed, await robot.stop())
            elif word == "close" and robot.session is not None:
                robot.setpoints.end()  # or they would go on by way of the server
                await robot.session.close()
            word = (await loop.run_in_executor(None, next_line)).strip()


async def main(url: str, robot_id: str) -> None:
    """Connect and obey."""
    async with connect(url, name="bench") as client:
        await obey(client, robot_id, sys.stdin.readline)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:3]))
    except FarhandError as exc:
        say("failed", exc)
        sys.exit(1)
