"""What passes the gateway is kept, counted, told and audited."""

import asyncio
from typing import Any

import msgspec
import pytest

from farhand.core.access import OPEN, Principal
from farhand.core.member import Noticed
from farhand.errors import Code, StoreError
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, Epoch, MemberId, RobotId
from farhand.server.journal import MAX_DEEDS, Journal
from farhand.server.metrics import Metrics
from farhand.server.webhooks.news import News
from farhand.store.audit import first_broken
from farhand.store.base import AuditQuery, Deed
from farhand.store.history import MemoryHistory
from farhand.store.memory import MemoryStore
from farhand.store.records import AuditEntry

R1, R2 = RobotId("r1"), RobotId("r2")
ANA = m.Member(MemberId("m-ana"), "operator", "ana")


class Rig:
    def __init__(self, store: MemoryStore | None = None) -> None:
        self.now = 1_700_000_000_000
        self.kept = MemoryHistory(lambda: self.now)
        self.metrics = Metrics()
        self.told: list[News] = []
        self.store = store or MemoryStore()
        self.journal = Journal(
            self.kept, self.store, self.metrics, self.told.append, lambda: self.now
        )

    def status(self, percent: float | None = None, robot: RobotId = R1) -> None:
        battery = None if percent is None else m.Battery(percent)
        status = m.Status(1, "idle", m.LeaseState(Epoch(1)), battery=battery)
        self.journal.status(DEFAULT_SERVICE, robot, status)

    def event(self, kind: m.EventKind, robot: RobotId = R1, **fields: Any) -> None:
        self.journal.event(DEFAULT_SERVICE, robot, m.Event(kind, **fields))

    def figure(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    async def statuses(self, robot: RobotId = R1) -> list[Any]:
        found = await self.kept.statuses(DEFAULT_SERVICE, robot, 0, 2**53, 100)
        return [msgspec.json.decode(one.data) for one in found]

    async def events(self) -> list[tuple[str, str, Any]]:
        found = await self.kept.events(None, "", "", 0, 2**53, 100)
        return [(one.robot_id, one.type, msgspec.json.decode(one.data)) for one in found]

    @property
    def kinds(self) -> list[str]:
        return [item.event for item in self.told]


async def test_one_status_a_second_of_each_robot_is_kept() -> None:
    rig = Rig()
    for _ in range(20):
        rig.status()
        rig.status(robot=R2)
        rig.now += 250
    for robot in (R1, R2):
        kept = await rig.statuses(robot)
        assert [one["mode"] for one in kept] == ["idle"] * 5


async def test_a_clock_that_was_set_back_silences_nobody() -> None:
    rig = Rig()
    rig.status()
    rig.now -= 3_600_000
    rig.status()
    assert len(await rig.statuses()) == 2


async def test_an_event_is_kept_once_however_often_it_comes() -> None:
    rig = Rig()
    for _ in range(3):
        rig.event("stopped", id="n-1", member=ANA)
    rig.event("stopped", id="n-1", robot=R2)
    rig.event("stopped", id="n-2")
    kept = await rig.events()
    assert [(robot, event["id"]) for robot, _, event in kept] == [
        (R1, "n-1"), (R2, "n-1"), (R1, "n-2")
    ]  # fmt: skip
    assert kept[0][2]["robotId"] == R1
    assert rig.figure("farhand_stops_total", by="operator") == 1
    assert rig.figure("farhand_stops_total", by="robot") == 2


async def test_control_is_counted_and_its_taking_told() -> None:
    rig = Rig()
    rig.event("control-taken", id="n-1", member=ANA)
    rig.event("control-released", id="n-2", member=ANA)
    assert rig.figure("farhand_lease_total", event="taken") == 1
    assert rig.figure("farhand_lease_total", event="released") == 1
    assert rig.kinds == ["control.taken"]
    assert rig.told[0].data == {"by": "ana", "role": "operator"}


async def test_presence_is_kept_and_told_with_its_reason() -> None:
    rig = Rig()
    rig.journal.presence(DEFAULT_SERVICE, R1, is_online=True)
    rig.journal.presence(DEFAULT_SERVICE, R1, is_online=False, reason="FH-3017")
    assert rig.kinds == ["robot.online", "robot.offline"]
    assert rig.told[1].data == {"reason": "FH-3017"}
    assert [kind for _, kind, _ in await rig.events()] == ["robot-online", "robot-offline"]


async def test_a_low_battery_is_told_once_for_each_crossing() -> None:
    rig = Rig()
    for percent in (50, 20, 19.9, 19.9, 20.4, 19.0, 21.9, 19.0, 22.1, 19.5, 5):
        rig.status(percent)
    assert [(n.event, n.data["percent"]) for n in rig.told] == [
        ("battery.low", 19.9), ("battery.low", 19.5)
    ]  # fmt: skip


async def test_a_robot_that_comes_back_with_a_low_battery_is_no_second_event() -> None:
    rig = Rig()
    rig.status(10)
    rig.journal.presence(DEFAULT_SERVICE, R1, is_online=False)
    rig.journal.presence(DEFAULT_SERVICE, R1, is_online=True)
    rig.status(9)
    assert rig.kinds.count("battery.low") == 1


async def trail(store: MemoryStore) -> list[AuditEntry]:
    return list(await store.audit_entries(AuditQuery()))


async def test_what_the_hub_noticed_is_in_the_trail_when_the_server_has_ended() -> None:
    rig = Rig()
    user = Principal("user", "u-1", "Ana", "operator")
    async with rig.journal.running():
        rig.journal.notice(Noticed("stop", DEFAULT_SERVICE, user, R1, ANA, "session:s1"))
        rig.journal.notice(Noticed("control.taken", DEFAULT_SERVICE, OPEN, R1, ANA))
        rig.journal.notice(Noticed("member.kick", DEFAULT_SERVICE, None, result="FH-2006"))
    entries = await trail(rig.store)
    assert [(e.actor, e.actor_name, e.action, e.result) for e in entries] == [
        ("user:u-1", "Ana", "stop", "ok"),
        ("member:m-ana", "ana", "control.taken", "ok"),
        ("server", "", "member.kick", "FH-2006"),
    ]
    assert entries[0].robot_id == R1
    assert entries[0].target == "session:s1"
    assert first_broken(entries) is None


class Stubborn(MemoryStore):
    """A store that is out of reach for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 1

    async def audit(self, deed: Deed) -> AuditEntry:
        if self.refusals:
            self.refusals -= 1
            raise StoreError(Code.STORE_UNREACHABLE, "Not now.")
        return await super().audit(deed)


async def test_entries_wait_for_a_store_that_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("farhand.server.journal.RETRY_S", 0.0)
    rig = Rig(Stubborn())
    async with rig.journal.running():
        for number in range(3):
            rig.journal.note(Deed("server", "", f"do.{number}"))
    assert [e.action for e in await trail(rig.store)] == ["do.0", "do.1", "do.2"]


async def test_the_deeds_that_wait_are_bounded() -> None:
    rig = Rig()
    for number in range(MAX_DEEDS + 5):
        rig.journal.note(Deed("server", "", f"do.{number}"))
    async with rig.journal.running():
        await asyncio.sleep(0)
    entries = await rig.store.audit_entries(AuditQuery(limit=MAX_DEEDS * 2))
    assert len(entries) == MAX_DEEDS
    assert entries[0].action == "do.5"
