"""How robots get in: by codes, by keys, by approval; and how not."""

import asyncio
from typing import Any

import pytest

from farhand.errors import Code
from farhand.keys.signing import GRANT, ROBOT, SigningKey, new_key
from farhand.protocol.ids import RobotId
from farhand.server.problems import Problem
from farhand.store.records import Enrolment, Robot
from tests.server.rest.harness import Place


def proof(here: Place, key: SigningKey, robot_id: str = "", **changed: Any) -> str:
    now = here.wall[0] // 1000
    typ = changed.pop("typ", ROBOT)
    claims = {
        "iss": key.id,
        "sub": robot_id or key.id,
        "aud": here.context.key.id,
        "iat": now,
        "exp": now + 60,
        "jti": "j-1",
    }
    return key.sign(typ, claims | changed)


async def enrol(
    here: Place, key: SigningKey, code: str = "", robot_id: str = "", status: int = 201, **more: Any
) -> Any:
    body = {"publicKey": key.public, "proof": proof(here, key, robot_id)}
    body |= {"code": code} if code else {}
    body |= {"robotId": robot_id} if robot_id else {}
    return await here.ask("POST", "/v1/enrol", body | more, by="", status=status)


async def code(here: Place, by: str = "boss", **body: Any) -> Any:
    body = {"serviceId": "site-a"} | body
    return await here.ask("POST", "/v1/enrolment", body, by=by, status=201)


async def trail(here: Place, action: str) -> list[tuple[str, str]]:
    answer = await here.ask("GET", f"/v1/audit?action={action}")
    return [(entry["result"], entry["robotId"]) for entry in answer["entries"]]


async def test_a_code_lets_one_robot_in_with_its_own_key(here: Place) -> None:
    made = await code(here, by="enroller", name="Arm 7", tags=["hall"])
    assert made["line"] == f"farhand agent join http://farhand.test --code {made['code']}"
    key = new_key()
    typed = made["code"].lower().replace("-", " ")
    answer = await enrol(here, key, typed, "arm-7", architecture="arm64")
    server_key = (await here.ask("GET", "/v1/enrol", by=""))["serverKey"]
    assert answer == {"robotId": "arm-7", "serviceId": "site-a", "serverKey": server_key}
    robot = here.store.get(Robot, "site-a", RobotId("arm-7"))
    assert robot is not None
    assert (robot.public_key, robot.name, robot.tags, robot.architecture, robot.home_id) == (
        key.public,
        "Arm 7",
        ("hall",),
        "arm64",
        "site-a",
    )
    assert await trail(here, "robot.enrol") == [("ok", "arm-7")]


async def test_a_code_is_never_stored_or_shown_again(here: Place) -> None:
    made = await code(here)
    listed = await here.ask("GET", "/v1/enrolment", by="boss")
    assert [one["enrolmentId"] for one in listed["enrolments"]] == [made["enrolmentId"]]
    everything = f"{listed} {here.store.all(Enrolment)} {await here.ask('GET', '/v1/audit')}"
    assert made["code"] not in everything
    assert made["code"].replace("-", "") not in everything


async def test_what_has_expired_long_ago_is_forgotten(here: Place) -> None:
    await code(here)
    here.wall[0] += 30 * 24 * 3600 * 1000
    await code(here)
    assert (await here.ask("GET", "/v1/enrolment?status=expired"))["total"] == 1
    here.wall[0] += 600_001
    await code(here)
    assert (await here.ask("GET", "/v1/enrolment"))["total"] == 2


async def test_a_code_used_twice_is_refused_and_in_the_trail(here: Place) -> None:
    made = await code(here)
    await enrol(here, new_key(), made["code"], "first")
    answer = await enrol(here, new_key(), made["code"], "second", status=409)
    assert answer["code"] == Code.CODE_USED
    assert here.store.get(Robot, "site-a", RobotId("second")) is None
    assert await trail(here, "robot.enrol") == [("ok", "first"), (Code.CODE_USED, "")]


async def test_a_code_that_is_unknown_expired_or_revoked_is_the_same_refusal(here: Place) -> None:
    unknown = await enrol(here, new_key(), "ABCD-EFGH", status=404)
    late, revoked = await code(here), await code(here)
    await here.ask("DELETE", f"/v1/enrolment/{revoked['enrolmentId']}", by="boss", status=204)
    here.wall[0] += 600_000
    for made in (late, revoked):
        assert await enrol(here, new_key(), made["code"], status=404) == unknown
    assert unknown["code"] == Code.CODE_UNKNOWN


async def test_a_key_lets_in_as_many_as_it_says(here: Place) -> None:
    made = await code(here, kind="key", uses=2, ttlS=30 * 24 * 3600)
    assert made["code"].startswith("fhk_")
    here.wall[0] += 24 * 3600 * 1000
    for robot_id in ("a", "b"):
        await enrol(here, new_key(), made["code"], robot_id)
    assert (await enrol(here, new_key(), made["code"], "c", status=409))["code"] == Code.CODE_USED


async def test_the_name_of_a_key_is_no_name_for_a_robot(here: Place) -> None:
    made = await code(here, kind="key", name="the autumn image")
    await enrol(here, new_key(), made["code"], "a")
    assert (await here.ask("GET", "/v1/robot/a?service=site-a"))["name"] != "the autumn image"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another server"},
        {"iss": "another robot"},
        {"sub": "another id"},
        {"exp": 1},
        {"typ": GRANT},
    ],
)
async def test_who_cannot_show_the_key_gets_nothing(here: Place, changed: dict[str, Any]) -> None:
    made, key = await code(here), new_key()
    body = {"publicKey": key.public, "code": made["code"], "robotId": "arm"}
    body["proof"] = proof(here, key, "arm", **changed)
    answer = await here.ask("POST", "/v1/enrol", body, by="", status=401)
    assert answer["code"] == Code.UNAUTHENTICATED
    body["proof"] = proof(here, new_key(), "arm")
    await here.ask("POST", "/v1/enrol", body, by="", status=401)
    await enrol(here, key, made["code"], "arm")  # the code was not used up by the failures


async def test_an_id_that_is_taken_needs_a_code_made_for_it(here: Place) -> None:
    first, second = new_key(), new_key()
    await enrol(here, first, (await code(here))["code"], "arm")
    plain = (await code(here))["code"]
    assert (await enrol(here, second, plain, "arm", status=409))["code"] == Code.CONFLICT
    path = "/v1/robot/arm/rotate?service=site-a"
    await here.ask("POST", path, by="looker", status=403)
    bound = await here.ask("POST", path, by="boss", status=201)
    assert (await enrol(here, second, bound["code"], "other", status=409))["code"] == Code.CONFLICT
    await enrol(here, second, bound["code"])
    robot = here.store.get(Robot, "site-a", RobotId("arm"))
    assert robot is not None
    assert robot.public_key == second.public


async def test_a_revoked_key_stays_out_until_the_robot_has_a_new_one(here: Place) -> None:
    key = new_key()
    await enrol(here, key, (await code(here))["code"], "arm")
    await here.ask("POST", "/v1/robot/arm/revoke?service=site-a", by="boss", status=200)
    bound = await here.ask("POST", "/v1/robot/arm/rotate?service=site-a", by="boss", status=201)
    assert (await enrol(here, key, bound["code"], status=403))["code"] == Code.REVOKED
    assert (await enrol(here, key, status=403))["code"] == Code.REVOKED
    await enrol(here, new_key(), bound["code"])
    robot = await here.ask("GET", "/v1/robot/arm?service=site-a")
    assert (robot["revoked"], robot["enrolled"]) == (False, True)


async def test_a_robot_without_a_code_waits_until_somebody_approves_it(here: Place) -> None:
    key = new_key()
    asked = await enrol(here, key, name="New Arm", model="UR5", status=202)
    assert asked["url"] == f"http://farhand.test/enroll#code={asked['code']}"
    poll = {"poll": asked["poll"]}
    pending = await here.ask("POST", "/v1/enrol/poll", poll, by="", status=202)
    assert pending["status"] == "pending"
    [seen] = (await here.ask("GET", "/v1/enrolment?kind=request"))["enrolments"]
    assert (seen["name"], seen["model"], seen["status"]) == ("New Arm", "UR5", "open")
    body = {"code": asked["code"], "serviceId": "site-a", "robotId": "arm", "tags": ["hall"]}
    await here.ask("POST", "/v1/enrolment/approve", body, by="looker", status=403)
    await here.ask("POST", "/v1/enrolment/approve", body, by="stranger", status=404)
    await here.ask("POST", "/v1/enrolment/approve", body, by="enroller", status=200)
    again = await here.ask("POST", "/v1/enrolment/approve", body, by="boss", status=409)
    assert again["code"] == Code.CODE_USED
    answer = await here.ask("POST", "/v1/enrol/poll", poll, by="", status=201)
    assert (answer["robotId"], answer["serviceId"]) == ("arm", "site-a")
    # It may ask again, and its key is known from now on.
    assert await here.ask("POST", "/v1/enrol/poll", poll, by="", status=201) == answer
    assert await enrol(here, key) == answer


async def test_a_robot_that_is_turned_away_is_told_so(here: Place) -> None:
    asked = await enrol(here, new_key(), status=202)
    await here.ask("POST", "/v1/enrolment/deny", {"code": asked["code"]}, by="boss", status=200)
    poll = {"poll": asked["poll"]}
    answer = await here.ask("POST", "/v1/enrol/poll", poll, by="", status=403)
    assert answer["code"] == Code.FORBIDDEN
    await here.ask("POST", "/v1/enrol/poll", {"poll": "guess"}, by="", status=404)


async def test_approval_gives_nobody_the_id_of_another_robot(here: Place) -> None:
    await enrol(here, new_key(), (await code(here))["code"], "arm")
    asked = await enrol(here, new_key(), status=202)
    body = {"code": asked["code"], "serviceId": "site-a", "robotId": "arm"}
    answer = await here.ask("POST", "/v1/enrolment/approve", body, by="boss", status=409)
    assert answer["code"] == Code.CONFLICT


async def test_an_address_has_so_many_robots_waiting_and_no_more(here: Place) -> None:
    for _ in range(20):
        await enrol(here, new_key(), status=202)
    assert (await enrol(here, new_key(), status=429))["code"] == Code.RATE_LIMITED
    here.wall[0] += 600_000
    await enrol(here, new_key(), status=202)
    assert len(here.store.all(Enrolment)) == 1  # the old ones went


async def test_strangers_are_throttled(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: str) -> None:
        raise Problem(429, Code.RATE_LIMITED, f"{address} asks too often.", retry_after_s=7.2)

    monkeypatch.setattr(type(here.context.throttle), "enrol", staticmethod(refuse))
    body = {"publicKey": new_key().public, "proof": "x"}
    answer = await here.send("POST", "/v1/enrol", body, by="")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "8")


async def test_robots_at_the_same_moment_share_a_key_without_one_too_many(
    on_disk: Place,
) -> None:
    here = on_disk

    made = await code(here, kind="key", uses=15)
    bodies = []
    for n in range(24):
        key = new_key()
        signed = proof(here, key, f"r-{n}")
        bodies.append(
            {"publicKey": key.public, "proof": signed, "robotId": f"r-{n}", "code": made["code"]}
        )
    answers = await asyncio.gather(
        *(here.send("POST", "/v1/enrol", body, by="") for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 15 + [409] * 9
