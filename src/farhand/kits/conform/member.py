"""One member of the room whom the kit plays: connects, asks, drives, hangs up."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

from farhand.client import Client, Robot, connect
from farhand.client.setpoints import now_us
from farhand.errors import Code, ConnectionClosed, FarhandError, RemoteProtocolError
from farhand.kits.conform.model import Skipped, Unable
from farhand.kits.conform.options import Options
from farhand.kits.conform.tap import Tap
from farhand.protocol import messages as m

PATIENCE_S = 10.0
_NOT_THIS_ROLE = (Code.ROLE_REFUSED, Code.UNAUTHENTICATED, Code.FORBIDDEN)
ONLINE_S = 45.0
"""A killed agent is started again by its service manager, and must find its server."""


class Member:
    """A connection to the robot, tapped. Made by :meth:`enter`."""

    def __init__(self, part: str, role: m.Role, client: Client, robot: Robot) -> None:
        self.part = part
        self.role = role
        self.client = client
        self.robot = robot
        self.tap = Tap(robot)
        self._opened = AsyncExitStack()

    @classmethod
    async def enter(
        cls, options: Options, part: str, role: m.Role, cameras: Sequence[str]
    ) -> "Member":
        """Connect as ``part`` and enter the robot's room.

        Raises:
            Skipped: The account has another role.
            FarhandError: The server or the robot cannot be reached.

        """
        opened = AsyncExitStack()
        try:
            client = await opened.enter_async_context(
                connect(
                    options.url,
                    name=f"conform-{part}",
                    token=options.token(part),
                    role=role,
                    service=options.service,
                )
            )
            robot = await opened.enter_async_context(
                client.open(options.robot, cameras=cameras, timeout_s=PATIENCE_S)
            )
            me = client.members.get(client.member_id)
            if me is not None and me.role != role:
                raise Skipped(f"needs a {role}; this account is {me.role}: --token {part}=FILE")
            member = cls(part, role, client, robot)
        except BaseException:
            await opened.aclose()
            raise
        member._opened = opened
        return member

    @property
    def is_usable(self) -> bool:
        """Whether the peer connection is there."""
        session = self.robot.session
        return (
            self.client.is_connected
            and session is not None
            and session.state == "connected"
            and {"safety", "control", "messages"} <= session.open
        )

    async def take_control(
        self, *, steer_by: m.SteerBy = "blind", timeout_s: float = 5.0
    ) -> m.LeaseGrant:
        """Ask for the lease.

        Raises:
            LeaseDenied: No.
            ConnectionClosed: No answer.

        """
        return await self.robot.take_control(steer_by=steer_by, timeout_s=timeout_s)

    async def arm(self, *, steer_by: m.SteerBy = "blind", timeout_s: float = PATIENCE_S) -> None:
        """Take control and send neutral until the gate has taken it.

        Raises:
            Unable: It takes none, or gives no control, within ``timeout_s``.

        """
        deadline = now_us() + timeout_s * 1e6
        last = ""
        while now_us() < deadline:
            try:
                await self.take_control(steer_by=steer_by)
                await self.armed()
                return
            except (FarhandError, Unable) as exc:
                last = str(exc)  # the lease of one who was killed runs out; a gate just starts
            await asyncio.sleep(0.1)
        raise Unable(f"{self.part} cannot drive: {last}")

    async def armed(self) -> None:
        """Return when the gate has taken a neutral command.

        Raises:
            Unable: It takes none for 3 s; the text says how it refuses them.

        """
        since = now_us()
        try:
            await self.robot.wait_until(lambda: self.robot.setpoints.is_armed, 3.0)
        except TimeoutError:
            codes = Counter(v.code.value for v in self.tap.verdicts(since) if v.code)
            told = ", ".join(f"{count} of {code}" for code, count in codes.items())
            text = f"no neutral command of {self.part} is applied ({told or 'nothing is told'})"
            raise Unable(text) from None

    async def rest(self) -> None:
        """Be honest again, and let the robot go."""
        self.tap.reset()
        with contextlib.suppress(FarhandError, TimeoutError):
            await self.robot.release()

    async def leave(self) -> None:
        """Hang up."""
        with contextlib.suppress(FarhandError, TimeoutError, OSError):
            await self._opened.aclose()


async def enter_patiently(
    options: Options, part: str, role: m.Role, cameras: Sequence[str]
) -> Member:
    """Enter as soon as server and robot are there.

    Raises:
        Skipped: The server lets nobody be that.
        Unable: They are not, for 45 s.

    """
    deadline = now_us() + ONLINE_S * 1e6
    while True:
        try:
            return await Member.enter(options, part, role, cameras)
        except (ConnectionClosed, RemoteProtocolError, TimeoutError) as exc:
            if part != "operator" and getattr(exc, "code", None) in _NOT_THIS_ROLE:
                raise Skipped(f"nobody here may be a {role}: --token {part}=FILE") from exc
            if now_us() > deadline:
                raise Unable(f"{part} cannot get in: {exc}") from exc
        await asyncio.sleep(0.3)
