"""Robots: listed by filters, named, revoked, forgotten, told what to do."""

import pytest

from farhand.core.access import Access
from farhand.errors import Code
from farhand.protocol.ids import RobotId, ServiceId
from farhand.store.base import Put
from farhand.store.records import Robot, Token
from tests.server.rest.harness import Place

SITE = ServiceId("site-a")


async def put(here: Place, robot_id: str, service: str = "site-a", **members: object) -> None:
    site = ServiceId(service)
    robot = Robot(service_id=site, id=RobotId(robot_id), home_id=site, **members)  # type: ignore[arg-type]
    await here.store.write(Put(robot))


@pytest.fixture(autouse=True)
async def robots(here: Place) -> None:
    await put(here, "arm-7", name="Arm Seven", model="UR5", tags=("hall",), groups=("arms",))
    await put(here, "arm-8", name="Arm Eight", tags=("yard",))
    await put(here, "far", "site-b")
    here.robot("rover", "site-a")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("service=site-a", ["arm-7", "arm-8", "rover"]),
        ("service=*", ["arm-7", "arm-8", "rover", "far"]),
        ("service=site-a&tag=hall", ["arm-7"]),
        ("service=site-a&group=arms", ["arm-7"]),
        ("service=site-a&q=ARM", ["arm-7", "arm-8"]),
        ("service=site-a&q=ur5", ["arm-7"]),
        ("service=site-a&online=true", ["rover"]),
        ("service=site-a&online=false", ["arm-7", "arm-8"]),
        ("", []),
    ],
)
async def test_robots_are_found_by_filters(here: Place, query: str, ids: list[str]) -> None:
    answer = await here.ask("GET", f"/v1/robot?{query}", status=200)
    assert [robot["robotId"] for robot in answer["robots"]] == ids
    assert answer["total"] == len(ids)


async def test_everybody_sees_the_robots_of_their_access_list(here: Place) -> None:
    for who, ids in (
        ("looker", ["arm-7", "arm-8", "rover"]),
        ("driver", ["rover"]),
        ("guest", ["rover"]),
        ("stranger", ["far"]),
        ("enroller", []),
    ):
        answer = await here.ask("GET", "/v1/robot?service=*", by=who, status=200)
        assert [robot["robotId"] for robot in answer["robots"]] == ids
    hidden = await here.ask("GET", "/v1/robot/arm-7?service=site-a", by="driver", status=404)
    assert hidden == await here.ask("GET", "/v1/robot/none?service=site-a", by="driver", status=404)


async def test_tags_move_a_robot_into_sight_of_those_whose_access_names_them(here: Place) -> None:
    access = (Access(SITE, "viewer", tag="hall"),)
    known = here.context.guard.known  # type: ignore[attr-defined]
    known["hall"] = type(known["looker"])("token", "t-hall", "hall", "viewer", access)
    path = "/v1/robot/arm-8?service=site-a"
    await here.ask("GET", path, by="hall", status=404)
    patch = {"tags": ["hall"], "groups": ["arms"], "name": "Eight"}
    changed = await here.ask("PATCH", path, patch, by="boss", status=200)
    assert (changed["tags"], changed["groups"], changed["name"]) == (["hall"], ["arms"], "Eight")
    await here.ask("GET", path, by="hall", status=200)
    await here.ask("PATCH", path, patch, by="hall", status=403)


async def test_a_name_that_was_given_stays_when_the_robot_comes_again(here: Place) -> None:
    path = "/v1/robot/rover?service=site-a"
    assert (await here.ask("GET", path))["name"] == "rover"
    await here.ask("PATCH", path, {"name": "Number 5"}, by="boss", status=200)
    here.robot("rover", "site-a")
    assert (await here.ask("GET", path))["name"] == "Number 5"
    await here.ask("PATCH", path, {"name": None}, by="boss", status=200)
    here.robot("rover", "site-a")
    assert (await here.ask("GET", path))["name"] == "rover"


async def test_a_robot_that_was_removed_is_gone_with_what_access_lists_say_of_it(
    here: Place,
) -> None:
    lines = (Access(SITE, "viewer", RobotId("rover")), Access(SITE, "viewer", RobotId("arm-7")))
    token = Token(id="t", name="", digest="", role="viewer", access=lines)
    await here.store.write(Put(token))
    await here.ask("DELETE", "/v1/robot/rover?service=site-a", by="driver", status=403)
    await here.ask("DELETE", "/v1/robot/rover?service=site-a", by="boss", status=204)
    assert here.context.gateway.hub.robots() == []
    kept = here.store.get(Token, "t")
    assert kept is not None
    assert kept.access == lines[1:]


async def test_a_revoked_robot_is_thrown_out(here: Place) -> None:
    path = "/v1/robot/rover/revoke?service=site-a"
    answer = await here.ask("POST", path, by="boss", status=200)
    assert (answer["revoked"], answer["online"]) == (True, False)
    trail = await here.ask("GET", "/v1/audit?action=robot.revoke&robot=rover", by="boss")
    assert [entry["actorName"] for entry in trail["entries"]] == ["boss"]


async def test_a_robot_is_told_to_join_a_room_by_those_who_may_drive_it(here: Place) -> None:
    path, body = "/v1/robot/rover/signal?service=site-a", {"action": "join-room", "room": "lobby"}
    await here.ask("POST", path, body, by="looker", status=403)
    assert (await here.ask("POST", path, body, by="driver", status=202))["id"] > 0
    offline = "/v1/robot/arm-7/signal?service=site-a"
    assert (await here.ask("POST", offline, body, status=409))["code"] == Code.WRONG_STATUS
    await here.ask("POST", path, {"action": "explode"}, status=422)


async def test_the_agent_says_its_version_and_that_it_is_no_service(here: Place) -> None:
    agent = await here.ask("GET", "/v1/robot/rover/agent?service=site-a", by="looker", status=200)
    assert (agent["state"], agent["installed"]) == ("running", False)
    for verb in ("start", "stop", "restart", "update"):
        path = f"/v1/robot/rover/agent/{verb}?service=site-a"
        answer = await here.ask("POST", path, by="boss", status=409)
        assert answer["code"] == Code.NOT_A_SERVICE_INSTALL
        await here.ask("POST", path, by="driver", status=403)
    await here.ask("POST", "/v1/robot/rover/agent/fly?service=site-a", by="boss", status=404)


async def test_an_id_that_two_services_have_must_be_told_apart(here: Place) -> None:
    await put(here, "arm-7", "site-b")
    answer = await here.ask("GET", "/v1/robot/arm-7?service=*", status=409)
    assert answer["code"] == Code.CONFLICT
    await here.ask("GET", "/v1/robot/arm-7?service=*", by="boss", status=200)
