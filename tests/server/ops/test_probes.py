"""Figures, liveness and readiness."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from farhand import __version__
from farhand.core.access import OPEN
from farhand.core.member import Noticed
from farhand.errors import Code, StoreError
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId
from farhand.server import probes
from farhand.server.metrics import CONTENT_TYPE
from farhand.store.base import Deed, Put
from farhand.store.records import Robot, Token
from tests.server.ops.rest_rig import R1, Rig, rig

FAMILIES = {
    "farhand_build_info",
    "farhand_robots_online",
    "farhand_members",
    "farhand_sessions",
    "farhand_sockets",
    "farhand_signaling_seconds",
    "farhand_http_requests",
    "farhand_http_seconds",
    "farhand_logins",
    "farhand_lease",
    "farhand_stops",
    "farhand_outbox_dropped",
    "farhand_outbox_cut",
    "farhand_store_write_seconds",
    "farhand_webhook_deliveries",
    "farhand_audit_entries",
}
"""As the parser names them: a counter without its `_total`."""


async def scrape(made: Rig) -> tuple[set[str], list[Sample]]:
    answer = await made.ask("admin", "GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    families = list(text_string_to_metric_families(answer.text))
    return {one.name for one in families}, [s for one in families for s in one.samples]


def value(samples: list[Sample], name: str, **labels: str) -> float:
    [found] = [one.value for one in samples if one.name == name and one.labels == labels]
    return found


async def test_every_figure_is_there_with_its_name() -> None:
    async with rig() as made:
        families, samples = await scrape(made)
    assert families == FAMILIES
    assert all(name.startswith("farhand_") for name in families), "a registry of its own"
    assert value(samples, "farhand_build_info", version=__version__, protocol="1.0") == 1


async def test_figures_follow_what_happens() -> None:
    async with rig() as made:
        gateway = made.gateway
        ana = m.Member(MemberId("m1"), "operator", "ana")
        gateway.on_event(DEFAULT_SERVICE, R1, m.Event("stopped", "n-1", ana))
        gateway.on_event(DEFAULT_SERVICE, R1, m.Event("control-taken", "n-2", ana))
        gateway.on_timed(0.001)
        gateway.on_dropped(3, 2)
        gateway.on_cut()
        await made.store.audit(Deed("user:u", "", "login"))
        await made.store.audit(Deed("user:u", "", "login.code", "FH-2108"))
        await made.store.audit(Deed("user:u", "", "logout"))
        _, samples = await scrape(made)
        for name, labels, expected in (
            ("farhand_stops_total", {"by": "operator"}, 1),
            ("farhand_lease_total", {"event": "taken"}, 1),
            ("farhand_signaling_seconds_count", {}, 1),
            ("farhand_outbox_dropped_total", {"class": "state"}, 3),
            ("farhand_outbox_dropped_total", {"class": "log"}, 2),
            ("farhand_outbox_cut_total", {}, 1),
            ("farhand_logins_total", {"result": "ok"}, 1),
            ("farhand_logins_total", {"result": "FH-2108"}, 1),
            ("farhand_audit_entries_total", {}, 3),
            ("farhand_store_write_seconds_count", {}, 4),  # the rig's own write
        ):
            assert value(samples, name, **labels) == expected, name


async def test_requests_are_counted_by_route_and_no_label_names_a_robot() -> None:
    async with rig() as made:
        for path in ("/v1/robot/r1/status", "/v1/robot/r2/status", "/v1/robot/x/status"):
            await made.ask("admin", "GET", path)
        await made.ask("admin", "GET", "/nothing/here")
        await made.ask("admin", "PURGE", "/nothing/here")
        await made.ask("", "GET", "/v1/event")
        gateway = made.gateway
        gateway.on_event(DEFAULT_SERVICE, R1, m.Event("stopped", "n-1"))
        gateway.on_notice(Noticed("stop", DEFAULT_SERVICE, OPEN, R1))
        _, samples = await scrape(made)
    name = "farhand_http_requests_total"
    route = "/v1/robot/{robot_id}/status"
    assert value(samples, name, method="GET", route=route, status="200") == 2
    assert value(samples, name, method="GET", route=route, status="404") == 1
    assert value(samples, name, method="GET", route="/v1/event", status="401") == 1
    assert value(samples, name, method="GET", route="none", status="404") == 1
    assert value(samples, name, method="other", route="none", status="404") == 1
    assert value(samples, "farhand_http_seconds_count", route=route) == 3
    labels = {text for one in samples for text in one.labels.values()}
    assert not labels & {"r1", "r2", "x", DEFAULT_SERVICE}


@pytest.mark.parametrize(
    ("who", "status"),
    [("admin", 200), ("program", 200), ("driver", 403), ("guest", 403), ("", 401)],
)
async def test_figures_are_for_admins_and_programs(who: str, status: int) -> None:
    async with rig() as made:
        assert (await made.ask(who, "GET", "/metrics")).status_code == status


async def test_a_program_of_this_machine_needs_no_token_but_a_proxy_on_it_does() -> None:
    async with rig() as made:
        for address in ("127.0.0.1", "::1"):
            async with made.client_from(address) as here:
                assert (await here.get("/metrics")).status_code == 200
                for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
                    passed_on = await here.get("/metrics", headers={name: "127.0.0.1"})
                    assert passed_on.status_code == 401, name


async def test_the_process_lives_whatever_the_store_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "STORE_TIMEOUT_S", 0.05)

    async def refuses(_query: Any) -> Any:
        raise StoreError(Code.STORE_UNREACHABLE, "No.")

    async def hangs(_query: Any) -> Any:
        await asyncio.Event().wait()

    async with rig() as made:
        answer = await made.ask("", "GET", "/readyz")
        assert (answer.status_code, answer.text) == (200, "ok\n")
        broken: list[Callable[[Any], Any]] = [refuses, hangs]
        for fault in broken:
            with monkeypatch.context() as patch:
                patch.setattr(made.memory, "audit_entries", fault)
                answer = await made.ask("", "GET", "/readyz")
                assert answer.status_code == 503
                assert answer.json()["code"] == "FH-8001"
                assert (await made.ask("", "GET", "/healthz")).text == "ok\n"
        assert (await made.ask("", "GET", "/readyz")).status_code == 200


async def test_a_server_that_drains_is_not_ready_but_lives() -> None:
    async with rig() as made:
        made.gateway.drain()
        answer = await made.ask("", "GET", "/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "FH-3018")
        assert (await made.ask("", "GET", "/healthz")).status_code == 200


async def test_the_metered_store_passes_everything_on() -> None:
    async with rig() as made:
        seen: list[object] = []
        made.store.watch(lambda _, after: seen.append(after))
        robot = Robot(service_id=DEFAULT_SERVICE, id=R1, home_id=DEFAULT_SERVICE)
        token = Token(id="t", name="", digest="", role="viewer")
        await made.store.write(Put(robot, force=True), Put(token))
        assert made.store.get(Robot, DEFAULT_SERVICE, R1) is made.memory.get(
            Robot, DEFAULT_SERVICE, R1
        )
        assert made.store.all(Token) == made.memory.all(Token)
        assert made.store.has_service(DEFAULT_SERVICE)
        assert len(seen) == 2
