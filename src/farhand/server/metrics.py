"""What Prometheus reads: counts and times of one server, in a registry of its own.

No label holds the id of a robot, person or service: their number has no bound.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farhand import __version__
from farhand.protocol.version import PROTOCOL
from farhand.server.gateway import SAMPLE

_SIGNALING_S = (2e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 0.25, 1.0)
_HTTP_S = (1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Census:
    """How much is going on now."""

    robots: int = 0
    members: Mapping[str, int] = field(default_factory=dict)
    """By role in the room."""
    sessions: Mapping[str, int] = field(default_factory=dict)
    """By state."""
    sockets: int = 0


class Metrics:
    """The figures of one server.

    Args:
        census: Asked at each scrape.

    """

    def __init__(self, census: Callable[[], Census] = Census) -> None:
        # For the whole process: when each figure began is of no use to anybody.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self.registry = CollectorRegistry()
        registry.register(_CensusCollector(census))
        build = Info("farhand_build", "Which farhand this is.", registry=registry)
        build.info({"version": __version__, "protocol": PROTOCOL})
        self.signaling_seconds = Histogram(
            "farhand_signaling_seconds",
            f"Handling one message of a socket; one of {SAMPLE} is timed.",
            buckets=_SIGNALING_S,
            registry=registry,
        )
        self.http_requests = Counter(
            "farhand_http_requests_total",
            "Answered requests by route, not by path.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.http_seconds = Histogram(
            "farhand_http_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=_HTTP_S,
            registry=registry,
        )
        self.store_write_seconds = Histogram(
            "farhand_store_write_seconds",
            "Until records or an audit entry were on disk.",
            buckets=_HTTP_S,
            registry=registry,
        )
        counted = {
            "logins": ("Logins, by result: ok or the error's code.", ("result",)),
            "lease": ("Control taken and released, as robots told.", ("event",)),
            "stops": ("Stops, by the role of who pressed; robot: by itself.", ("by",)),
            "outbox_dropped": ("Messages that gave way to newer ones.", ("class",)),
            "outbox_cut": ("Members cut since they did not read.", ()),
            "webhook_deliveries": ("Webhook deliveries by result.", ("result",)),
            "audit_entries": ("Entries of the audit trail since the start.", ()),
        }
        counters = {
            name: Counter(f"farhand_{name}_total", text, labels, registry=registry)
            for name, (text, labels) in counted.items()
        }
        self.logins = counters["logins"]
        self.lease = counters["lease"]
        self.stops = counters["stops"]
        self.outbox_dropped = counters["outbox_dropped"]
        self.outbox_cut = counters["outbox_cut"]
        self.webhook_deliveries = counters["webhook_deliveries"]
        self.audit_entries = counters["audit_entries"]

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _CensusCollector(Collector):
    def __init__(self, census: Callable[[], Census]) -> None:
        self._census = census

    def collect(self) -> Iterator[Metric]:
        now = self._census()
        yield GaugeMetricFamily("farhand_robots_online", "Robots connected.", value=now.robots)
        yield GaugeMetricFamily("farhand_sockets", "Open WebSockets.", value=now.sockets)
        yield _by("farhand_members", "Members, robots among them.", "role", now.members)
        yield _by("farhand_sessions", "Sessions of a person and a robot.", "state", now.sessions)


def _by(name: str, text: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


class Measured:
    """ASGI: counts and times requests.

    Args:
        app: The application.
        metrics: Where to.

    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500  # what the server answers if nothing is sent

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = route_of(scope)
            self._metrics.http_requests.labels(method, route, str(status)).inc()
            self._metrics.http_seconds.labels(route).observe(time.perf_counter() - started)


def route_of(scope: Scope) -> str:
    """Return the template that a request matched: ``/v1/robot/{robot_id}``."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", "")) or "none"
