"""Deliveries: signed, at least once, in order, bounded, and to nobody inside our network."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme

from farhand.errors import ConfigError, NotAllowed
from farhand.server.webhooks import delivery
from farhand.server.webhooks.delivery import MAX_TRIES, Deliverer
from farhand.server.webhooks.news import news
from farhand.server.webhooks.posting import MAX_ANSWER_BYTES, Outcome, Poster
from farhand.server.webhooks.signing import new_secret, sign, verify
from farhand.server.webhooks.targets import Targets, parse
from farhand.store.base import Delete, Put
from farhand.store.memory import MemoryStore
from farhand.store.records import Webhook
from tests.server.ops.receiver import Receiver, receiving, status

LOOPBACK = ("127.0.0.0/8",)
SECRET = "whsec_of-the-tests"


class Rig:
    """A deliverer whose clock runs while it waits."""

    def __init__(self, allowed: tuple[str, ...] = LOOPBACK, timeout_s: float = 5.0) -> None:
        self.store = MemoryStore()
        self.counts: dict[str, int] = {}
        self.waits: list[float] = []
        self.now_ms = time.time_ns() // 1_000_000
        self.deliverer = Deliverer(
            self.store,
            Poster(Targets(allowed), timeout_s),
            count=self.count,
            wall_ms=lambda: self.now_ms,
            sleep=self.sleep,
            jitter=lambda: 1.0,
        )

    def count(self, result: str) -> None:
        self.counts[result] = self.counts.get(result, 0) + 1

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_ms += int(seconds * 1000)
        await asyncio.sleep(0)

    async def hook(self, url: str, hook_id: str = "w-1", **fields: Any) -> Webhook:
        [record] = await self.store.write(
            Put(Webhook(id=hook_id, url=url, secret=SECRET, **fields))
        )
        assert isinstance(record, Webhook)
        return record

    def tell(self, event: Any = "robot.stopped", service: str = "default", **data: Any) -> str:
        item = news(event, self.now_ms, service, "r1", **data)
        self.deliverer.tell(item)
        return item.id

    async def counted(self, result: str, count: int = 1) -> None:
        async with asyncio.timeout(20):
            while self.counts.get(result, 0) < count:  # noqa: ASYNC110 - anything may count
                await asyncio.sleep(0.005)


@asynccontextmanager
async def rig_and_receiver(**options: Any) -> AsyncIterator[tuple[Rig, Receiver]]:
    async with receiving() as receiver:
        rig = Rig(**options)
        try:
            yield rig, receiver
        finally:
            await rig.deliverer.close()


async def test_a_delivery_is_signed_and_says_what_happened() -> None:
    async with rig_and_receiver() as (rig, receiver):
        await rig.hook(receiver.url())
        item_id = rig.tell(by="ana")
        [got] = await receiver.wait_for(1)
        assert got.json == {
            "id": item_id, "event": "robot.stopped", "atMs": rig.now_ms,
            "serviceId": "default", "robotId": "r1", "data": {"by": "ana"},
        }  # fmt: skip
        assert got.headers["farhand-delivery"] == item_id
        assert got.headers["farhand-event"] == "robot.stopped"
        signature = got.headers["farhand-signature"]
        assert verify(SECRET, signature, got.body, time.time())
        assert not verify(SECRET, signature, got.body + b" ", time.time())
        assert not verify("whsec_other", signature, got.body, time.time())
        assert not verify(SECRET, signature, got.body, time.time() + 301)
        await rig.counted("ok")


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=1", "v1=00", "t=x,v1=00", "t=²,v1=0", ",,=,"])
def test_what_is_no_signature_verifies_nothing(header: str) -> None:
    assert not verify(SECRET, header, b"", 1.0)


def test_the_signature_is_that_of_the_documents() -> None:
    # printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_x
    expected = "be8cb8325f2202445260a855532f967e30ad2a9394ce28da66ee02880ddcb661"
    assert sign("whsec_x", 1_700_000_000, b"{}") == f"t=1700000000,v1={expected}"
    assert verify("whsec_x", sign("whsec_x", 1_700_000_000, b"{}"), b"{}", 1_700_000_100)
    assert new_secret() != new_secret()


async def test_what_fails_is_tried_again_with_the_same_id_in_order_and_ever_later() -> None:
    async with rig_and_receiver() as (rig, receiver):
        receiver.answers = [status(500), status(503), status(302, "Location: /x\r\n")]
        await rig.hook(receiver.url())
        first, second = rig.tell(), rig.tell()
        got = await receiver.wait_for(5)
        assert [one.headers["farhand-delivery"] for one in got] == [first] * 4 + [second]
        assert rig.waits == [2.0, 4.0, 8.0]
        assert {one.path for one in got} == {"/hook"}
        for one in got:
            assert verify(SECRET, one.headers["farhand-signature"], one.body, rig.now_ms / 1000)
        await rig.counted("ok", 2)
        assert rig.counts == {"failed": 3, "ok": 2}


async def test_a_delivery_is_given_up_after_so_many_tries_and_the_next_one_follows() -> None:
    async with rig_and_receiver() as (rig, receiver):
        receiver.answers = [status(500)] * MAX_TRIES
        await rig.hook(receiver.url())
        rig.tell()
        second = rig.tell()
        got = await receiver.wait_for(MAX_TRIES + 1)
        assert got[-1].headers["farhand-delivery"] == second
        assert rig.counts["given-up"] == 1
        assert sum(rig.waits) <= 24 * 3600


async def test_gone_is_an_answer_that_is_believed() -> None:
    async with rig_and_receiver() as (rig, receiver):
        receiver.answers = [status(410)]
        await rig.hook(receiver.url())
        rig.tell()
        await rig.counted("given-up")
        assert len(receiver.got) == 1


async def test_the_oldest_of_too_many_is_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "MAX_WAITING", 20)
    async with rig_and_receiver() as (rig, receiver):
        receiver.is_silent = True
        await rig.hook(receiver.url())
        rig.tell()
        await receiver.wait_for(1)
        ids = [rig.tell() for _ in range(29)]
        assert rig.counts["dropped"] == 10
        receiver.is_silent = False
        for writer in list(receiver.writers):
            writer.close()
        got = await receiver.wait_for(21)
        assert got[1].headers["farhand-delivery"] == ids[9]


async def test_a_receiver_that_is_down_holds_up_no_other() -> None:
    async with rig_and_receiver() as (rig, receiver), receiving() as silent:
        silent.is_silent = True
        await rig.hook(silent.url(), "w-silent")
        await rig.hook(receiver.url(), "w-good")
        rig.tell()
        await silent.wait_for(1)
        await receiver.wait_for(1)


async def test_a_webhook_gets_what_it_asked_for() -> None:
    async with rig_and_receiver() as (rig, receiver):
        await rig.hook(receiver.url("/all"), "w-all")
        await rig.hook(receiver.url("/stops"), "w-stops", events=("robot.stopped",))
        await rig.hook(receiver.url("/lab"), "w-lab", service_id="lab")
        await rig.hook(receiver.url("/off"), "w-off", is_enabled=False)
        rig.tell("robot.online")
        rig.tell("robot.stopped")
        rig.tell("robot.online", "lab")
        got = await receiver.wait_for(5)
        await rig.counted("ok", 5)
        assert sorted((one.path, one.json["event"]) for one in got) == [
            ("/all", "robot.online"), ("/all", "robot.online"), ("/all", "robot.stopped"),
            ("/lab", "robot.online"), ("/stops", "robot.stopped"),
        ]  # fmt: skip


async def test_an_answer_without_end_and_one_that_never_comes_are_failures() -> None:
    async with rig_and_receiver(timeout_s=0.2) as (rig, receiver):
        receiver.answers = [status(200, body=b"x" * (MAX_ANSWER_BYTES + 1))]
        record = await rig.hook(receiver.url())
        assert (await rig.deliverer.test(record)).error == "the answer is longer than 64 kB"
        receiver.is_silent = True
        assert (await rig.deliverer.test(record)).error == "no answer within 0.2 s"
        assert [one.json["event"] for one in receiver.got] == ["test", "test"]


async def test_the_last_result_is_shown_at_once_and_kept_in_the_record() -> None:
    async with rig_and_receiver() as (rig, receiver):
        receiver.answers = [status(500)]
        record = await rig.hook(receiver.url())
        rig.tell()
        await rig.counted("ok")
        await rig.deliverer.close()
        kept = rig.store.get(Webhook, record.id)
        assert kept is not None
        assert (kept.last_status, kept.last_error, kept.last_ms) == (204, "", rig.now_ms)


async def test_a_result_that_is_no_news_is_not_written_each_time() -> None:
    async with rig_and_receiver() as (rig, receiver):
        record = await rig.hook(receiver.url())
        for _ in range(20):
            rig.tell()
        await rig.counted("ok", 20)
        kept = rig.store.get(Webhook, record.id)
        assert kept is not None
        assert kept.version == record.version + 1


async def test_a_webhook_that_is_deleted_gets_nothing_more() -> None:
    async with rig_and_receiver() as (rig, receiver):
        await rig.hook(receiver.url("/one"), "w-1")
        await rig.hook(receiver.url("/two"), "w-2")
        await rig.store.write(Delete(Webhook, ("w-1",)))
        rig.tell()
        await rig.counted("ok")
        assert [one.path for one in receiver.got] == ["/two"]


# --- whom it may reach ---------------------------------------------------------------------------

INSIDE = [
    "http://127.0.0.1/", "http://127.8.8.8/", "http://10.1.2.3/", "http://192.168.1.1:8080/",
    "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data", "http://0.0.0.0/",
    "http://100.64.0.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://[::1]/",
    "http://[::]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://[ff02::1]/",
    "http://[fec0::1]/", "http://192.0.0.192/", "http://168.63.129.16/", "http://192.88.99.1/",
    "http://[::ffff:127.0.0.1]/", "http://[2002:7f00:1::]/", "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/", "http://[::127.0.0.1]/",
]  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
async def test_an_address_inside_is_refused(url: str) -> None:
    targets = Targets()
    with pytest.raises(NotAllowed):
        targets.check(url)
    with pytest.raises(NotAllowed):
        await targets.resolve(parse(url))


@pytest.mark.parametrize(
    "url",
    ["http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://localhost/", "http://0/"],
)
async def test_a_name_that_leads_inside_is_refused_when_it_is_resolved(url: str) -> None:
    with pytest.raises((NotAllowed, OSError)):
        await Targets().resolve(parse(url))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://x/", "http:///x", "//x", "x", "",
        "http://a@10.0.0.1/", "http://a:b@example.com/", "http://example.com:99999/",
        "http://[::1/", "http://exa mple.com/", "http://example.com/\r\nX: y",
        "http://example.com\\@10.0.0.1/", "https://example.com/" + "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        parse(url)


async def test_one_bad_address_among_good_ones_refuses_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [(socket.AF_INET, 1, 6, "", (a, 443)) for a in ("93.184.215.14", "10.0.0.1")]

    async def resolved(*_args: Any, **_options: Any) -> Any:
        return answers

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
    with pytest.raises(NotAllowed):
        await Targets().resolve(parse("https://hooks.example/"))
    assert len(await Targets(("10.0.0.0/8",)).resolve(parse("https://hooks.example/"))) == 2


async def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second answer of a hostile name server is never asked for."""
    asked = []

    async def resolved(host: str, port: int, **_options: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    async with rig_and_receiver() as (rig, receiver):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
        record = await rig.hook(receiver.url(host="hooks.invalid"))
        assert (await rig.deliverer.test(record)).is_ok
        assert asked == ["hooks.invalid"]
        assert receiver.got[0].headers["host"] == f"hooks.invalid:{receiver.port}"


async def test_without_leave_loopback_gets_nothing_and_the_result_says_why() -> None:
    async with rig_and_receiver(allowed=()) as (rig, receiver):
        record = await rig.hook(receiver.url())
        outcome = await rig.deliverer.test(record)
        assert outcome.status == 0
        assert "FH-2005" in outcome.error
        assert receiver.got == []


async def test_a_certificate_must_be_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("hooks.invalid").configure_cert(served)
    outcomes: dict[str, Outcome] = {}

    async def resolved(_host: str, port: int, **_options: Any) -> Any:
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    async with receiving(served) as receiver:
        poster = Poster(Targets(LOOPBACK), verify=trusting)
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
        for host in ("hooks.invalid", "other.invalid"):
            url = receiver.url(host=host, scheme="https")
            outcomes[host] = await poster.post(url, b"{}", {})
        await poster.close()
    assert outcomes["hooks.invalid"].is_ok
    assert "certificate" in outcomes["other.invalid"].error.lower()


def test_a_network_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        Targets(("intranet",))
