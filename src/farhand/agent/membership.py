"""The robot's bond with the server that it was enrolled at. A robot without one has no demands."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import structlog

from farhand.agent.grants import Granted, GrantJudge
from farhand.agent.identity import Identity
from farhand.agent.server_http import server_time
from farhand.errors import Code, FarhandError, NotAllowed
from farhand.protocol import messages as m

log = structlog.get_logger(__name__)


class Membership:
    """Proves who the robot is, knows the server's time, and demands grants.

    Args:
        identity: ``None``: not enrolled, everything goes by the server's word.
        server: Its address.
        grace_s: How long sessions may live without the server.
        on_forsaken: Called when it has been away for that long.
        clock: Monotonic, in seconds.

    """

    def __init__(
        self,
        identity: Identity | None,
        server: str,
        grace_s: float,
        on_forsaken: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity
        self._server = server
        self._grace_s = grace_s
        self._on_forsaken = on_forsaken
        self._clock = clock
        self._judge: GrantJudge | None = None
        if identity is not None:
            enrolment = identity.enrolment
            self._judge = GrantJudge(enrolment.server_key, enrolment.robot_id)
        self._server_s: float | None = None
        """The server's wall clock at its last welcome."""
        self._told_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def demands_grants(self) -> bool:
        """Whether nobody comes in by the server's bare word."""
        return self._judge is not None

    def token(self) -> str | None:
        """Return a credential for one hello."""
        return self._identity.token() if self._identity is not None else None

    async def prepare(self, before: FarhandError | None) -> None:
        """Before another hello: a robot that was not believed may have a wrong clock."""
        if self._identity is None or before is None or before.code is not Code.UNAUTHENTICATED:
            return
        with contextlib.suppress(FarhandError):
            self._identity.set_clock(await server_time(self._server))

    def connected(self, welcome: m.Welcome) -> None:
        """Take the server's time from its welcome."""
        self._server_s, self._told_at = welcome.server_time_ms / 1000, self._clock()
        self.close()

    def lost(self) -> None:
        """Begin to count: the server is away."""
        if self._identity is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._grace_s, self._forsaken)

    def close(self) -> None:
        """Stop counting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def judge(self, start: m.SessionStart) -> Granted | None:
        """Return what the grant of ``start`` says; ``None``: this robot demands none.

        Raises:
            NotAllowed: FH-2201.

        """
        if self._judge is None:
            return None
        if self._server_s is None:
            raise NotAllowed(Code.GRANT_REFUSED, "The robot does not know the server's time.")
        return self._judge.judge(start, self._server_s + self._clock() - self._told_at)

    def _forsaken(self) -> None:
        self._timer = None
        log.warning("the server has been away for too long", seconds=self._grace_s)
        self._on_forsaken()
