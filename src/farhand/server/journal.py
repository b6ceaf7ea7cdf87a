"""Keeps what passes the gateway: samples of status, events, and the audit trail's entries.

Tells the figures and the webhooks of it too. Everything here is called between two messages on
sockets, so nothing waits: the history has a queue of its own, and deeds stand in one here.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable

import msgspec
import structlog

from farhand.core.access import Principal
from farhand.core.member import Noticed
from farhand.errors import StoreError
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.metrics import Metrics
from farhand.server.webhooks.news import News, WebhookEvent, news
from farhand.store.base import Deed, Store
from farhand.store.history import History

log = structlog.get_logger(__name__)

LOW_PERCENT = 20.0
"""Battery below which `battery.low` is told, once."""
REARM_PERCENT = 22.0
"""It may be told again after the battery was above this: a charge that wavers is one event."""
MAX_DEEDS = 10_000
"""Entries that wait for the store; then the oldest is lost, and the log says so."""
RETRY_S = 1.0
LAST_WORDS_S = 3.0
"""So long the end waits for entries to be written."""
MAX_ROBOTS = 20_000
"""Robots that are remembered: those online, and those that went with a low battery."""
_SEEN_IDS = 64
"""Ids of a robot's last events: copies of one are kept once."""
_TOLD: dict[str, WebhookEvent] = {"stopped": "robot.stopped", "control-taken": "control.taken"}
_LEASE = frozenset({"control-taken", "control-released"})

RobotKey = tuple[ServiceId, RobotId]


class _Robot:
    """What the journal remembers of a robot."""

    __slots__ = ("ids", "is_low")

    def __init__(self) -> None:
        self.is_low = False
        self.ids: OrderedDict[str, None] = OrderedDict()

    def knows(self, event_id: str) -> bool:
        """Say whether an event has come before, and remember it."""
        if not event_id:
            return False
        if event_id in self.ids:
            return True
        self.ids[event_id] = None
        if len(self.ids) > _SEEN_IDS:
            self.ids.popitem(last=False)
        return False


class Journal:
    """The hooks of a gateway. Use on the event loop, inside :meth:`running`.

    Args:
        history: Keeps samples and events.
        store: Keeps the audit trail.
        metrics: Counts.
        tell: Takes what webhooks may want.
        wall_ms: Wall clock.

    """

    def __init__(
        self,
        history: History,
        store: Store,
        metrics: Metrics,
        tell: Callable[[News], None],
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._history = history
        self._store = store
        self._metrics = metrics
        self._tell = tell
        self._wall_ms = wall_ms
        self._robots: dict[RobotKey, _Robot] = {}
        self._deeds: deque[Deed] = deque()
        self._has_deeds = asyncio.Event()
        self._is_ending = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write deeds until the block ends; what waits then is written too, within 3 s."""
        worker = asyncio.create_task(self._work())
        try:
            yield
        finally:
            self._is_ending = True
            self._has_deeds.set()
            # Not cancelled at once: an entry half written would be written twice.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await worker
            if self._deeds:
                log.error("audit entries lost", entries=len(self._deeds))

    # --- hooks of the gateway --------------------------------------------------------------------

    def status(self, service_id: ServiceId, robot_id: RobotId, status: m.Status) -> None:
        """Keep a robot's status (the history takes one a second); look at the battery."""
        if status.battery is not None:
            self._battery(service_id, robot_id, status.battery.percent)
        data = msgspec.json.encode(status)
        self._history.add_status(service_id, robot_id, self._wall_ms(), data)

    def event(self, service_id: ServiceId, robot_id: RobotId, event: m.Event) -> None:
        """Keep what a robot told."""
        if self._robot(service_id, robot_id).knows(event.id):
            return
        now = self._wall_ms()
        kept = msgspec.structs.replace(event, robot_id=robot_id)
        self._history.add_event(service_id, robot_id, event.kind, now, msgspec.json.encode(kept))
        if event.kind in _LEASE:
            self._metrics.lease.labels(event.kind.removeprefix("control-")).inc()
        elif event.kind == "stopped":
            self._metrics.stops.labels(event.member.role if event.member else "robot").inc()
        told = _TOLD.get(event.kind)
        if told is not None:
            who = {"by": event.member.name, "role": event.member.role} if event.member else {}
            self._tell(news(told, now, service_id, robot_id, **who))

    def presence(
        self, service_id: ServiceId, robot_id: RobotId, *, is_online: bool, reason: str = ""
    ) -> None:
        """Keep that a robot came, or went and why."""
        now = self._wall_ms()
        kind: m.EventKind = "robot-online" if is_online else "robot-offline"
        event = m.Event(kind, robot_id=robot_id, text=reason)
        self._history.add_event(service_id, robot_id, kind, now, msgspec.json.encode(event))
        told: WebhookEvent = "robot.online" if is_online else "robot.offline"
        self._tell(news(told, now, service_id, robot_id, **({"reason": reason} if reason else {})))
        known = self._robots.get((service_id, robot_id))
        if not is_online and known is not None and not known.is_low:
            del self._robots[service_id, robot_id]

    def notice(self, noticed: Noticed) -> None:
        """Put what the hub noticed into the audit trail."""
        self.note(deed_of(noticed))

    def note(self, deed: Deed) -> None:
        """Put ``deed`` into the audit trail, soon."""
        if len(self._deeds) >= MAX_DEEDS:
            self._deeds.popleft()
            log.error("audit entries lost", entries=1)
        self._deeds.append(deed)
        self._has_deeds.set()

    # --- inside ----------------------------------------------------------------------------------

    def _robot(self, service_id: ServiceId, robot_id: RobotId) -> _Robot:
        robot = self._robots.get((service_id, robot_id))
        if robot is None:
            if len(self._robots) >= MAX_ROBOTS:
                del self._robots[next(iter(self._robots))]
            robot = self._robots[service_id, robot_id] = _Robot()
        return robot

    def _battery(self, service_id: ServiceId, robot_id: RobotId, percent: float) -> None:
        robot = self._robot(service_id, robot_id)
        if percent < LOW_PERCENT and not robot.is_low:
            robot.is_low = True
            now = self._wall_ms()
            self._tell(news("battery.low", now, service_id, robot_id, percent=round(percent, 1)))
        elif percent > REARM_PERCENT:
            robot.is_low = False

    async def _work(self) -> None:
        while not (self._is_ending and not self._deeds):
            await self._has_deeds.wait()
            await self._write()

    async def _write(self) -> None:
        while self._deeds:
            deed = self._deeds[0]
            try:
                await self._store.audit(deed)
            except StoreError as exc:
                log.warning("the audit trail waits for the store", code=exc.code.value)
                await asyncio.sleep(RETRY_S)
                continue
            # Many more may have come and pushed it out meanwhile.
            if self._deeds and self._deeds[0] is deed:
                self._deeds.popleft()
        self._has_deeds.clear()


def deed_of(noticed: Noticed) -> Deed:
    """Return the audit entry for what the hub noticed."""
    actor, name = _actor(noticed.principal, noticed.member)
    return Deed(
        actor=actor,
        actor_name=name,
        action=noticed.action,
        result=noticed.result,
        service_id=noticed.service_id,
        robot_id=noticed.robot_id or "",
        target=noticed.target,
        detail=dict(noticed.detail),
    )


def _actor(principal: Principal | None, member: m.Member | None) -> tuple[str, str]:
    name = member.name if member is not None else ""
    if principal is not None and principal.kind != "open":
        return f"{principal.kind}:{principal.id}", principal.name or name
    # Without accounts a member is only who they said they are.
    return (f"member:{member.id}", name) if member is not None else ("server", "")
