"""The documented dialect (dialects.md 3.3), row by row of the tables in docs/rest.md."""

import json
from typing import Any

import pytest

from tests.server.rest.harness import Place

NOW = "2026-01-01 00:00:00"
SITE = "/v1/service/site-a"


@pytest.mark.parametrize(
    ("headers", "query", "is_documented"),
    [
        ({"authorization": "Bearer admin"}, "", False),
        ({"x-auth-token": "admin"}, "", True),
        ({"authKey": "x", "authorization": "Bearer admin"}, "", True),
        ({"x-auth-token": "admin", "authorization": "Bearer admin"}, "", True),
        ({}, "?x-auth-token=admin", True),
        ({"authorization": "Bearer admin"}, "?token=admin", False),
    ],
)
async def test_how_the_credential_comes_selects_the_shapes(
    here: Place, headers: dict[str, str], query: str, is_documented: bool
) -> None:
    answer = await here.http.get(f"{SITE}{query}", headers=headers)
    assert answer.status_code == 200
    assert ("service_id" in answer.json(), "serviceId" in answer.json()) == (
        is_documented,
        not is_documented,
    )


async def test_an_error_is_problem_details_or_code_and_message(here: Place) -> None:
    native = await here.send("GET", "/v1/robot/none")
    assert native.headers["content-type"] == "application/problem+json"
    assert native.json()["code"] == "FH-3020"
    status, body = await here.documented("GET", "/v1/robot/none")
    assert (status, body) == (
        404,
        {"code": 404, "message": "robot not found", "detail": "robot not found"},
    )


async def test_an_unknown_service_is_404_or_null(here: Place) -> None:
    assert (await here.send("GET", "/v1/service/none")).status_code == 404
    assert await here.documented("GET", "/v1/service/none") == (200, None)
    status, body = await here.documented("DELETE", "/v1/service/none")
    assert (status, body["message"]) == (404, "service not found")


async def test_a_wrong_token_is_told_in_the_words_of_the_document(here: Place) -> None:
    text = "X-Auth-Token is invalid"
    for wrong in ("wrong", ""):
        assert await here.documented("GET", "/v1/service", by=wrong) == (
            401,
            {"code": 401, "message": text, "detail": text},
        )


async def test_a_service_has_all_members_of_the_document(here: Place) -> None:
    status, made = await here.documented("POST", "/v1/service")
    service_id = made["service_id"]
    assert (status, len(service_id), made["status"]) == (200, 32, "new")
    rooms = made.pop("rooms")
    token = made.pop("token")
    assert len(token) >= 16
    assert made == {
        "service_id": service_id,
        "user_id": "",
        "status": "new",
        "ice_server": {"urls": "stun:stun.example.org:3478", "url": "stun:stun.example.org:3478"},
        "ice_servers": [{"url": "stun:stun.example.org:3478"}],
        "create_time": NOW,
        "update_time": NOW,
        "service_create_time": NOW,
        "service_update_time": NOW,
    }
    assert (rooms["service_id"], rooms["base_num"], len(rooms["rooms"])) == (service_id, 1008, 8)
    assert json.loads(rooms["rooms"]["Teleop"]) == {
        "room_id": 1006,
        "room_alias": "Teleop",
        "room_name": "Teleop",
        "room_type": "text",
        "service_id": service_id,
        "max_users": 6,
        "participants": 0,
        "participants_list": [],
    }


async def test_services_are_listed_with_a_total(here: Place) -> None:
    status, body = await here.documented("GET", "/v1/service")
    assert (status, set(body), body["total"]) == (200, {"services", "total"}, 3)
    assert [one["service_id"] for one in body["services"]] == ["default", "site-a", "site-b"]


async def test_a_removed_service_is_returned_as_it_was(here: Place) -> None:
    status, body = await here.documented("DELETE", SITE)
    assert (status, body["service_id"], body["status"]) == (200, "site-a", "deleted")


async def test_a_robot_has_all_members_of_the_document(here: Place) -> None:
    here.robot("rover", "default", "top_camera")
    status, body = await here.documented("GET", "/v1/robot/rover")
    assert status == 200
    assert body == {
        "robot_id": "rover",
        "service_id": "",
        "robot_name": "rover",
        "robot_type": "unknown",
        "camera": [
            {
                "camera_id": "top_camera",
                "camera_name": "top_camera",
                "camera_type": "rgb",
                "camera_status": "connect",
                "camera_url": "",
            }
        ],
        "skills": [],
        "pcl_status": "disconnect",
        "audio_status": "disconnect",
        "control_id": "",
        "architecture": "unknown",
        "application": {},
        "status": "running",
        "robot_create_time": NOW,
        "robot_update_time": NOW,
    }


async def test_robots_are_listed_by_get_and_post(here: Place) -> None:
    for robot_id, service in (("a", "default"), ("b", "site-a"), ("c", "site-b")):
        here.robot(robot_id, service)
    _, body = await here.documented("GET", "/v1/robot")
    assert (body["total"], [one["robot_id"] for one in body["robots"]]) == (3, ["a", "b", "c"])
    _, body = await here.documented("GET", "/v1/robot?offset=1&limit=1")
    assert (body["total"], [one["robot_id"] for one in body["robots"]]) == (3, ["b"])
    _, body = await here.documented("GET", "/v1/robot?name=C")
    assert [one["robot_id"] for one in body["robots"]] == ["c"]
    status, listed = await here.documented("POST", "/v1/robot")
    assert (status, [one["robot_id"] for one in listed]) == (200, ["a", "b", "c"])


async def test_start_and_stop_bind_and_free_a_robot(here: Place) -> None:
    here.robot()
    status, service = await here.documented("POST", "/v1/robot/rover/site-a/start")
    assert (status, service["status"], service["user_id"]) == (200, "active", "rover")
    here.robot()
    _, robot = await here.documented("GET", "/v1/robot/rover")
    assert (robot["service_id"], robot["control_id"]) == ("site-a", "console")
    status, service = await here.documented("POST", "/v1/robot/rover/site-a/stop")
    assert (status, service["status"], service["user_id"]) == (200, "inactive", "")
    _, robot = await here.documented("GET", "/v1/robot/rover")
    assert (robot["service_id"], robot["control_id"], robot["status"]) == ("", "", "stopped")


async def test_who_starts_a_robot_is_named(here: Place) -> None:
    here.robot()
    body = {"username": "alice", "whatever": 1}
    await here.documented("POST", "/v1/robot/rover/site-a/start", body)
    here.robot()
    _, robot = await here.documented("GET", "/v1/robot/rover")
    assert robot["control_id"] == "alice"


async def test_what_cannot_be_started_or_stopped_is_a_400(here: Place) -> None:
    async def refusal(path: str) -> tuple[int, Any]:
        status, body = await here.documented("POST", f"/v1/robot/{path}")
        assert body["code"] == status
        return status, body["message"]

    here.gone(here.robot("rover", "site-a"))
    assert await refusal("rover/site-a/start") == (400, "robot status invalid")
    assert await refusal("rover/site-a/stop") == (400, "Service already stopped")
    assert await refusal("none/site-a/start") == (404, "robot not found")
    assert await refusal("rover/none/start") == (404, "service not found")
    here.robot("other", "site-a")
    here.robot("rover", "site-a")
    await here.documented("POST", "/v1/robot/other/site-a/start")
    assert await refusal("rover/site-a/start") == (400, "service bound to another robot")


async def test_rooms_in_the_documented_form(here: Place) -> None:
    body = {"id": "1010", "name": "gripper_cam", "type": "video", "max_users": "4", "token": ""}
    room = {
        "id": "1010",
        "name": "gripper_cam",
        "type": "video",
        "token": "",
        "max_users": 4,
        "max_duration": 0,
        "room_create_time": NOW,
        "room_update_time": NOW,
    }
    assert await here.documented("POST", f"{SITE}/room", body) == (200, room)
    status, listed = await here.documented("GET", f"{SITE}/room")
    assert (status, listed["total"], listed["rooms"][8]) == (200, 9, room)
    assert await here.documented("DELETE", f"{SITE}/room/1010") == (200, None)
    status, body = await here.documented("GET", f"{SITE}/room/1010")
    assert (status, body["message"]) == (404, "room not found")


async def test_rooms_in_the_deployed_form(here: Place) -> None:
    body = {"room_id": None, "room_name": "gripper_cam", "room_alias": "Gripper", "room_type": ""}
    room = {
        "room_id": 1008,
        "room_alias": "Gripper",
        "room_name": "gripper_cam",
        "room_type": "video",
        "service_id": "site-a",
        "max_users": 6,
        "participants": 0,
        "participants_list": [],
    }
    assert await here.documented("POST", f"{SITE}/rooms", body) == (200, room)
    assert await here.documented("POST", f"{SITE}/rooms", body) == (200, room)  # it is there
    _, listed = await here.documented("GET", f"{SITE}/rooms")
    assert (set(listed), listed["base_num"]) == ({"service_id", "rooms", "base_num"}, 1009)
    assert json.loads(listed["rooms"]["gripper_cam"]) == room
    for name in ("1008", "gripper_cam", "Gripper"):
        assert await here.documented("GET", f"{SITE}/rooms/{name}") == (200, room)
    assert (await here.documented("DELETE", f"{SITE}/rooms/gripper_cam"))[0] == 200
    assert (await here.documented("GET", f"{SITE}/rooms/1008"))[0] == 404


async def test_participants_are_named(here: Place) -> None:
    here.robot("rover", "site-a")
    await here.documented("POST", f"{SITE}/rooms", {"room_name": "rover"})
    here.person("rover", "ana", "site-a")
    _, room = await here.documented("GET", f"{SITE}/rooms/rover")
    assert room["participants"] == 2
    kinds = {(one["client_name"], one["client_type"]) for one in room["participants_list"]}
    assert kinds == {("rover", "robot"), ("ana", "console")}


async def test_a_body_of_the_wrong_form_is_a_422(here: Place) -> None:
    wrong: list[Any] = [[], {"name": ["x"]}, {"name": "x", "max_users": "many"}]
    for body in wrong:
        status, answer = await here.documented("POST", f"{SITE}/room", body)
        assert (status, answer["code"]) == (422, 422)


async def test_what_the_dialect_does_not_know_comes_as_it_is_with_200(here: Place) -> None:
    status, body = await here.documented("POST", "/v1/enrolment", {"serviceId": "site-a"})
    assert (status, body["kind"]) == (200, "code")


async def test_a_path_that_is_not_there_is_told_in_the_same_shape(here: Place) -> None:
    status, body = await here.documented("DELETE", "/v1/service")
    assert (status, set(body)) == (405, {"code", "message", "detail"})
