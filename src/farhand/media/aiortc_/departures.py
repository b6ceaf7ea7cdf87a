"""Who may send a burst next: all connections of a process take turns on the event loop."""

import asyncio
from collections import deque
from typing import Protocol


class Departing(Protocol):
    """Something with packets to send."""

    def depart(self) -> bool:
        """Send one short burst; ``True``: more is due at once."""


class Departures:
    """One burst of one connection for each turn of the loop.

    Between two bursts the loop reads its sockets: a control frame waits for one burst at most,
    whatever the number of viewers and the size of their frames.
    """

    def __init__(self) -> None:
        self._waiting: deque[Departing] = deque()
        self._is_scheduled = False

    def wake(self, who: Departing) -> None:
        """Give ``who`` a turn soon. Idempotent until it has had it."""
        if who not in self._waiting:
            self._waiting.append(who)
        self._schedule()

    def forget(self, who: Departing) -> None:
        """Take ``who`` off the list."""
        if who in self._waiting:
            self._waiting.remove(who)

    def _schedule(self) -> None:
        if not self._is_scheduled and self._waiting:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        if not self._waiting:
            return
        who = self._waiting.popleft()
        try:
            if who.depart():
                self._waiting.append(who)
        finally:
            self._schedule()
