"""What robots reported and what happened, for a while: the seam, and its fake in memory.

Adding never waits: what cannot be written in time is dropped, the oldest status first.
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

STATUS_EVERY_MS = 1000
"""A robot's status that comes sooner after its last is not kept."""
MAX_PACED = 20_000
"""Robots whose last status is remembered."""


class StatusSample(Struct, frozen=True, rename="camel"):
    """What a robot reported about itself at one moment."""

    service_id: str
    robot_id: str
    at_ms: int
    data: bytes
    """JSON, as it was given."""


class Event(Struct, frozen=True, rename="camel"):
    """Something that happened."""

    id: int
    """Rises by one with each."""
    service_id: str
    robot_id: str
    """Empty: of no robot."""
    type: str
    at_ms: int
    data: bytes
    """JSON, as it was given."""


class History(Protocol):
    """Status samples and events, kept for as long as the configuration says."""

    async def open(self) -> None:
        """Begin. The store that shares the database must be open.

        Raises:
            StoreError: FH-8001.

        """

    async def close(self) -> None:
        """Write what waits and let go; before the store is closed. Idempotent."""

    def add_status(self, service_id: str, robot_id: str, at_ms: int, json_bytes: bytes) -> None:
        """Keep a robot's status; at most one a second of each robot."""

    def add_event(
        self, service_id: str, robot_id: str, type: str, at_ms: int, json_bytes: bytes
    ) -> int:
        """Keep an event; return its id."""

    async def statuses(
        self, service_id: str, robot_id: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[StatusSample]:
        """Return the newest ``limit`` samples of a robot in ``[from_ms, to_ms)``, oldest first.

        Raises:
            StoreError: FH-8001.

        """

    async def events(  # noqa: PLR0917 - what the REST call can ask for
        self,
        service_ids: Collection[str] | None,
        robot_id: str,
        type: str,
        from_ms: int,
        to_ms: int,
        limit: int,
    ) -> Sequence[Event]:
        """Return the newest ``limit`` events in ``[from_ms, to_ms)``, oldest first.

        Args:
            service_ids: Of these services; ``None``: of all.
            robot_id: Of this robot; empty: of all and of none.
            type: Of this type; empty: of all.
            from_ms: Wall clock.
            to_ms: Wall clock.
            limit: At most so many.

        Raises:
            StoreError: FH-8001.

        """


class Pace:
    """Says which status samples are kept.

    Args:
        every_ms: The least time between two of a robot.

    """

    def __init__(self, every_ms: int) -> None:
        self._every_ms = every_ms
        self._last_ms: dict[tuple[str, str], int] = {}

    def is_due(self, service_id: str, robot_id: str, at_ms: int) -> bool:
        """Say whether to keep a sample, and take it as kept."""
        key = (service_id, robot_id)
        last_ms = self._last_ms.get(key)
        # A clock that was set back must not silence a robot until it has caught up.
        if last_ms is not None and last_ms <= at_ms < last_ms + self._every_ms:
            return False
        self._last_ms.pop(key, None)  # the newest stand last
        self._last_ms[key] = at_ms
        if len(self._last_ms) > MAX_PACED:
            del self._last_ms[next(iter(self._last_ms))]
        return True

    def forget_before(self, at_ms: int) -> None:
        """Forget robots that have been silent since."""
        self._last_ms = {key: last for key, last in self._last_ms.items() if last >= at_ms}


class MemoryHistory:
    """Forgets everything with the process: the fake of `SqlHistory`.

    Args:
        wall_ms: Wall clock.
        status_keep_s: How long status samples are kept.
        event_keep_s: How long events are kept.
        status_every_ms: The least time between two samples of a robot.
        max_kept: Of samples, and of events: more are dropped, the oldest first.

    """

    def __init__(
        self,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        status_keep_s: int = 24 * 3600,
        event_keep_s: int = 30 * 24 * 3600,
        status_every_ms: int = STATUS_EVERY_MS,
        max_kept: int = 100_000,
    ) -> None:
        self._wall_ms = wall_ms
        self._status_keep_ms = status_keep_s * 1000
        self._event_keep_ms = event_keep_s * 1000
        self._max_kept = max_kept
        self._pace = Pace(status_every_ms)
        self._statuses: dict[tuple[str, str, int], StatusSample] = {}
        self._events: dict[int, Event] = {}
        self._last_id = 0

    async def open(self) -> None:
        """Nothing to read."""

    async def close(self) -> None:
        """Nothing to write."""

    def add_status(self, service_id: str, robot_id: str, at_ms: int, json_bytes: bytes) -> None:
        """Keep a robot's status."""
        key = (service_id, robot_id, at_ms)
        if self._pace.is_due(service_id, robot_id, at_ms) and key not in self._statuses:
            self._statuses[key] = StatusSample(service_id, robot_id, at_ms, json_bytes)
            if len(self._statuses) > self._max_kept:
                del self._statuses[next(iter(self._statuses))]

    def add_event(
        self, service_id: str, robot_id: str, type: str, at_ms: int, json_bytes: bytes
    ) -> int:
        """Keep an event; return its id."""
        self._last_id += 1
        event = Event(self._last_id, service_id, robot_id, type, at_ms, json_bytes)
        self._events[event.id] = event
        if len(self._events) > self._max_kept:
            del self._events[next(iter(self._events))]
        return event.id

    async def statuses(
        self, service_id: str, robot_id: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[StatusSample]:
        """Return the newest samples of a robot in a time, oldest first."""
        await self.prune()
        found = [
            sample
            for sample in self._statuses.values()
            if (sample.service_id, sample.robot_id) == (service_id, robot_id)
            and from_ms <= sample.at_ms < to_ms
        ]
        found.sort(key=lambda sample: sample.at_ms)
        return found[max(len(found) - limit, 0) :]

    async def events(  # noqa: PLR0917 - what the REST call can ask for
        self,
        service_ids: Collection[str] | None,
        robot_id: str,
        type: str,
        from_ms: int,
        to_ms: int,
        limit: int,
    ) -> Sequence[Event]:
        """Return the newest events in a time, oldest first."""
        await self.prune()
        found = [
            event
            for event in self._events.values()
            if (service_ids is None or event.service_id in service_ids)
            and robot_id in ("", event.robot_id)
            and type in ("", event.type)
            and from_ms <= event.at_ms < to_ms
        ]
        found.sort(key=lambda event: (event.at_ms, event.id))
        return found[max(len(found) - limit, 0) :]

    async def prune(self) -> None:
        """Forget what is older than it is to be kept."""
        now_ms = self._wall_ms()
        oldest_ms = now_ms - self._status_keep_ms
        self._pace.forget_before(oldest_ms)
        self._statuses = {k: each for k, each in self._statuses.items() if each.at_ms >= oldest_ms}
        oldest_ms = now_ms - self._event_keep_ms
        self._events = {k: each for k, each in self._events.items() if each.at_ms >= oldest_ms}
