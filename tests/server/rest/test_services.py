"""Services: created, listed by pages, changed, removed, and who may."""

import re

import pytest
from msgspec.structs import replace

from farhand.core.access import Access
from farhand.errors import Code
from farhand.protocol.ids import RobotId, ServiceId
from farhand.store.base import Change, Deed, Put
from farhand.store.records import Record, Robot, Room, Service, Token
from tests.server.rest.harness import Place


async def test_a_service_without_an_id_gets_one_and_the_default_rooms(here: Place) -> None:
    made = await here.ask("POST", "/v1/service", status=201)
    assert re.fullmatch(r"[0-9a-f]{32}", made["serviceId"])
    assert (made["status"], made["robotId"], made["version"]) == ("new", None, 1)
    assert len(made["token"]) == 22
    rooms = await here.ask("GET", f"/v1/service/{made['serviceId']}/room")
    assert [(r["roomId"], r["name"], r["alias"], r["type"]) for r in rooms["rooms"]] == [
        (1000, "live_stream", "Camera", "cloud_rtc"),
        (1001, "top_camera", "Front UP", "video"),
        (1002, "bottom_camera", "Front Down", "video"),
        (1003, "map", "Map", "video"),
        (1004, "conference", "VideoConf", "local_rtc"),
        (1005, "point_cloud", "PointCloud", "binary"),
        (1006, "Teleop", "Teleop", "text"),
        (1007, "other", "Other", "text"),
    ]


async def test_a_new_service_says_where_it_is(here: Place) -> None:
    made = await here.send("POST", "/v1/service", {"id": "lab"})
    assert made.url.join(made.headers["location"]).path == "/v1/service/lab"


async def test_a_removal_is_done_though_others_write_at_the_same_time(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Token(id="t", name="", digest="", role="viewer")
    access = (Access(ServiceId("site-a"), "viewer"),)
    [stored] = await here.store.write(Put(replace(token, access=access)))
    write, faster = here.store.write, [1]

    async def late(*changes: Change, deed: Deed | None = None) -> tuple[Record, ...]:
        while faster:
            faster.pop()
            await write(Put(stored))  # somebody else, between our reading and our writing
        return await write(*changes, deed=deed)

    monkeypatch.setattr(here.store, "write", late)
    await here.ask("DELETE", "/v1/service/site-a", status=204)
    kept = here.store.get(Token, "t")
    assert kept is not None
    assert kept.access == ()


async def test_an_id_is_given_once_and_must_be_one(here: Place) -> None:
    answer = await here.ask("POST", "/v1/service", {"id": "site-a"}, status=409)
    assert answer["code"] == Code.CONFLICT
    for wrong in ("health", "agent"):
        answer = await here.ask("POST", "/v1/service", {"id": wrong}, status=422)
        assert answer["code"] == Code.INVALID_ID


async def test_lists_go_by_pages_and_nothing_is_told_twice(here: Place) -> None:
    seen, cursor = [], ""
    while True:
        page = await here.ask("GET", f"/v1/service?limit=2&cursor={cursor}", status=200)
        assert page["total"] == 3
        seen += [one["serviceId"] for one in page["services"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["default", "site-a", "site-b"]
    for wrong in ("limit=0", "limit=501", "limit=x", "cursor=nonsense!"):
        await here.ask("GET", f"/v1/service?{wrong}", status=422)


async def test_only_what_somebody_may_see_is_listed_and_only_managers_get_the_token(
    here: Place,
) -> None:
    for who, sees in (("looker", ["site-a"]), ("stranger", ["site-b"]), ("enroller", [])):
        answer = await here.ask("GET", "/v1/service", by=who)
        assert [one["serviceId"] for one in answer["services"]] == sees
    assert (await here.ask("GET", "/v1/service/site-a", by="boss"))["token"] != ""
    assert (await here.ask("GET", "/v1/service/site-a", by="looker"))["token"] == ""


async def test_a_change_needs_the_version_that_was_seen_if_one_is_named(here: Place) -> None:
    first = await here.send("GET", "/v1/service/site-a")
    assert first.headers["etag"] == '"v1"'
    path, body = "/v1/service/site-a", {"name": "Site A"}
    changed = await here.send("PATCH", path, body, by="boss", if_match='"v1"')
    assert (changed.json()["name"], changed.headers["etag"]) == ("Site A", '"v2"')
    answer = await here.ask("PATCH", path, {"name": "B"}, if_match='"v1"', status=412)
    assert answer["code"] == Code.VERSION_CHANGED
    assert (await here.ask("PATCH", path, {"name": "C"}, status=200))["name"] == "C"
    assert (await here.ask("PATCH", path, {"name": None}, status=200))["name"] == ""
    await here.ask("DELETE", path, if_match='"v1"', status=412)


async def test_a_member_that_nobody_knows_is_refused_by_its_name(here: Place) -> None:
    for wrong in ({"nmae": "x"}, {"name": 5}):
        answer = await here.ask("PATCH", "/v1/service/site-a", wrong, status=422)
        [name] = wrong
        assert name in answer["title"]
        assert answer["field"] == name


async def test_who_may_see_but_not_do_is_told_so_and_others_find_nothing(here: Place) -> None:
    patch = ("PATCH", "/v1/service/site-a", {"name": "mine"})
    assert (await here.ask(*patch, by="looker", status=403))["code"] == Code.FORBIDDEN
    forbidden = await here.ask(*patch, by="stranger", status=404)
    absent = await here.ask("PATCH", "/v1/service/nowhere", {"name": "x"}, by="boss", status=404)
    assert forbidden == absent
    assert (await here.ask("POST", "/v1/service", by="boss", status=403))["code"] == Code.FORBIDDEN
    await here.ask("GET", "/v1/service/site-a", by="", status=401)


async def test_default_and_services_with_robots_online_stay(here: Place) -> None:
    assert (await here.ask("DELETE", "/v1/service/default?force=true", status=409))[
        "code"
    ] == Code.CONFLICT
    peer = here.robot("rover", "site-a")
    await here.ask("DELETE", "/v1/service/site-a", status=409)
    await here.ask("DELETE", "/v1/service/site-a?force=true", status=204)
    assert not here.context.gateway.hub.is_member(peer)
    await here.ask("GET", "/v1/service/site-a", status=404)


async def test_all_that_belongs_to_a_service_goes_with_it(here: Place) -> None:
    site = ServiceId("site-a")
    guest = Robot(service_id=site, id=RobotId("guest"), home_id=ServiceId("default"))
    own = Robot(service_id=site, id=RobotId("own"), home_id=site)
    lines = (Access(site, "viewer"), Access(ServiceId("site-b"), "viewer"))
    token = Token(id="t-1", name="", digest="", role="viewer", access=lines)
    await here.store.write(Put(guest), Put(own), Put(token))
    await here.ask("POST", "/v1/enrolment", {"serviceId": "site-a"}, status=201)
    await here.ask("DELETE", "/v1/service/site-a", status=204)
    assert here.store.get(Service, "site-a") is None
    assert not [room for room in here.store.all(Room) if room.service_id == site]
    assert [(r.service_id, r.id) for r in here.store.all(Robot)] == [("default", "guest")]
    # A service of the same id, made later, is another one.
    kept = here.store.get(Token, "t-1")
    assert kept is not None
    assert kept.access == lines[1:]
    assert (await here.ask("GET", "/v1/enrolment"))["total"] == 0


async def test_every_change_is_in_the_trail_with_who_did_it(here: Place) -> None:
    await here.ask("PATCH", "/v1/service/site-a", {"name": "A"}, by="boss", status=200)
    trail = await here.ask("GET", "/v1/audit?action=service.update")
    [entry] = trail["entries"]
    assert (entry["actor"], entry["target"], entry["result"]) == (
        "token:t-boss",
        "service:site-a",
        "ok",
    )


async def test_the_ice_servers_are_those_of_the_configuration(here: Place) -> None:
    answer = await here.ask("GET", "/v1/service/site-a/ice-servers", by="guest", status=200)
    assert answer == {"iceServers": [{"urls": ["stun:stun.example.org:3478"]}]}
