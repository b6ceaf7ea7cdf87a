"""What every store does, whatever it keeps its records in."""

import asyncio

import pytest

from farhand.core.access import Access
from farhand.errors import Code, VersionConflict
from farhand.protocol.ids import DEFAULT_SERVICE, CameraId, RobotId, ServiceId
from farhand.protocol.manifest import Camera, Manifest
from farhand.store.audit import first_broken
from farhand.store.base import AuditQuery, Deed, Delete, Put, Store
from farhand.store.records import AuditEntry, Record, Robot, Room, Service, Token, User
from tests.store.conftest import EVERYWHERE, Clock

pytestmark = EVERYWHERE

LAB = ServiceId("lab")
ROVER = RobotId("rover")


def deed(action: str = "user.create", **more: str) -> Deed:
    return Deed(actor="user:u-1", actor_name="Ana", action=action, **more)  # type: ignore[arg-type]


def manifest(name: str = "Rover") -> Manifest:
    camera = Camera(id=CameraId("front"), label="Front", width=640, height=480, fps=30.0)
    return Manifest(ROVER, name, model="R2", software="1.0", cameras=(camera,))


def user(name: str = "ana", **more: object) -> User:
    return User(id=f"u-{name}", name=name, **more)  # type: ignore[arg-type]


async def trail(store: Store) -> list[AuditEntry]:
    return list(await store.audit_entries(AuditQuery(limit=10_000)))


async def test_there_is_a_default_service(store: Store) -> None:
    assert store.has_service(DEFAULT_SERVICE)
    assert [service.id for service in store.all(Service)] == [DEFAULT_SERVICE]
    assert not store.has_service(LAB)


async def test_what_is_written_is_read(store: Store, clock: Clock) -> None:
    access = (Access(LAB, "operator", ROVER), Access(LAB, "viewer", tag="demo"))
    (stored,) = await store.write(Put(user(access=access, role="operator")))
    assert stored == user(
        access=access, role="operator", version=1, created_ms=clock.ms, updated_ms=clock.ms
    )
    assert store.get(User, "u-ana") == stored
    assert store.all(User) == [stored]
    assert store.get(User, "u-bob") is None


async def test_a_write_raises_the_version_and_keeps_the_birthday(
    store: Store, clock: Clock
) -> None:
    born_ms = clock.ms
    await store.write(Put(user()))
    clock.ms += 5
    (stored,) = await store.write(Put(user(role="admin", version=1)))
    assert (stored.version, stored.created_ms, stored.updated_ms) == (2, born_ms, born_ms + 5)


@pytest.mark.parametrize("version", [0, 2])
async def test_another_version_is_a_conflict_and_changes_nothing(
    store: Store, version: int
) -> None:
    (stored,) = await store.write(Put(user()))
    with pytest.raises(VersionConflict) as caught:
        await store.write(Put(user("bob")), Put(user(role="admin", version=version)), deed=deed())
    assert caught.value.code == Code.VERSION_CHANGED
    assert store.all(User) == [stored]
    assert await trail(store) == []


async def test_a_record_that_must_be_there_and_is_not_is_a_conflict(store: Store) -> None:
    with pytest.raises(VersionConflict):
        await store.write(Put(user(version=1)))
    assert store.all(User) == []


async def test_force_replaces_whatever_there_is(store: Store) -> None:
    await store.write(Put(user()))
    (stored,) = await store.write(Put(user(role="admin", version=77), force=True))
    assert stored.version == 2
    assert store.get(User, "u-ana") == stored


async def test_a_deleted_record_is_gone_and_deleting_it_again_is_no_error(store: Store) -> None:
    await store.write(Put(user()))
    assert await store.write(Delete(User, ("u-ana",))) == ()
    assert await store.write(Delete(User, ("u-ana",))) == ()
    assert store.all(User) == []
    (stored,) = await store.write(Put(user()))
    assert stored.version == 1


async def test_one_write_may_hold_many_changes(store: Store) -> None:
    service = Service(id=LAB, name="Lab")
    room = Room(service_id=LAB, id=1000, name="Hall")
    await store.write(Put(service), Put(room), Put(user()))
    await store.write(Delete(Service, (LAB,)), Delete(Room, (LAB, 1000)))
    assert (store.has_service(LAB), store.all(Room)) == (False, [])
    assert [each.id for each in store.all(User)] == ["u-ana"]


async def test_all_is_in_the_order_of_the_keys(store: Store) -> None:
    rooms = [(LAB, 10_000), (LAB, 9_999), (ServiceId("attic"), 1000)]
    for service_id, number in rooms:
        await store.write(Put(Room(service_id=service_id, id=number, name="x")))
    found = [(room.service_id, room.id) for room in store.all(Room)]
    assert found == [("attic", 1000), (LAB, 9_999), (LAB, 10_000)]
    await store.write(Delete(Room, (LAB, 9_999)))
    assert [room.id for room in store.all(Room)] == [1000, 10_000]


async def test_of_concurrent_writes_of_one_version_one_wins(store: Store) -> None:
    await store.write(Put(user()))
    results = await asyncio.gather(
        *(store.write(Put(user(oidc=f"iss|{i}", version=1)), deed=deed()) for i in range(20)),
        return_exceptions=True,
    )
    won = [result for result in results if isinstance(result, tuple)]
    assert len(won) == 1
    assert sum(isinstance(result, VersionConflict) for result in results) == 19
    assert store.get(User, "u-ana") == won[0][0]
    assert len(await trail(store)) == 1


async def test_concurrent_writes_all_happen_and_the_chain_holds(store: Store) -> None:
    await asyncio.gather(
        *(store.write(Put(user(f"{i:04}")), deed=deed(target=f"user:{i}")) for i in range(700))
    )
    assert len(store.all(User)) == 700
    entries = await trail(store)
    assert [entry.seq for entry in entries] == list(range(1, 701))
    assert first_broken(entries) is None
    assert {entry.target for entry in entries} == {f"user:{i}" for i in range(700)}


async def test_watchers_are_told_before_and_after(store: Store) -> None:
    told: list[tuple[Record | None, Record | None]] = []
    store.watch(lambda before, after: told.append((before, after)))
    (first,) = await store.write(Put(user()))
    (second,) = await store.write(Put(user(role="admin", version=1)))
    await store.write(Delete(User, ("u-ana",)))
    await store.write(Delete(User, ("u-ana",)))
    assert told == [(None, first), (first, second), (second, None)]


async def test_watchers_see_what_they_are_told_of(store: Store) -> None:
    seen: list[bool] = []
    store.watch(lambda _before, after: seen.append(store.get(User, "u-ana") == after))
    await store.write(Put(user()))
    await store.write(Put(user(role="admin", version=1)))
    assert seen == [True, True]


async def test_no_two_users_have_one_name(store: Store) -> None:
    results = await asyncio.gather(
        *(store.write(Put(User(id=f"u-{i}", name="ana"))) for i in range(3)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [tuple, VersionConflict, VersionConflict]
    with pytest.raises(VersionConflict):
        await store.write(Put(user("bob")), Put(User(id="u-2", name="bob")))
    await store.write(Put(user("eve")))
    with pytest.raises(VersionConflict):
        await store.write(Put(User(id="u-eve", name="ana", version=1)))
    assert [(each.id, each.name) for each in store.all(User)] == [("u-0", "ana"), ("u-eve", "eve")]


async def test_a_name_that_was_given_up_is_free(store: Store) -> None:
    await store.write(Put(user("ana")), Put(user("bob")))
    await store.write(Put(User(id="u-ana", name="zoe", version=1)))
    await store.write(Put(User(id="u-new", name="ana")))
    await store.write(Delete(User, ("u-bob",)), Put(User(id="u-other", name="bob")))
    names = {each.id: each.name for each in store.all(User)}
    assert names == {"u-ana": "zoe", "u-new": "ana", "u-other": "bob"}


# --- robots ---


async def test_a_robot_that_comes_gets_a_record_at_once(store: Store, clock: Clock) -> None:
    store.robot_seen(DEFAULT_SERVICE, ROVER, manifest(), clock.ms, "")
    robot = store.get(Robot, DEFAULT_SERVICE, ROVER)
    assert robot is not None
    assert (robot.name, robot.model, robot.manifest) == ("Rover", "R2", manifest())
    assert (robot.last_seen_ms, robot.offline_reason, robot.version) == (clock.ms, "", 1)


async def test_being_seen_keeps_the_version_and_what_was_written(
    store: Store, clock: Clock
) -> None:
    robot = Robot(service_id=LAB, id=ROVER, home_id=LAB, public_key="k", tags=("a", "b"))
    await store.write(Put(robot))
    store.robot_seen(LAB, ROVER, manifest("New"), clock.ms + 9, "gone")
    found = store.get(Robot, LAB, ROVER)
    assert found is not None
    assert (found.version, found.tags, found.public_key) == (1, ("a", "b"), "k")
    assert (found.name, found.offline_reason, found.last_seen_ms) == ("New", "gone", clock.ms + 9)


async def test_a_robot_that_is_seen_while_it_is_written_keeps_both(
    store: Store, clock: Clock
) -> None:
    await store.write(Put(Robot(service_id=LAB, id=ROVER, home_id=LAB)))
    robot = Robot(service_id=LAB, id=ROVER, home_id=LAB, tags=("a",), version=1)
    writing = asyncio.create_task(store.write(Put(robot)))
    await asyncio.sleep(0)
    store.robot_seen(LAB, ROVER, manifest(), clock.ms, "gone")
    await writing
    found = store.get(Robot, LAB, ROVER)
    assert found is not None
    assert (found.tags, found.offline_reason, found.version) == (("a",), "gone", 2)


async def test_a_deleted_robot_does_not_come_back_by_leaving(store: Store, clock: Clock) -> None:
    store.robot_seen(LAB, ROVER, manifest(), clock.ms, "")
    await store.write(Delete(Robot, (LAB, ROVER)))
    store.robot_seen(LAB, ROVER, manifest(), clock.ms, "deleted")
    assert store.all(Robot) == []


# --- the audit trail ---


async def test_a_deed_is_noted_with_number_time_and_chain(store: Store, clock: Clock) -> None:
    first = await store.audit(deed("login", result="FH-2004", address="192.0.2.1"))
    assert (first.seq, first.at_ms, first.previous) == (1, clock.ms, "")
    assert (first.action, first.result, first.address) == ("login", "FH-2004", "192.0.2.1")
    second = await store.audit(Deed("a", "b", "c", detail={"reason": "näh", "a": "1"}))
    assert (second.seq, second.previous) == (2, first.digest)
    assert await trail(store) == [first, second]


async def test_names_that_strangers_choose_cannot_break_the_trail(store: Store) -> None:
    entry = await store.audit(Deed("user:?", "a\0b\udc80", "login", detail={"\0": "\ud800"}))
    assert entry.actor_name == "a\ufffdb?"
    entries = await trail(store)
    assert entries == [entry]
    assert first_broken(entries) is None


async def test_the_trail_is_asked_by_number_service_robot_and_action(store: Store) -> None:
    for i, (service, robot, action) in enumerate(
        [
            ("lab", "rover", "robot.enrol"),
            ("lab", "", "robot"),
            ("attic", "rover", "robot.Enrol"),
            ("", "", "login"),
            ("lab", "rover", "stop"),
        ]
    ):
        await store.audit(deed(action, service_id=service, robot_id=robot, target=str(i)))

    async def numbers(query: AuditQuery) -> list[int]:
        return [entry.seq for entry in await store.audit_entries(query)]

    assert await numbers(AuditQuery(limit=2)) == [1, 2]
    assert await numbers(AuditQuery(after=3)) == [4, 5]
    assert await numbers(AuditQuery(limit=2, newest=True)) == [4, 5]
    assert await numbers(AuditQuery(service_ids=frozenset({"lab"}))) == [1, 2, 5]
    assert await numbers(AuditQuery(service_ids=frozenset())) == []
    assert await numbers(AuditQuery(robot_id="rover")) == [1, 3, 5]
    assert await numbers(AuditQuery(action="robot.e")) == [1]
    assert await numbers(AuditQuery(action="robot.", robot_id="rover", after=1)) == [3]
    assert await numbers(AuditQuery(action="%")) == []


async def test_tokens_of_all_shapes_are_read_as_they_were_written(store: Store) -> None:
    token = Token(
        id="t",
        name="Zoë «☃»",
        digest="d" * 64,
        role="guest",
        access=(Access(LAB, "guest", ROVER),),
        expires_ms=2**53,
    )
    (stored,) = await store.write(Put(token))
    assert store.get(Token, "t") == stored
