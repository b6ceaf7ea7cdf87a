"""The trail: by pages, as NDJSON, and whether it is whole."""

import json

from msgspec.structs import replace

from farhand.store.base import Deed
from farhand.store.memory import MemoryStore
from tests.server.rest.harness import Place


async def fill(here: Place, count: int) -> None:
    for n in range(count):
        await here.store.audit(Deed("user:u-1", "ana", f"test.{n}", service_id="site-a"))


async def test_the_trail_is_read_page_by_page(here: Place) -> None:
    await fill(here, 7)
    seen, query = [], "action=test&limit=3"
    while True:
        page = await here.ask("GET", f"/v1/audit?{query}", status=200)
        seen += [entry["action"] for entry in page["entries"]]
        if page["next"] is None:
            break
        query = f"action=test&limit=3&cursor={page['next']}"
    assert seen == [f"test.{n}" for n in range(7)]
    last = await here.ask("GET", "/v1/audit?action=test&limit=2&newest=true")
    assert [entry["action"] for entry in last["entries"]] == ["test.5", "test.6"]


async def test_all_of_it_comes_as_ndjson(here: Place) -> None:
    await fill(here, 1500)  # more than one batch
    answer = await here.send("GET", "/v1/audit?action=test&format=ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["action"] for line in lines] == [f"test.{n}" for n in range(1500)]
    assert lines[1]["previous"] == lines[0]["digest"]
    few = await here.send("GET", f"/v1/audit?format=ndjson&limit=5&after={lines[9]['seq']}")
    assert len(few.text.splitlines()) == 5


async def test_managers_read_what_was_done_in_their_services_and_others_nothing(
    here: Place,
) -> None:
    await here.ask("PATCH", "/v1/service/site-b", {"name": "B"}, by="stranger", status=200)
    for who, service in (("boss", "site-a"), ("stranger", "site-b")):
        entries = (await here.ask("GET", "/v1/audit", by=who, status=200))["entries"]
        assert {entry["serviceId"] for entry in entries} == {service}
        text = (await here.send("GET", "/v1/audit?format=ndjson", by=who)).text
        assert {json.loads(line)["serviceId"] for line in text.splitlines()} == {service}
    await here.ask("GET", "/v1/audit", by="looker", status=403)
    await here.ask("GET", "/v1/audit?service=site-b", by="boss", status=404)
    await here.ask("GET", "/v1/audit/verify", by="boss", status=403)


async def test_a_changed_entry_is_found(here: Place) -> None:
    await fill(here, 20)
    whole = await here.ask("GET", "/v1/audit/verify", status=200)
    assert (whole["ok"], whole["brokenAt"]) == (True, None)
    assert isinstance(here.store, MemoryStore)
    trail = here.store._trail
    trail[9] = replace(trail[9], actor_name="somebody else")
    broken = await here.ask("GET", "/v1/audit/verify", status=200)
    assert broken == {"ok": False, "entries": 9, "brokenAt": 10}
