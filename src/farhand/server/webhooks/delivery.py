"""Takes events to webhooks: at least once while the server lives, in order, with patience.

Each webhook has a queue and a task of its own: one receiver that is down holds up no other.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
import structlog
from msgspec.structs import replace

from farhand import __version__
from farhand.errors import FarhandError
from farhand.server.webhooks.news import News, news
from farhand.server.webhooks.posting import Outcome, Poster
from farhand.server.webhooks.signing import EVENT_HEADER, HEADER, ID_HEADER, sign
from farhand.store.base import Put, Store
from farhand.store.records import Record, Webhook

log = structlog.get_logger(__name__)

MAX_WAITING = 4096
"""Events that wait for one webhook; then the oldest is dropped. After a restart of the server all
robots come online at once."""
MAX_TRIES = 16
MAX_AGE_S = 24 * 3600.0
FIRST_DELAY_S = 2.0
MAX_DELAY_S = 3 * 3600.0
AT_ONCE = 16
"""Tries under way over all webhooks."""
REMEMBER_S = 60.0
"""A result that says nothing new is written to the record this often at most."""

Count = Callable[[str], None]


@dataclass(slots=True)
class _Hook:
    """What waits for one webhook, and how it went."""

    waiting: deque[News] = field(default_factory=deque)
    has_more: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    last: Outcome | None = None
    last_ms: int = 0
    written: Outcome | None = None
    written_at: float = float("-inf")


class Deliverer:
    """Delivers. Use on the event loop; must be closed.

    Args:
        store: Holds the webhooks.
        poster: Makes the single tries.
        count: Told how each ended: ``ok``, ``failed`` (is tried again), ``given-up``, ``dropped``.
        wall_ms: Wall clock.
        sleep: Waits so many seconds.
        jitter: A number from 0 to 1.

    """

    def __init__(
        self,
        store: Store,
        poster: Poster,
        *,
        count: Count = lambda _: None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.poster = poster
        self._store = store
        self._count = count
        self._wall_ms = wall_ms
        self._sleep = sleep
        self._jitter = jitter
        self._hooks: dict[str, _Hook] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._is_closed = False
        store.watch(self._changed)

    async def close(self) -> None:
        """End: what still waits is lost. Results are written. Idempotent."""
        self._is_closed = True
        tasks = [hook.task for hook in self._hooks.values() if hook.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for hook_id, hook in self._hooks.items():
            await self._remember(hook_id, hook, is_last=True)
        self._hooks.clear()
        await self.poster.close()

    def tell(self, item: News) -> None:
        """Queue an event for every webhook that wants it. Never waits."""
        if self._is_closed:
            return
        for record in self._store.all(Webhook):
            if _wants(record, item):
                self._queue(record.id, item)

    async def test(self, record: Webhook) -> Outcome:
        """Post an event of kind ``test`` once, now."""
        item = news("test", self._wall_ms(), record.service_id or "")
        outcome = await self._try(record, item)
        await self._note(record.id, self._hooks.setdefault(record.id, _Hook()), outcome)
        return outcome

    def current(self, record: Webhook) -> Webhook:
        """Return a record with its newest result, which may not be stored yet."""
        hook = self._hooks.get(record.id)
        if hook is None or hook.last is None:
            return record
        last = hook.last
        return replace(record, last_status=last.status, last_ms=hook.last_ms, last_error=last.error)

    # --- inside ----------------------------------------------------------------------------------

    def _changed(self, before: Record | None, after: Record | None) -> None:
        if isinstance(before, Webhook) and after is None:
            hook = self._hooks.pop(before.id, None)
            if hook is not None and hook.task is not None:
                hook.task.cancel()

    def _queue(self, hook_id: str, item: News) -> None:
        hook = self._hooks.setdefault(hook_id, _Hook())
        if len(hook.waiting) >= MAX_WAITING:
            hook.waiting.popleft()
            self._count("dropped")
        hook.waiting.append(item)
        hook.has_more.set()
        if hook.task is None:
            hook.task = asyncio.get_running_loop().create_task(self._work(hook_id, hook))

    async def _work(self, hook_id: str, hook: _Hook) -> None:
        while True:
            await hook.has_more.wait()
            while hook.waiting:
                item = hook.waiting[0]
                await self._deliver(hook_id, hook, item)
                # It may have been dropped for newer ones meanwhile.
                if hook.waiting and hook.waiting[0] is item:
                    hook.waiting.popleft()
            hook.has_more.clear()

    async def _deliver(self, hook_id: str, hook: _Hook, item: News) -> None:
        bound = FIRST_DELAY_S
        for number in range(1, MAX_TRIES + 1):
            record = self._store.get(Webhook, hook_id)
            if record is None or not record.is_enabled:
                return
            outcome = await self._try(record, item)
            await self._note(hook_id, hook, outcome)
            if outcome.is_ok:
                return
            is_late = self._wall_ms() - item.at_ms >= MAX_AGE_S * 1000
            if outcome.is_final or is_late or number == MAX_TRIES:
                break
            # Half of it is chance: receivers that come back are not met by all at once.
            await self._sleep(bound * (0.5 + 0.5 * self._jitter()))
            bound = min(MAX_DELAY_S, bound * 2)
            if not hook.waiting or hook.waiting[0] is not item:
                return  # dropped, and counted, meanwhile
        self._count("given-up")
        log.warning("webhook delivery given up", webhook=hook_id, delivery=item.id)

    async def _try(self, record: Webhook, item: News) -> Outcome:
        body = msgspec.json.encode(item)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"farhand/{__version__}",
            ID_HEADER: item.id,
            EVENT_HEADER: item.event,
            HEADER: sign(record.secret, self._wall_ms() // 1000, body),
        }
        async with self._slots:
            outcome = await self.poster.post(record.url, body, headers)
        self._count("ok" if outcome.is_ok else "failed")
        return outcome

    async def _note(self, hook_id: str, hook: _Hook, outcome: Outcome) -> None:
        hook.last, hook.last_ms = outcome, self._wall_ms()
        await self._remember(hook_id, hook)

    async def _remember(self, hook_id: str, hook: _Hook, *, is_last: bool = False) -> None:
        """Write the last result if it is news, or has not been written for a while."""
        record = self._store.get(Webhook, hook_id)
        if record is None or hook.last is None:
            return
        now = time.monotonic()
        is_known = hook.written == hook.last and now - hook.written_at < REMEMBER_S
        if is_known or (is_last and record.last_ms == hook.last_ms):
            return
        hook.written, hook.written_at = hook.last, now
        try:
            await self._store.write(Put(self.current(record)))
        except FarhandError as exc:
            # The next one will do, and until then `current` knows it.
            hook.written = None
            log.info("a webhook's result is not written yet", webhook=hook_id, code=exc.code.value)


def _wants(record: Webhook, item: News) -> bool:
    return (
        record.is_enabled
        and (not record.events or item.event in record.events)
        and record.service_id in (None, item.service_id)
    )
