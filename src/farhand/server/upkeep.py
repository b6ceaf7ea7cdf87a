"""Puts together what those who run a server need: figures, journal, webhooks, TLS, proxies."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter
from starlette.middleware import Middleware

from farhand.protocol.ids import RobotId, ServiceId
from farhand.server import probes
from farhand.server.context import Context
from farhand.server.gateway import Gateway
from farhand.server.journal import Journal
from farhand.server.metered_store import MeteredStore
from farhand.server.metrics import Census, Measured, Metrics
from farhand.server.proxies import Front, Proxies, hosts_of
from farhand.server.rest import history as history_routes
from farhand.server.rest import webhooks as webhook_routes
from farhand.server.rest.operation import Operations
from farhand.server.settings import ServerSettings
from farhand.server.tls import certificate
from farhand.server.webhooks.delivery import Deliverer
from farhand.server.webhooks.news import news
from farhand.server.webhooks.posting import Poster
from farhand.server.webhooks.targets import Targets
from farhand.store.base import Deed, Store
from farhand.store.history import History

ENROLLED = frozenset({"robot.enrol", "enrolment.approve"})
"""Deeds after which a robot is enrolled."""


class Upkeep:
    """The operational side of one server.

    Args:
        settings: Of the server.
        store: The records.
        history: Samples and events; opened and closed in :meth:`parts`, after and before the
            store.

    Raises:
        ConfigError: FH-1001 a setting that is no network, FH-1006 an unusable certificate.

    """

    def __init__(self, settings: ServerSettings, store: Store, history: History) -> None:
        self._settings = settings
        self._history = history
        self._gateway: Gateway | None = None
        self.metrics = Metrics(self._census)
        self.store = MeteredStore(store, self.metrics, self._done)
        """To be used in place of ``store``."""
        self.proxies = Proxies(settings.trusted_proxies)
        self.hosts = hosts_of(
            is_open=not settings.has_accounts,
            host=settings.host,
            public_url=settings.public_url,
            origins=settings.origins,
        )
        self.certificate = certificate(settings.tls_cert, settings.tls_key)
        """``None``: no TLS of our own."""
        self.deliverer = Deliverer(
            self.store,
            Poster(Targets(settings.webhook_networks)),
            count=lambda result: self.metrics.webhook_deliveries.labels(result).inc(),
        )
        self.journal = Journal(history, self.store, self.metrics, self.deliverer.tell)

    def attach(self, gateway: Gateway) -> None:
        """Listen to what passes ``gateway``."""
        self._gateway = gateway
        journal, metrics = self.journal, self.metrics
        gateway.on_status = journal.status
        gateway.on_event = journal.event
        gateway.on_notice = journal.notice
        gateway.on_presence = self._presence
        gateway.on_timed = metrics.signaling_seconds.observe
        gateway.on_cut = metrics.outbox_cut.inc
        gateway.on_dropped = self._dropped

    @property
    def parts(self) -> list[Callable[[], AbstractAsyncContextManager[None]]]:
        """What runs while the server does, for `make_app`."""
        return [self._running]

    @property
    def middleware(self) -> list[Middleware]:
        """What stands before the application, outermost first."""
        root_path = self._settings.root_path
        front = Middleware(Front, proxies=self.proxies, hosts=self.hosts, root_path=root_path)
        return [Middleware(Measured, metrics=self.metrics), front]

    def routers(self, context: Context) -> list[APIRouter]:
        """Return the routes of probes and figures; those of REST are in :meth:`add_to`."""
        return [probes.router(context, self.metrics, lambda: context.gateway.is_draining)]

    def add_to(self, api: Operations) -> None:
        """Register the operations of history and webhooks."""
        history_routes.add_to(api, self._history)
        webhook_routes.add_to(api, self.deliverer)

    # --- inside ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        await self._history.open()
        watch = None if self.certificate is None else asyncio.create_task(self.certificate.watch())
        try:
            async with self.journal.running():
                yield
        finally:
            if watch is not None:
                watch.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch
            await self.deliverer.close()
            await self._history.close()

    def _census(self) -> Census:
        gateway = self._gateway
        if gateway is None:
            return Census()
        hub = gateway.hub
        return Census(
            robots=hub.counts.robots,
            members=Counter(str(one.member.role) for one in hub.members()),
            sessions=Counter(one.state for one in hub.sessions()),
            sockets=gateway.sockets,
        )

    def _presence(
        self, service_id: ServiceId, robot_id: RobotId, is_online: bool, reason: str
    ) -> None:
        self.journal.presence(service_id, robot_id, is_online=is_online, reason=reason)

    def _dropped(self, states: int, logs: int) -> None:
        self.metrics.outbox_dropped.labels("state").inc(states)
        self.metrics.outbox_dropped.labels("log").inc(logs)

    def _done(self, deed: Deed) -> None:
        if deed.action in ENROLLED and deed.result == "ok" and deed.robot_id:
            now = time.time_ns() // 1_000_000
            self.deliverer.tell(news("robot.enrolled", now, deed.service_id, deed.robot_id))
