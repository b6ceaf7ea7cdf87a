"""What those try who may do something, but not this."""

from msgspec.structs import replace

from farhand.keys.signing import new_key
from farhand.protocol.ids import RobotId
from farhand.store.base import Put
from farhand.store.records import Robot
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
