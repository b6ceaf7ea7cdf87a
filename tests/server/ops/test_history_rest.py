"""What was kept is read by those who see the robot."""

from typing import Any

import msgspec
import pytest

from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, Epoch, MemberId, RobotId, ServiceId
from tests.server.ops.rest_rig import LAB, R1, R2, R3, Rig, rig

NOW = 4_000_000_000_000
"""Later than the clock: nothing is too old to be kept."""


def keep_event(made: Rig, service: ServiceId, robot: RobotId, at: int, kind: str = "reset") -> None:
    event = m.Event(kind, member=m.Member(MemberId("m1"), "operator", "ana"), text=f"at {at}")  # type: ignore[arg-type]
    made.history.add_event(service, robot, kind, NOW + at, msgspec.json.encode(event))


def keep_status(made: Rig, at: int, robot: RobotId = R1) -> None:
    status = m.Status(at, "idle", m.LeaseState(Epoch(1)))
    made.history.add_status(DEFAULT_SERVICE, robot, NOW + at, msgspec.json.encode(status))


async def pages(made: Rig, who: str, path: str, plural: str) -> list[Any]:
    """Return all entries, the newest page first, as the pages come."""
    found, cursor = [], ""
    while True:
        answer = await made.ask(who, "GET", path + f"&cursor={cursor}")
        assert answer.status_code == 200, answer.text
        found.append(answer.json()[plural])
        cursor = answer.json()["next"]
        if cursor is None:
            return found


async def test_samples_come_in_order_within_the_asked_time_page_by_page() -> None:
    async with rig() as made:
        for at in range(0, 10_000, 1000):
            keep_status(made, at)
        path = f"/v1/robot/r1/status?from={NOW + 1000}&to={NOW + 8000}&limit=3"
        got = await pages(made, "driver", path, "statuses")
        stamps = [[one["status"]["stampUs"] for one in page] for page in got]
        assert stamps == [[5000, 6000, 7000], [2000, 3000, 4000], [1000]]
        assert got[0][0]["atMs"] == NOW + 5000
        assert got[0][0]["status"]["mode"] == "idle"


async def test_events_of_one_millisecond_are_all_there_once() -> None:
    async with rig() as made:
        for at in (0, 1, 1, 1, 1, 2, 2):
            keep_event(made, DEFAULT_SERVICE, R1, at)
        got = await pages(made, "admin", "/v1/event?limit=2", "events")
        assert [[one["seq"] for one in page] for page in got] == [[6, 7], [4, 5], [2, 3], [1]]
        assert got[0][1] == {
            "seq": 7, "atMs": NOW + 2, "type": "reset", "serviceId": "default", "robotId": "r1",
            "text": "at 2", "member": {"id": "m1", "role": "operator", "name": "ana"},
        }  # fmt: skip


async def test_events_are_those_of_robots_that_one_sees() -> None:
    async with rig() as made:
        for at in range(0, 300, 3):
            keep_event(made, DEFAULT_SERVICE, R1, at)
            keep_event(made, DEFAULT_SERVICE, R2, at + 1)
            keep_event(made, LAB, R3, at + 2)
        for who, robots in (
            ("admin", {"r1", "r2", "r3"}),
            ("program", {"r1", "r2"}),
            ("driver", {"r1"}),
            ("manager", {"r3"}),
            ("guest", set[str]()),
            ("stranger", set[str]()),
        ):
            got = await pages(made, who, "/v1/event?limit=7", "events")
            events = [one for page in got for one in page]
            assert {one["robotId"] for one in events} == robots, who
            assert len({one["seq"] for one in events}) == 100 * len(robots), who


async def test_events_are_filtered_by_robot_type_service_and_time() -> None:
    async with rig() as made:
        keep_event(made, DEFAULT_SERVICE, R1, 1, "stopped")
        keep_event(made, DEFAULT_SERVICE, R1, 2, "reset")
        keep_event(made, DEFAULT_SERVICE, R2, 3, "stopped")
        keep_event(made, LAB, R3, 4, "stopped")
        for query, seqs in (
            ("robot=r1", [1, 2]),
            ("type=stopped", [1, 3, 4]),
            ("robot=r1&type=stopped", [1]),
            ("service=lab", [4]),
            (f"from={NOW + 2}&to={NOW + 4}", [2, 3]),
        ):
            answer = await made.ask("admin", "GET", f"/v1/event?{query}")
            assert [one["seq"] for one in answer.json()["events"]] == seqs, query


@pytest.mark.parametrize(
    "path",
    ["/v1/robot/r2/status", "/v1/robot/none/status", "/v1/event?robot=r2", "/v1/event?robot=none"],
)
async def test_a_robot_that_is_not_theirs_is_not_there(path: str) -> None:
    async with rig() as made:
        keep_status(made, 1, R2)
        answer = await made.ask("driver", "GET", path)
        assert answer.status_code == 404
        assert answer.json() == {
            "type": "about:blank", "title": "There is no such robot.", "status": 404,
            "code": "FH-3020", "detail": "There is no such robot.",
        }  # fmt: skip


async def test_a_foreign_service_is_not_there_and_a_guest_reads_no_history() -> None:
    async with rig() as made:
        assert (await made.ask("driver", "GET", "/v1/event?service=lab")).status_code == 404
        assert (await made.ask("guest", "GET", "/v1/robot/r1/status")).status_code == 403
        assert (await made.ask("", "GET", "/v1/event")).status_code == 401


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=1", "cursor=1.x", "from=x", "limit=0", "limit=501", "to=-1"]
)
async def test_what_is_no_query_is_refused(query: str) -> None:
    async with rig() as made:
        for path in ("/v1/event", "/v1/robot/r1/status"):
            answer = await made.ask("admin", "GET", f"{path}?{query}")
            assert (answer.status_code, answer.json()["code"]) == (422, "FH-3001"), path
