"""STOP by every path until it is confirmed, and what clears it."""

import asyncio
import itertools

from farhand.client.lease import Leasing
from farhand.client.talk import ANSWER_TIMEOUT_S
from farhand.errors import Code, ConnectionClosed, NotAllowed
from farhand.protocol import control
from farhand.protocol import messages as m

STOP_EVERY_S = 0.02


class Stopping(Leasing):
    """What every member of the room may do, and few may undo."""

    async def stop(self, *, timeout_s: float = ANSWER_TIMEOUT_S) -> int:
        """Press STOP over every path until the robot confirms; return the latch's ``stop_id``.

        Raises:
            ConnectionClosed: The robot did not confirm. Out of reach it stands by its watchdog.

        """
        nonce = next(self._nonces)
        answer = self._answers.expect(m.StopAck, nonce)
        self._end_lease()
        over_server = m.Stop(nonce, to=self.member.id)
        press = control.StopPress(nonce).pack()
        deadline = asyncio.get_running_loop().time() + timeout_s
        try:
            for attempt in itertools.count():
                self._channel_send(control.SAFETY, press)
                if attempt % 10 == 0:
                    self._send(over_server)
                done, _ = await asyncio.wait([answer], timeout=STOP_EVERY_S)
                if done:
                    ack = answer.result()
                    assert isinstance(ack, m.StopAck)  # noqa: S101 - what was expected
                    return ack.stop_id
                if asyncio.get_running_loop().time() > deadline:
                    raise ConnectionClosed(Code.PEER_CONNECTION_FAILED, "STOP was not confirmed.")
            raise AssertionError
        finally:
            self._answers.drop(m.StopAck, nonce)

    async def reset(
        self, stop_id: int | None = None, *, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Clear the latch ``stop_id`` (default: the one in the status). Nothing moves by it.

        Raises:
            NotAllowed: The robot refused, with the code of why.

        """
        if stop_id is None:
            stop = self.status.stop if self.status else None
            stop_id = stop.stop_id if stop else 0
        answer = await self._ask(m.StopResetAck, stop_id, m.StopReset(stop_id), timeout_s)
        assert isinstance(answer, m.StopResetAck)  # noqa: S101 - what was expected
        if answer.code is not None:
            raise NotAllowed(answer.code, "The robot did not reset.")
