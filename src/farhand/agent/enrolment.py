"""How a robot gets in: with a code or key that somebody made, or by asking and being approved."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import httpx
import msgspec

from farhand.agent.identity import Enrolment, robot_token
from farhand.agent.server_http import MAX_BYTES, date_of, http_client, http_url
from farhand.core.backoff import Backoff
from farhand.errors import Code, ConnectionClosed, NotAllowed
from farhand.keys.signing import SigningKey, key_id
from farhand.protocol.ids import RobotId, ServiceId, is_valid_id

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

POLL_S = 2.0
MAX_WAIT_S = 3600.0
"""Longest time that the server's request to wait is obeyed for."""
_CREATED, _ACCEPTED, _TOO_MANY, _BROKEN = 201, 202, 429, 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What the robot says of itself when it asks."""

    code: str = ""
    """A code or key that somebody made; empty: ask for approval."""
    robot_id: str = ""
    """Empty: the server, or whoever approves, names it."""
    name: str = ""
    model: str = ""
    architecture: str = ""


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """The server has noted the request and waits for somebody to approve it."""

    code: str
    """To show: ``ABCD-EFGH``."""
    poll: str
    expires_ms: int
    url: str = ""
    """Where the code is approved."""


class _Enrolled(msgspec.Struct, frozen=True, rename="camel"):
    robot_id: RobotId
    service_id: ServiceId
    server_key: str


class _ServerKey(msgspec.Struct, frozen=True, rename="camel"):
    server_key: str


class _Problem(msgspec.Struct, frozen=True):
    code: Code = Code.INTERNAL
    title: str = ""
    detail: str = ""


class _Busy(Exception):  # noqa: N818 - no error: an answer
    """The server wants us to come again."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


class Enroller:
    """Asks one server to take this robot in.

    Args:
        url: The server's address.
        key: The robot's.
        show: Called with the request that somebody must approve.
        poll_s: Time between two questions whether it has been.
        waits: Whether a server that cannot be reached at first is waited for, without end.
        random: Source of the jitter.

    """

    def __init__(
        self,
        url: str,
        key: SigningKey,
        *,
        show: Callable[[Asked], None],
        poll_s: float = POLL_S,
        waits: bool = False,
        random: Random | None = None,
    ) -> None:
        self._url = url
        self._key = key
        self._show = show
        self._poll_s = poll_s
        self._waits = waits
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._server_key = ""

    async def enrol(self, wish: Wish) -> Enrolment:
        """Return where the robot belongs from now on.

        Raises:
            NotAllowed: The server refused, with its code: FH-2107 used, FH-2108 unknown or expired,
                FH-2005 denied.
            ConnectionClosed: FH-4001, no answer.

        """
        answer = await self._insist(lambda: self._ask(wish), is_known=self._waits)
        if isinstance(answer, Asked):
            self._show(answer)
            answer = await self._approval(answer)
        if answer.server_key != self._server_key:
            # Two answers of one server: somebody stands between.
            raise NotAllowed(Code.UNAUTHENTICATED, "The server's key is not the one it showed.")
        if not (is_valid_id(answer.robot_id) and is_valid_id(answer.service_id)):
            raise NotAllowed(Code.INVALID_ID, "The server gave the robot a name that is none.")
        return Enrolment(answer.robot_id, answer.service_id, http_url(self._url), answer.server_key)

    async def _ask(self, wish: Wish) -> "Asked | _Enrolled":
        async with http_client(self._url) as client:
            hello = await client.get("/v1/enrol")
            self._server_key = _read(hello, _ServerKey).server_key
            try:
                audience = key_id(self._server_key)
            except ValueError as exc:
                raise NotAllowed(Code.UNAUTHENTICATED, "The server's key is none.") from exc
            # Our own clock may be wrong by hours: go by the server's.
            now_s = date_of(hello) or time.time()
            proof = robot_token(self._key, wish.robot_id or self._key.id, audience, now_s)
            body = {"publicKey": self._key.public, "proof": proof}
            optional = {
                "code": wish.code,
                "robotId": wish.robot_id,
                "name": wish.name,
                "model": wish.model,
                "architecture": wish.architecture,
            }
            body |= {name: value for name, value in optional.items() if value}
            answer = await client.post("/v1/enrol", json=body)
        if answer.status_code == _ACCEPTED:
            return _read(answer, Asked)
        return _read(answer, _Enrolled)

    async def _approval(self, asked: Asked) -> _Enrolled:
        while True:
            # Half fixed, half jitter: a batch of robots does not ask in step.
            await asyncio.sleep(self._poll_s * (0.75 + 0.5 * self._random.random()))
            found = await self._insist(lambda: self._poll(asked), is_known=True)
            if found is not None:
                return found

    async def _poll(self, asked: Asked) -> _Enrolled | None:
        async with http_client(self._url) as client:
            answer = await client.post("/v1/enrol/poll", json={"poll": asked.poll})
        return None if answer.status_code == _ACCEPTED else _read(answer, _Enrolled)

    async def _insist(self, attempt: Callable[[], Awaitable[T]], *, is_known: bool) -> T:
        """Return what ``attempt`` returns, again and again while a known server is away."""
        backoff = Backoff()
        while True:
            try:
                return await attempt()
            except _Busy as busy:
                wait_ms = int(busy.wait_s * 1000)
            except ConnectionClosed:
                if not is_known:
                    raise
                wait_ms = 0
            await asyncio.sleep(backoff.next_delay(self._random.random(), wait_ms))


def _read(answer: httpx.Response, kind: type[S]) -> S:
    if answer.status_code == _TOO_MANY:
        raise _Busy(_retry_after_s(answer))
    if answer.status_code >= _BROKEN:
        text = f"The server failed ({answer.status_code})."
        raise ConnectionClosed(Code.SERVER_UNREACHABLE, text)
    body = answer.content[:MAX_BYTES]
    try:
        if answer.is_success:
            return msgspec.json.decode(body, type=kind)
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, ValueError) as exc:
        text = f"What answers there is no farhand server that enrols robots ({answer.status_code})."
        raise NotAllowed(Code.NOT_FOUND, text) from exc
    fix = problem.detail if problem.detail != problem.title else ""
    raise NotAllowed(problem.code, problem.title or "The server refused.", fix)


def _retry_after_s(answer: httpx.Response) -> float:
    try:
        return min(max(int(answer.headers.get("Retry-After", "1")), 0), MAX_WAIT_S)
    except ValueError:
        return 1.0
