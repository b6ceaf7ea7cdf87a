"""How a program speaks with one robot: by two paths, with questions, answers and waiting."""

import asyncio
import itertools
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from farhand.client.answers import Answers
from farhand.client.session import ClientSession
from farhand.errors import Code, ConnectionClosed
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

ANSWER_TIMEOUT_S = 5.0


class Talk:
    """What all that one says to a robot needs.

    Args:
        member: The robot.
        me: Our member id.
        send: Sends to the server.

    """

    def __init__(
        self, member: m.Member, me: MemberId, send: Callable[[m.ClientMessage], bool]
    ) -> None:
        self.member = member
        self.status: m.Status | None = None
        """The newest the robot has sent."""
        self.session: ClientSession | None = None
        self.me = me
        """Our member id."""
        self._send = send
        self._waiting: set[asyncio.Future[None]] = set()
        self._answers = Answers()
        self._nonces = itertools.count(1)

    async def wait_for(
        self, is_so: Callable[[m.Status], bool], timeout_s: float = ANSWER_TIMEOUT_S
    ) -> m.Status:
        """Return the first status of which ``is_so`` holds.

        Raises:
            TimeoutError: None came in time.

        """
        await self.wait_until(lambda: self.status is not None and is_so(self.status), timeout_s)
        assert self.status is not None  # noqa: S101 - just checked
        return self.status

    async def wait_until(
        self, is_so: Callable[[], bool], timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Return when ``is_so()`` holds; it is asked after everything that comes in.

        Raises:
            TimeoutError: It did not hold in time.

        """
        async with asyncio.timeout(timeout_s):
            await self._until(is_so)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.add(turn)
            await turn

    def has_open(self, channel: control.Channel) -> bool:
        """Say whether a data channel is open."""
        return self.session is not None and channel.label in self.session.open

    def _channel_send(self, channel: control.Channel, data: bytes | str) -> bool:
        return self.session is not None and self.session.send(channel, data)

    def _say(self, message: m.Addressed) -> None:
        if isinstance(message, m.ChannelMessage) and self._channel_send(
            control.MESSAGES, codec.encode(message).decode()
        ):
            return
        self._send(replace(message, to=self.member.id))

    async def _ask(self, kind: type, key: int, message: m.Addressed, timeout_s: float) -> Struct:
        answer = self._answers.expect(kind, key)
        self._say(message)
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise no_answer() from None
        finally:
            self._answers.drop(kind, key)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)


def no_answer() -> ConnectionClosed:
    """Return the error of a robot that says nothing."""
    return ConnectionClosed(Code.PEER_CONNECTION_FAILED, "The robot does not answer.")
