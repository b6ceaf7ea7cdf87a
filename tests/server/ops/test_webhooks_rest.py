"""Webhooks are managed by admins; the secret is shown once."""

from typing import Any

import pytest

from farhand.server.webhooks.signing import verify
from farhand.store.base import AuditQuery, Deed
from farhand.store.records import Webhook
from tests.server.ops.receiver import receiving, status
from tests.server.ops.rest_rig import Rig, rig

URL = "https://ops.example/hook"


async def create(made: Rig, **body: Any) -> dict[str, Any]:
    answer = await made.ask("admin", "POST", "/v1/webhook", json={"url": URL, **body})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"v1"'
    created: dict[str, Any] = answer.json()
    return created


async def test_a_webhook_is_made_read_changed_and_removed() -> None:
    async with rig() as made:
        new = await create(made, events=["robot.stopped"], serviceId="lab")
        secret = new.pop("secret")
        path = f"/v1/webhook/{new['webhookId']}"
        assert (await made.ask("admin", "GET", path)).json() == new
        listing = (await made.ask("admin", "GET", "/v1/webhook")).json()
        assert (listing["webhooks"], listing["total"]) == ([new], 1)
        changed = await made.ask(
            "admin", "PATCH", path,
            json={"isEnabled": False, "events": None}, headers={"If-Match": '"v1"'},
        )  # fmt: skip
        assert changed.status_code == 200
        assert changed.json()["isEnabled"] is False
        assert changed.json()["events"] == []
        again = await made.ask("admin", "PATCH", path, json={}, headers={"If-Match": '"v1"'})
        assert (again.status_code, again.json()["code"]) == (412, "FH-3027")
        assert (await made.ask("admin", "DELETE", path)).status_code == 204
        assert (await made.ask("admin", "GET", path)).status_code == 404
        entries = await made.store.audit_entries(AuditQuery())
        actions = [one.action for one in entries]
        assert actions == ["webhook.create", "webhook.update", "webhook.delete"]
        assert secret not in repr(entries)


@pytest.mark.parametrize("who", ["driver", "manager", "program", "guest"])
async def test_nobody_but_an_admin_knows_of_webhooks(who: str) -> None:
    async with rig() as made:
        path = f"/v1/webhook/{(await create(made))['webhookId']}"
        for method, target in (
            ("GET", "/v1/webhook"), ("POST", "/v1/webhook"), ("GET", path), ("PATCH", path),
            ("DELETE", path), ("POST", f"{path}/test"), ("GET", "/v1/webhook/none"),
        ):  # fmt: skip
            body = {"json": {"url": URL}} if target == "/v1/webhook" and method == "POST" else {}
            assert (await made.ask(who, method, target, **body)).status_code == 403, target


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://127.0.0.1/"}, {"url": "http://169.254.169.254/"}, {"url": "ftp://x/"},
        {"url": ""}, {"url": "https://u:p@ops.example/"}, {}, {"url": URL, "events": ["nothing"]},
        {"url": URL, "secret": "mine"},
    ],
)  # fmt: skip
async def test_what_cannot_be_posted_to_is_refused(body: dict[str, Any]) -> None:
    async with rig() as made:
        answer = await made.ask("admin", "POST", "/v1/webhook", json=body)
        assert answer.status_code == 422
        assert answer.json()["code"] in {"FH-2005", "FH-3001"}
        kept = await create(made)
        if "url" in body:
            path = f"/v1/webhook/{kept['webhookId']}"
            changed = await made.ask("admin", "PATCH", path, json=body)
            assert changed.status_code == 422
    assert [one.url for one in made.memory.all(Webhook)] == [URL]


async def test_a_test_says_how_it_went_and_the_record_shows_it() -> None:
    async with rig(webhook_networks=("127.0.0.0/8",)) as made, receiving() as receiver:
        new = await create(made, url=receiver.url())
        path = f"/v1/webhook/{new['webhookId']}"
        receiver.answers = [status(500)]
        for result in ({"status": 500, "error": "answered 500"}, {"status": 204, "error": ""}):
            assert (await made.ask("admin", "POST", f"{path}/test")).json() == result
            shown = (await made.ask("admin", "GET", path)).json()
            assert (shown["lastStatus"], shown["lastError"]) == tuple(result.values())
            assert shown["lastMs"] > new["createdMs"] - 1
        entries = await made.store.audit_entries(AuditQuery(action="webhook.test"))
        assert [entry.target for entry in entries] == [f"webhook:{new['webhookId']}"] * 2
        for got in receiver.got:
            signature = got.headers["farhand-signature"]
            assert verify(new["secret"], signature, got.body, got.json["atMs"] / 1000)


async def test_an_enrolment_is_told() -> None:
    async with rig(webhook_networks=("127.0.0.0/8",)) as made, receiving() as receiver:
        await create(made, url=receiver.url(), events=["robot.enrolled"])
        refused = Deed("robot:", "", "robot.enrol", "FH-2107", "default", "r1")
        await made.store.audit(refused)
        await made.store.audit(Deed("robot:", "", "robot.enrol", "ok", "default", "r2"))
        [got] = await receiver.wait_for(1)
        assert (got.json["event"], got.json["robotId"]) == ("robot.enrolled", "r2")
