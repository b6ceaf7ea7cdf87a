from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.base import RobotRecord, Store
from farhand.store.memory import MemoryStore


def record(name: str, seen_ms: int = 1) -> RobotRecord:
    robot_id = RobotId(name)
    return RobotRecord(DEFAULT_SERVICE, robot_id, Manifest(robot_id, name), seen_ms)


def test_the_default_service_exists_and_no_other() -> None:
    store: Store = MemoryStore()
    assert store.has_service(DEFAULT_SERVICE)
    assert not store.has_service(ServiceId("lab"))
    assert MemoryStore(frozenset({ServiceId("lab")})).has_service(ServiceId("lab"))


def test_a_robot_is_remembered_as_it_was_last_seen() -> None:
    store = MemoryStore()
    store.robot_seen(record("one", 1))
    store.robot_seen(record("two", 2))
    store.robot_seen(record("one", 3))
    assert store.robots() == [record("two", 2), record("one", 3)]


def test_the_least_recently_seen_are_forgotten_when_there_are_too_many() -> None:
    store = MemoryStore(max_robots=2)
    for name in ("one", "two", "one", "three"):
        store.robot_seen(record(name))
    assert [one.robot_id for one in store.robots()] == ["one", "three"]
