"""Questions to a robot that wait for their answers."""

import asyncio

from msgspec import Struct

Future = asyncio.Future[Struct]


class Answers:
    """One waiting question for each kind of answer and its number."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[type, int], Future] = {}

    def expect(self, kind: type, key: int) -> Future:
        """Return what will hold the answer; call :meth:`drop` when nobody waits any more."""
        future: Future = asyncio.get_running_loop().create_future()
        self._waiting[kind, key] = future
        return future

    def drop(self, kind: type, key: int) -> None:
        """Forget a question."""
        self._waiting.pop((kind, key), None)

    def take(self, kind: type, key: int, message: Struct) -> None:
        """Hand ``message`` to whoever waits for it."""
        future = self._waiting.get((kind, key))
        if future is not None and not future.done():
            future.set_result(message)
