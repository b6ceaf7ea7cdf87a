"""Starting a robot into a service and stopping it (dialects.md 3.3)."""

from farhand.errors import Code
from farhand.protocol.ids import RobotId
from farhand.store.records import Robot, Service
from tests.server.rest.harness import Place


async def start(here: Place, service: str, by: str = "admin", status: int = 200) -> dict[str, str]:
    path = f"/v1/robot/rover/{service}/start"
    answer: dict[str, str] = await here.ask("POST", path, {"username": "ana"}, by=by, status=status)
    return answer


def where(here: Place, robot_id: str = "rover") -> list[str]:
    return [robot.service_id for robot in here.store.all(Robot) if robot.id == robot_id]


async def test_a_started_robot_is_sent_to_the_service_and_comes_back_there(here: Place) -> None:
    peer = here.robot("rover", "default", "gripper_cam", "top_camera")
    made = await start(here, "site-a")
    assert (made["status"], made["robotId"], made["controlName"]) == ("active", "rover", "ana")
    assert where(here) == ["site-a"]
    assert not here.context.gateway.hub.is_member(peer)
    here.robot("rover", "default", "gripper_cam", "top_camera")  # it dials what it always dials
    [online] = here.context.gateway.hub.robots()
    assert online.service_id == "site-a"
    assert where(here) == ["site-a"]


async def test_each_camera_gets_a_room_unless_it_has_one(here: Place) -> None:
    here.robot("rover", "default", "gripper_cam", "top_camera")
    await start(here, "site-a")
    rooms = (await here.ask("GET", "/v1/service/site-a/rooms"))["rooms"]
    assert [(r["roomId"], r["name"], r["type"]) for r in rooms[8:]] == [
        (1008, "gripper_cam", "video")
    ]


async def test_a_service_that_is_active_already_is_returned_as_it_is(here: Place) -> None:
    here.robot()
    first = await start(here, "site-a")
    assert await start(here, "site-a") == first


async def test_a_robot_must_be_online(here: Place) -> None:
    here.gone(here.robot())
    assert (await start(here, "site-a", status=409))["code"] == Code.WRONG_STATUS


async def test_a_service_of_another_robot_is_refused(here: Place) -> None:
    here.robot("rover")
    here.robot("other")
    await here.ask("POST", "/v1/robot/other/site-a/start", status=200)
    assert (await start(here, "site-a", status=409))["code"] == Code.CONFLICT
    assert where(here) == ["default"]


async def test_the_service_that_a_robot_is_taken_from_is_removed(here: Place) -> None:
    here.robot()
    await start(here, "site-a")
    here.robot()
    await start(here, "site-b")
    assert here.store.get(Service, "site-a") is None
    assert where(here) == ["site-b"]


async def test_a_service_that_others_belong_to_stays(here: Place) -> None:
    here.robot("rover")
    await start(here, "site-a")
    here.robot("rover")
    here.gone(here.robot("native", "site-a"))
    await start(here, "site-b")
    left = here.store.get(Service, "site-a")
    assert left is not None
    assert (left.status, left.robot_id) == ("inactive", None)


async def test_a_stopped_robot_returns_to_where_it_belongs(here: Place) -> None:
    here.robot()
    await start(here, "site-a")
    here.robot()
    path = "/v1/robot/rover/site-a/stop"
    idle = await here.ask("POST", path, status=200)
    assert (idle["status"], idle["robotId"], idle["controlName"]) == ("inactive", None, "")
    assert where(here) == ["default"]
    assert here.context.gateway.hub.robots() == []
    await here.ask("POST", path, status=404)  # it is no longer there


async def test_only_what_is_active_can_be_stopped(here: Place) -> None:
    here.robot("rover", "site-a")
    answer = await here.ask("POST", "/v1/robot/rover/site-a/stop", status=409)
    assert answer["code"] == Code.WRONG_STATUS


async def test_a_driver_starts_a_robot_where_it_is_but_moves_none(here: Place) -> None:
    here.robot("rover", "site-a")
    assert (await start(here, "site-a", by="driver"))["status"] == "active"
    await start(here, "site-b", by="driver", status=404)
    await start(here, "site-a", by="looker", status=403)
    await here.ask("POST", "/v1/robot/rover/site-a/stop", by="looker", status=403)
    await here.ask("POST", "/v1/robot/rover/site-a/stop", by="driver", status=200)


async def test_a_robot_of_the_same_id_is_never_overwritten(here: Place) -> None:
    here.robot("rover", "default")
    here.gone(here.robot("rover", "site-a"))
    before = here.store.get(Robot, "site-a", RobotId("rover"))
    path = "/v1/robot/rover/site-a/start?service=default"
    answer = await here.ask("POST", path, status=409)
    assert answer["code"] == Code.CONFLICT
    assert here.store.get(Robot, "site-a", RobotId("rover")) == before
