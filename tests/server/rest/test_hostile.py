"""What those try who may do something, but not this."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from farhand.core.access import Access, Principal
from farhand.keys.signing import new_key
from farhand.protocol.ids import RobotId, ServiceId
from farhand.server.rest import reading, rights
from farhand.store.base import Put
from farhand.store.records import Robot
from tests.server.rest.conftest import PEOPLE
from tests.server.rest.harness import Place
from tests.server.rest.test_enrol import code, enrol


def key_of(here: Place, robot_id: str = "arm") -> str:
    robot = here.store.get(Robot, "site-a", RobotId(robot_id))
    assert robot is not None
    return robot.public_key


async def test_who_may_only_bring_robots_in_cannot_put_one_in_the_place_of_another(
    here: Place,
) -> None:
    own = new_key()
    await enrol(here, own, (await code(here))["code"], "arm")
    body = {"serviceId": "site-a", "robotId": "arm"}
    await here.ask("POST", "/v1/enrolment", body, by="enroller", status=403)
    assert key_of(here) == own.public


async def test_nor_bring_one_back_whose_key_was_withdrawn(here: Place) -> None:
    await enrol(here, new_key(), (await code(here))["code"], "arm")
    await here.ask("POST", "/v1/robot/arm/revoke?service=site-a", by="boss", status=200)
    body = {"serviceId": "site-a", "robotId": "arm"}
    await here.ask("POST", "/v1/enrolment", body, by="enroller", status=403)


async def test_a_code_made_ahead_does_not_take_the_id_of_a_robot_that_came_since(
    here: Place,
) -> None:
    ahead = await code(here, by="enroller", robotId="arm", ttlS=86_400)
    here.wall[0] += 60_000
    own = new_key()
    await enrol(here, own, (await code(here))["code"], "arm")
    await enrol(here, new_key(), ahead["code"], status=409)
    assert key_of(here) == own.public


async def test_who_manages_the_service_may_give_a_robot_a_new_key(here: Place) -> None:
    await enrol(here, new_key(), (await code(here))["code"], "arm")
    here.wall[0] += 60_000
    made = await code(here, by="boss", robotId="arm")
    new = new_key()
    await enrol(here, new, made["code"])
    assert key_of(here) == new.public


async def test_an_enroller_cannot_take_over_a_robot_that_is_away_from_home(here: Place) -> None:
    await enrol(here, new_key(), (await code(here))["code"], "arm")
    robot = here.store.get(Robot, "site-a", RobotId("arm"))
    assert robot is not None
    away = replace(robot, service_id="site-b", version=0)
    await here.store.write(Put(away))
    body = {"serviceId": "site-a", "robotId": "arm"}
    await here.ask("POST", "/v1/enrolment", body, by="enroller", status=403)


# --- long lists ----------------------------------------------------------------------------------

MANY = 4000


def crowd(tags: tuple[str, ...] = ()) -> list[Robot]:
    service = ServiceId("site-a")
    return [
        Robot(service_id=service, id=RobotId(f"r-{n}"), home_id=service, tags=tags)
        for n in range(MANY)
    ]


@pytest.mark.parametrize("tag", ["", "t"])
async def test_a_long_access_list_costs_no_more_for_each_robot(here: Place, tag: str) -> None:
    robots = crowd(("a", "b"))
    await here.store.write(*(Put(robot) for robot in robots))

    def cost(lines: int) -> float:
        own = (
            Access(
                ServiceId("site-a"), "viewer", None if tag else RobotId(f"r-{n}"), tag and f"t{n}"
            )
            for n in range(lines)
        )
        who = Principal("user", "u-1", "ana", "viewer", tuple(own))
        times = []
        for _ in range(5):
            began = time.perf_counter()
            seen = rights.robots(here.context, who)
            times.append(time.perf_counter() - began)
        assert len(seen) == (0 if tag else lines)
        return min(times)

    assert cost(256) < 3 * cost(1)


@pytest.mark.parametrize("by", ["admin", "boss", "driver", "looker", "guest", "enroller"])
async def test_the_robots_that_somebody_sees_are_those_on_which_they_have_a_role(
    here: Place, by: str
) -> None:
    for name, service, tags in (
        ("rover", "site-a", ()), ("arm", "site-a", ("hall",)), ("rover", "site-b", ()),
    ):  # fmt: skip
        one = ServiceId(service)
        await here.store.write(Put(Robot(service_id=one, id=RobotId(name), home_id=one, tags=tags)))
    who = PEOPLE[by]
    everyone = here.store.all(Robot)
    assert rights.robots(here.context, who) == [r for r in everyone if rights.role_on(who, r)]
    tagged = replace(
        who, role="viewer", access=(Access(ServiceId("site-a"), "viewer", None, "hall"),)
    )
    assert [robot.id for robot in rights.robots(here.context, tagged)] == ["arm"]


async def test_a_list_without_pages_lets_others_have_their_turn(here: Place) -> None:
    await here.store.write(*(Put(robot) for robot in crowd()))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(count())
    status, listed = await here.documented("GET", "/v1/robot")
    others.cancel()
    assert (status, len(listed["robots"])) == (200, MANY)
    alone = turns
    turns = 0
    others = asyncio.create_task(count())
    await here.documented("GET", "/v1/robot?limit=1")
    others.cancel()
    assert alone > turns + 3


# --- what others are not told --------------------------------------------------------------------


async def started(here: Place) -> None:
    await enrol(here, new_key(), (await code(here))["code"], "arm")
    here.robot("arm", "site-a")
    await here.ask("POST", "/v1/robot/arm/site-a/start", {"username": "kim"}, by="boss", status=200)


@pytest.mark.parametrize(
    ("by", "shown"),
    [
        ("boss", ("arm", "kim")),
        ("looker", ("arm", "kim")),
        ("driver", (None, "")),
        ("guest", (None, "")),
    ],
)
async def test_which_robot_was_started_and_by_whom_is_for_those_who_see_it(
    here: Place, by: str, shown: tuple[str | None, str]
) -> None:
    await started(here)
    one = await here.ask("GET", "/v1/service/site-a", by=by, status=200)
    [listed] = (await here.ask("GET", "/v1/service", by=by, status=200))["services"]
    assert (one["robotId"], one["controlName"]) == shown
    assert (listed["robotId"], listed["controlName"]) == shown
    status, documented = await here.documented("GET", "/v1/service/site-a", by=by)
    assert (status, documented["user_id"]) == (200, shown[0] or "")


# --- slow bodies ---------------------------------------------------------------------------------


async def test_a_body_that_does_not_end_holds_no_socket(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BODY_S", 0.05)
    never = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    async with asyncio.timeout(5):
        answer = await here.http.post("/v1/service", content=parts())
    assert answer.status_code == 408
